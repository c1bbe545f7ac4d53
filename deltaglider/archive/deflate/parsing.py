"""What the ways of finding matches have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Protocol

from deltaglider.archive.deflate.index import Hash
from deltaglider.archive.deflate.window import Window
from deltaglider.late import dataclass

NO_MATCH = 2
"""The length of what is no match."""

Pause = Callable[[int, int], int]
"""Called when ``Symbols.room`` is used up: where the last symbol was found, and where a block that ends now would end.
Returns the new room."""


@dataclass(slots=True)
class Symbols:
    """The symbols of the block at hand.

    Attributes:
        list: The symbols, as ``blocks`` describes them.
        room: How many there may be more before ``pause`` is called.
        pause: What to call then.
    """

    list: list[int]
    room: int
    pause: Pause


@dataclass(frozen=True, slots=True)
class Search:
    """How hard matches are looked for.

    Attributes:
        good: From this length of the match before on, the chain is followed a quarter of the way only.
        lazy: From this length on, nothing better is looked for; up to this length, the greedy levels enter all
            positions of a match.
        nice: A match of this length ends the search.
        chain: How many positions are tried.
        hashing: How positions are hashed.
        hash_bits: How many bits the hashes have.
        hashed: How many bytes must be ahead of a position that is looked up.
        filtered: Whether matches of up to five bytes are left alone.
        past_the_end: Whether what stands in memory behind the last byte can make one match seem longer than another.
    """

    good: int
    lazy: int
    nice: int
    chain: int
    hashing: Hash = field(repr=False)
    hash_bits: int
    hashed: int = 3
    filtered: bool = False
    past_the_end: bool = False


LEVELS = {
    1: (4, 4, 8, 4),
    2: (4, 5, 16, 8),
    3: (4, 6, 32, 32),
    4: (4, 4, 16, 16),
    5: (8, 16, 32, 32),
    6: (8, 16, 128, 128),
    7: (8, 32, 128, 256),
    8: (32, 128, 258, 1024),
    9: (32, 258, 258, 4096),
}
"""By level: good, lazy, nice, chain. The first three levels are greedy."""

GREEDY = 3
"""The last level that takes each match at once."""


class Parser(Protocol):
    """One way of making symbols out of bytes."""

    need: int
    """With fewer bytes ahead than this, more are read."""

    def extend(self, *, final: bool) -> None:
        """Takes note of what was read.

        Args:
            final: Whether it was the last, and padding stands behind it.
        """

    def advance(self, stop: int, *, blind: bool = False) -> None:
        """Makes symbols.

        Args:
            stop: Up to which position; the last match may go beyond.
            blind: Whether no match may begin.
        """

    def finish(self) -> None:
        """Makes symbols of what was held back."""

    def drop(self, shift: int) -> None:
        """Follows the window, whose positions became lower.

        Args:
            shift: By how much.
        """


def known_end(window: Window, *, final: bool) -> int:
    """Up to which position eight bytes stand behind each.

    Args:
        window: The bytes.
        final: Whether there is padding.

    Returns:
        The first position that lacks them.
    """
    return max(0, len(window.data) - (8 if final else 7))
