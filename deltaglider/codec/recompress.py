"""The search for how a file was packed, when only its content, its size and its SHA-256 are known.

Earlier tools let xdelta3 unpack .gz, .bz2 and .xz files before it made a delta, and so lost how they were packed. All
known ways are tried here until one gives a file with the recorded SHA-256. A way whose result has another size than
recorded is out at once, and no hash is spent on it; that leaves one or two, and for gzip the unknown header.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import mmap
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.codec.gzipheader import Header, Moments, headers, moments_of, times
from deltaglider.codec.packers import CHECK_BYTES, CHECKS, GZIP_HEADER, Packer, packers_of
from deltaglider.codec.process import Limits, run
from deltaglider.codec.unpack import Packing
from deltaglider.config import GIB, KIB, MIB
from deltaglider.files import local_errors, sha256_of, stop_if_cancelled
from deltaglider.late import dataclass
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.codec")

T = TypeVar("T")

_HEAD = 4 * KIB
_MOST_ADDED = 1100  # Bytes of a header with the longest name.
_PIECE = 16 * MIB  # Hashed between two looks whether the caller was cancelled.
_FIRST_LOOK = GIB // 2
_LEAST_PACKED = 256 * KIB
_WEIGHTS: dict[Packing, int] = {"gzip": 1, "bzip2": 3, "xz": 8}
_GRACE_SECONDS, _SLOWEST = 60.0, 100 * KIB  # Of a program; bytes a second: a tenth of the slowest measured.
_LEAST_COST = 64 * KIB  # What a hash over an empty file costs, in bytes of hashing.


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search may cost.

    Attributes:
        packed: Bytes packed in attempts, those of slow formats counted several times. Not seconds: what a busy machine
            finds must be what an idle one does.
        hashed: Bytes hashed for the guesses at one gzip header.
    """

    packed: int
    hashed: int


ON_READ = Effort(4 * GIB, 16 * GIB)
"""For a plain read: a minute or two at most, as a rule some seconds."""

ON_RESCUE = Effort(128 * GIB, 256 * GIB)
"""For those who ask for it: some minutes."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A packed file that is to be made again.

    Attributes:
        name: Its name.
        size: Its bytes.
        sha256: Its SHA-256, in hex.
        packing: How it was packed.
        stored: When it was stored, if that is known.
        like: A file that was probably packed in the same way, if there is one.
        like_unpacked: What that file holds.
    """

    name: str
    size: int
    sha256: str
    packing: Packing
    stored: datetime | None = None
    like: Path | None = None
    like_unpacked: Path | None = None


class Recompressor:
    """Makes packed files again.

    Args:
        processes: Searches at once.
    """

    def __init__(self, processes: int = 1) -> None:
        self._limiter = anyio.CapacityLimiter(processes)
        self._lately: Packer | None = None

    async def recreate(
        self, payload: Path, lost: Lost, target: Path, scratch: Path, *, effort: Effort = ON_READ
    ) -> str | None:
        """Looks for a way of packing that gives the lost file.

        Args:
            payload: What it held.
            lost: What is known of it.
            target: Where to write it; made or overwritten, its content undefined where nothing was found.
            scratch: A file for attempts; made or overwritten.
            effort: What it may cost.

        Returns:
            How the file was made again; ``None`` if no known way gives it.

        Raises:
            LocalFileError: A file cannot be read or written.
        """
        start = await self._thread(_head, lost.like) if lost.like is not None else b""
        packers = packers_of(lost.packing, start)
        if self._lately in packers:  # The files of one place come from one maker.
            packers.remove(self._lately)
            packers.insert(0, self._lately)
        search = _Search(payload, lost, target, scratch, Header.read(start), effort.packed)
        # Two of the packers may give the right size by chance: no time is lost on the one before the other was tried.
        search.budget = min(_FIRST_LOOK, effort.hashed)
        found = await self._first_that_fits(packers, search)
        if found is None and search.fitting:
            search.budget = effort.hashed
            found = await self._first_that_fits(list(search.fitting.values()), search)
        return found

    async def _first_that_fits(self, packers: Iterable[Packer], search: _Search) -> str | None:
        for packer in packers:
            if search.to_pack <= 0:
                logger.info("gave up the search for how %r was packed: it would take too long", search.lost.name)
                break
            if not packer.available or not await self._packed(packer, search):
                continue
            used, found = packer, await self._thread(search.judge, packer)
            while isinstance(found, Packer) and await self._packed(found, search):  # The same, another check.
                used, found = found, await self._thread(search.judge, found)
            if isinstance(found, str):
                self._lately = used
                return found
        return None

    async def _packed(self, packer: Packer, search: _Search) -> bool:
        """Packs the content into the scratch file, if that is not too large to be the one wanted."""
        size = await self._thread(lambda: search.payload.stat().st_size)
        search.to_pack -= max(size, _LEAST_PACKED) * _WEIGHTS[packer.packing]
        most = search.lost.size + max(CHECK_BYTES.values())
        if packer.program is None:
            with local_errors(str(search.scratch.parent), "cannot be written"):
                return await self._thread(packer.pack, search.payload, search.scratch, most)
        limits = Limits(_GRACE_SECONDS + size / _SLOWEST, search.scratch, most)
        command = packer.command(search.payload.absolute())
        try:
            ended = await run(command, limits, self._limiter, stdout=search.scratch)
        except OSError as error:
            logger.info("%s could not be started: %s", command[0], error)
            return False
        return not ended.stopped and ended.code == 0

    async def _thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await in_thread(work, *arguments, limiter=self._limiter)


class _Search:
    """One search: what is looked for, and what was seen on the way."""

    def __init__(
        self, payload: Path, lost: Lost, target: Path, scratch: Path, like: Header | None, to_pack: int
    ) -> None:
        self.payload, self.lost, self.target, self.scratch = payload, lost, target, scratch
        self.to_pack = to_pack
        self.budget = 0
        """Bytes that may be hashed for guesses from here on."""
        self.fitting: dict[str, Packer] = {}
        """What gave the right size for gzip, by the hash of its data: each once, as levels are often alike."""
        self._like = like
        self._times: tuple[Moments, Moments] | None = None

    def judge(self, packer: Packer) -> str | Packer | None:
        """Looks at what a packer made. For worker threads.

        Args:
            packer: Which.

        Returns:
            How the file was made, with its bytes in the target; or another packer to try; or nothing.
        """
        size = self.scratch.stat().st_size
        if self.lost.packing == "gzip":
            return self._judge_gzip(packer, self.lost.size - size + GZIP_HEADER)
        if size != self.lost.size:
            # Only the check at the end of each block differs, and there is one block, if there are no threads.
            other = size - CHECK_BYTES[packer.check]
            fitting = [check for check, length in CHECK_BYTES.items() if other + length == self.lost.size]
            again = fitting and packer.maker == "lzma" and packer.check == "crc64"
            return dataclasses.replace(packer, check=fitting[0]) if again else None
        if sha256_of(self.scratch) != self.lost.sha256:
            return self._another_check(packer)
        _write(self.target, b"", self.scratch, 0)
        return str(packer)

    def _another_check(self, packer: Packer) -> Packer | None:
        """An xz file of nothing has no block whose check could take room: all have the same size."""
        checks = list(CHECKS)
        following = checks[checks.index(packer.check) + 1 :]
        if packer.maker != "lzma" or not following or self.payload.stat().st_size:
            return None
        return dataclasses.replace(packer, check=following[0])

    def _judge_gzip(self, packer: Packer, length: int) -> str | None:
        if not GZIP_HEADER <= length <= _MOST_ADDED:
            return None
        with self.scratch.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as packed:
            seen = _hash(b"", packed)
            if self.fitting.setdefault(seen, packer) != packer:
                return None
            header = self._header(packed, length)
        if header is None:
            return None
        _write(self.target, bytes(header), self.scratch, GZIP_HEADER)
        named = f", named {header.name.decode('latin-1')!r}" if header.name is not None else ""
        return f"{packer}, time {header.time}{named}, system {header.system}"

    def _header(self, packed: mmap.mmap, length: int) -> Header | None:
        for header in headers(length, self.lost.name, self._like, self._moments()):
            if _hash(bytes(header), packed) == self.lost.sha256:
                return header
            self.budget -= len(packed) + _LEAST_COST
            if self.budget < 0:
                return None
            stop_if_cancelled()
        return None

    def _moments(self) -> Iterable[int]:
        if self._times is None:
            theirs = self.lost.like_unpacked
            self._times = (moments_of(self.payload), moments_of(theirs) if theirs is not None else Moments())
        stored = int(self.lost.stored.timestamp()) if self.lost.stored is not None else None
        return times(self._times[0], stored, self._like, self._times[1])


def _hash(header: bytes, packed: mmap.mmap) -> str:
    """Of a gzip file, with another header in the place of its own."""
    digest = hashlib.sha256(header)
    with memoryview(packed) as view:
        for start in range(GZIP_HEADER, len(view), _PIECE):
            digest.update(view[start : start + _PIECE])
            stop_if_cancelled()
    return digest.hexdigest()


def _write(target: Path, header: bytes, source: Path, start: int) -> None:
    with local_errors(str(target.parent), "cannot be written"), source.open("rb") as file, target.open("wb") as out:
        file.seek(start)
        out.write(header)
        while chunk := file.read(MIB):
            out.write(chunk)
            stop_if_cancelled()


def _head(path: Path) -> bytes:
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        return file.read(_HEAD)
