"""The levels 1 to 3: each match is taken at once, and of long ones not all positions are remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deltaglider.archive.deflate.index import COMMON, NOWHERE, WORD, Words, common_length
from deltaglider.archive.deflate.parsing import NO_MATCH, Search, Symbols, known_end
from deltaglider.archive.deflate.tables import LONGEST_MATCH
from deltaglider.archive.deflate.window import LOOKAHEAD, Window

Longest = Callable[[int, int, int], tuple[int, int]]


class GreedyParser:
    """Makes symbols as the levels 1 to 3 do.

    Which positions are in a chain depends on the matches that were found, so the chains are kept as zlib keeps them.

    Args:
        window: The bytes.
        symbols: Where the symbols go.
        search: How hard to look.
    """

    need = LOOKAHEAD

    def __init__(self, window: Window, symbols: Symbols, search: Search) -> None:
        self._window: Final = window
        self._symbols: Final = symbols
        self._search: Final = search
        self._words = Words()
        self._hashes: list[int] = []
        self._heads = [NOWHERE] * (1 << search.hash_bits)
        """The last position with each hash."""
        self._links = [NOWHERE] * window.size
        """The one before it; only those in reach are right."""

    def extend(self, *, final: bool) -> None:
        """Takes note of what was read."""
        data, begin = self._window.data, len(self._hashes)
        end = known_end(self._window, final=final)
        self._words.extend(data, end)
        self._hashes += self._search.hashing(data[begin : end + WORD], end - begin)

    def drop(self, shift: int) -> None:
        """Follows the window."""
        self._words = Words()
        self._hashes = []
        self._heads = [place - shift for place in self._heads]
        turn = shift % self._window.size
        links = self._links[turn:] + self._links[:turn]
        self._links = [place - shift for place in links]

    def advance(self, stop: int, *, blind: bool = False) -> None:
        """Makes symbols up to a position."""
        window, search = self._window, self._search
        data, base, end, mask = window.data, window.base, window.end, window.size - 1
        hashes, heads, links = self._hashes, self._heads, self._links
        reach, entered, hashed = window.reach, search.lazy, search.hashed
        longest = self._searcher()
        add, pause, room = self._symbols.list.append, self._symbols.pause, self._symbols.room
        start = window.start
        while start < stop:
            at, length, found = start, NO_MATCH, NOWHERE
            if end - start >= hashed:
                code = hashes[start]
                links[start & mask] = head = heads[code]
                heads[code] = start
                low = start - reach
                if low <= base:
                    low = base
                elif head == low:  # The first in the chain may be one byte farther away.
                    low -= 1
                if head > low and not blind:
                    length, found = longest(start, head, low)
            if length > NO_MATCH:
                add(length << 16 | start - found)
                start += length
                if length <= entered and end - start >= hashed:
                    for place in range(at + 1, start):
                        code = hashes[place]
                        links[place & mask] = heads[code]
                        heads[code] = place
            else:
                add(data[start])
                start += 1
            room -= 1
            if not room:
                room = pause(at, start)
        window.start, self._symbols.room = start, room

    def finish(self) -> None:
        """Nothing is held back."""

    def _searcher(self) -> Longest:
        """The function that finds the longest match, its variables at hand.

        It takes a position, the first in its chain, and what that must be above, and returns the length and where it
        was found; 2 if there is none.
        """
        window, search = self._window, self._search
        data, end, mask = window.data, window.end, window.size - 1
        words, links, chain, nice = self._words.words, self._links, search.chain, search.nice
        past_the_end, edge = search.past_the_end, end - LONGEST_MATCH

        def longest(start: int, place: int, low: int) -> tuple[int, int]:
            best, found = NO_MATCH, NOWHERE
            enough = nice if start <= edge or past_the_end else min(nice, end - start)
            word, common = words[start], COMMON[NO_MATCH]
            for _ in range(chain):
                different = words[place] ^ word
                if different & common == 0 and (best < WORD or data[place + best] == data[start + best]):
                    if different:
                        length = (different & -different).bit_length() - 1 >> 3
                    else:
                        length = common_length(words, data, place, start)
                    if length > best:
                        best, found = length, place
                        if best >= enough:
                            break
                        common = COMMON[min(best, WORD - 1)]
                place = links[place & mask]
                if place <= low:
                    break
            return (best if start <= edge else min(best, end - start)), found

        return longest
