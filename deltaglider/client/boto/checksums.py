"""Checksums that a caller declares of a body: held against the original bytes, before anything is stored."""

from __future__ import annotations

import binascii
import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import ParamValidationError

from deltaglider.client.boto.exceptions import client_error
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled

_PREFIX: Final = "Checksum"
_KNOWN: Final = ("CRC32", "MD5", "SHA1", "SHA256", "SHA512")
_UNKNOWN: Final = ("CRC32C", "CRC64NVME", "XXHASH64", "XXHASH3", "XXHASH128")

BODY_PARAMETERS: Final = frozenset(
    {"ChecksumAlgorithm", "ContentLength", "ContentMD5", *(f"{_PREFIX}{name}" for name in (*_KNOWN, *_UNKNOWN))}
)
"""Parameters that say something of a body."""


class _Sum(Protocol):
    def update(self, data: bytes, /) -> None:
        """Takes bytes."""

    def digest(self) -> bytes:
        """The sum so far."""


class _Crc32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


def check_body(operation: str, path: Path, given: Mapping[str, Any]) -> dict[str, str]:
    """Holds a body against what is declared of it. Blocks.

    Args:
        operation: S3's name of the operation.
        path: The body.
        given: Parameters of the operation; those of ``BODY_PARAMETERS`` count.

    Returns:
        The checksums that S3 tells in its answer, of the original bytes.

    Raises:
        ClientError: ``BadDigest``, ``InvalidDigest`` or ``IncompleteBody``.
        ParamValidationError: A checksum that cannot be computed here.
    """
    length = given.get("ContentLength")
    if length is not None and length != path.stat().st_size:
        raise client_error(operation, "IncompleteBody", 400, f"ContentLength is not the {path.stat().st_size} bytes")
    declared = {name: given[f"{_PREFIX}{name}"] for name in (*_KNOWN, *_UNKNOWN) if f"{_PREFIX}{name}" in given}
    for name in declared:
        if name in _UNKNOWN:
            raise ParamValidationError(report=f"{_PREFIX}{name}: cannot be computed here; give {', '.join(_KNOWN)}")
    told = {name for name in _KNOWN if name in declared or name == given.get("ChecksumAlgorithm")}
    md5 = given.get("ContentMD5")
    sums = _sums(path, told | ({"MD5"} if md5 else set()))
    for name, value in [*declared.items(), *([("MD5", md5)] if md5 else [])]:
        if _decoded(operation, name, value) != sums[name]:
            raise client_error(operation, "BadDigest", 400, f"The {name} you specified did not match the body")
    return {f"{_PREFIX}{name}": b64encode(sums[name]).decode() for name in sorted(told)}


def _sums(path: Path, names: set[str]) -> dict[str, bytes]:
    if not names:
        return {}
    sums: dict[str, _Sum] = {
        name: _Crc32() if name == "CRC32" else hashlib.new(name.lower(), usedforsecurity=False) for name in names
    }
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        while data := file.read(CHUNK):
            for each in sums.values():
                each.update(data)
            stop_if_cancelled()
    return {name: each.digest() for name, each in sums.items()}


def _decoded(operation: str, name: str, value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise client_error(operation, "InvalidDigest", 400, f"The {name} you specified was invalid") from None
