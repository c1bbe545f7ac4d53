"""The strategies that look for no matches, or for runs of one byte only."""

from __future__ import annotations

import re
from typing import Final

from deltaglider.archive.deflate.parsing import Symbols
from deltaglider.archive.deflate.tables import LONGEST_MATCH, SHORTEST_MATCH
from deltaglider.archive.deflate.window import Window

_RUN = re.compile(rb"(.)\1{3,258}", re.DOTALL)
"""A byte, and the same some more times: the first stays a literal, the others are a match."""


class LiteralParser:
    """Makes a literal of each byte.

    Args:
        window: The bytes.
        symbols: Where the symbols go.
    """

    need = 1

    def __init__(self, window: Window, symbols: Symbols) -> None:
        self._window: Final = window
        self._symbols: Final = symbols

    def extend(self, *, final: bool) -> None:
        """Nothing is looked for."""

    def drop(self, shift: int) -> None:
        """Nothing is remembered."""

    def advance(self, stop: int, *, blind: bool = False) -> None:
        """Makes symbols up to a position."""
        self._literals(stop)

    def finish(self) -> None:
        """Nothing is held back."""

    def _literals(self, stop: int) -> None:
        window, symbols = self._window, self._symbols
        while window.start < stop:
            count = min(stop - window.start, symbols.room)
            symbols.list += window.data[window.start : window.start + count]
            window.start += count
            self._used(count)

    def _used(self, count: int) -> None:
        symbols = self._symbols
        symbols.room -= count
        if not symbols.room:
            symbols.room = symbols.pause(self._window.start, self._window.start)


class RunParser(LiteralParser):
    """Makes matches of runs, and literals of all else.

    Args:
        window: The bytes.
        symbols: Where the symbols go.
    """

    need = LONGEST_MATCH + 1

    def advance(self, stop: int, *, blind: bool = False) -> None:
        """Makes symbols up to a position."""
        window, symbols = self._window, self._symbols
        while window.start < stop:
            run = _RUN.search(window.data, max(window.start - 1, window.base), window.end)
            self._literals(min(stop, run.start() + 1 if run else stop))
            if run is None or window.start >= stop:
                continue
            length = min(run.end() - window.start, LONGEST_MATCH)
            if length >= SHORTEST_MATCH:
                symbols.list.append(length << 16 | 1)
                window.start += length
                self._used(1)
