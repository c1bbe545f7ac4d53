"""GNU gzip's deflate: older than zlib, with other blocks, other reads, and a look beyond the end."""

from __future__ import annotations

from typing import Final

from deltaglider.archive.deflate import tables
from deltaglider.archive.deflate.blocks import BlockWriter
from deltaglider.archive.deflate.engine import NOTHING, Engine, MakeParser
from deltaglider.archive.deflate.window import Window

HASH_BITS = 15
MOST_SYMBOLS = 0x7FFF

_OFTEN = 0x1000
"""After how many symbols gzip asks itself whether a new block would be better."""
_FIRST_ASKING_LEVEL = 3


class GnuEngine(Engine):
    """Deflates as GNU gzip does.

    It reads as much as there is room for, and only at the end less, however the bytes come in.

    Args:
        window: A new window.
        level: From 1 to 9.
        writer: Where blocks go.
        parser: What makes the parser.
    """

    def __init__(self, window: Window, level: int, writer: BlockWriter, parser: MakeParser) -> None:
        super().__init__(window, MOST_SYMBOLS, writer, parser)
        self._asks: Final = level >= _FIRST_ASKING_LEVEL
        self._waiting = b""
        self._counted = self._matches = self._distance_bits = 0
        """How many of the block's symbols were counted, the matches among them, and their distances' bits, guessed."""
        self._symbols.room = self._room()

    def feed(self, data: memoryview) -> None:
        """Takes bytes."""
        if self._waiting:
            data = memoryview(self._waiting + data)
        while len(data) >= self._window.room:
            data = data[self._read(data[: self._window.room]) :]
        self._waiting = bytes(data)

    def end(self) -> None:
        """Ends the stream."""
        window, parser = self._window, self._parser
        if self._waiting:
            self._read(memoryview(self._waiting))
        window.fill(NOTHING)
        window.pad(gnu=True)
        parser.extend(final=True)
        self._advance(min(window.end, window.base + window.size + window.reach + 1))
        if window.ahead:  # So near the end of its memory gzip looks for no matches, for they might lead beyond.
            parser.advance(window.end, blind=True)
        parser.finish()
        self._end_block(window.start, last=True)

    def _pause(self, at: int, end: int) -> int:
        """There is no more room, or it is time to ask."""
        if len(self._symbols.list) == MOST_SYMBOLS or self._new_block_is_better(at - self._block_start):
            self._end_block(end, last=False)
            self._counted = self._matches = self._distance_bits = 0
        return self._room()

    def _room(self) -> int:
        count = len(self._symbols.list)
        return min(_OFTEN - count % _OFTEN, MOST_SYMBOLS - count) if self._asks else MOST_SYMBOLS - count

    def _new_block_is_better(self, taken: int) -> bool:
        """Whether the block packs well so far, and few of its symbols are matches."""
        code_of, _ = tables.distances()
        symbols = self._symbols.list
        bits = [5 + tables.DISTANCE_EXTRA[code_of[s & 0xFFFF]] for s in symbols[self._counted :] if s > 255]
        self._counted = len(symbols)
        self._matches += len(bits)
        self._distance_bits += sum(bits)
        made = 8 * len(symbols) + self._distance_bits >> 3
        return self._matches < len(symbols) // 2 and made < taken // 2
