"""The headers of zips: what is told twice in them, and when each member was written, taken out and put back.

The directory at the end of a zip repeats the header of each member and tells where that stands, so that one member of
another size changes the entry of every member behind it; and where a release is built anew, all have other times.
Measured on unpacked wheels and jars, this is half of a delta, and up to nine tenths.

To the byte in docs/bucket-format.md. The fields are those of APPNOTE.TXT 6.3, sections 4.3.7, 4.3.9 and 4.3.12.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple, Protocol

from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.archive.view import STEP, Content, rest
from deltaglider.errors import DeltaCorruptError

MOST = 1 << 18
"""Headers that are made alike in a file: they are held in memory until their directory comes."""

SIGNATURE = b"PK\x03\x04"
_SIGNATURES = re.compile(rb"PK(?:\x03\x04|\x01\x02)")
_ENTRY, _DESCRIPTOR, _GZIP = b"PK\x01\x02", b"PK\x07\x08", b"\x1f\x8b\x08"
_HEADER_SIZE, _ENTRY_SIZE, _DESCRIPTOR_SIZE = 30, 46, 16
_STREAMED = 8  # A bit of a header's flags: the sizes follow the content, in a descriptor.
_GZIP_TIME = 1  # What was taken out of a header besides its time.
_SAME_TIME, _SAME_SIZES, _NEXT_PLACE = 1, 2, 4  # What was taken out of an entry of the directory.
_LARGEST = 0xFFFFFFFF
_LOOK = 256  # Signatures between two rests.

_Expected = tuple[tuple[int, int, bytes], ...]
"""What is to be expected of an entry: its flag, where it stands, and the bytes."""


class _Header(NamedTuple):
    place: int
    time: int
    descriptor: int
    """Where its descriptor is; 0 for none."""


class _Side(Protocol):
    """What is done with what is found: the same is found when it is taken out and when it is put back."""

    def goes_on(self) -> bool:
        """Whether there is more to be done."""

    def header(self, place: int, gzip_time: int | None) -> int:
        """Does it with a header, and with the time of the gzip file behind it; the header's time."""

    def entry(self, place: int, expected: _Expected) -> bytes:
        """Does it with an entry of the directory; the entry as it is in the zip, up to its name."""


def take_out(content: Content, end: int) -> tuple[bytes, int]:
    """Takes what is told twice, and times, out of the headers, in their places.

    Args:
        content: The bytes, which are changed.
        end: Where they end.

    Returns:
        The table, and how many headers it is of.
    """
    taker = _Taker(content)
    _go_through(content, end, taker)
    return bytes(taker), len(taker.headers)


def put_back(content: Content, end: int, table: Numbers) -> None:
    """Makes headers what they were, in their places.

    Args:
        content: The bytes, which are changed.
        end: Where they end.
        table: The table, not trusted.

    Raises:
        DeltaCorruptError: It is none.
    """
    _go_through(content, end, _Putter(content, table))


def _go_through(content: Content, end: int, side: _Side) -> None:
    """Finds headers and entries. What tells where they are is never changed, and it goes on behind what is."""
    waiting: list[_Header] = []
    position = number = 0
    while side.goes_on() and (place := _signature(content, position, end)) is not None:
        if not number % _LOOK:
            rest(content)
        number += 1
        before = place - _DESCRIPTOR_SIZE
        if waiting and before >= position and content[before : before + 4] == _DESCRIPTOR:
            waiting[-1] = waiting[-1]._replace(descriptor=before)
        if content[place : place + 4] == _ENTRY:
            position = _directory(content, place, end, waiting, side)
        elif place + _HEADER_SIZE <= end:
            gzip_time = _gzip_time(content, place, end)
            waiting.append(_Header(place, side.header(place, gzip_time), 0))
            position = place + _HEADER_SIZE if gzip_time is None else gzip_time + 4
        else:
            return


def _signature(content: Content, start: int, end: int) -> int | None:
    """Where the next signature is."""
    for at in range(start, end, STEP):
        found = _SIGNATURES.search(content, at, min(at + STEP + len(SIGNATURE) - 1, end))
        if found:
            return found.start()
        rest(content)
    return None


def _gzip_time(content: Content, place: int, end: int) -> int | None:
    """Where a gzip file has its time that is the content of a member; ``None`` if it is none."""
    start = place + _HEADER_SIZE + sum(struct.unpack_from("<HH", content, place + 26))
    return start + 4 if start + 8 <= end and content[start : start + 3] == _GZIP else None


def _directory(content: Content, place: int, end: int, waiting: list[_Header], side: _Side) -> int:
    """Goes through the entries of a directory; where they end. They are those of the headers that came last."""
    entries: list[int] = []
    position = place + 4
    while len(entries) < MOST and place + _ENTRY_SIZE <= end and content[place : place + 4] == _ENTRY:
        entries.append(place)
        place += _ENTRY_SIZE + sum(struct.unpack_from("<HHH", content, place + 28))
        position = place
    first = len(waiting) - len(entries)
    following = 0
    for number, at in enumerate(entries, first):
        if not number % _LOOK:
            rest(content)
        header = waiting[number] if number >= 0 else None
        if header is None or not _are_of_one(content, header.place, at):
            side.entry(at, ())
            continue
        time, where = (value.to_bytes(4, "little") for value in (header.time, min(following, _LARGEST)))
        entry = side.entry(
            at, ((_SAME_TIME, 12, time), (_SAME_SIZES, 16, _sizes(content, header)), (_NEXT_PLACE, 42, where))
        )
        following = _following(entry, content, header)
    del waiting[max(0, first) :]
    return position


def _are_of_one(content: Content, header: int, entry: int) -> bool:
    """Whether a header and an entry have the same name."""
    sizes = [struct.unpack_from("<H", content, at)[0] for at in (header + 26, entry + 28)]
    starts = header + _HEADER_SIZE, entry + _ENTRY_SIZE
    one, other = (content[at : at + size] for at, size in zip(starts, sizes, strict=True))
    return one == other


def _following(entry: bytes, content: Content, header: _Header) -> int:
    """Where the next header is in the zip, going by what an entry and its header say."""
    size, place = (int.from_bytes(entry[at : at + 4], "little") for at in (20, 42))
    flags, name, extra = struct.unpack_from("<H18xHH", content, header.place + 6)
    return int(place + _HEADER_SIZE + name + extra + size + (_DESCRIPTOR_SIZE if flags & _STREAMED else 0))


def _sizes(content: Content, header: _Header) -> bytes:
    """The CRC-32 and the sizes that a header, or the descriptor of its member, tells."""
    at = header.descriptor + 4 if header.descriptor else header.place + 14
    return bytes(content[at : at + 12])


class _Taker:
    """Takes out, and keeps in columns what cannot be known."""

    def __init__(self, content: Content) -> None:
        self.headers = bytearray()
        self._content, self._entries, self._times = content, bytearray(), bytearray()
        self._last = [0, 0]

    def goes_on(self) -> bool:
        return len(self.headers) < MOST

    def header(self, place: int, gzip_time: int | None) -> int:
        time = self._take_time(0, place + 10)
        if gzip_time is not None:
            self._take_time(1, gzip_time)
        self.headers.append(0 if gzip_time is None else _GZIP_TIME)
        return time

    def entry(self, place: int, expected: _Expected) -> bytes:
        content, flags = self._content, 0
        entry = bytes(content[place : place + _ENTRY_SIZE])
        for flag, at, value in expected:
            if entry[at : at + len(value)] == value:
                content[place + at : place + at + len(value)] = bytes(len(value))
                flags |= flag
        self._entries.append(flags)
        return entry

    def _take_time(self, kind: int, place: int) -> int:
        time = int.from_bytes(self._content[place : place + 4], "little")
        self._times += packed([folded(time - self._last[kind])])
        self._last[kind] = time
        self._content[place : place + 4] = bytes(4)
        return time

    def __bytes__(self) -> bytes:
        return packed([len(self.headers), len(self._entries)]) + self.headers + self._entries + self._times


class _Putter:
    """Reads the columns, not trusted, and puts back."""

    def __init__(self, content: Content, table: Numbers) -> None:
        headers, entries = table.next(), table.next()
        flags = table.take(headers)
        self._content = content
        self._headers, self._entries = list(flags[::-1]), list(table.take(entries)[::-1])
        self._times = iter(table.column(headers + flags.count(_GZIP_TIME)))
        self._last = [0, 0]

    def goes_on(self) -> bool:
        return bool(self._headers or self._entries)

    def header(self, place: int, gzip_time: int | None) -> int:
        if not self._headers or self._headers.pop() != (0 if gzip_time is None else _GZIP_TIME):
            raise DeltaCorruptError("its table of headers is of other headers")
        time = self._put_time(0, place + 10)
        if gzip_time is not None:
            self._put_time(1, gzip_time)
        return time

    def entry(self, place: int, expected: _Expected) -> bytes:
        if not self._entries:
            raise DeltaCorruptError("its table of headers is of other headers")
        flags = self._entries.pop()
        for flag, at, value in expected:
            if flags & flag:
                self._content[place + at : place + at + len(value)] = value
        return bytes(self._content[place : place + _ENTRY_SIZE])

    def _put_time(self, kind: int, place: int) -> int:
        time = self._last[kind] + unfolded(next(self._times))
        if not 0 <= time <= _LARGEST:
            raise DeltaCorruptError("a time in its table of headers makes no sense")
        self._last[kind] = time
        self._content[place : place + 4] = time.to_bytes(4, "little")
        return time
