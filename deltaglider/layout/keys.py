"""What stored keys are called: reserved names, and the keys an object may be stored under."""

from __future__ import annotations

import hashlib
import re

DELTA_SUFFIX = ".delta"
RESERVED = ".deltaglider"
REFERENCE_NAME = "reference.bin"
TEMPORARY_PREFIX = f"{RESERVED}/tmp/"  # noqa: S108 - A key, not a path.
"""Where files lie that were made for presigned URLs."""
STATISTICS = f"{RESERVED}/stats/"
"""Where figures about a bucket are kept in it."""
LONGEST = 1024
"""Bytes that S3 allows a key."""

_REFERENCE = re.compile(
    r"(?P<space>(?:.*/)?)\.deltaglider/references/(?P<sha256>[0-9a-f]{64})/reference\.bin", re.DOTALL
)

_TRASH = re.compile(r"(?P<space>(?:.*/)?)\.deltaglider/trash/(?P<sha256>[0-9a-f]{64})/[^/]+/reference\.bin", re.DOTALL)
_EARLIER_STATISTICS = re.compile(r"\.deltaglider/stats_[a-z]+\.json")


def delta_key(key: str) -> str:
    """The stored key of an object's delta."""
    return key + DELTA_SUFFIX


def without_delta(stored_key: str) -> str | None:
    """The object a stored key would be a delta of; ``None`` if its name cannot be that of a delta."""
    key = stored_key.removesuffix(DELTA_SUFFIX)
    return key if key != stored_key and key and not key.endswith("/") else None


def is_storable(key: str) -> bool:
    """Whether S3 can have an object of this key at all: metadata may name any other."""
    try:
        return 0 < len(key.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


def directory_of(key: str) -> str:
    """All of a key up to its last slash, the slash included; empty at the root of a bucket."""
    return key[: key.rfind("/") + 1]


def name_of(key: str) -> str:
    """What follows the last slash of a key."""
    return key[key.rfind("/") + 1 :]


def is_reserved(stored_key: str) -> bool:
    """Whether a stored key lies in a ``.deltaglider/`` directory, at any level."""
    return f"/{RESERVED}/" in f"/{stored_key}"


def references_prefix(deltaspace: str) -> str:
    """Where the references of a deltaspace lie."""
    return f"{deltaspace}{RESERVED}/references/"


def reference_key(deltaspace: str, sha256: str) -> str:
    """The stored key of a reference: named by its content, so that it is never overwritten by another."""
    return f"{references_prefix(deltaspace)}{sha256}/{REFERENCE_NAME}"


def classic_reference_key(directory: str) -> str:
    """Where earlier tools kept the one reference of a directory."""
    return directory + REFERENCE_NAME


def trash_prefix(deltaspace: str, sha256: str = "") -> str:
    """Where copies of references wait while they are retired."""
    return f"{deltaspace}{RESERVED}/trash/" + (f"{sha256}/" if sha256 else "")


def trash_key(deltaspace: str, sha256: str, unique: str) -> str:
    """The stored key of one such copy.

    Args:
        deltaspace: The deltaspace.
        sha256: Of the reference, in hex.
        unique: What tells it from the copies of others who retire the same reference.

    Returns:
        The key.
    """
    return f"{trash_prefix(deltaspace, sha256)}{unique}/{REFERENCE_NAME}"


def parse_reference_key(stored_key: str) -> tuple[str, str] | None:
    """The deltaspace and SHA-256 of a reference of ours; ``None`` if the key is not one's."""
    match = _REFERENCE.fullmatch(stored_key)
    return (match["space"], match["sha256"]) if match else None


def parse_trash_key(stored_key: str) -> tuple[str, str] | None:
    """The deltaspace and SHA-256 of a copy in the trash; ``None`` if the key is not one's."""
    match = _TRASH.fullmatch(stored_key)
    return (match["space"], match["sha256"]) if match else None


def is_plain_name(stored_key: str) -> bool:
    """Whether what lies under a stored key can be nothing but a user's whole object, by the key alone."""
    return not is_reserved(stored_key) and without_delta(stored_key) is None and name_of(stored_key) != REFERENCE_NAME


def is_temporary(stored_key: str) -> bool:
    """Whether a stored key lies where things are put for a while, at any level."""
    return f"/{TEMPORARY_PREFIX}" in f"/{stored_key}"


def temporary_key(deltaspace: str, unique: str) -> str:
    """The stored key of something that is there for a moment.

    Args:
        deltaspace: The deltaspace.
        unique: What tells it from others.

    Returns:
        The key.
    """
    return f"{deltaspace}{TEMPORARY_PREFIX}{unique}"


def statistics_key(prefix: str, mode: str) -> str:
    """The stored key of the figures that were counted of a prefix."""
    return f"{STATISTICS}{mode}-{hashlib.sha256(sort_key(prefix)).hexdigest()[:16]}.json"


def is_statistics(stored_key: str) -> bool:
    """Whether figures are kept under a stored key, or were by earlier tools: they are no part of what they count."""
    return stored_key.startswith(STATISTICS) or _EARLIER_STATISTICS.fullmatch(stored_key) is not None


def deltaspace_of_reference(stored_key: str) -> str:
    """The deltaspace a reference serves, ours or a classic one."""
    parsed = parse_reference_key(stored_key)
    return parsed[0] if parsed else directory_of(stored_key)


def sort_key(key: str) -> bytes:
    """Keys compare as S3 orders them: by the bytes of their UTF-8 form, not by Python's code points."""
    return key.encode("utf-8", "surrogatepass")
