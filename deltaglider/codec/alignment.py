"""Which stretch of a file resembles which stretch of its reference, though they are not the same.

Machine code that moved is the case: between two places that are the same stand addresses that are not, in long
stretches whose bytes otherwise agree. What a delta of copies breaks into a million pieces is one stretch here.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable

from deltaglider.codec.copies import Copy
from deltaglider.config import KIB
from deltaglider.files import stop_if_cancelled

Content = bytes | mmap.mmap
"""Bytes that slices are taken of."""

LEAST_COPY = 16
"""Bytes: what is shorter is more likely chance than likeness."""

_LOOKED_AT = 512  # Bytes of a copy: one that long is believed.
_BETTER = 8  # Bytes by which a copy must beat going on as before: what a new stretch costs.
_FARTHEST = 64 * KIB
MOST = 2_000_000
"""Stretches that are held in memory, or some more; what they do not reach counts as new."""

_STEPS = 64  # In which a stretch grows: finer costs time, and gains little.


class Stretch:
    """A part of the file, and the part of the reference that it resembles.

    Attributes:
        start: Where it begins in the file.
        source: Where it begins in the reference.
        size: Bytes of both.
    """

    __slots__ = ("size", "source", "start")

    def __init__(self, start: int, source: int, size: int) -> None:
        self.start, self.source, self.size = start, source, size

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.start + self.size

    @property
    def shift(self) -> int:
        """How much further the reference's part begins."""
        return self.source - self.start


def align(copies: Iterable[list[Copy]], reference: Content, target: Content) -> list[Stretch]:
    """Finds what resembles what.

    Args:
        copies: What is the same in both, in the order of the file.
        reference: The reference's bytes.
        target: The file's bytes.

    Returns:
        Stretches in the order of the file, none overlapping another.
    """
    stretches = _joined(copies, reference, target)
    for number, stretch in enumerate(stretches):
        if not number % 256:
            stop_if_cancelled()
        _grow(stretch, stretches[number + 1] if number + 1 < len(stretches) else None, reference, target)
    return stretches


def _joined(copies: Iterable[list[Copy]], reference: Content, target: Content) -> list[Stretch]:
    """Copies that follow each other in both files are one stretch, whatever stands between them."""
    stretches: list[Stretch] = []
    last: Stretch | None = None
    for window in copies:
        for start, source, size in window:
            if last is not None and source - start == last.shift:
                last.size = start + size - last.start
                continue
            if last is not None and _goes_on(last.shift, start, size, reference, target):
                continue
            last = Stretch(start, source, size)
            stretches.append(last)
        if len(stretches) >= MOST:
            break
    return stretches


def _goes_on(shift: int, start: int, size: int, reference: Content, target: Content) -> bool:
    """Whether a copy is hardly better than what stands where the last stretch would go on."""
    if size >= _LOOKED_AT or start + shift < 0 or start + shift + size > len(reference):
        return False
    differ = _differing(reference[start + shift : start + shift + size], target[start : start + size])
    return size - differ.count(0) <= _BETTER


def _grow(stretch: Stretch, following: Stretch | None, reference: Content, target: Content) -> None:
    """Divides what stands between two stretches among them and what is like neither."""
    start, end = stretch.end, following.start if following else len(target)
    gap = end - start
    if not gap:
        return
    room = max(0, min(gap, _FARTHEST, len(reference) - start - stretch.shift))
    forth = _differing(reference[start + stretch.shift : start + stretch.shift + room], target[start : start + room])
    ahead = _reach(forth)
    behind = 0
    if following is not None:
        room = max(0, min(gap, _FARTHEST, following.source))
        back = _differing(reference[following.source - room : following.source], target[end - room : end])
        behind = _reach(back[::-1])
        if ahead + behind > gap:
            ahead = _divide(forth, back, gap, gap - behind, ahead)
            behind = gap - ahead
        following.start -= behind
        following.source -= behind
        following.size += behind
    stretch.size += ahead


def _reach(differ: bytes) -> int:
    """How many bytes from the start on are worth it: as many that agree as that do not, or more."""
    step = max(4, len(differ) // _STEPS)
    best = reach = score = 0
    for at in range(0, len(differ), step):
        piece = differ[at : at + step]
        score += 2 * piece.count(0) - len(piece)
        if score > best:
            best, reach = score, at + len(piece)
    return reach


def _divide(forth: bytes, back: bytes, gap: int, first: int, last: int) -> int:
    """Where between two places the one stretch should end and the next begin."""
    shift = len(back) - gap  # Of a place in the gap to its place in ``back``.
    places = {first + (last - first) * step // 16 for step in range(17)}
    return max(sorted(places), key=lambda at: forth.count(0, first, at) + back.count(0, at + shift, last + shift))


def _differing(one: bytes, other: bytes) -> bytes:
    """A byte for each pair; 0 where they are the same."""
    size = min(len(one), len(other))
    return (int.from_bytes(one[:size], "little") ^ int.from_bytes(other[:size], "little")).to_bytes(size, "little")
