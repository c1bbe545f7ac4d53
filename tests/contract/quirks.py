"""What the servers of the tests do differently from S3, so that the tests ask of each what it can do.

SeaweedFS keeps keys as paths of a file system:

- It lists a directory where its name sorts, not where its name and a slash do: ``a/x`` before ``a-b`` and ``a.txt``.
  The store brings that in order.
- ``a`` and ``a/`` are one thing, ``a//b`` and ``/a/b`` are ``a/b``, a backslash is a slash; dot segments are refused.
- No segment is longer than 255 bytes. A key that ends with a slash holds no body.
- Where ``a/b`` is, ``a/`` is too, an empty object of the type ``application/x-directory``.

moto cannot route a line break in a key, begins no listing after a control character, and checks no names of buckets.
"""

from __future__ import annotations

from tests.servers import Endpoint

ODD_KEYS = [
    "with space",
    " leading and trailing ",
    "plus+sign",
    "percent%41%2F%",
    "question?mark=1&x",
    "ha#sh",
    "a//b",
    "/leading",
    "//two",
    "..",
    "../up",
    "a/../b",
    "a/./b",
    "a\\b",
    ".hidden",
    "trailing/",
    "tab\there",
    "line\nbreak",
    "carriage\rreturn",
    "\x01\x1f\x7f",
    "&amp;<>\"'",
    "semi;colon,comma:at@equals=",
    "~*[]{}|^`$!()",
    "nbsp\u00a0space",
    "composed é",
    "decomposed e\u0301",
    "日本語/ファイル",
    "emoji 😀",
    "last of the basic plane \uffee",
    "line separator \u2028",
    "x" * 1024,
    "é" * 512,
    "d/" * 511 + "xx",
]
_NOT_WEED = {"a//b", "/leading", "//two", "..", "../up", "a/../b", "a/./b", "a\\b", "trailing/", "x" * 1024, "é" * 512}
_REFUSED: dict[str, set[str]] = {"moto": {"line\nbreak"}, "weed": _NOT_WEED, "weed-tls": _NOT_WEED}


def odd_keys(endpoint: Endpoint) -> list[str]:
    """Keys that are unusual, and that this endpoint takes."""
    return [key for key in ODD_KEYS if key not in _REFUSED.get(endpoint.name, set())]


def makes_directories(endpoint: Endpoint) -> bool:
    """Whether ``a/`` comes into being with ``a/b``."""
    return endpoint.name.startswith("weed")
