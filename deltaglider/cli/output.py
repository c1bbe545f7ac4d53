"""What commands have to say, and who says it: one printer for people, one for programs.

Commands call the methods of ``Printer`` and never print. ``text`` and ``jsonlines`` are twins: what the one tells, the
other tells too.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from deltaglider.cli.screen import Screen
from deltaglider.late import dataclass
from deltaglider.models import (
    Action,
    Analysis,
    BucketAcl,
    BucketInfo,
    BucketStats,
    BulkSummary,
    Check,
    Finding,
    MigrationSummary,
    ObjectInfo,
    Outcome,
    Prefix,
    PresignedUrl,
    PurgeSummary,
    RescueSummary,
    VerifyResult,
)


@dataclass(slots=True)
class Listed:
    """What ``ls`` has shown so far.

    Attributes:
        objects: Objects.
        prefixes: Common prefixes.
        size: Bytes of the objects' originals.
    """

    objects: int = 0
    prefixes: int = 0
    size: int = 0


@dataclass(slots=True)
class Verified:
    """What ``verify`` has proven so far.

    Attributes:
        objects: Objects it came to.
        proven: Of them, those whose bytes were read and are as recorded.
        read: Those whose bytes were read, with nothing recorded to compare them with.
        checked: Those of which only metadata and sizes were looked at.
        earlier: Those an earlier run proved.
        invalid: Those that are not sound.
        unread: Those that could not be looked at.
        references: References that those proven or checked rest on.
        size: Bytes of the originals that were read and found sound.
    """

    objects: int = 0
    proven: int = 0
    read: int = 0
    checked: int = 0
    earlier: int = 0
    invalid: int = 0
    unread: int = 0
    references: int = 0
    size: int = 0
    _seen: set[int] = dataclasses.field(default_factory=set, repr=False)

    def add(self, result: VerifyResult) -> None:
        """Counts a result."""
        name = "invalid" if result.state == "failed" else result.state
        self.objects += 1
        setattr(self, name, getattr(self, name) + 1)
        if result.state in ("proven", "read"):
            self.size += result.size
        if result.valid and result.reference_key:
            self._seen.add(hash(result.reference_key))  # A number each: there may be very many.
            self.references = len(self._seen)

    def to_dict(self) -> dict[str, Any]:
        """The figures."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "_seen"}


@dataclass(slots=True)
class Diagnosis:
    """What ``doctor`` has found in a bucket so far.

    Attributes:
        problems: What was wrong.
        repaired: Of it, what was mended.
        notes: What is merely untidy, or worth knowing.
        tidied: Of it, what was removed or mended.
    """

    problems: int = 0
    repaired: int = 0
    notes: int = 0
    tidied: int = 0

    def count(self, finding: Finding) -> None:
        """Counts one more."""
        if finding.severity == "problem":
            self.problems += 1
            self.repaired += finding.repaired
        else:
            self.notes += 1
            self.tidied += finding.repaired

    @property
    def open(self) -> int:
        """What is wrong and not mended."""
        return self.problems - self.repaired


class Printer(ABC):
    """Tells people or programs what happens.

    Args:
        screen: Where it prints.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    @abstractmethod
    def outcome(self, outcome: Outcome) -> None:
        """What became of one item of a transfer."""

    @abstractmethod
    def transferred(self, command: str, action: Action, summary: BulkSummary, *, dryrun: bool) -> None:
        """What a transfer came to, all in all."""

    @abstractmethod
    def migrated(self, summary: MigrationSummary, *, dryrun: bool) -> None:
        """What a migration came to, and what its target now holds."""

    @abstractmethod
    def buckets(self, buckets: Sequence[BucketInfo]) -> None:
        """All buckets."""

    @abstractmethod
    def page(self, entries: Sequence[ObjectInfo | Prefix]) -> None:
        """A page of a listing."""

    @abstractmethod
    def listed(self, listed: Listed) -> None:
        """The end of a listing."""

    @abstractmethod
    def verified(self, result: VerifyResult) -> None:
        """What verifying one object proved."""

    @abstractmethod
    def verified_all(self, verified: Verified) -> None:
        """What verifying all of them came to."""

    @abstractmethod
    def stats(self, stats: BucketStats) -> None:
        """What a bucket or prefix holds and costs."""

    @abstractmethod
    def analysis(self, analysis: Analysis) -> None:
        """What delta storage would save."""

    @abstractmethod
    def checks(self, checks: Sequence[Check]) -> None:
        """What ``doctor`` found on this machine."""

    @abstractmethod
    def finding(self, finding: Finding) -> None:
        """What ``doctor`` found in a bucket."""

    @abstractmethod
    def diagnosed(self, checks: Sequence[Check], diagnosis: Diagnosis | None) -> None:
        """What all of that came to.

        Args:
            checks: What was found on this machine.
            diagnosis: What was found in the bucket; ``None`` if none was looked into.
        """

    @abstractmethod
    def presigned(self, url: PresignedUrl) -> None:
        """A URL that was asked for."""

    @abstractmethod
    def purged(self, summary: PurgeSummary, *, dryrun: bool) -> None:
        """What ``purge`` came to, all in all."""

    @abstractmethod
    def rescued(self, summary: RescueSummary) -> None:
        """What could be had of a damaged object."""

    @abstractmethod
    def acl(self, acl: BucketAcl) -> None:
        """Who may do what with a bucket."""

    @abstractmethod
    def bucket_done(self, command: str, bucket: str) -> None:
        """A bucket was made, removed or configured."""

    @abstractmethod
    def bucket_failed(self, command: str, url: str, error: Exception) -> None:
        """A bucket could not be made or removed."""

    @abstractmethod
    def warning(self, text: str) -> None:
        """Something the user should know."""

    @abstractmethod
    def error(self, error: BaseException, *, label: str, message: str, exit_code: int) -> None:
        """What ended the command early.

        Args:
            error: The error.
            label: What people read before the message.
            message: One printable line.
            exit_code: The exit code it leads to.
        """


@dataclass(frozen=True, slots=True)
class Style:
    """How the printer for people prints.

    Attributes:
        only_errors: Leave out what went well.
        human_readable: Sizes of ``ls`` with units.
        full_keys: Names of ``ls`` as whole keys.
        totals: The totals of ``ls`` at its end.
    """

    only_errors: bool = False
    human_readable: bool = False
    full_keys: bool = False
    totals: bool = False
