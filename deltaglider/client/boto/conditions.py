"""Ranges and conditions of reads, on the logical object: pure, as RFC 9110 (sections 13 and 14) and S3 have them."""

from __future__ import annotations

import enum
import re
from datetime import UTC, datetime

from deltaglider.late import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object.

    Attributes:
        start: Its first byte.
        length: Its bytes.
        size: Bytes of the whole object.
    """

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        """The ``Content-Range`` header: ``bytes 0-9/100``."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


class UnsatisfiableRangeError(Exception):
    """The range begins behind the end of the object: S3 answers 416."""


def span_of(text: str | None, size: int) -> Span | None:
    """The part of an object that a ``Range`` asks for.

    Args:
        text: ``bytes=0-9``, ``bytes=10-`` or ``bytes=-10``; ``None`` for none.
        size: Bytes of the object.

    Returns:
        The part; ``None`` for all of it: S3 ignores what it does not understand, several ranges among it.

    Raises:
        UnsatisfiableRangeError: There are no such bytes.
    """
    found = _RANGE.fullmatch(text.replace(" ", "")) if text else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        start, end = size - length, size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # Not a range at all (RFC 9110, section 14.1.1).
    if start >= end:
        raise UnsatisfiableRangeError
    return Span(start, end - start, size)


class Verdict(enum.Enum):
    """What the conditions of a read come to."""

    GO_ON = 200
    NOT_MODIFIED = 304
    FAILED = 412


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of a read, by boto3's names.

    Attributes:
        if_match: The object has this ETag.
        if_none_match: It has another ETag.
        if_modified_since: It was stored after this moment.
        if_unmodified_since: It was not.
    """

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None

    def judge(self, etag: str, modified: datetime) -> Verdict:
        """Holds an object against them. An ETag beats a time, as in S3.

        Args:
            etag: The object's, without quotes.
            modified: When it was stored.

        Returns:
            The verdict.
        """
        moment = modified.replace(microsecond=0)
        if self.if_match is not None:
            if not _names(self.if_match, etag):
                return Verdict.FAILED
        elif self.if_unmodified_since is not None and moment > _aware(self.if_unmodified_since):
            return Verdict.FAILED
        if self.if_none_match is not None:
            if _names(self.if_none_match, etag):
                return Verdict.NOT_MODIFIED
        elif self.if_modified_since is not None and moment <= _aware(self.if_modified_since):
            return Verdict.NOT_MODIFIED
        return Verdict.GO_ON


def _names(condition: str, etag: str) -> bool:
    """Whether a list of ETags, quoted or not, holds one; ``*`` holds any."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in condition.split(",")]
    return "*" in tags or etag in tags


def _aware(moment: datetime) -> datetime:
    """A time as botocore takes it: without a zone it is of this machine's."""
    return moment.astimezone(UTC).replace(microsecond=0)
