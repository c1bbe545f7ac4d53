"""The headers of tars, made alike: what every release changes in each of them is taken out, into a table.

The header of a member tells when it was written and, in front of its name, the release's own directory; and it has a
checksum of all that. So not one of thousands of headers is as it was before, though hardly a file changed: measured on
unpacked sdists, this is nine tenths of a delta. In the *neutral form* of a file its headers have, where that can be put
back, no time, no checksum and no first directory. It has the file's bytes otherwise, and the table behind them.

To the byte in docs/bucket-format.md. The fields of a header are those of POSIX.1-1988 (ustar); a time with a fraction
stands in a record of POSIX.1-2001 (pax) before it.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.archive.tars import BLOCK, KIND, checksum, is_tar, size_of
from deltaglider.archive.view import PIECE, View
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import stop_if_cancelled

MOST = 1 << 20
"""Headers that are made alike in a file: the table is held in memory."""

_MAGIC, _MAGIC_AT = b"ustar", 257
_NAME, _SIZE, _TIME, _SUM, _PREFIX = slice(0, 100), slice(124, 136), slice(136, 148), slice(148, 156), slice(345, 500)
_HAS_SUM, _HAS_TIME, _IN_NAME, _IN_PREFIX, _IS_RECORD = 1, 2, 4, 8, 16  # What was taken out of a header.
_LATEST = 0o77777777777
_DIGITS = frozenset(b"01234567")
_RECORDS = ord("x")  # The kind of a header whose content is records about the next member.
_ABOUT_OTHERS = b"xgLKXN"  # Kinds whose names are of no member.
_RECORD = re.compile(rb"[0-9]+ mtime=(0|[1-9][0-9]{0,10})\.([0-9]{1,9})\n")
_ANNOUNCED = 256  # No kind of a header: times in records.
_LOOK = 256  # Headers between two looks whether the caller was cancelled.


@dataclasses.dataclass(slots=True)
class _Run:
    """Headers of which each says where the next one is.

    Attributes:
        gap: Bytes before the first, from the end of the run before.
        directory: The first directory of their names, with its slash.
        count: How many.
    """

    gap: int
    directory: bytes = b""
    count: int = 0


class _Clock:
    """What time is to be expected next: told is only how far a time is from that."""

    def __init__(self) -> None:
        self._last: Counter[int] = Counter()
        self._announced: int | None = None

    def expected(self, kind: int) -> int:
        """What a record announced, for a header; else the last of its kind."""
        return self._last[kind] if self._announced is None or kind == _ANNOUNCED else self._announced

    def note(self, kind: int, time: int, *, later: bool = False) -> None:
        """Takes note of a time; of one in a record, whether it is rounded up in the header that follows."""
        self._last[kind] = time
        self._announced = time + later if kind == _ANNOUNCED else None


class _Writer:
    """Takes out of headers what differs, and keeps it in columns."""

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.flags, self._times, self._lengths, self._fractions = bytearray(), bytearray(), bytearray(), bytearray()
        self._clock = _Clock()

    def neutral(self, head: bytes, content: bytes) -> bytes:
        """A header and its content, a record or nothing, made neutral."""
        run = self.runs[-1]
        if not run.directory and head[KIND] not in _ABOUT_OTHERS:
            run.directory = head[_NAME][: head[_NAME].find(b"/") + 1]
        flags, out = 0, bytearray(head)
        if head[_SUM] == _sum_field(head):
            flags |= _HAS_SUM
            out[_SUM] = bytes(8)
        if head[_TIME][-1] == 0 and _DIGITS.issuperset(head[_TIME][:-1]):
            flags |= _HAS_TIME
            self._tell(head[KIND], int(head[_TIME][:-1], 8))
            out[_TIME] = bytes(12)
        for field, flag in (_NAME, _IN_NAME), (_PREFIX, _IN_PREFIX):
            if run.directory and head[field].startswith(run.directory):
                flags |= flag
                out[field] = head[field][len(run.directory) :] + bytes(len(run.directory))
        record = _record_in(head, content)
        if record is not None:
            flags |= _IS_RECORD
            seconds, fraction = record
            self._tell(_ANNOUNCED, seconds, later=fraction >= b"5")
            self._lengths.append(len(fraction))
            self._fractions += int(fraction).to_bytes(_bytes_of(len(fraction)), "little")
            out[_SIZE] = bytes(12)
            content = bytes(len(content))
        run.count += 1
        self.flags.append(flags)
        return bytes(out) + content

    def _tell(self, kind: int, time: int, *, later: bool = False) -> None:
        self._times += packed([folded(time - self._clock.expected(kind))])
        self._clock.note(kind, time, later=later)

    def __bytes__(self) -> bytes:
        runs = b"".join(packed([run.gap, run.count, len(run.directory)]) + run.directory for run in self.runs)
        return packed([len(self.runs)]) + runs + self.flags + self._times + self._lengths + self._fractions


class _Reader:
    """Reads the columns, not trusted, and makes headers what they were."""

    def __init__(self, table: bytes) -> None:
        numbers = Numbers(table)
        self.runs = []
        for _ in range(numbers.next()):
            gap, count = numbers.next(), numbers.next()
            self.runs.append(_Run(gap, numbers.take(numbers.next()), count))
        count = sum(run.count for run in self.runs)
        self._flags = numbers.take(count)
        records = sum(1 for flags in self._flags if flags & _IS_RECORD)
        self._times = iter(numbers.column(records + sum(1 for flags in self._flags if flags & _HAS_TIME)))
        self._lengths = numbers.take(records)
        self._fractions = Numbers(numbers.take(sum(map(_bytes_of, self._lengths))))
        if numbers.position != len(table):
            raise DeltaCorruptError("its table of headers makes no sense")
        self._clock = _Clock()
        self._number = self._record = 0

    def restored(self, head: bytes, directory: bytes) -> bytes:
        """A header, and the record that is its content if it had one."""
        flags = self._flags[self._number]
        self._number += 1
        out, content = bytearray(head), b""
        if flags & _HAS_TIME:
            out[_TIME] = b"%011o\0" % self._next(head[KIND])
        for field, flag in (_NAME, _IN_NAME), (_PREFIX, _IN_PREFIX):
            if flags & flag:
                out[field] = (directory + head[field])[: field.stop - field.start]
        if flags & _IS_RECORD:
            length = self._lengths[self._record]
            self._record += 1
            fraction = b"%0*d" % (length, int.from_bytes(self._fractions.take(_bytes_of(length)), "little"))
            content = _record(b"%d.%s" % (self._next(_ANNOUNCED, later=fraction >= b"5"), fraction))
            out[_SIZE] = b"%011o\0" % len(content)
        if flags & _HAS_SUM:
            out[_SUM] = _sum_field(out)
        return bytes(out) + content

    def _next(self, kind: int, *, later: bool = False) -> int:
        time = self._clock.expected(kind) + unfolded(next(self._times))
        if not 0 <= time <= _LATEST:
            raise DeltaCorruptError("a time in its table of headers makes no sense")
        self._clock.note(kind, time, later=later)
        return time


def first_header(view: View, start: int = 0) -> int | None:
    """Where the next tar in a file begins.

    Args:
        view: The file.
        start: Where to look from.

    Returns:
        The place of its first header; ``None`` if there is none.
    """
    for at in range(start, view.size, PIECE):
        stop_if_cancelled()
        # As much more that a header which begins in this piece shows what it is.
        piece = view.read(at, PIECE + _MAGIC_AT + len(_MAGIC) - 1)
        found = piece.find(_MAGIC, _MAGIC_AT)
        while found >= 0:
            place = at + found - _MAGIC_AT
            if _is_header(view.read(place, BLOCK)):
                return place
            found = piece.find(_MAGIC, found + 1)
    return None


def neutralise(view: View, path: Path) -> int:
    """Writes the neutral form of a file. For worker threads.

    Args:
        view: The file.
        path: Where to; made or overwritten.

    Returns:
        How many headers were made alike.
    """
    writer, end = _Writer(), 0
    with path.open("wb", buffering=0) as out:
        for piece in view.pieces():
            stop_if_cancelled()
            out.write(piece)
        while len(writer.flags) < MOST and (start := first_header(view, end)) is not None:
            writer.runs.append(_Run(start - end))
            for place, head in _walk(view, start, MOST - len(writer.flags)):
                end = place + _whole(head)
                content = view.read(place + BLOCK, BLOCK) if head[KIND] == _RECORDS else b""
                out.seek(place)
                out.write(writer.neutral(head, content))
        out.seek(view.size)
        out.write(bytes(writer))
    return len(writer.flags)


def restore(path: Path, size: int) -> None:
    """Makes of the neutral form of a file the file, in its place. For worker threads.

    Args:
        path: The neutral form, not trusted.
        size: Bytes of the file.

    Raises:
        DeltaCorruptError: It is none.
    """
    with path.open("r+b", buffering=0) as file:
        file.seek(size)
        reader = _Reader(file.read())
        place = 0
        for run in reader.runs:
            place += run.gap
            for number in range(run.count):
                if not number % _LOOK:
                    stop_if_cancelled()
                place += _restore(file, place, size, reader, run.directory)
        file.truncate(size)


def _restore(file: BinaryIO, place: int, end: int, reader: _Reader, directory: bytes) -> int:
    """Puts back one header; bytes from it to the next."""
    if place + BLOCK > end:
        raise DeltaCorruptError("a header in its table is not in the file")
    file.seek(place)
    whole = reader.restored(file.read(BLOCK), directory)
    file.seek(place)
    file.write(whole)
    return _whole(whole[:BLOCK])


def _walk(view: View, place: int, most: int) -> Iterator[tuple[int, bytes]]:
    """The headers of a tar, and where they are."""
    for number in range(most):
        if not number % _LOOK:
            stop_if_cancelled()
        head = view.read(place, BLOCK)
        if not _is_header(head):
            return
        yield place, head
        place += _whole(head)


def _is_header(head: bytes) -> bool:
    return is_tar(head) and size_of(head) is not None


def _whole(head: bytes) -> int:
    """Bytes from a header to the next."""
    size = size_of(head)
    if size is None:
        raise DeltaCorruptError("a header of it says no size")
    return BLOCK + -(-size // BLOCK) * BLOCK


def _sum_field(head: bytes | bytearray) -> bytes:
    return b"%06o\0 " % checksum(head)


def _record_in(head: bytes, content: bytes) -> tuple[int, bytes] | None:
    """Seconds and digits of the fraction, if a time is all that a header's records tell."""
    found = _RECORD.match(content) if head[KIND] == _RECORDS else None
    if found is None or len(content) != BLOCK or int(found[1]) > _LATEST:
        return None
    record = _record(found[1] + b"." + found[2])
    same = record == found[0] and head[_SIZE] == b"%011o\0" % len(record) and not content[len(record) :].strip(b"\0")
    return (int(found[1]), found[2]) if same else None


def _record(time: bytes) -> bytes:
    """``LENGTH mtime=TIME``, whose length counts itself."""
    rest = b" mtime=%s\n" % time
    return b"%d%s" % (len(rest) + 2, rest)


def _bytes_of(digits: int) -> int:
    """Bytes that a number of so many digits takes."""
    return (int("9" * digits or "0").bit_length() + 7) // 8
