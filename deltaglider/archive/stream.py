"""A deflate stream, as it was found in a file."""

from __future__ import annotations

from typing import Literal

from deltaglider.late import dataclass

Family = Literal["zip", "gzip"]


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a deflate stream lies, and what its container says of it.

    Attributes:
        start: In its container.
        size: Its packed bytes; of a gzip's the most they can be, as others may follow in the same file.
        family: What kind of container it is in.
        hint: What the container says of the effort spent: of a zip bits 1 and 2 of the flags, of a gzip its two last
            bytes. What has the same hint was likely packed by the same program.
    """

    start: int
    size: int
    family: Family
    hint: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.start + self.size
