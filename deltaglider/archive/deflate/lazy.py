"""The levels 4 to 9: a match is taken when the next byte does not begin a longer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deltaglider.archive.deflate.index import COMMON, NOWHERE, SHORTCUTS, WORD, Index, common_length
from deltaglider.archive.deflate.parsing import NO_MATCH, Search, Symbols, known_end
from deltaglider.archive.deflate.tables import LONGEST_MATCH
from deltaglider.archive.deflate.window import LOOKAHEAD, Window

TOO_FAR = 4096
"""A match of three bytes from farther away costs more than three literals."""

Longest = Callable[[int, int], tuple[int, int]]


class LazyParser:
    """Makes symbols as the levels 4 to 9 do.

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
        self._index = Index(search.hashing, search.hash_bits)
        self._length = NO_MATCH
        """Of the match at the byte before, and where it was found."""
        self._place = NOWHERE
        self._waits = False
        """Whether the byte before is neither a symbol nor in one yet."""

    def extend(self, *, final: bool) -> None:
        """Takes note of what was read."""
        self._index.extend(self._window.data, known_end(self._window, final=final))

    def drop(self, shift: int) -> None:
        """Follows the window."""
        self._index = Index(self._search.hashing, self._search.hash_bits)
        self._place -= shift

    def advance(self, stop: int, *, blind: bool = False) -> None:
        """Makes symbols up to a position."""
        window, search = self._window, self._search
        data, before = window.data, self._index.before
        lazy, filtered = search.lazy, search.filtered
        reach = -1 if blind else window.reach
        searched_end = window.end - search.hashed + 1
        longest = self._searcher()
        symbols = self._symbols.list
        add, pause, room = symbols.append, self._symbols.pause, self._symbols.room
        start, length, place, waits = window.start, self._length, self._place, self._waits
        while start < stop:
            found, found_at = NO_MATCH, place
            if before[start] >= start - reach and length < lazy and start < searched_end:
                found, found_at = longest(start, length)
                if found <= 5 and (filtered or (found == 3 and start - found_at > TOO_FAR)):
                    found = NO_MATCH
            if length > NO_MATCH and found <= length:
                add(length << 16 | start - 1 - place)
                at, start = start, start + length - 1
                length, waits = NO_MATCH, False
                room -= 1
                if not room:
                    room = pause(at, start)
                continue
            if waits:
                add(data[start - 1])
                room -= 1
                if not room:
                    room = pause(start, start)
            waits = True
            length, place = found, found_at
            start += 1
        window.start, self._length, self._place, self._waits = start, length, place, waits
        self._symbols.room = room

    def finish(self) -> None:
        """Makes a literal of the last byte, if it is none yet."""
        if self._waits:
            self._symbols.list.append(self._window.data[self._window.start - 1])

    def _searcher(self) -> Longest:
        """The function that finds the longest match, its variables at hand.

        It takes a position and a length that must be exceeded, and returns the length and where it was found; where
        there is nothing longer, the length it was given, or less.
        """
        window, index, search = self._window, self._index, self._search
        data, end, words, nice, common = window.data, window.end, index.words, search.nice, COMMON
        edge, past_the_end = end - LONGEST_MATCH, search.past_the_end
        follow, lowest = _links_by_length(index), self._lowest()

        def longest(start: int, best: int) -> tuple[int, int]:
            low = lowest(start, best)
            enough = nice if start <= edge or past_the_end else min(nice, end - start)
            word = words[start]
            links = follow[best]
            place = links[start]
            found = NOWHERE
            if best < WORD:
                mask = common[best]
                while place > low:
                    different = words[place] ^ word
                    if different & mask:
                        place = links[place]
                        continue
                    found = place
                    if not different:
                        best = WORD - 1  # Or more: see below.
                        break
                    best = (different & -different).bit_length() - 1 >> 3
                    if best >= enough:
                        break
                    mask = common[best]
                    links = follow[best]
                    place = links[place]
                if place <= low or words[place] != word:
                    return (best if start <= edge else min(best, end - start)), found
            last = data[start + best]
            while place > low:
                if data[place + best] != last or words[place] != word:
                    place = links[place]
                    continue
                length = common_length(words, data, place, start)
                if length > best:
                    best, found = length, place
                    if best >= enough:
                        break
                    last = data[start + best]
                    links = follow[best]
                place = links[place]
            return (best if start <= edge else min(best, end - start)), found

        return longest

    def _lowest(self) -> Callable[[int, int], int]:
        """The function that tells what a match at a position must be above, given the length it must exceed."""
        window, index, search = self._window, self._index, self._search
        base, reach, good, chain = window.base, window.reach, search.good, search.chain
        before, rank, hashes, chains = index.before, index.rank, index.hashes, index.chains

        def lowest(start: int, best: int) -> int:
            low = start - reach
            if low <= base:
                low = base
            elif before[start] == low:  # The first in the chain may be one byte farther away.
                low -= 1
            number = rank[start] - (chain if best < good else chain >> 2)
            if number > 0:
                low = max(low, chains[hashes[start]][number] - 1)
            return low

        return lowest


def _links_by_length(index: Index) -> list[list[int]]:
    """For the length at hand: the chain that leads to all longer matches, and to little else."""
    links = [index.before] * (LONGEST_MATCH + 1)
    for span, shortcut in zip(SHORTCUTS, index.shortcuts, strict=True):
        links[span:] = [shortcut] * (LONGEST_MATCH + 1 - span)
    return links
