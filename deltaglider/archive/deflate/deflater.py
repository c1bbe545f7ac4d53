"""``Deflater``: the compressor as its users see it, and what tells its variants apart."""

from __future__ import annotations

from functools import partial

from deltaglider.archive.deflate import gnu
from deltaglider.archive.deflate.blocks import BlockWriter
from deltaglider.archive.deflate.engine import Engine, MakeParser
from deltaglider.archive.deflate.gnu import GnuEngine
from deltaglider.archive.deflate.greedy import GreedyParser
from deltaglider.archive.deflate.index import chromium_hash, zlib_hash
from deltaglider.archive.deflate.lazy import LazyParser
from deltaglider.archive.deflate.parsing import GREEDY, LEVELS, Search
from deltaglider.archive.deflate.simple import LiteralParser, RunParser
from deltaglider.archive.deflate.window import Window

Buffer = bytes | bytearray | memoryview

VARIANTS = ("zlib", "gzip", "chromium")

CHROMIUM_HASH_BITS = 15
"""At the least."""

DEFAULT, FILTERED, HUFFMAN_ONLY, RLE, ALWAYS_FIXED = range(5)
"""zlib's strategies."""


class Deflater:
    """Makes a raw deflate stream, bit for bit the one that another program makes.

    Args:
        level: From 1 to 9.
        mem_level: How much memory zlib would take, from 1 to 9: how many symbols a block has, and how many hashes.
        strategy: zlib's, from 0 to 4.
        variant: Whose stream it is: that of "zlib"; of "gzip", GNU's, which has neither memory levels nor strategies,
            and one size of windows; or of "chromium", whose zlib Node.js has, and with it npm.
        window_bits: The size of the window, as a power of two from 9 to 15.

    Raises:
        ValueError: There is no such stream.
    """

    def __init__(
        self, level: int, *, mem_level: int = 8, strategy: int = DEFAULT, variant: str = "zlib", window_bits: int = 15
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f"no variant of deflate has the name {variant!r}")
        if level not in LEVELS or mem_level not in range(1, 10) or strategy not in range(5):
            raise ValueError(f"no level {level}, memLevel {mem_level}, strategy {strategy} to deflate with")
        if window_bits not in range(9, 16):
            raise ValueError(f"no window of {window_bits} bits")
        if variant == "gzip":
            if (mem_level, strategy, window_bits) != (8, DEFAULT, 15):
                raise ValueError("gzip knows levels only")
            self._engine: Engine = _gnu(level)
        else:
            self._engine = _zlib(level, mem_level, strategy, window_bits, chromium=variant == "chromium")

    def compress(self, data: Buffer) -> bytes:
        """Takes bytes. For worker threads: it ends when its caller is cancelled.

        Args:
            data: The bytes.

        Returns:
            What is ready of the stream.
        """
        self._engine.feed(memoryview(data).cast("B"))
        return self._engine.writer.take()

    def flush(self) -> bytes:
        """Ends the stream.

        Returns:
            What is left of it.
        """
        self._engine.end()
        return self._engine.writer.take()


def _zlib(level: int, mem_level: int, strategy: int, window_bits: int, *, chromium: bool) -> Engine:
    parser: MakeParser
    if strategy == HUFFMAN_ONLY:
        parser = LiteralParser
    elif strategy == RLE:
        parser = RunParser
    else:
        bits = mem_level + 7
        if chromium:
            bits = max(bits, CHROMIUM_HASH_BITS)
        hashing = (chromium_hash if chromium else zlib_hash)(bits)
        search = Search(*LEVELS[level], hashing=hashing, hash_bits=bits, filtered=strategy == FILTERED)
        parser = _searching(level, search)
    writer = BlockWriter(always_fixed=strategy == ALWAYS_FIXED)
    return Engine(Window(window_bits), (1 << mem_level + 6) - 1, writer, parser)


def _gnu(level: int) -> Engine:
    bits = gnu.HASH_BITS
    search = Search(*LEVELS[level], hashing=zlib_hash(bits), hash_bits=bits, past_the_end=True)
    return GnuEngine(Window(15), level, BlockWriter(), _searching(level, search))


def _searching(level: int, search: Search) -> MakeParser:
    return partial(GreedyParser if level <= GREEDY else LazyParser, search=search)
