"""What is stored and what it saves, in figures. A part of ``deltaglider.models``."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from deltaglider.records import Record, percent_saved

StatsMode = Literal["quick", "sampled", "detailed"]


@dataclasses.dataclass(frozen=True, slots=True)
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
        cached: Whether it was counted earlier, and what is stored has not changed since.
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
    cached: bool = False

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

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with the derived figures."""
        derived = ("space_saved", "savings_percent", "average_compression_ratio")
        return Record.to_dict(self) | {name: getattr(self, name) for name in derived}
