"""What looking into an archive may cost, whatever the archive says of itself."""

from __future__ import annotations

from deltaglider.config import GIB, MIB
from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one file.

    They are counted in streams and bytes, not in seconds: what a busy machine finds must be what an idle one does.

    Attributes:
        streams: Deflate streams looked at.
        members: Members of containers looked at on the way to them.
        unpacked: Bytes the file may unpack to, and the bytes inflated on the way there.
        repacked: Bytes that may have to be deflated again when the file is read.
        ratio: How many times its packed size a stream may unpack to: over it, it stays packed.
        depth: Containers in one another.
    """

    streams: int = 200_000
    members: int = 500_000
    unpacked: int = 2 * GIB
    repacked: int = GIB
    ratio: int = 300
    depth: int = 4


SMALL = MIB
"""Bytes any stream may unpack to, whatever its ratio."""


class Ledger:
    """What of the limits is left while one file is looked at.

    Args:
        limits: The limits.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.streams, self.members, self.unpacked = limits.streams, limits.members, limits.unpacked

    def allowance(self, packed: int) -> int:
        """Bytes that a stream of so many packed bytes may unpack to."""
        return max(0, min(self.unpacked, packed * self.limits.ratio + SMALL))

    def member(self) -> bool:
        """Counts a member of a container; whether there may be one more."""
        self.members -= 1
        return self.members >= 0

    def stream(self) -> bool:
        """Counts a stream; whether there may be one more."""
        self.streams -= 1
        return self.streams >= 0
