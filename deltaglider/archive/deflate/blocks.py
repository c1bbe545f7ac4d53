"""Blocks: from symbols to bits, stored, with the fixed codes or with their own, whichever is smallest by zlib's rules.

A symbol is a literal, below 256, or a match: its length shifted by 16 bits, and its distance.

Bits are put together as text. The pieces of a block, each the digits of a few bits, are joined in reverse and read as
one binary number, the first bit of the stream its lowest: Python has nothing faster for bits of any length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Final

from deltaglider.archive.deflate import huffman, tables
from deltaglider.archive.deflate.tables import DYNAMIC, FIXED, STORED


class BlockWriter:
    """Takes blocks and gives the bytes of the stream.

    Args:
        always_fixed: Whether the fixed codes are used in each block that is not stored.
    """

    def __init__(self, *, always_fixed: bool = False) -> None:
        self._always_fixed: Final = always_fixed
        self._out = bytearray()
        self._bits = 0
        """What does not fill a byte yet, and how many bits of it there are."""
        self._count = 0

    def take(self) -> bytes:
        """What is complete since the last time.

        Returns:
            The bytes.
        """
        data = bytes(self._out)
        self._out.clear()
        return data

    def write(self, symbols: list[int], raw: bytes | None, size: int, *, last: bool) -> None:
        """Writes a block.

        Args:
            symbols: What it consists of.
            raw: The bytes it stands for; None where they are out of the window's reach.
            size: How many they are.
            last: Whether the stream ends with it; it is then filled up to a byte.
        """
        coded, spread, own = _own_codes(symbols)
        fixed_bits = sum(
            count * (size_ + extra)
            for count, size_, extra in zip(
                [*coded, *spread],
                [*tables.FIXED_LITERAL_LENGTHS[: tables.LITERALS], *tables.FIXED_DISTANCE_LENGTHS[: tables.DISTANCES]],
                [*tables.LITERAL_EXTRA, *tables.DISTANCE_EXTRA],
                strict=True,
            )
        )
        fixed_size, own_size = fixed_bits + 10 >> 3, own.bits + 10 >> 3
        fixed = self._always_fixed or fixed_size <= own_size
        if raw is not None and size + 4 <= (fixed_size if fixed else own_size):
            self._store(raw, last=last)
        elif fixed:
            self._add([tables.bits_of(FIXED << 1 | last, 3)])
            self._add(_pieces(symbols, *_fixed_codes()))
        else:
            self._add([tables.bits_of(DYNAMIC << 1 | last, 3), *own.header])
            self._add(_pieces(symbols, own.literals, own.distances))
        if last:
            self._fill()

    def _add(self, pieces: list[str]) -> None:
        pieces.reverse()
        digits = "".join(pieces)
        bits = int(digits or "0", 2) << self._count | self._bits
        self._count += len(digits)
        data = bits.to_bytes((self._count + 7) >> 3, "little")
        self._count &= 7
        if self._count:
            self._bits = data[-1]
            data = data[:-1]
        else:
            self._bits = 0
        self._out += data

    def _fill(self) -> None:
        if self._count:
            self._out.append(self._bits)
            self._bits = self._count = 0

    def _store(self, raw: bytes, *, last: bool) -> None:
        self._add([tables.bits_of(STORED << 1 | last, 3)])
        self._fill()
        size = len(raw)
        self._out += size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + raw


class _OwnCodes:
    """The codes made for one block: their digits, how they are told, and what the block takes with them."""

    def __init__(self, coded: list[int], spread: list[int]) -> None:
        literals = huffman.code_lengths(coded, tables.LONGEST_CODE)
        distances = huffman.code_lengths(spread, tables.LONGEST_CODE)
        told = huffman.run_lengths(literals), huffman.run_lengths(distances)
        both = [*told[0], *told[1]]
        counts = huffman.frequencies_of(both)
        sizes = huffman.code_lengths(counts, tables.LONGEST_LENGTH_CODE)
        sizes += [0] * (tables.LENGTH_CODES - len(sizes))
        sent = max(4, *(place + 1 for place, code in enumerate(tables.LENGTH_CODE_ORDER) if sizes[code]))

        self.bits = 14 + 3 * sent
        for frequencies, lengths, extra in (
            (coded, literals, tables.LITERAL_EXTRA),
            (spread, distances, tables.DISTANCE_EXTRA),
            (counts, sizes, tables.LENGTH_CODE_EXTRA),
        ):
            self.bits += sum(
                count * (size + more) for count, size, more in zip(frequencies, lengths, extra, strict=False)
            )
        self.literals = huffman.codes(literals)
        self.distances = huffman.codes(distances)
        code = huffman.codes(sizes)
        self.header = [
            tables.bits_of(len(literals) - 257, 5),
            tables.bits_of(len(distances) - 1, 5),
            tables.bits_of(sent - 4, 4),
            *[tables.bits_of(sizes[symbol], 3) for symbol in tables.LENGTH_CODE_ORDER[:sent]],
            *[extra + code[symbol] for symbol, extra in both],
        ]


def _own_codes(symbols: list[int]) -> tuple[list[int], list[int], _OwnCodes]:
    """Counts the codes of a block, and makes its own: frequencies of literals and lengths, of distances, and codes."""
    length_code, _ = tables.lengths()
    distance_code, _ = tables.distances()
    coded = _counts([s if s < 256 else length_code[s >> 16] for s in symbols], tables.LITERALS)
    coded[tables.END_OF_BLOCK] = 1
    spread = _counts([distance_code[s & 0xFFFF] for s in symbols if s > 255], tables.DISTANCES)
    return coded, spread, _OwnCodes(coded, spread)


def _counts(values: Iterable[int], size: int) -> list[int]:
    counts = Counter(values)
    return [counts[value] for value in range(size)]


@cache
def _fixed_codes() -> tuple[list[str], list[str]]:
    return huffman.codes(tables.FIXED_LITERAL_LENGTHS), huffman.codes(tables.FIXED_DISTANCE_LENGTHS)


def _pieces(symbols: list[int], literals: list[str], distances: list[str]) -> list[str]:
    """The digits of each symbol, and of the end of the block. In each piece, what comes first stands last."""
    length_code, length_extra = tables.lengths()
    distance_code, distance_extra = tables.distances()
    # Codes that do not occur in the block have none.
    literals = literals + [""] * (tables.LITERALS - len(literals))
    distances = distances + [""] * (tables.DISTANCES - len(distances))
    of_length = [extra + literals[code] for code, extra in zip(length_code, length_extra, strict=True)]
    pieces = [
        literals[s] if s < 256 else distance_extra[d := s & 0xFFFF] + distances[distance_code[d]] + of_length[s >> 16]
        for s in symbols
    ]
    pieces.append(literals[tables.END_OF_BLOCK])
    return pieces
