"""The levels 4 to 9: a match is taken when the next byte does not begin a longer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deltaglider.archive.deflate.index import COMMON, NOWHERE, WORD, Index, common_length
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
        there is nothing longer, the length it was given, or less. zlib goes along one chain and takes whatever is
        longer. The same comes out when one asks for six bytes in common first, then for four, then for three.
        """
        words, before = self._index.words, self._index.before
        four, six = self._index.shortcuts
        nice, edge = self._search.nice, self._window.end - LONGEST_MATCH
        lowest, longer, at_the_end = self._lowest(), self._along(six), self._end_searcher()
        three_bytes, four_bytes, five_bytes = COMMON[2:5]

        def longest(start: int, best: int) -> tuple[int, int]:
            if start > edge:
                return at_the_end(start, best)
            low, word = lowest(start, best), words[start]
            place = six[start]
            if place > low:
                length, found = longer(start, max(5, best), place, low, nice)
                if found > low:
                    return length, found
            if best >= 5:
                return best, NOWHERE
            mask, found = (four_bytes if best < 4 else five_bytes), NOWHERE
            place = four[start]
            while place > low:
                different = words[place] ^ word
                if not different & mask:
                    found = place
                    if not different & five_bytes:
                        return 5, place
                    best, mask = 4, five_bytes
                place = four[place]
            if found > low:
                return best, found
            if best == NO_MATCH:
                place = before[start]
                while place > low:
                    if not (words[place] ^ word) & three_bytes:
                        return 3, place
                    place = before[place]
            return best, NOWHERE

        return longest

    def _end_searcher(self) -> Longest:
        """The same for the last positions, where the end limits what is found, and what is enough."""
        before, end, nice = self._index.before, self._window.end, self._search.nice
        past_the_end = self._search.past_the_end
        lowest, longer = self._lowest(), self._along(before)

        def longest(start: int, best: int) -> tuple[int, int]:
            enough = nice if past_the_end else min(nice, end - start)
            length, found = longer(start, best, before[start], lowest(start, best), enough)
            return min(length, end - start), found

        return longest

    def _along(self, links: list[int]) -> Callable[[int, int, int, int, int], tuple[int, int]]:
        """The function that goes along a chain for longer and longer matches.

        It takes the position, the length that must be exceeded, the first place to look at, what places must be above,
        and what is enough.
        """
        data, words, common = self._window.data, self._index.words, COMMON

        def longer(start: int, best: int, place: int, low: int, enough: int) -> tuple[int, int]:
            word, found = words[start], NOWHERE
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
                        return best, found
                    mask = common[best]
                    place = links[place]
            last = data[start + best]
            while place > low:
                if data[place + best] == last and words[place] == word:
                    length = common_length(words, data, place, start)
                    if length > best:
                        best, found = length, place
                        if best >= enough:
                            break
                        last = data[start + best]
                place = links[place]
            return best, found

        return longer

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
