"""The recipe: which streams of the reference are to be inflated, and which of the result deflated, and how.

Streams are listed in their order, each before those in it. Where they are is told by the headers before them (see
``places``), so that the numbers here are mostly zeros; they stand in columns, and are deflated together.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from deltaglider.archive.encoder import Encoder
from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.config import MIB
from deltaglider.errors import DeltaCorruptError
from deltaglider.late import dataclass

MOST_STREAMS = 1_000_000
"""Of one file: more are no recipe of ours."""

MOST_STEPS = 4_000_000
"""Members of zips that are walked over on the way to all streams of one side."""

LONGEST = 32 * MIB
"""Bytes of the numbers."""

DEFLATE = 0
"""The kind of packing of a stream in the reference; there are no others yet."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A stream of the reference.

    Attributes:
        steps: Members of a zip between the stream before and it.
        gap: Bytes between where it is thought to be and where it is.
        inner: Streams right in it that are listed after it.
        kind: How it is packed.
    """

    steps: int
    gap: int
    inner: int
    kind: int = DEFLATE


@dataclass(frozen=True, slots=True)
class Made:
    """A stream of the result.

    Attributes:
        steps: Members of a zip between the stream before and it.
        gap: Bytes between where it is thought to be and where it is.
        inner: Streams right in it that are listed after it.
        excess: Bytes it has unpacked, over what is thought.
        encoder: What makes it; an index.
    """

    steps: int
    gap: int
    inner: int
    excess: int
    encoder: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """What turns the reference into the source of the inner delta, and its result into the file.

    Attributes:
        encoders: The encoders that are used.
        outer_taken: Streams right in the reference.
        taken: All streams of the reference.
        outer_made: Streams right in the result.
        made: All streams of the result.
    """

    encoders: Sequence[Encoder]
    outer_taken: int
    taken: Sequence[Taken]
    outer_made: int
    made: Sequence[Made]

    def __bytes__(self) -> bytes:
        numbers = [len(self.encoders)]
        for encoder in self.encoders:
            numbers += encoder
        numbers += [self.outer_taken, len(self.taken), self.outer_made, len(self.made)]
        numbers += [each.steps for each in self.taken]
        numbers += [folded(each.gap) for each in self.taken]
        numbers += [each.inner for each in self.taken]
        numbers += [each.kind for each in self.taken]
        numbers += [each.steps for each in self.made]
        numbers += [folded(each.gap) for each in self.made]
        numbers += [each.inner for each in self.made]
        numbers += [folded(each.excess) for each in self.made]
        numbers += [each.encoder for each in self.made]
        return packed(numbers)

    @classmethod
    def read(cls, data: bytes) -> Recipe:
        """A recipe from its numbers.

        Args:
            data: The bytes, not trusted.

        Returns:
            The recipe.

        Raises:
            DeltaCorruptError: It is none.
        """
        numbers = Numbers(data)
        count = numbers.next()
        encoders = [Encoder(*numbers.column(4)) for _ in range(min(count, 1000))]
        outer_taken, takens, outer_made, mades = numbers.column(4)
        if max(takens, mades) > MOST_STREAMS or outer_taken > takens or outer_made > mades:
            raise DeltaCorruptError("its recipe has more streams than a file holds")
        columns = [numbers.column(takens) for _ in range(4)]
        taken = [Taken(steps, unfolded(gap), inner, kind) for steps, gap, inner, kind in zip(*columns, strict=True)]
        columns = [numbers.column(mades) for _ in range(5)]
        made = [
            Made(steps, unfolded(gap), inner, unfolded(excess), encoder)
            for steps, gap, inner, excess, encoder in zip(*columns, strict=True)
        ]
        if numbers.position != len(data) or any(each.encoder >= len(encoders) for each in made):
            raise DeltaCorruptError("its recipe makes no sense")
        return cls(encoders, outer_taken, taken, outer_made, made)


def shrink(data: bytes) -> bytes:
    """The numbers of a recipe as they are stored: deflated, without a header."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


def grow(data: bytes, size: int) -> bytes:
    """The opposite.

    Args:
        data: The bytes, not trusted.
        size: Bytes of the result.

    Returns:
        The numbers.

    Raises:
        DeltaCorruptError: It is no deflate stream, or not of this size.
    """
    if size > LONGEST:
        raise DeltaCorruptError("its recipe is longer than any is")
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        result = machine.decompress(data, size + 1)
    except zlib.error as error:
        raise DeltaCorruptError(f"its recipe is damaged: {error}") from error
    if len(result) != size or not machine.eof or machine.unused_data:
        raise DeltaCorruptError("its recipe has another length than it says")
    return result
