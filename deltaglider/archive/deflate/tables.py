"""What RFC 1951 fixes: the codes of lengths and distances, their extra bits, and the fixed trees."""

from __future__ import annotations

from functools import cache

SHORTEST_MATCH = 3
LONGEST_MATCH = 258

END_OF_BLOCK = 256
LITERALS = 286
"""How many literal and length codes may occur."""
DISTANCES = 30
LENGTH_CODES = 19
"""How many codes describe the lengths of the other two's codes."""

LONGEST_CODE = 15
LONGEST_LENGTH_CODE = 7

STORED, FIXED, DYNAMIC = 0, 1, 2

# The order in which the lengths of the length codes are sent: the seldom ones last, where they can be left out.
LENGTH_CODE_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

# Extra bits by code, the literals' among them.
LITERAL_EXTRA = [0] * 265 + [bits for bits in (1, 2, 3, 4, 5) for _ in range(4)] + [0]
DISTANCE_EXTRA = [0, 0] + [bits for bits in range(14) for _ in range(2)]
LENGTH_CODE_EXTRA = [0] * 16 + [2, 3, 7]

FIXED_LITERAL_LENGTHS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
FIXED_DISTANCE_LENGTHS = [5] * 32


def bits_of(value: int, count: int) -> str:
    """A number as binary digits.

    Args:
        value: The number.
        count: How many digits; none for 0.

    Returns:
        The digits, the highest first.
    """
    return f"{value:0{count}b}" if count else ""


def _by_value(first: int, codes: range, extra: list[int]) -> tuple[list[int], list[str]]:
    """For each value its code, and the extra bits behind it; what is below ``first`` has none."""
    code_of = [0] * first
    bits: list[str] = [""] * first
    for code in codes:
        count = extra[code]
        code_of += [code] * (1 << count)
        bits += [bits_of(value, count) for value in range(1 << count)]
    return code_of, bits


@cache
def lengths() -> tuple[list[int], list[str]]:
    """The codes of match lengths.

    Returns:
        By length, up to 258: its code, and its extra bits as digits.
    """
    code_of, bits = _by_value(SHORTEST_MATCH, range(END_OF_BLOCK + 1, LITERALS - 1), LITERAL_EXTRA)
    # The longest has a code of its own, though the one before could say it, too.
    return [*code_of[:LONGEST_MATCH], LITERALS - 1], [*bits[:LONGEST_MATCH], ""]


@cache
def distances() -> tuple[list[int], list[str]]:
    """The codes of distances.

    Returns:
        By distance, up to 32,768: its code, and its extra bits as digits.
    """
    return _by_value(1, range(DISTANCES), DISTANCE_EXTRA)
