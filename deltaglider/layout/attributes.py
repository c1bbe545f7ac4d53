"""A file's time and mode as user metadata of its object, in the form that rclone gives and takes.

``mtime`` is seconds since 1970 with up to nine decimals; ``mode`` is the mode in octal, type included (``100644``).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping

MTIME = "mtime"
MODE = "mode"

_BILLION = 10**9
_TIME = re.compile(r"(-?)(\d{1,11})(?:\.(\d{1,9})\d*)?", re.ASCII)


def written_attributes(mtime_ns: int, mode: int) -> dict[str, str]:
    """The metadata for a file.

    Args:
        mtime_ns: When it was last changed: nanoseconds since 1970.
        mode: Its mode, as ``stat`` tells it.

    Returns:
        Names and values.
    """
    seconds, rest = divmod(abs(mtime_ns), _BILLION)
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return {MTIME: f"{'-' if mtime_ns < 0 else ''}{seconds}{decimals}", MODE: f"{mode:o}"}


def recorded_mtime(metadata: Mapping[str, str]) -> int | None:
    """When the file of an object was last changed.

    Args:
        metadata: The user's metadata.

    Returns:
        Nanoseconds since 1970; ``None`` if that is not recorded, or not as a time.
    """
    found = _TIME.fullmatch(metadata.get(MTIME, "").strip())
    if found is None:
        return None
    moment = int(found[2]) * _BILLION + int((found[3] or "").ljust(9, "0"))
    return -moment if found[1] else moment


def recorded_mode(metadata: Mapping[str, str]) -> int | None:
    """The permissions of the file of an object.

    Args:
        metadata: The user's metadata.

    Returns:
        The nine permission bits, and never more: metadata must not make a file set-uid. ``None`` if no mode of a file
        is recorded; s3fs, for one, writes it in decimal, which is no mode of a file when read as octal.
    """
    text = metadata.get(MODE, "").strip()
    if not re.fullmatch(r"[0-7]{3,7}", text):
        return None
    mode = int(text, 8)
    return mode & 0o777 if stat.S_IFMT(mode) in (0, stat.S_IFREG) and mode <= 0o177777 else None
