"""References on this machine, by the SHA-256 of their bytes.

    <cache_dir>/references/<2 hex>/<sha256>   the bytes; the time of last access is that of last use
    <cache_dir>/in-use/<client>/<unique>      a hard link to one in use, whose bytes outlive an eviction by any process;
                                              or one on its way in. Swept when the client is dead: see ``scratch``
    <cache_dir>/locks/<2 hex>                 held by the process that downloads

Content-named, so nothing can be stale, and nothing read from one endpoint can pass for something of another. Nothing
is believed: bytes are hashed before each use (once per process and unchanged file). Everything may be deleted at any
time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.cache import home
from deltaglider.errors import LocalFileError, ReferenceCorruptError
from deltaglider.files import copy_file, sha256_of
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.cache")

T = TypeVar("T")
Fetch = Callable[[Path], Awaitable[None]]
"""Fills a file with the bytes of a reference."""

_LOCK_WAIT = 600.0  # Seconds to wait for another process's download before doing it oneself.
_LOCK_POLL = 0.05


class ReferenceCache:
    """References kept on disk, the least recently used evicted first.

    Args:
        directory: The cache directory; made on first use, with mode 0700.
        size: Bytes kept at most.
        temp_dir: Where what is in use goes while the directory cannot be written; ``None`` for the system's.
    """

    def __init__(self, directory: Path, size: int, *, temp_dir: Path | None = None) -> None:
        self._home = home.Home(directory, temp_dir)
        self._size = size
        self._preparing = threading.Lock()
        self._flights: weakref.WeakValueDictionary[str, anyio.Lock] = weakref.WeakValueDictionary()
        self._pins: dict[str, set[Path]] = {}
        self._verified: dict[str, tuple[int, int, int]] = {}
        self._limiter = anyio.CapacityLimiter(4)

    @asynccontextmanager
    async def use(self, sha256: str, fetch: Fetch, *, uri: str) -> AsyncIterator[tuple[Path, bool]]:
        """A reference's bytes, from here or fetched: once, however many tasks and processes ask at the same time.

        Args:
            sha256: Which, in hex.
            fetch: Brings it if it is not here.
            uri: Where it comes from, for errors.

        Yields:
            A file that stays as it is while the context lasts, to be read only, and whether it was here already.

        Raises:
            ReferenceCorruptError: What was fetched has another SHA-256.
            LocalFileError: Neither the cache can be written, nor a temporary one.
        """
        pin, hit = await self._take(sha256, fetch, uri)
        pins = self._pins.setdefault(sha256, set())
        try:
            pins.add(pin)
            yield pin, hit
        finally:
            pins.discard(pin)
            if not pins and self._pins.get(sha256) is pins:
                del self._pins[sha256]
            pin.unlink(missing_ok=True)

    async def add(self, sha256: str, source: Path) -> None:
        """Keeps a copy of a reference that was made here, if that can be done. One that turns out different is dropped.

        Args:
            sha256: Which, in hex.
            source: A file with its bytes.
        """
        await self._thread(self._prepare)
        part = self._new("part")
        try:
            if source.stat().st_size <= self._size:
                await self._thread(self._copy, source, part)
                if await self._thread(sha256_of, part) == sha256:
                    await self._thread(self._admit, sha256, part)
        except OSError as error:
            logger.warning("the reference %s could not be cached: %s", sha256, error)
        finally:
            part.unlink(missing_ok=True)

    @property
    def directory(self) -> Path:
        """Where references are kept."""
        return self._home.path

    def usage(self) -> tuple[int, int]:
        """How much is kept. For worker threads.

        Returns:
            The number of references and their bytes.

        Raises:
            LocalFileError: The cache cannot be written, nor can a temporary one.
        """
        self._prepare()
        kept = self._kept()
        return len(kept), sum(size for _, size, _ in kept)

    def clear(self) -> None:
        """Removes all that is kept; what is in use just now stays until it is done with. For worker threads."""
        self._prepare()
        for _, _, path in self._kept():
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def close(self) -> None:
        """Removes what was made because the cache directory could not be written. Harmless if repeated."""
        self._home.close()

    async def _take(self, sha256: str, fetch: Fetch, uri: str) -> tuple[Path, bool]:
        """A link to the bytes, and whether they were here. A cache that is full must not fail who can do without it."""
        while True:
            place = await self._thread(self._prepare)
            pin = self._new("pin")
            try:
                return pin, await self._obtain(sha256, pin, fetch, uri)
            except LocalFileError as error:
                pin.unlink(missing_ok=True)
                if not await self._thread(self._leave, place, error):
                    raise
            except BaseException:
                pin.unlink(missing_ok=True)
                raise

    async def _obtain(self, sha256: str, pin: Path, fetch: Fetch, uri: str) -> bool:
        flight = self._flights.setdefault(sha256, anyio.Lock())
        async with flight:
            if await self._pinned(sha256, pin):
                return True
            async with self._process_lock(sha256):
                if await self._pinned(sha256, pin):
                    return True
                await self._fetch(sha256, pin, fetch, uri)
                return False

    async def _fetch(self, sha256: str, pin: Path, fetch: Fetch, uri: str) -> None:
        part = self._new("part")
        try:
            with home.errors(part):
                part.touch(mode=0o600, exist_ok=False)
            await fetch(part)
            actual = await self._thread(sha256_of, part)
            if actual != sha256:
                raise ReferenceCorruptError(
                    f"the reference's bytes have SHA-256 {actual}, not the recorded {sha256}",
                    uri=uri,
                    remedy="Run 'deltaglider doctor' on its prefix",
                )
            self._verified[sha256] = _identity(part.stat())
            await self._thread(self._link, part, pin)
            await self._thread(self._admit, sha256, part)
        finally:
            part.unlink(missing_ok=True)

    def _prepare(self) -> Path:
        """Makes the directories, again if somebody deleted them."""
        with self._preparing:
            return self._home.prepare()

    def _leave(self, place: Path, error: LocalFileError) -> bool:
        with self._preparing:
            return self._home.leave(place, error)

    def _path(self, sha256: str) -> Path:
        return self._home.references / sha256[:2] / sha256

    def _new(self, kind: str) -> Path:
        return self._home.in_use / f"{kind}-{uuid.uuid4().hex}"

    async def _pinned(self, sha256: str, pin: Path) -> bool:
        """Whether a link could be made: to what is kept, or in use here though it was evicted or too large to keep."""
        sources = (self._path(sha256), *self._pins.get(sha256, ()))
        return await self._thread(lambda: any(self._pin(sha256, source, pin) for source in sources))

    def _pin(self, sha256: str, source: Path, pin: Path) -> bool:
        try:
            self._link(source, pin)
            state = pin.stat()
            if self._verified.get(sha256) != _identity(state):
                if sha256_of(pin) != sha256:
                    logger.warning("the cached reference %s is damaged: fetching it again", sha256)
                    pin.unlink()
                    source.unlink(missing_ok=True)
                    return False
                self._verified[sha256] = _identity(state)
            # The time of last change stays: other processes know by it that they need not hash the file again.
            os.utime(pin, ns=(time.time_ns(), state.st_mtime_ns))
        except OSError:
            pin.unlink(missing_ok=True)
            return False
        return True

    def _link(self, source: Path, target: Path) -> None:
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:
            self._copy(source, target)  # A file system without hard links, or too many links to one file.

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        with home.errors(target):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            copy_file(source, target)

    def _admit(self, sha256: str, part: Path) -> None:
        path = self._path(sha256)
        try:
            if part.stat().st_size > self._size:
                return
            path.parent.mkdir(mode=0o700, exist_ok=True)
            part.replace(path)
            self._evict(keep=path)
        except OSError as error:
            logger.warning("the reference %s could not be cached: %s", sha256, error)

    def _kept(self) -> list[tuple[int, int, str]]:
        """Time of last use in nanoseconds, bytes and path of each reference."""
        kept = []
        for directory in _scan(self._home.references):
            for entry in _scan(Path(directory.path)):
                with contextlib.suppress(OSError):
                    state = entry.stat()
                    kept.append((state.st_atime_ns, state.st_size, entry.path))
        return kept

    def _evict(self, keep: Path) -> None:
        kept = self._kept()
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._size:
                break
            if path != str(keep):
                with contextlib.suppress(OSError):
                    Path(path).unlink()
                    total -= size

    @asynccontextmanager
    async def _process_lock(self, sha256: str) -> AsyncIterator[None]:
        """Held by the one process that downloads. A courtesy: without it the download happens twice, no more."""
        # Imported here: the cache is made with every client, and most never download.
        from filelock import FileLock, Timeout

        # Shared by the two first digits, so that there are at most 256 of these files.
        lock = FileLock(self._home.locks / sha256[:2], thread_local=False, mode=0o600)
        with anyio.move_on_after(_LOCK_WAIT):
            while True:
                try:
                    lock.acquire(blocking=False)
                    break
                except Timeout:
                    await anyio.sleep(_LOCK_POLL)
                except (OSError, NotImplementedError):
                    break  # A file system without locks.
        try:
            yield
        finally:
            lock.release()

    async def _thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await in_thread(function, *arguments, limiter=self._limiter)


def _identity(state: os.stat_result) -> tuple[int, int, int]:
    """What changes when somebody writes to a file or puts another in its place."""
    return state.st_ino, state.st_size, state.st_mtime_ns


def _scan(directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except OSError:
        return
