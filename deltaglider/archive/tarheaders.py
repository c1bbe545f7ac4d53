"""The headers of tars: what every release changes in each of them, taken out and put back.

The header of a member tells when it was written and, in front of its name, the release's own directory; and it has a
checksum of all that. So not one of thousands of headers is as it was before, though hardly a file changed: measured on
unpacked sdists, this is nine tenths of a delta.

To the byte in docs/bucket-format.md. The fields of a header are those of POSIX.1-1988 (ustar); a time with a fraction
stands in a record of POSIX.1-2001 (pax) before it.
"""

from __future__ import annotations

import re
from collections import Counter

from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.archive.tars import BLOCK, KIND, checksum, is_tar, size_of
from deltaglider.archive.view import STEP, Content, rest
from deltaglider.errors import DeltaCorruptError
from deltaglider.late import dataclass

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
_LOOK = 256  # Headers between two rests.


@dataclass(slots=True)
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

    def __init__(self, numbers: Numbers) -> None:
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


def first_header(content: Content, start: int, end: int) -> int | None:
    """Where the next tar begins.

    Args:
        content: The bytes.
        start: Where to look from.
        end: Where they end.

    Returns:
        The place of its first header; ``None`` if there is none.
    """
    # What a header says of its member's size may be any number, so the start may be far behind the end.
    for at in range(start + _MAGIC_AT, end, STEP):
        found = content.find(_MAGIC, at, at + STEP + len(_MAGIC) - 1)
        while found >= 0:
            place = found - _MAGIC_AT
            if _is_header(bytes(content[place : min(place + BLOCK, end)])):
                return place
            found = content.find(_MAGIC, found + 1, at + STEP + len(_MAGIC) - 1)
        rest(content)
    return None


def take_out(content: Content, end: int) -> tuple[bytes, int]:
    """Takes what is to differ out of the headers, in their places.

    Args:
        content: The bytes, which are changed.
        end: Where they end.

    Returns:
        The table, and how many headers it is of.
    """
    writer, place = _Writer(), 0
    while len(writer.flags) < MOST and (start := first_header(content, place, end)) is not None:
        writer.runs.append(_Run(start - place))
        place = start
        while len(writer.flags) < MOST and _is_header(head := bytes(content[place : min(place + BLOCK, end)])):
            if not len(writer.flags) % _LOOK:
                rest(content)
            after = bytes(content[place + BLOCK : min(place + 2 * BLOCK, end)]) if head[KIND] == _RECORDS else b""
            neutral = writer.neutral(head, after)
            content[place : place + len(neutral)] = neutral
            place += _whole(head)
    return bytes(writer), len(writer.flags)


def put_back(content: Content, end: int, table: Numbers) -> None:
    """Makes headers what they were, in their places.

    Args:
        content: The bytes, which are changed.
        end: Where they end.
        table: The table, not trusted.

    Raises:
        DeltaCorruptError: It is none.
    """
    reader, place = _Reader(table), 0
    for run in reader.runs:
        place += run.gap
        for number in range(run.count):
            if not number % _LOOK:
                rest(content)
            if place + BLOCK > end:
                raise DeltaCorruptError("a header in its table is not in the file")
            whole = reader.restored(bytes(content[place : place + BLOCK]), run.directory)
            if place + len(whole) > end:
                raise DeltaCorruptError("a header in its table is not in the file")
            content[place : place + len(whole)] = whole
            place += _whole(whole[:BLOCK])


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
