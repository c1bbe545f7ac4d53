"""What is stored and what it saves, in figures. A part of ``deltaglider.models``."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from deltaglider.late import dataclass
from deltaglider.records import Record, percent_saved

StatsMode = Literal["quick", "sampled", "detailed"]


@dataclass(frozen=True, slots=True)
class BucketStats(Record):
    """What a bucket or prefix holds and what that costs.

    Attributes:
        bucket: The bucket.
        prefix: The prefix counted; empty for the whole bucket.
        object_count: Objects, as users see them.
        total_size: Bytes of their original files.
        compressed_size: Bytes in the bucket: deltas, whole objects and references.
        delta_objects: Objects stored as deltas.
        direct_objects: Objects stored whole.
        reference_objects: References.
        reference_size: Bytes of the references.
        mode: How it was counted; see the clients' ``stats``.
        estimated: Whether the sizes of some originals, and so what is saved, were estimated. What is stored never is.
        cached: Whether it was counted earlier, and what is stored has not changed since. Figures that are the same are
            equal either way.
    """

    bucket: str
    prefix: str
    object_count: int
    total_size: int
    compressed_size: int
    delta_objects: int
    direct_objects: int
    reference_objects: int
    reference_size: int
    mode: StatsMode = "detailed"
    estimated: bool = False
    cached: bool = dataclasses.field(default=False, compare=False)

    @property
    def space_saved(self) -> int:
        """Bytes not stored; negative where references cost more than deltas save."""
        return self.total_size - self.compressed_size

    @property
    def savings_percent(self) -> float:
        """Percent of the originals' size not stored."""
        return percent_saved(self.compressed_size, self.total_size)

    @property
    def average_compression_ratio(self) -> float:
        """Share of the originals' size not stored, 0 to 1: the predecessor's name and meaning."""
        return self.space_saved / self.total_size if self.total_size else 0.0

    @property
    def object_limit_reached(self) -> bool:
        """Whether objects were left out: never, of any number. The predecessor's name."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the derived figures."""
        derived = ("space_saved", "savings_percent", "average_compression_ratio")
        return Record.to_dict(self) | {name: getattr(self, name) for name in derived}


@dataclass(frozen=True, slots=True)
class SpaceEstimate(Record):
    """What delta storage would make of one deltaspace.

    Attributes:
        deltaspace: Its prefix, or directory.
        files: Files in it.
        size: Their bytes.
        candidates: Of them, those that are worth a try and not deltas yet.
        candidate_size: Their bytes.
        sampled: Candidates that were really encoded.
        stored: Bytes it would likely take, its reference included.
        stored_least: The same, if all candidates were like the best one that was encoded.
        stored_most: The same, if all were like the worst one; or as they are, where too few were encoded to tell.
    """

    deltaspace: str
    files: int
    size: int
    candidates: int
    candidate_size: int
    sampled: int
    stored: int
    stored_least: int
    stored_most: int

    @property
    def savings_percent(self) -> float:
        """Percent of the files' size that would likely be saved."""
        return percent_saved(self.stored, self.size)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with ``savings_percent``."""
        return {**Record.to_dict(self), "savings_percent": self.savings_percent}


@dataclass(frozen=True, slots=True)
class Analysis(Record):
    """What delta storage would save of a bucket, a prefix or a directory, by a sample that was really encoded.

    Attributes:
        target: What was looked at.
        files: Files, or objects as users see them.
        size: Their bytes.
        stored_now: Bytes they take today.
        candidates: Of the files, those that are worth a try and not deltas yet.
        candidate_size: Their bytes.
        sampled: Candidates that were really encoded.
        sampled_size: Their bytes.
        skipped: Files that could not be read.
        stored: Bytes all would likely take.
        stored_least: The same, if the files of each deltaspace were like the best one that was encoded.
        stored_most: The same, if they were like the worst one.
        spaces: Each deltaspace that has candidates, the largest first.
    """

    target: str
    files: int
    size: int
    stored_now: int
    candidates: int
    candidate_size: int
    sampled: int
    sampled_size: int
    skipped: int
    stored: int
    stored_least: int
    stored_most: int
    spaces: tuple[SpaceEstimate, ...] = ()

    @property
    def savings_percent(self) -> float:
        """Percent of the files' size that would likely be saved."""
        return percent_saved(self.stored, self.size)

    @property
    def savings_percent_least(self) -> float:
        """The least of it, as far as the sample tells."""
        return percent_saved(self.stored_most, self.size)

    @property
    def savings_percent_most(self) -> float:
        """The most of it, as far as the sample tells."""
        return percent_saved(self.stored_least, self.size)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the derived figures."""
        derived = ("savings_percent", "savings_percent_least", "savings_percent_most")
        data = Record.to_dict(self) | {name: getattr(self, name) for name in derived}
        data["spaces"] = [space.to_dict() for space in self.spaces]
        return data
