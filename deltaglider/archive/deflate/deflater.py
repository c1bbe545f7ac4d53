"""``Deflater``: the compressor as its users see it, and what tells its variants apart."""

from __future__ import annotations

from typing import Final

from deltaglider.archive.deflate.blocks import BlockWriter
from deltaglider.archive.deflate.greedy import GreedyParser
from deltaglider.archive.deflate.index import zlib_hash
from deltaglider.archive.deflate.lazy import LazyParser
from deltaglider.archive.deflate.parsing import GREEDY, LEVELS, Parser, Search, Symbols
from deltaglider.archive.deflate.simple import LiteralParser, RunParser
from deltaglider.archive.deflate.window import Window
from deltaglider.files import stop_if_cancelled

Buffer = bytes | bytearray | memoryview

DEFAULT, FILTERED, HUFFMAN_ONLY, RLE, ALWAYS_FIXED = range(5)
"""zlib's strategies."""


class Deflater:
    """Makes a raw deflate stream, bit for bit the one that zlib makes.

    Args:
        level: From 1 to 9.
        mem_level: How much memory zlib would take, from 1 to 9: how many symbols a block has, and how many hashes.
        strategy: zlib's, from 0 to 4.
        variant: Whose stream it is: "zlib".
        window_bits: The size of the window, as a power of two from 9 to 15.

    Raises:
        ValueError: There is no such stream.
    """

    def __init__(
        self, level: int, *, mem_level: int = 8, strategy: int = DEFAULT, variant: str = "zlib", window_bits: int = 15
    ) -> None:
        if variant != "zlib":
            raise ValueError(f"no variant of deflate has the name {variant!r}")
        if level not in LEVELS or mem_level not in range(1, 10) or strategy not in range(5):
            raise ValueError(f"no level {level}, memLevel {mem_level}, strategy {strategy} to deflate with")
        if window_bits not in range(9, 16):
            raise ValueError(f"no window of {window_bits} bits")
        self._window = Window(window_bits)
        self._most: Final = (1 << mem_level + 6) - 1
        self._symbols = Symbols([], self._most, self._pause)
        self._writer = BlockWriter(always_fixed=strategy == ALWAYS_FIXED)
        self._block_start = 0
        self._parser = self._make_parser(level, mem_level, strategy)

    def compress(self, data: Buffer) -> bytes:
        """Takes bytes. For worker threads: it ends when its caller is cancelled.

        Args:
            data: The bytes.

        Returns:
            What is ready of the stream.
        """
        self._feed(memoryview(data).cast("B"))
        return self._writer.take()

    def flush(self) -> bytes:
        """Ends the stream.

        Returns:
            What is left of it.
        """
        window, parser = self._window, self._parser
        window.pad()
        parser.extend(final=True)
        while window.ahead:
            self._advance(window.end - parser.need + 1)
            window.fill(memoryview(b""))
            self._advance(min(window.end, window.base + window.size + window.reach))
        window.fill(memoryview(b""))  # zlib looks once more, and may move the window, before it ends the last block.
        parser.finish()
        self._end_block(window.start, last=True)
        return self._writer.take()

    def _make_parser(self, level: int, mem_level: int, strategy: int) -> Parser:
        if strategy == HUFFMAN_ONLY:
            return LiteralParser(self._window, self._symbols)
        if strategy == RLE:
            return RunParser(self._window, self._symbols)
        bits = mem_level + 7
        search = Search(*LEVELS[level], hashing=zlib_hash(bits), hash_bits=bits, filtered=strategy == FILTERED)
        return (GreedyParser if level <= GREEDY else LazyParser)(self._window, self._symbols, search)

    def _feed(self, data: memoryview) -> None:
        """Reads, and makes symbols while enough is ahead."""
        window, parser = self._window, self._parser
        while data:
            stop_if_cancelled()
            data = data[window.fill(data) :]
            shift = window.drop()
            if shift:
                self._block_start -= shift
                parser.drop(shift)
            parser.extend(final=False)
            self._advance(window.end - parser.need + 1)

    def _advance(self, stop: int) -> None:
        if self._window.start < stop:
            self._parser.advance(stop)

    def _pause(self, _: int, end: int) -> int:
        """The block is full."""
        self._end_block(end, last=False)
        return self._most

    def _end_block(self, end: int, *, last: bool) -> None:
        begin, window = self._block_start, self._window
        raw = window.data[begin:end] if begin >= window.base else None
        self._writer.write(self._symbols.list, raw, end - begin, last=last)
        self._symbols.list.clear()
        self._block_start = end
