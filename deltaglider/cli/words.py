"""Names, sizes and times as people read them, in the forms of ``aws s3``. Pure, but for the working directory."""

# ruff: noqa: PTH100, PTH118 - Paths are printed as os.path.relpath has them, and pathlib cannot walk up.

from __future__ import annotations

import os
import re
from datetime import datetime

from deltaglider.errors import DeltaGliderError

# Control characters, what turns the direction of writing, and what no stream can encode: keys and file names may hold
# anything, and must neither break a line in two nor drive a terminal.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def printable(text: str) -> str:
    """A text on one line, every unsafe character written as an escape as in Python.

    Args:
        text: Any text; bytes of file names that are no UTF-8 as ``os.fsdecode`` has them.

    Returns:
        The same text if all of it is safe.
    """
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def place(text: str) -> str:
    """A URI as it is, a local path relative to the working directory: ``./a.txt``, ``d/a.txt``, ``../a.txt``.

    Args:
        text: A URI, a path, or ``-`` for a stream.

    Returns:
        One printable line.
    """
    if text.startswith("s3://") or text == "-":
        return printable(text)
    try:
        # What names a directory by a slash at its end is printed with it.
        ending = os.sep if text.endswith(("/", os.sep)) else ""
        directory, name = os.path.split(os.path.abspath(text) + ending)
        return printable(os.path.join(os.path.relpath(directory), name))
    except (OSError, ValueError):  # No working directory any more; or another drive.
        return printable(text)


def whole_place(text: str) -> str:
    """A URI as it is, a local path from the root on: what warnings name.

    Args:
        text: A URI or a path.

    Returns:
        One printable line.
    """
    if text.startswith("s3://"):
        return printable(text)
    try:
        return printable(os.path.abspath(text))
    except OSError:  # No working directory any more.
        return printable(text)


def human_size(size: int) -> str:
    """Bytes as ``1 Byte``, ``12 Bytes``, ``1.5 KiB``, ``231.7 MiB``."""
    if abs(size) < 1024:
        return "1 Byte" if size == 1 else f"{size} Bytes"
    amount = float(size)
    for unit in _UNITS:
        amount /= 1024
        if round(abs(amount)) < 1024 or unit == _UNITS[-1]:
            break
    return f"{amount:.1f} {unit}"


def local_time(moment: datetime) -> str:
    """``2026-11-22 12:57:04``, in the time zone of this machine."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def count(number: int, thing: str, things: str | None = None) -> str:
    """``1 file``, ``20 files``."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def explain(error: BaseException, *known: str | None) -> str:
    """An error in one line, without the location if the line names that already.

    Args:
        error: Any error.
        *known: Locations named before it.

    Returns:
        What failed, why, and what to do.
    """
    if isinstance(error, DeltaGliderError) and error.uri in known:
        error = DeltaGliderError(error.message, remedy=error.remedy)
    return printable(str(error) or type(error).__name__)
