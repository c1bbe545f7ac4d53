"""What a VCDIFF copies from its reference (RFC 3284): where the bytes of a file come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from deltaglider.codec.vcdiff import MAGIC
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import local_errors, stop_if_cancelled

Copy = tuple[int, int, int]
"""Where in the file, where in the reference, how many bytes."""

_ADD, _RUN, _COPY = 1, 2, 3
_SECONDARY, _CODE_TABLE, _APPLICATION = 1, 2, 4  # Bits of the header indicator.
_SOURCE, _TARGET, _ADLER = 1, 2, 4  # Bits of a window's indicator; the last is xdelta3's own.
_NEAR, _SAME = 4, 3
_LONGEST_NUMBER = 9

_Instruction = tuple[int, int, int]  # Type, size (0: it follows), address mode.


class _Window(NamedTuple):
    start: int
    """Where in the file it begins."""
    size: int
    segment: int
    """Where in the reference its source begins."""
    segment_size: int
    instructions: bytes
    addresses: bytes


def copies_of(delta: Path, least: int) -> Iterator[list[Copy]]:
    """Reads what a delta copies from its reference.

    Args:
        delta: The delta, without secondary compression. Its bytes are a program's, and not trusted.
        least: Bytes that a copy has at least to be told.

    Yields:
        The copies of one window after the other, in the order of the file.

    Raises:
        DeltaCorruptError: It is no such delta.
        LocalFileError: It cannot be read.
    """
    with local_errors(str(delta), "cannot be read"), delta.open("rb") as file:
        start = file.read(5)
        if start[:3] != MAGIC or len(start) != 5 or start[4] & (_SECONDARY | _CODE_TABLE):
            raise DeltaCorruptError("it is no plain VCDIFF")
        if start[4] & _APPLICATION:
            file.read(_number(file))
        position = 0
        while indicator := file.read(1):
            stop_if_cancelled()
            window = _window(file, indicator[0], position)
            position += window.size
            try:
                yield _copies(window, least)
            except IndexError as error:
                raise DeltaCorruptError("a window of it is cut off") from error


def _window(file: BinaryIO, indicator: int, start: int) -> _Window:
    if indicator & _TARGET:
        raise DeltaCorruptError("a window of it copies from the file itself")
    segment_size, segment = (_number(file), _number(file)) if indicator & _SOURCE else (0, 0)
    _number(file)  # The length of the rest.
    size = _number(file)
    if file.read(1) != b"\0":
        raise DeltaCorruptError("a window of it is compressed")
    data, instructions, addresses = _number(file), _number(file), _number(file)
    file.seek(data + (4 if indicator & _ADLER else 0), 1)
    return _Window(start, size, segment, segment_size, file.read(instructions), file.read(addresses))


def _copies(window: _Window, least: int) -> list[Copy]:
    """Runs a window's instructions, but for the copying."""
    start, _, segment, source, codes, addresses = window
    near, same, slot = [0] * _NEAR, [0] * (_SAME * 256), 0
    found: list[Copy] = []
    at = position = here = 0
    while at < len(codes):
        pair = _TABLE[codes[at]]
        at += 1
        for kind, fixed, mode in pair:
            size = fixed
            if not size:
                size, at = _number_in(codes, at)
            if kind == _COPY:
                if mode >= 2 + _NEAR:
                    address = same[(mode - 2 - _NEAR) * 256 + addresses[position]]
                    position += 1
                else:
                    address, position = _number_in(addresses, position)
                    if mode == 1:
                        address = source + here - address
                    elif mode:
                        address += near[mode - 2]
                near[slot] = address
                slot = (slot + 1) % _NEAR
                same[address % (_SAME * 256)] = address
                if size >= least and address + size <= source:
                    found.append((start + here, segment + address, size))
            here += size
    return found


def _number(file: BinaryIO) -> int:
    value = 0
    for _ in range(_LONGEST_NUMBER):
        byte = file.read(1)
        if not byte:
            break
        value = value << 7 | byte[0] & 0x7F
        if byte[0] < 0x80:
            return value
    raise DeltaCorruptError("it is cut off")


def _number_in(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at


def _code_table() -> list[tuple[_Instruction, ...]]:
    """The default code table, section 5.6."""
    modes = range(2 + _NEAR + _SAME)
    table: list[tuple[_Instruction, ...]] = [((_RUN, 0, 0),)]
    table += [((_ADD, size, 0),) for size in range(18)]
    table += [((_COPY, size, mode),) for mode in modes for size in (0, *range(4, 19))]
    table += [
        ((_ADD, added, 0), (_COPY, size, mode))
        for mode in modes
        for added in range(1, 5)
        for size in (range(4, 7) if mode < 2 + _NEAR else (4,))
    ]
    table += [((_COPY, 4, mode), (_ADD, 1, 0)) for mode in modes]
    return table


_TABLE = _code_table()
