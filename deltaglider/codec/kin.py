"""Are two zips versions of one thing? Told by the names of their members, before anything is unpacked.

What they hold may resemble each other where their packed bytes do not, which only unpacking would tell; that takes
seconds, and for two zips of different things they are for nothing. Measured on wheels: of two versions of a project at
least 97 % of the bytes are in members of the same name, of two projects at most 5 %.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path

from deltaglider.config import KIB, MIB
from deltaglider.files import local_errors

_LEAST_SHARE = 0.1
_FEW = 8  # Members that may all have another name in the next version.
_MOST, _LONGEST = 50_000, 32 * MIB  # Members whose names are read, and their directory: this bounds the memory.
_LOCAL, _END, _LARGE = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_END_LENGTH, _LARGE_LENGTH, _LONGEST_END = 22, 20, 22 + 64 * KIB


def may_be_kin(reference: Path, target: Path) -> bool:
    """Whether one may be another version of the other. For worker threads.

    Args:
        reference: The reference.
        target: The file.

    Returns:
        ``False`` only for two zips of many members whose names are other ones, versions and hashes in them aside.

    Raises:
        LocalFileError: A file cannot be read.
    """
    theirs, ours = _members(reference), _members(target)
    if theirs is None or ours is None:
        return True
    total = sum(ours.values())
    return sum(size for name, size in ours.items() if name in theirs) >= _LEAST_SHARE * total


def _members(path: Path) -> Counter[str] | None:
    """Packed bytes by name; ``None`` where that tells nothing."""
    with local_errors(str(path), "cannot be read"):
        if not _FEW <= _count(path) <= _MOST:
            return None
        found: Counter[str] = Counter()
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    found[_essence(member.filename)] += member.compress_size
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            return None
    return found


def _count(path: Path) -> int:
    """How many members a zip says it has; 0 if it is none, or a very large one."""
    with path.open("rb") as file:
        if file.read(4) != _LOCAL:
            return 0
        size = path.stat().st_size
        file.seek(max(0, size - _LONGEST_END))
        end = file.read(_LONGEST_END)
    at = end.rfind(_END)
    # A large one has its true sizes elsewhere.
    if at < 0 or at + _END_LENGTH > len(end) or end[max(0, at - _LARGE_LENGTH) : at].startswith(_LARGE):
        return 0
    if int.from_bytes(end[at + 12 : at + 16], "little") > _LONGEST:
        return 0
    count = int.from_bytes(end[at + 10 : at + 12], "little")
    return count if count < 0xFFFF else 0


def _essence(name: str) -> str:
    """The name of a member without its directories, versions and hashes."""
    return re.sub(r"[0-9a-f]{6,}|[0-9._-]+", "", name.rstrip("/").rpartition("/")[2].lower())
