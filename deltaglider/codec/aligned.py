"""Deltas of programs: what resembles the reference is told by how its bytes differ, where VCDIFF can only copy.

When code moves, so do the addresses in it, and a file of machine code that nobody touched differs from its former self
in a million places. VCDIFF spells each of them out. Here xdelta3 finds what stands where; the differences of what
stands at the same place are mostly 0, otherwise the same few numbers again and again, and pack well. Measured on the
unpacked wheels of numpy, pandas, scikit-learn and pyarrow: 44 to 69 % smaller than VCDIFF.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.codec import residue
from deltaglider.codec.alignment import LEAST_COPY, align
from deltaglider.codec.base import Encoded
from deltaglider.codec.copies import copies_of
from deltaglider.codec.output import Output
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.config import GIB, KIB
from deltaglider.errors import CodecError
from deltaglider.files import local_errors, stop_if_cancelled
from deltaglider.threads import in_thread

T = TypeVar("T")

COMMAND = "xdelta3 -e -D -S none; aligned"
"""What ``dg-delta-cmd`` records."""

# How Linux's, macOS's and Windows' programs and libraries begin; the last not at their very start.
_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"PE\0\0")
_LARGEST = GIB  # Of file and reference: their stretches are held in memory.
_LEAST_DELTA, _LEAST_SHARE = 32 * KIB, 0.01  # Of VCDIFF, and of that in the file: what is less has little to gain.
_WORTH = 0.8  # Of VCDIFF without secondary compression, which saves it a tenth.


class Aligned:
    """The codec.

    Args:
        plain: Finds what is the same; and makes the delta where this codec would gain little.
        threads: How many deltas are made or read at once.
    """

    name = "aligned"
    label = "aligned"
    is_costly = True

    def __init__(self, plain: Xdelta3, *, threads: int = 1) -> None:
        self._plain = plain
        self._limiter = anyio.CapacityLimiter(threads)

    def takes(self, reference_size: int, target_size: int) -> bool:
        """See ``Codec.takes``."""
        return max(reference_size, target_size) <= _LARGEST and self._plain.takes(reference_size, target_size)

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """See ``Codec.encode``."""
        if await self._thread(_holds_programs, target) and await self._align(reference, target, delta, limit):
            return Encoded(self.name, COMMAND)
        return await self._plain.encode(reference, target, delta, limit=limit)

    async def _align(self, reference: Path, target: Path, delta: Path, limit: int) -> bool:
        """Whether there is a delta that is clearly smaller than VCDIFF would be."""
        copies = delta.with_name(delta.name + ".copies")
        try:
            size = target.stat().st_size
            if not await self._plain.find(reference, target, copies, limit=size):
                return False
            found = copies.stat().st_size
            if found < max(_LEAST_DELTA, size * _LEAST_SHARE):
                return False
            return await self._thread(_encode, reference, target, copies, delta, min(limit, int(found * _WORTH)))
        finally:
            copies.unlink(missing_ok=True)

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """See ``Codec.decode``."""
        del recompress  # There is nothing of the kind in deltas of ours.
        return await self._thread(_decode, reference, delta, target, size)

    async def self_test(self) -> str:
        """See ``Codec.self_test``."""
        one, other = bytes(range(256)), bytes(range(255, -1, -1))
        if residue.total(residue.difference(one, other), other) != one:
            raise CodecError("numbers of this Python are not what they are elsewhere")
        return str(residue.VERSION)

    async def _thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await in_thread(work, *arguments, limiter=self._limiter)


def _holds_programs(path: Path) -> bool:
    with _content(path) as content:
        return any(content.find(magic) >= 0 for magic in _PROGRAMS)


def _encode(reference: Path, target: Path, plain: Path, delta: Path, limit: int) -> bool:
    with _content(reference) as theirs, _content(target) as ours:
        stretches = align(copies_of(plain, LEAST_COPY), theirs, ours)
        return residue.write(stretches, theirs, ours, delta, limit)


def _decode(reference: Path, delta: Path, target: Path | None, size: int) -> str:
    with _content(reference) as content, Output(target, size) as out:
        residue.read(delta, content, out)
        return out.sha256


@contextlib.contextmanager
def _content(path: Path) -> Iterator[bytes | mmap.mmap]:
    """A file's bytes."""
    stop_if_cancelled()
    with local_errors(str(path), "cannot be read"), path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            yield b""
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content
