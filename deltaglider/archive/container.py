"""The head of a stored delta: everything before the inner delta. To the byte in docs/bucket-format.md."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from deltaglider.archive.numbers import Numbers, packed
from deltaglider.archive.recipe import LONGEST, Recipe, grow, shrink
from deltaglider.config import MIB
from deltaglider.errors import DeltaCorruptError, UnknownFormatError
from deltaglider.late import dataclass

MAGIC = b"\xd7DGA"
"""No VCDIFF begins so: what knows nothing of archives fails at the first byte but one."""

VERSION = 1
INNER = ("", "zstd", "aligned", "headers")
"""The codecs of the inner delta, as ``dg-codec`` names them, by their numbers in the head."""

_CHECK = 4
_NUMBERS = 64  # Bytes that the numbers before the recipe take at most.
# Deflate packs to a thousandth at best; a source or target that claims to be more is not read at all.
_RATIO, _SLACK = 1100, MIB


@dataclass(frozen=True, slots=True)
class Head:
    """What is told before the inner delta.

    Attributes:
        inner: The codec of the inner delta, as ``dg-codec`` names it.
        size: Bytes of the target.
        source: Bytes of the reference, expanded.
        expanded: Bytes of the target, expanded.
        recipe: What is to be inflated and deflated.
    """

    inner: str
    size: int
    source: int
    expanded: int
    recipe: Recipe

    def __bytes__(self) -> bytes:
        plain = bytes(self.recipe)
        stored = shrink(plain)
        numbers = packed([INNER.index(self.inner), self.size, self.source, self.expanded, len(plain), len(stored)])
        body = bytes([VERSION]) + numbers + stored
        return MAGIC + zlib.crc32(body).to_bytes(_CHECK, "little") + body

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
        start = file.read(len(MAGIC) + _CHECK + 1)
        if not start.startswith(MAGIC) or len(start) != len(MAGIC) + _CHECK + 1:
            raise DeltaCorruptError("it does not begin as a delta of an archive does")
        if start[-1] != VERSION:
            raise UnknownFormatError(
                f"it is a delta of an archive in format {start[-1]}, which this version does not know",
                remedy="Update deltaglider",
            )
        position = file.tell()
        head = file.read(_NUMBERS)
        numbers = Numbers(head)
        inner, size, source, expanded, plain, stored = (numbers.next() for _ in range(6))
        if inner >= len(INNER) or stored > LONGEST:
            raise DeltaCorruptError("its head makes no sense")
        file.seek(position + numbers.position)
        recipe = file.read(stored)
        check = zlib.crc32(recipe, zlib.crc32(head[: numbers.position], zlib.crc32(start[-1:])))
        if len(recipe) != stored or check.to_bytes(_CHECK, "little") != start[len(MAGIC) : -1]:
            raise DeltaCorruptError("its head is damaged")
        return cls(INNER[inner], size, source, expanded, Recipe.read(grow(recipe, plain)))

    def check(self, reference: int, target: int) -> None:
        """Refuses sizes that cannot be, before anything is written.

        Args:
            reference: Bytes of the reference.
            target: Bytes of the file, as recorded.

        Raises:
            DeltaCorruptError: The head claims more than can be.
        """
        if self.source > reference * _RATIO + _SLACK or self.expanded > target * _RATIO + _SLACK:
            raise DeltaCorruptError("its head claims more bytes than it could unpack to")
