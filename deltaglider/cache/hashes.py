"""The hashes of local files, so that a file that did not change is not read again.

A hash holds as long as the file has the same path, device, inode, size, time of change and, where the system has one,
time of its inode's change, which no program can set back. A file that was written a moment ago may be written again
without any of these telling, so what is younger than ``SETTLED`` when it is read is read again next time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from deltaglider.cache.notes import Notes, name_of
from deltaglider.files import Digests, digests_of

SETTLED = 3.0
"""Seconds; some file systems tell times to two of them only."""

_KIND = "file"


class LocalHashes:
    """The hashes of files, remembered. All methods block; they are for worker threads.

    Args:
        notes: Where they are kept.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def known(self, paths: Sequence[Path]) -> list[Digests | None]:
        """What is known of files as they are now.

        Args:
            paths: The files.

        Returns:
            Their hashes, in order; ``None`` for what must be read.
        """
        names = [_name(path, _look(path)) for path in paths]
        found = self._notes.find([name for name in names if name is not None])
        return [_unpacked(found[name]) if name in found else None for name in names]

    def read(self, path: Path) -> tuple[Digests, bytes | None]:
        """Hashes a file.

        Args:
            path: The file.

        Returns:
            Its hashes, and the name to keep them under; ``None`` where they may not hold.

        Raises:
            LocalFileError: It cannot be read.
        """
        before, begun = _look(path), time.time()
        digests = digests_of(path)
        name = _name(path, before)
        is_settled = before is not None and begun - max(before.st_mtime, before.st_ctime) > SETTLED
        return digests, name if is_settled and name == _name(path, _look(path)) else None

    def keep(self, hashed: Sequence[tuple[Digests, bytes | None]]) -> None:
        """Keeps what ``read`` found.

        Args:
            hashed: What it returned.
        """
        self._notes.keep((name, _packed(digests)) for digests, name in hashed if name is not None)


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None  # Reading it will tell why.


def _name(path: Path, found: os.stat_result | None) -> bytes | None:
    if found is None:
        return None
    identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return name_of(_KIND, os.path.abspath(path), *identity)  # noqa: PTH100 - As it is reached, links and all.


def _packed(digests: Digests) -> bytes:
    return json.dumps([digests.size, digests.sha256, digests.md5]).encode()


def _unpacked(value: bytes) -> Digests:
    size, sha256, md5 = json.loads(value)
    return Digests(size, sha256, md5)
