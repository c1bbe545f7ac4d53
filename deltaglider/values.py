"""Values of settings: read from text, checked, and brought to the one form in which they are kept."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
_UNITS = {"": 1, "k": KIB, "m": MIB, "g": GIB, "t": GIB * KIB}
_SIZE = re.compile(r"([0-9]+)(\.[0-9]+)?\s*(?:([kmgt])i?)?b?", re.IGNORECASE)
_TRUTHS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

Check = Callable[[Any], Any]
"""Takes a value, gives it back as it is kept, or raises ``UnfitError``."""


class UnfitError(Exception):
    """A value that does not fit.

    Args:
        problem: What it is: follows "<the setting> is".
        remedy: What would fit.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem, remedy)


def parse_size(text: str) -> int:
    """Bytes from ``1048576``, ``8MB``, ``8MiB`` or ``2g``; units are powers of 1024, as in the AWS configuration.

    Args:
        text: A number and an optional unit.

    Returns:
        Bytes.

    Raises:
        ValueError: It is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a size such as 8MB")
    whole, fraction, unit = match.groups()
    factor = _UNITS[(unit or "").lower()]
    return int(whole) * factor + (int(float(fraction) * factor) if fraction else 0)


def parse_rate(text: str) -> int:
    """Bytes a second from ``10MB/s``, ``800KB/s`` or ``1048576``; units as in ``parse_size``.

    Args:
        text: A size, and an optional ``/s``.

    Returns:
        Bytes a second.

    Raises:
        ValueError: It is not a rate; or one in bits, which ``b/s`` stands for elsewhere.
    """
    size = text.strip().removesuffix("/s")
    if size.endswith("b"):
        raise ValueError(f"{text!r} is not a rate such as 10MB/s")
    return parse_size(size)


def parse_truth(text: str) -> bool:
    """``True`` from ``1 true yes on``, ``False`` from ``0 false no off``, in any case.

    Raises:
        ValueError: It is none of them.
    """
    if text.lower() not in _TRUTHS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _TRUTHS[text.lower()]


def is_local(url: str) -> bool:
    """Whether a URL has the scheme ``file:``."""
    return url[:5].lower() == "file:"


def local_path(url: str, *, windows: bool = os.name == "nt") -> Path:
    """The path of a ``file:///path`` URL; of ``file:///C:/path`` on Windows.

    Args:
        url: The URL.
        windows: Whether paths begin with a drive.

    Returns:
        An absolute path.

    Raises:
        UnfitError: It has a host, or its path is not absolute.
    """
    from urllib.parse import unquote_to_bytes

    # Not urlsplit: it would cut the path at "?" and "#", which are letters like any other in a file's name.
    rest = url[5:]
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    text = os.fsdecode(unquote_to_bytes(slash + path))
    if windows:
        text = re.sub(r"^/(?=[A-Za-z]:)", "", text)
    root = Path(text)
    is_absolute = (PureWindowsPath if windows else PurePosixPath)(text).is_absolute()
    if host not in ("", "localhost") or not is_absolute or "\0" in text:
        raise UnfitError(f"{url!r}, not an absolute local path", "Write it as file:///path")
    return root


def endpoint(value: Any) -> str | None:
    """The URL of a store; ``None`` for none."""
    if not value:
        return None
    from urllib.parse import urlsplit

    form = "Write it as https://host, http://host:port or file:///path"
    if not isinstance(value, str):
        raise UnfitError(f"{value!r}, not a URL", form)
    if is_local(value):
        local_path(value)
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # Of a port that is no number, or brackets that hold no address.
        good = False
    if "@" in value:
        # Not repeated here: what stands before the "@" is a secret.
        raise UnfitError("a URL with a user name in it", "Give credentials by keyword, profile or AWS_ variables")
    if not good:
        raise UnfitError(f"{value!r}, not the URL of a store", form)
    return value


def directory(value: Any) -> Path | None:
    """An absolute path, ``~`` expanded; ``None`` for none."""
    if value is None:
        return None
    try:
        return Path(value).expanduser().absolute()
    except (TypeError, RuntimeError, OSError) as error:
        raise UnfitError(f"{value!r}, which is no directory here ({error})", "Give an absolute path") from None


def suffixes(value: Any) -> tuple[str, ...]:
    """File name endings in lower case, with their dots, from a comma separated string or any collection."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, tuple | list | set | frozenset) or not all(isinstance(part, str) for part in parts):
        raise UnfitError(f"{value!r}, not a list of endings", "Give endings such as ('.model', '.fw')")
    # An empty ending would be that of every file.
    return tuple("." + part.strip().lower().lstrip(".") for part in parts if part.strip(" ."))


def truth(value: Any) -> bool:
    """``True`` or ``False``, and nothing that only looks like one of them."""
    if not isinstance(value, bool):
        raise UnfitError(f"{value!r}, not True or False", "Give one of them")
    return value


def ratio(value: Any) -> float:
    """A share, over 0 and at most 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise UnfitError(
            f"{value!r}, not over 0 and at most 1",
            "Give the largest delta worth keeping as a share of the file's size, such as 0.75",
        )
    return value


def one_of(names: tuple[str, ...], *, optional: bool = False, upper: bool = False) -> Check:
    """The check for one of some names.

    Args:
        names: They.
        optional: Whether ``None`` will do too.
        upper: Whether lower case will do too.

    Returns:
        The check.
    """
    first = ", ".join(map(repr, names[:-1]))

    def check(value: Any) -> Any:
        kept = value.upper() if upper and isinstance(value, str) else value
        if not (kept in names or (optional and value is None)):
            raise UnfitError(repr(value), f"Use {' or '.join(filter(None, (first, repr(names[-1]))))}")
        return kept

    return check


def number(least: float, most: float = math.inf) -> Check:
    """The check for a number; a whole one if ``least`` is.

    Args:
        least: The least that will do.
        most: The most.

    Returns:
        The check.
    """
    whole = isinstance(least, int)

    def check(value: Any) -> Any:
        kind = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
            raise UnfitError(f"{value!r}, not a {'whole ' if whole else ''}number", f"Give at least {least}")
        if value < least:
            raise UnfitError(f"{value}", f"Give at least {least}")
        if value > most:
            raise UnfitError(f"{value}", f"Give at most {most}")
        return value

    return check
