"""One examination of a bucket or prefix: what was asked for, and what is known so far."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.doctor.book import Book
from deltaglider.findings import LEFTOVER_AGE, Finding
from deltaglider.late import dataclass

MOST_STRAYS = 1000
"""Deltas that nothing explains, held to be looked at together; the others are only told of."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is asked for.

    Attributes:
        repair: Mend what can be mended.
        quick: Look at metadata and presence only, not at the bytes.
        older_than: Seconds. Leftovers younger than that may belong to work that goes on, and are left alone.
        sources: Files, and directories of files, that may hold the bytes of lost references.
    """

    repair: bool = False
    quick: bool = False
    older_than: float = LEFTOVER_AGE
    sources: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Stray:
    """A delta by its bytes, of which no metadata tell what it is.

    Attributes:
        key: Its stored key.
        size: Bytes stored.
        etag: Its ETag.
        described: Whether its metadata or the delta itself say that it may be a file of a user's own.
    """

    key: str
    size: int
    etag: str
    described: bool


@dataclass(slots=True)
class Case:
    """What is known so far.

    Memory: some hundred bytes for each reference, each copy of one in the trash, and each stray up to ``MOST_STRAYS``;
    nothing for any other object, however many there are.

    Attributes:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: What keys begin with; empty for the whole bucket.
        survey: What is asked for.
        book: What lies where references are.
        began: When the examination began.
        references: Stored keys of the references under the prefix, with their deltaspaces.
        trash: Stored keys of copies in the trash under the prefix, with their SHA-256 and when they were made.
        named: Keys of references that a delta names, and that hold what it needs.
        astray: SHA-256 of references that a delta needs, and that are not where it says.
        mended: Keys of references that were put back, and what had been wrong.
        strays: Deltas that nothing explains.
        blind: Whether there are deltas of which it is not known what they need: too many strays, or no permission.
        reached: Whether the deltas outside the prefix have been asked too.
    """

    ctx: Context
    bucket: str
    prefix: str
    survey: Survey
    book: Book
    began: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))
    references: dict[str, str] = dataclasses.field(default_factory=dict)
    trash: dict[str, tuple[str, datetime]] = dataclasses.field(default_factory=dict)
    named: set[str] = dataclasses.field(default_factory=set)
    astray: set[str] = dataclasses.field(default_factory=set)
    mended: dict[str, str] = dataclasses.field(default_factory=dict)
    strays: list[Stray] = dataclasses.field(default_factory=list)
    blind: bool = False
    reached: bool = False

    @property
    def repair(self) -> bool:
        """Whether to mend."""
        return self.survey.repair

    @property
    def deep(self) -> bool:
        """Whether to read what looks sound, too."""
        return not self.survey.quick

    def uri(self, key: str) -> str:
        """``s3://bucket/key``."""
        return uri_of(self.bucket, key)

    def is_young(self, moment: datetime) -> bool:
        """Whether something of that time may belong to work that goes on."""
        return (self.began - moment).total_seconds() < self.survey.older_than

    def problem(self, code: str, key: str, message: str, remedy: str, *, repaired: bool = False) -> Finding:
        """Something is wrong with what is stored under a key."""
        return Finding(code, self.uri(key), "problem", message, remedy, repaired)

    def note(self, code: str, key: str, message: str, remedy: str = "", *, repaired: bool = False) -> Finding:
        """Something is untidy, or worth knowing."""
        return Finding(code, self.uri(key), "note", message, remedy, repaired)
