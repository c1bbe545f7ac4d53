"""A directory of this machine as a sorted stream of entries.

A directory counts as ``d/`` in the order, so the stream merges with a listing of S3. Of a directory being walked only
the names are held; files are looked at as their turn comes, in batches, in a worker thread. Whatever cannot be walked
is a ``Problem`` in the stream, never an exception, except for the root itself.
"""

# ruff: noqa: PTH114, PTH116, PTH118 - One Path a file is enough: making and taking apart four is most of a walk.

from __future__ import annotations

import errno
import itertools
import logging
import os
import stat
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import anyio
from anyio import from_thread

from deltaglider.bulk.destination import lies_in
from deltaglider.bulk.entries import LocalEntry, Problem
from deltaglider.bulk.escape import escaped, unescaped
from deltaglider.bulk.names import is_text
from deltaglider.engine.beside import is_part
from deltaglider.errors import LocalFileError
from deltaglider.files import local_errors
from deltaglider.late import dataclass
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.bulk")

Links = Literal["follow", "skip", "inside"]
"""Symbolic links: follow them all; leave them all out; follow only what stays under the root, and complain of none."""

_BATCH = 1000
_EPOCH = datetime.fromtimestamp(0, UTC)
_EFFECTIVE = os.access in os.supports_effective_ids

_MISSING = "File does not exist."
_UNREADABLE = "File/Directory is not readable."
_DIRECTORY = "It is a directory."
_SPECIAL = "File is character special device, block special device, FIFO, or socket."
_LOOP = "Symbolic link leads back to a directory above it."
_UNDECODABLE = "File name is not valid UTF-8, so it cannot be a key."
_ANOTHER = "File name stands for a key that would be written otherwise."
_LOOKED_AT = (_DIRECTORY, _SPECIAL, _UNDECODABLE)


async def local_entries(
    root: Path, *, limiter: anyio.CapacityLimiter, links: Links = "follow", escape: bool = False
) -> AsyncGenerator[LocalEntry | Problem, None]:
    """The files under a directory, sorted by name.

    Args:
        root: The directory.
        limiter: Bounds the threads that work on files.
        links: What becomes of symbolic links. ``inside`` is for the target of a sync; it need not exist.
        escape: Whether names of files stand for other names, as ``escape`` has it. The order is that of the latter.

    Yields:
        Entries, and problems in their place.

    Raises:
        LocalFileError: The root is not a directory that can be listed.
    """
    walk = iter(walk_tree(root, links=links, breathe=from_thread.check_cancelled, escape=escape))
    while batch := await in_thread(_take, walk, limiter=limiter):
        for item in batch:
            yield item


def _take(walk: Iterator[LocalEntry | Problem]) -> list[LocalEntry | Problem]:
    return list(itertools.islice(walk, _BATCH))


def walk_tree(
    root: Path, *, links: Links = "follow", breathe: Callable[[], None] = lambda: None, escape: bool = False
) -> Iterator[LocalEntry | Problem]:
    """``local_entries`` for a thread of one's own.

    Args:
        root: The directory.
        links: What becomes of symbolic links.
        breathe: Called once for each directory; may raise to end the walk.
        escape: As for ``local_entries``.

    Yields:
        Entries, and problems in their place.

    Raises:
        LocalFileError: The root is not a directory that can be listed.
    """
    yield from _Walk(root, links, breathe, escape=escape)


@dataclass(slots=True)
class _Directory:
    """A directory being walked.

    Attributes:
        path: Of it.
        prefix: Of the names in it: empty for the root, else with a slash at its end.
        names: Of what is left to visit, last one first; of directories with a slash at their end.
        identity: Its device and inode.
        linked: Whether a symbolic link led here.
    """

    path: str
    prefix: str
    names: list[str]
    identity: tuple[int, int]
    linked: bool


class _Walk:
    """One walk. Directories wait on a stack of our own: trees may be deeper than Python's."""

    def __init__(self, root: Path, links: Links, breathe: Callable[[], None], *, escape: bool) -> None:
        self._root = os.fspath(root)
        self._links = links
        self._breathe = breathe
        self._meant = unescaped if escape else _itself
        self._written = escaped if escape else _itself
        self._stack: list[_Directory] = []

    def __iter__(self) -> Iterator[LocalEntry | Problem]:
        if self._links == "inside" and not os.path.lexists(self._root):
            return
        with local_errors(self._root, "cannot be listed"):
            self._enter(self._root, "", linked=False)
        while self._stack:
            directory = self._stack[-1]
            if not directory.names:
                self._stack.pop()
                continue
            name = directory.names.pop()
            found = self._visit_directory(directory, name[:-1]) if name[-1] == "/" else self._visit(directory, name)
            if found is not None:
                yield found

    def _enter(self, path: str, prefix: str, *, linked: bool) -> None:
        self._breathe()
        found = os.stat(path)
        names = self._names_in(path)
        names.sort(key=self._meant, reverse=True)
        self._stack.append(_Directory(path, prefix, names, (found.st_dev, found.st_ino), linked))

    def _names_in(self, path: str) -> list[str]:
        names = []
        with os.scandir(path) as entries:
            for entry in entries:
                # A download on its way is nobody's file: it must be neither sent nor deleted.
                if is_part(entry.name) or (self._links == "skip" and entry.is_symlink()):
                    continue
                try:
                    is_directory = entry.is_dir()
                except OSError:  # A link that leads nowhere: its visit tells why.
                    is_directory = False
                names.append(entry.name + "/" if is_directory else entry.name)
        return names

    def _visit_directory(self, parent: _Directory, name: str) -> Problem | None:
        path, prefix = os.path.join(parent.path, name), f"{parent.prefix}{self._meant(name)}/"
        if not is_text(name):
            return _problem(prefix, path, _UNDECODABLE)
        if self._is_another(name):
            return None if self._links == "inside" else _problem(prefix, path, _ANOTHER)
        is_link = os.path.islink(path)
        linked = is_link or parent.linked
        if is_link and self._links == "inside" and not lies_in(Path(path), Path(self._root)):
            return None
        try:
            found = os.stat(path)
            if linked and any(above.identity == (found.st_dev, found.st_ino) for above in self._stack):
                return _problem(prefix, path, _LOOP) if self._links == "follow" else None
            self._enter(path, prefix, linked=linked)
        except OSError as error:
            return _problem(prefix, path, _reason(error))
        return None

    def _is_another(self, base: str) -> bool:
        """Whether the key that a name stands for has another name here; two files must not mean one key."""
        return self._written(self._meant(base)) != base

    def _visit(self, parent: _Directory, base: str) -> LocalEntry | Problem | None:
        path, name = os.path.join(parent.path, base), parent.prefix + self._meant(base)
        if self._is_another(base):
            return None if self._links == "inside" else _problem(name, path, _ANOTHER)
        found = entry_of(path, name, links=self._links, linked=parent.linked)
        if self._links == "inside" and isinstance(found, Problem) and found.message not in _LOOKED_AT:
            return None if os.path.islink(path) else found
        return found


def _itself(name: str) -> str:
    return name


def entry_of(path: str, name: str, *, links: Links = "follow", linked: bool = False) -> LocalEntry | Problem:
    """One file. It blocks.

    Args:
        path: The file.
        name: Relative to a root.
        links: What becomes of symbolic links; what is only a target need not be readable.
        linked: Whether a directory on the way to it is a symbolic link.

    Returns:
        The entry; or what keeps it from being one.
    """
    if not is_text(name):
        return _problem(name, path, _UNDECODABLE)
    try:
        found = os.stat(path)
    except OSError as error:
        return _problem(name, path, _reason(error))
    if stat.S_ISDIR(found.st_mode):
        return _problem(name, path, _DIRECTORY)
    if not stat.S_ISREG(found.st_mode):
        return _problem(name, path, _SPECIAL)
    if links != "inside" and not os.access(path, os.R_OK, effective_ids=_EFFECTIVE):
        return _problem(name, path, _UNREADABLE)
    return LocalEntry(name, found.st_size, _time_of(found, path), Path(path), linked)


def _problem(name: str, path: str, message: str) -> Problem:
    return Problem(name, path.encode("utf-8", "backslashreplace").decode(), message)


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno == errno.ELOOP:
        return _MISSING  # A link to itself leads nowhere, too.
    return _UNREADABLE if isinstance(error, PermissionError) else f"{error.strerror}."


def _time_of(found: os.stat_result, path: str) -> datetime:
    try:
        return datetime.fromtimestamp(found.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        logger.warning("%s: its time is out of range, taken as 1970-01-01", path)
        return _EPOCH


def require_directory(root: Path) -> None:
    """Checks a local source before anything is asked of a store.

    Raises:
        LocalFileNotFoundError: It does not exist.
        LocalFileError: It is not a directory.
    """
    with local_errors(str(root), "cannot be read"):
        mode = root.stat().st_mode
    if not stat.S_ISDIR(mode):
        raise LocalFileError(
            "it is a file, not a directory", uri=str(root), remedy="Name its directory, or the file alone"
        )
