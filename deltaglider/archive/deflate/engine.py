"""The work itself: bytes go through the window to a parser, its symbols to blocks. Here in zlib's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deltaglider.archive.deflate.blocks import BlockWriter
from deltaglider.archive.deflate.parsing import Parser, Symbols
from deltaglider.archive.deflate.window import Window
from deltaglider.files import stop_if_cancelled

NOTHING = memoryview(b"")

MakeParser = Callable[[Window, Symbols], Parser]


class Engine:
    """Deflates as zlib does.

    Args:
        window: A new window.
        most: How many symbols a block has at the most.
        writer: Where blocks go.
        parser: What makes the parser.
    """

    def __init__(self, window: Window, most: int, writer: BlockWriter, parser: MakeParser) -> None:
        self.writer: Final = writer
        self._window: Final = window
        self._most: Final = most
        self._symbols = Symbols([], most, self._pause)
        self._parser: Final = parser(window, self._symbols)
        self._block_start = 0

    def feed(self, data: memoryview) -> None:
        """Takes bytes.

        Args:
            data: The bytes.
        """
        while data:
            data = data[self._read(data) :]

    def end(self) -> None:
        """Ends the stream."""
        window, parser = self._window, self._parser
        window.pad()
        parser.extend(final=True)
        while window.ahead:
            self._advance(window.end - parser.need + 1)
            window.fill(NOTHING)
            self._advance(min(window.end, window.base + window.size + window.reach))
        window.fill(NOTHING)  # zlib looks once more, and may move the window, before it ends the last block.
        parser.finish()
        self._end_block(window.start, last=True)

    def _read(self, data: memoryview) -> int:
        """Reads some bytes, and makes symbols while enough is ahead; how many were read."""
        stop_if_cancelled()
        window, parser = self._window, self._parser
        count = window.fill(data)
        shift = window.drop()
        if shift:
            self._block_start -= shift
            parser.drop(shift)
        parser.extend(final=False)
        self._advance(window.end - parser.need + 1)
        return count

    def _advance(self, stop: int) -> None:
        if self._window.start < stop:
            self._parser.advance(stop)

    def _pause(self, at: int, end: int) -> int:
        """There is no more room for symbols: the block ends."""
        self._end_block(end, last=False)
        return self._most

    def _end_block(self, end: int, *, last: bool) -> None:
        begin, window = self._block_start, self._window
        raw = window.data[begin:end] if begin >= window.base else None
        self.writer.write(self._symbols.list, raw, end - begin, last=last)
        self._symbols.list.clear()
        self._block_start = end
