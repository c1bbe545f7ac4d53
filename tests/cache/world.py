"""References, and somebody who brings them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from deltaglider.cache.references import ReferenceCache

URI = "s3://bucket/.deltaglider/references/x/reference.bin"


def content(seed: int | str, size: int = 10_000) -> bytes:
    return hashlib.shake_128(str(seed).encode()).digest(size)


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Origin:
    """Where a reference comes from; counts how often it is asked."""

    def __init__(self, data: bytes, during: Callable[[], Awaitable[object]] | None = None) -> None:
        self.data = data
        self.sha256 = name_of(data)
        self.fetched = 0
        self._during = during

    async def fetch(self, path: Path) -> None:
        self.fetched += 1
        if self._during is not None:
            path.write_bytes(self.data[: len(self.data) // 2])
            await self._during()
        path.write_bytes(self.data)

    def use(self, cache: ReferenceCache):
        return cache.use(self.sha256, self.fetch, uri=URI)

    async def read(self, cache: ReferenceCache) -> tuple[bytes, bool]:
        """The bytes a user of the cache sees, and whether they were here already."""
        async with self.use(cache) as (path, hit):
            return path.read_bytes(), hit


async def no_fetch(path: Path) -> None:
    raise AssertionError("it is here already")


def kept(directory: Path) -> set[str]:
    """The SHA-256s of what is kept."""
    return {path.name for path in (directory / "references").glob("*/*")}


def in_use(directory: Path) -> list[str]:
    """What is in use, on its way in, or was left behind."""
    return sorted(path.name for path in (directory / "in-use").rglob("*") if path.is_file() and path.name != ".lock")


def file_of(directory: Path, sha256: str) -> Path:
    return directory / "references" / sha256[:2] / sha256


def later_than(path: Path) -> None:
    """Waits until a change of the file gets another time: the clock of a file system is a coarse one."""
    probe = path.parent / "probe"
    probe.touch()
    while probe.stat().st_mtime_ns == path.stat().st_mtime_ns:
        probe.touch()
    probe.unlink()
