"""Where streams lie, told by the headers before them: a recipe that need not say it is short.

The rules here are part of the format (see docs/bucket-format.md): a recipe holds differences from these guesses, so
both must guess alike, for ever. A guess may be nonsense, and a header may lie: then the difference is larger, no more.
"""

from __future__ import annotations

from typing import NamedTuple

from deltaglider.archive import gzips
from deltaglider.archive.view import View

_LOCAL, _DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
_LOCAL_SIZE, _DESCRIPTOR_SIZE = 30, 16


class Place(NamedTuple):
    """Where the next stream seems to be.

    Attributes:
        start: Its first byte.
        packed: Its bytes, if it is packed.
        plain: Its bytes, if it is unpacked.
        member: Whether there is the header of a zip's member.
    """

    start: int
    packed: int
    plain: int
    member: bool


def guess(view: View, position: int) -> Place:
    """The stream that begins at a position, or behind the header there.

    Args:
        view: A container.
        position: The end of the stream before, or 0.

    Returns:
        What the header says; a stream of no bytes right there if there is none.
    """
    head = view.read(position, _DESCRIPTOR_SIZE + _LOCAL_SIZE)
    start = position
    if head.startswith(_DESCRIPTOR):
        head, start = head[_DESCRIPTOR_SIZE:], position + _DESCRIPTOR_SIZE
    if head.startswith(_LOCAL) and len(head) >= _LOCAL_SIZE:
        start += _LOCAL_SIZE + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        return Place(start, int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little"), True)
    if head.startswith(gzips.MAGIC):
        size = gzips.header_size(view, position)
        if size is not None:
            rest = max(0, view.size - gzips.TRAILER - position - size)
            return Place(position + size, rest, rest, False)
    return Place(position, 0, 0, False)


def steps_to(view: View, position: int, start: int, most: int) -> tuple[int, Place]:
    """How many members of a zip lie between a position and a stream, walking from header to header.

    Args:
        view: A container.
        position: The end of the stream before, or 0.
        start: Where the stream begins.
        most: Members that may be walked over.

    Returns:
        Their number, and the guess behind them; no steps where the walk does not end at the stream.
    """
    first = place = guess(view, position)
    for steps in range(most):
        if place.start == start:
            return steps, place
        if not place.member or place.start + place.packed > start:
            break
        place = guess(view, place.start + place.packed)
    return 0, first


def after_steps(view: View, position: int, steps: int) -> Place | None:
    """The guess behind some members of a zip.

    Args:
        view: A container.
        position: The end of the stream before, or 0.
        steps: Members to walk over.

    Returns:
        The guess; ``None`` if there are not so many.
    """
    place = guess(view, position)
    for _ in range(steps):
        if not place.member:
            return None
        place = guess(view, place.start + place.packed)
    return place
