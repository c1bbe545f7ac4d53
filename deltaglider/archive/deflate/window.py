"""The window: what has been read, and what of it matches may reach.

zlib keeps twice the window's size in memory, reads into it while there is room, and moves the upper half down when the
work comes near the end. Which bytes can be reached hangs on when it does so, in rare cases; so the moves are followed
here step by step, though the bytes themselves are moved more seldom.
"""

from __future__ import annotations

from typing import Final

from deltaglider.archive.deflate.tables import LONGEST_MATCH, SHORTEST_MATCH

LOOKAHEAD = LONGEST_MATCH + SHORTEST_MATCH + 1
"""With so many bytes ahead a match and what follows it can be judged."""

PADDING = LOOKAHEAD + 16
"""Bytes behind the last, which are read but never count."""

_KEPT = 4
"""After how many moves of the window the bytes before it are dropped."""


class Window:
    """The bytes at hand. Positions are places in ``data``.

    Args:
        bits: The window's size, as a power of two.

    Attributes:
        data: The bytes.
        size: How many bytes the window has.
        reach: The greatest distance of a match.
        base: Where zlib's memory would begin.
        start: What is to be done next.
        end: Behind the last byte read; ``data`` may go on with padding.
        moves: How often the window was moved.
    """

    def __init__(self, bits: int) -> None:
        self.size: Final = 1 << bits
        self.reach: Final = self.size - LOOKAHEAD
        self.data = b""
        self.base = self.start = self.end = self.moves = 0
        self._dropped = b""

    @property
    def ahead(self) -> int:
        """How many bytes were read and not yet worked on."""
        return self.end - self.start

    @property
    def room(self) -> int:
        """How many bytes are read next if there are enough."""
        moves = self.start - self.base >= self.size + self.reach
        return self.base + (3 if moves else 2) * self.size - self.end

    def fill(self, fresh: memoryview) -> int:
        """Reads as zlib does when it has few bytes ahead.

        Args:
            fresh: What there is to read.

        Returns:
            How many bytes were read.
        """
        taken = 0
        while True:
            room = self.room
            if self.start - self.base >= self.size + self.reach:
                self.base += self.size
                self.moves += 1
            count = min(room, len(fresh) - taken)
            if not count:
                return taken
            self.data += fresh[taken : taken + count]
            self.end += count
            taken += count
            if self.ahead >= LOOKAHEAD or taken == len(fresh):
                return taken

    def drop(self) -> int:
        """Drops what is out of reach, if it is worth it.

        Returns:
            By how much all positions are lower now; mostly 0.
        """
        shift = self.base
        if shift < _KEPT * self.size:
            return 0
        self._dropped = self.data[shift - PADDING : shift]
        self.data = self.data[shift:]
        self.base = 0
        self.start -= shift
        self.end -= shift
        return shift

    def pad(self, *, gnu: bool = False) -> None:
        """Ends the bytes: behind the last comes what zlib would have there in its memory.

        Mostly it does not matter. But Chromium's zlib takes a byte of it into its last hash, and gzip looks there for
        the end of a match.

        Args:
            gnu: Whether it is gzip's memory: it writes two zeros, and moves all of the upper half.
        """
        left = bytearray()
        before = self._dropped.rjust(PADDING, b"\0") + self.data
        for place in range(self.end, self.end + PADDING):
            moves = self.moves - (gnu and place - self.base < self.size)
            left.append(before[place - self.size + PADDING] if moves > 0 else 0)
        if gnu:
            left[: SHORTEST_MATCH - 1] = bytes(SHORTEST_MATCH - 1)
        self.data += left
