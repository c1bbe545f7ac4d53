"""What commands have to say, and who says it: one printer for people, one for programs.

Commands call the methods of ``Printer`` and never print. ``text`` and ``jsonlines`` are twins: what the one tells, the
other tells too.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence

from deltaglider.cli.screen import Screen
from deltaglider.models import (
    Action,
    BucketInfo,
    BucketStats,
    BulkSummary,
    Check,
    ObjectInfo,
    Outcome,
    Prefix,
    VerifyResult,
)


@dataclasses.dataclass(slots=True)
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


@dataclasses.dataclass(slots=True)
class Verified:
    """What ``verify`` has proven so far.

    Attributes:
        objects: Objects read.
        invalid: Of them, those whose bytes are not the recorded ones.
        size: Bytes of the originals of the others.
    """

    objects: int = 0
    invalid: int = 0
    size: int = 0


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
        """What reading one object back proved."""

    @abstractmethod
    def verified_all(self, verified: Verified) -> None:
        """What reading all of them back came to."""

    @abstractmethod
    def stats(self, stats: BucketStats) -> None:
        """What a bucket or prefix holds and costs."""

    @abstractmethod
    def checks(self, checks: Sequence[Check]) -> None:
        """What ``doctor`` found."""

    @abstractmethod
    def bucket_done(self, command: str, bucket: str) -> None:
        """A bucket was made or removed by ``mb`` or ``rb``."""

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


@dataclasses.dataclass(frozen=True, slots=True)
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
