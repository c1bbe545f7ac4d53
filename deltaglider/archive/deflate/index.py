"""Where the string at each byte stood before: zlib's hash chains, and shortcuts along them.

zlib keeps the positions with one hash in a chain and walks back along it, a limited number of steps, for a longer match
than it has. A step costs Python a hundred times what it costs C. But which positions are in a chain is known before
anything is searched, where each position is entered (levels 4 to 9). So the chain is kept with the number of each
member, which tells how far back the limited walk would get; and besides it there are chains of the positions that are
alike in 4 and in 6 bytes. Who looks for a match longer than 6 follows these instead, meets few others, and ends at the
very same match.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from deltaglider.archive.deflate.tables import LONGEST_MATCH

NOWHERE = -1 << 40
"""Before all positions."""

WORD = 8
SHORTCUTS = (4, 6)
"""How many bytes the positions of a shortcut have in common."""

# A longer match than the one at hand has at least these of its first eight bytes in common.
COMMON = [(1 << 8 * min(length + 1, WORD)) - 1 for length in range(WORD)]

Hash = Callable[[bytes, int], list[int]]
"""From some bytes, and a number of positions, to the hashes of the strings there."""

_LANE = 16

_FACTOR, _STRING, _WIDE = 66_521, 4, 8
_ONE = (1).to_bytes(_WIDE, "little")


def zlib_hash(bits: int) -> Hash:
    """The hash of three bytes that zlib uses.

    Args:
        bits: How many bits it has, up to 16.

    Returns:
        The function.
    """
    shift = (bits + 2) // 3
    mask = (1 << bits) - 1

    def hashes(data: bytes, count: int) -> list[int]:
        lanes = _lanes(data[: count + 2])
        return _unpacked(
            (lanes & _each(mask >> 2 * shift, count)) << 2 * shift
            ^ (lanes >> _LANE & _each(mask >> shift, count)) << shift
            ^ lanes >> 2 * _LANE & _each(mask, count),
            count,
        )

    return hashes


def chromium_hash(bits: int) -> Hash:
    """The hash of four bytes that Chromium's zlib uses.

    Args:
        bits: How many bits it has, up to 16.

    Returns:
        The function.
    """
    mask = ((1 << bits) - 1).to_bytes(_WIDE, "little")

    def hashes(data: bytes, count: int) -> list[int]:
        result = [0] * count
        for offset in range(min(_STRING, count)):
            those = (count - offset + _STRING - 1) // _STRING
            spread = bytearray(_WIDE * those)  # Each string has twice its width, so that its product fits in.
            for place in range(_STRING):
                spread[place::_WIDE] = data[offset + place :: _STRING][:those]
            product = (int.from_bytes(spread, "little") + int.from_bytes(_ONE * those, "little")) * _FACTOR
            product = product >> 16 & int.from_bytes(mask * those, "little")
            result[offset::_STRING] = struct.unpack(f"<{those}Q", product.to_bytes(_WIDE * those, "little"))
        return result

    return hashes


def _mixed_hashes(data: bytes, count: int) -> tuple[list[int], list[int]]:
    """Hashes in 16 bits of the four bytes at each position, and of the six: pairs of bytes, each turned otherwise."""
    lanes = _lanes(data[: count + SHORTCUTS[-1] - 1])
    pairs = lanes ^ lanes >> _LANE << 8
    first = pairs ^ _turned(pairs >> 2 * _LANE, 7, count)
    second = first ^ _turned(pairs >> 4 * _LANE, 11, count)
    whole = _each(0xFFFF, count)
    return _unpacked(first & whole, count), _unpacked(second & whole, count)


def _turned(lanes: int, bits: int, count: int) -> int:
    """Each lane turned to the left."""
    return (lanes & _each(0xFFFF >> bits, count)) << bits ^ lanes >> _LANE - bits & _each((1 << bits) - 1, count)


def _lanes(data: bytes) -> int:
    """The bytes as one number, each in 16 bits of its own: what is done to it is done to all of them at once."""
    spread = bytearray(2 * len(data))
    spread[::2] = data
    return int.from_bytes(spread, "little")


@lru_cache(16)
def _each(value: int, count: int) -> int:
    """A number that has one value in each lane."""
    return int.from_bytes(value.to_bytes(2, "little") * count, "little")


def _unpacked(lanes: int, count: int) -> list[int]:
    return list(struct.unpack(f"<{count}H", lanes.to_bytes(2 * count, "little")))


class Words:
    """The eight bytes from each position on, as numbers, the first byte the lowest."""

    def __init__(self) -> None:
        self.words: list[int] = []

    def extend(self, data: bytes, end: int) -> None:
        """Reads on.

        Args:
            data: All bytes.
            end: Up to which position; eight bytes must follow the last.
        """
        begin = len(self.words)
        fresh = [0] * (end - begin)
        for offset in range(min(WORD, end - begin)):
            count = (end - begin - offset + WORD - 1) // WORD
            fresh[offset::WORD] = struct.unpack_from(f"<{count}Q", data, begin + offset)
        self.words += fresh


class Index(Words):
    """The chains.

    Args:
        hashing: How zlib, or another, hashes a position.
        bits: How many bits the hash has.

    Attributes:
        words: Eight bytes, by position.
        before: The position before with the same hash, by position.
        rank: The place of each position in its chain's list.
        chains: The lists, by hash, if there is one; it begins with ``NOWHERE``.
        hashes: By position.
        shortcuts: For each span, the position before that has so many bytes in common, by position; sometimes it has
            not.
    """

    def __init__(self, hashing: Hash, bits: int) -> None:
        super().__init__()
        self._hashing = hashing
        self.hashes: list[int] = []
        self.before: list[int] = []
        self.rank: list[int] = []
        self.chains: list[list[int]] = [[]] * (1 << bits)  # One empty list for all, until there is something to enter.
        self.shortcuts: list[list[int]] = [[] for _ in SHORTCUTS]
        self._heads = [[NOWHERE] * (1 << _LANE) for _ in SHORTCUTS]

    def extend(self, data: bytes, end: int) -> None:
        """Enters all positions up to another one.

        Args:
            data: All bytes.
            end: The first that is not entered; eight bytes must follow the last that is.
        """
        begin = len(self.words)
        super().extend(data, end)
        fresh = data[begin : end + WORD]
        hashes = self._hashing(fresh, end - begin)
        self.hashes += hashes
        chains = self.chains
        add_before, add_rank = self.before.append, self.rank.append
        for position, code in enumerate(hashes, begin):
            chain = chains[code]
            if not chain:
                chain = chains[code] = [NOWHERE]
            add_before(chain[-1])
            add_rank(len(chain))
            chain.append(position)
        mixed = _mixed_hashes(fresh, end - begin)
        for codes, heads, shortcut in zip(mixed, self._heads, self.shortcuts, strict=True):
            add = shortcut.append
            for position, code in enumerate(codes, begin):
                add(heads[code])
                heads[code] = position


def common_length(words: list[int], data: bytes, one: int, other: int) -> int:
    """How many bytes two positions have in common, where the first eight are known to be.

    Args:
        words: Of ``Words``.
        data: The bytes.
        one: The one position.
        other: The other.

    Returns:
        258 at the most.
    """
    length = WORD
    while length < LONGEST_MATCH - 2:
        different = words[one + length] ^ words[other + length]
        if different:
            return length + ((different & -different).bit_length() - 1 >> 3)
        length += WORD
    while length < LONGEST_MATCH and data[one + length] == data[other + length]:
        length += 1
    return length
