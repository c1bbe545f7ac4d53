"""Whole numbers as bytes, seven bits each, the least significant first."""

from __future__ import annotations

from collections.abc import Iterable

from deltaglider.errors import DeltaCorruptError

_LONGEST = 10


def packed(numbers: Iterable[int]) -> bytes:
    """Numbers from 0 up, one after the other."""
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def folded(number: int) -> int:
    """A number of any sign as one from 0 up: 0, -1, 1, -2, 2 and so on."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unfolded(number: int) -> int:
    """The opposite."""
    return -((number + 1) >> 1) if number & 1 else number >> 1


class Numbers:
    """Reads numbers from bytes that are not trusted.

    Args:
        data: The bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        """Bytes read."""

    def next(self) -> int:
        """The next number.

        Raises:
            DeltaCorruptError: There is none, or it is longer than any is.
        """
        number = 0
        for shift in range(0, 7 * _LONGEST, 7):
            if self.position >= len(self._data):
                break
            byte = self._data[self.position]
            self.position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
        raise DeltaCorruptError("its recipe is cut off")

    def take(self, length: int) -> bytes:
        """The next bytes as they are.

        Raises:
            DeltaCorruptError: There are not so many.
        """
        if length > len(self._data) - self.position:
            raise DeltaCorruptError("its recipe is cut off")
        self.position += length
        return self._data[self.position - length : self.position]

    def column(self, length: int) -> list[int]:
        """The next numbers.

        Raises:
            DeltaCorruptError: There are not so many.
        """
        if length > len(self._data) - self.position:
            raise DeltaCorruptError("its recipe is cut off")
        return [self.next() for _ in range(length)]
