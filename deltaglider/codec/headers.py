"""Deltas of archives whose headers were made alike before; another codec makes them. See ``archive.headers``."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import anyio

from deltaglider.archive.headers import begins_with_archive, neutralise, restore
from deltaglider.archive.numbers import Numbers, packed
from deltaglider.archive.view import PIECE, File
from deltaglider.codec.base import Encoded
from deltaglider.codec.family import Codecs
from deltaglider.codec.output import REMEDY, Output, require_room
from deltaglider.codec.workplace import join, workplace
from deltaglider.config import GIB, KIB, MIB
from deltaglider.errors import DeltaCorruptError, UnknownFormatError
from deltaglider.files import local_errors
from deltaglider.late import dataclass
from deltaglider.threads import in_thread

if TYPE_CHECKING:
    from deltaglider.codec.gate import Gate

T = TypeVar("T")

MAGIC = b"\xd7DGH"
VERSION = 1
INNER = ("", "zstd", "aligned")
"""The codecs of the inner delta, as ``dg-codec`` names them, by their numbers in the head."""

_HEAD = 64  # Bytes that the numbers of the head take at most.
_FEWEST = 8  # Headers: with fewer there is nothing to gain.
_LITTLE = 8 * KIB  # Bytes: of files that are nearly the same, a delta without a head and a table may be smaller.
_LARGEST_TABLE = 64 * MIB  # Bytes.


@dataclass(frozen=True, slots=True)
class Head:
    """What is told before the inner delta.

    Attributes:
        inner: The codec of the inner delta, as ``dg-codec`` names it.
        size: Bytes of the file.
        neutral: Bytes of its neutral form.
    """

    inner: str
    size: int
    neutral: int

    def __bytes__(self) -> bytes:
        return MAGIC + bytes([VERSION]) + packed([INNER.index(self.inner), self.size, self.neutral])

    @classmethod
    def read(cls, file: BinaryIO) -> Head:
        """Reads the head of a delta, and leaves the file where the inner delta begins.

        Args:
            file: The delta, not trusted.

        Returns:
            The head.

        Raises:
            DeltaCorruptError: It is no such delta, or is damaged.
            UnknownFormatError: It was written by a later version.
        """
        start = file.read(len(MAGIC) + 1 + _HEAD)
        if not start.startswith(MAGIC) or len(start) <= len(MAGIC):
            raise DeltaCorruptError("it does not begin as a delta of this format does")
        if start[len(MAGIC)] != VERSION:
            raise UnknownFormatError(
                f"it is in format {start[len(MAGIC)]}, which this version does not know",
                remedy="Update deltaglider",
            )
        numbers = Numbers(start[len(MAGIC) + 1 :])
        inner, size, neutral = (numbers.next() for _ in range(3))
        if inner >= len(INNER) or not size <= neutral <= size + _LARGEST_TABLE:
            raise DeltaCorruptError("its head makes no sense")
        file.seek(len(MAGIC) + 1 + numbers.position)
        return cls(INNER[inner], size, neutral)


class HeadersCodec:
    """The codec.

    Args:
        inner: What makes the deltas of neutral forms, which are files of our own; without a gate.
        others: What makes those of files as they are, where there is nothing to make alike; without a gate. What it
            makes of them stands by itself, without a head of this codec.
        gate: Turns files away before their headers are made alike.
        writes: Whether it encodes; it always decodes.
        threads: How many files are looked at or made at once.
        largest: Bytes of the files whose headers are made alike; it takes a copy of each on the disk.
    """

    name = "headers"
    label = "headers"
    is_costly = True

    def __init__(
        self,
        inner: Codecs,
        others: Codecs,
        *,
        gate: Gate | None = None,
        writes: bool = True,
        threads: int = 1,
        largest: int = GIB,
    ) -> None:
        self._inner, self._others = inner, others
        self._gate, self._writes, self._largest = gate, writes, largest
        self._limiter = anyio.CapacityLimiter(threads)

    def takes(self, reference_size: int, target_size: int) -> bool:
        """See ``Codec.takes``."""
        fits = self._writes and max(reference_size, target_size) <= self._largest
        return fits and any(codec.takes(reference_size, target_size) for codec in self._inner)

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """See ``Codec.encode``."""
        is_costly = self._others.writer(reference.stat().st_size, target.stat().st_size).is_costly
        if is_costly and self._gate is not None and not await self._gate.opens(reference, target, limit=limit):
            return None
        if not await self._thread(_are_archives, reference, target):
            return await self._others.encode(reference, target, delta, limit=limit)
        with workplace(delta) as directory:
            source, neutral, inner = (directory / name for name in ("source", "neutral", "inner"))
            count = min([await self._thread(_neutralise, *pair) for pair in ((reference, source), (target, neutral))])
            if count < _FEWEST:
                return await self._others.encode(reference, target, delta, limit=limit)
            made = await self._inner.encode(source, neutral, inner, limit=limit)
            if made is None:
                return None
            head = Head(made.codec, target.stat().st_size, neutral.stat().st_size)
            size = len(bytes(head)) + inner.stat().st_size
            if size <= _LITTLE and (plain := await self._others.encode(reference, target, delta, limit=size)):
                return plain
            await self._thread(join, bytes(head), inner, delta)
            return Encoded(self.name, f"headers; {made.command}") if size <= limit else None

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """See ``Codec.decode``."""
        del recompress  # There is nothing of the kind in deltas of ours.
        with workplace(delta) as directory:
            source, neutral, inner = (directory / name for name in ("source", "neutral", "inner"))
            head = await self._thread(_open, delta, inner, size)
            await self._thread(_neutralise, reference, source)
            await self._inner.decode(source, inner, neutral, size=head.neutral, codec=head.inner)
            return await self._thread(_restore, neutral, head, target)

    async def self_test(self) -> str:
        """See ``Codec.self_test``: there is nothing that this machine could have otherwise."""
        return str(VERSION)

    async def _thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await in_thread(work, *arguments, limiter=self._limiter)


def _are_archives(reference: Path, target: Path) -> bool:
    """Whether both begin as archives do."""
    for path in target, reference:
        with local_errors(str(path), "cannot be read", REMEDY), File(path) as file:
            if not begins_with_archive(file.view()):
                return False
    return True


def _neutralise(path: Path, neutral: Path) -> int:
    with local_errors(str(path), "cannot be read", REMEDY), File(path) as file:
        require_room(neutral.parent, file.size + MIB)
        return neutralise(file.view(), neutral)


def _open(delta: Path, inner: Path, size: int) -> Head:
    with local_errors(str(delta), "cannot be read", REMEDY), delta.open("rb") as file, inner.open("wb") as out:
        head = Head.read(file)
        if head.size != size:
            raise DeltaCorruptError(f"it makes {head.size} bytes, not the recorded {size}")
        shutil.copyfileobj(file, out)
    return head


def _restore(neutral: Path, head: Head, target: Path | None) -> str:
    with contextlib.ExitStack() as stack:
        stack.enter_context(local_errors(str(neutral.parent), "cannot be written", REMEDY))
        if neutral.stat().st_size != head.neutral:
            raise DeltaCorruptError("it makes fewer bytes than its head says")
        restore(neutral, head.size)
        file, out = stack.enter_context(neutral.open("rb", buffering=0)), stack.enter_context(Output(target, head.size))
        while piece := file.read(PIECE):
            out.write(piece)
        return out.sha256
