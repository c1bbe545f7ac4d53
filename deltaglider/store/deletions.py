"""What deletes come to; see ``base`` for how all methods behave."""

from __future__ import annotations

from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a delete left, in a bucket with versions; elsewhere it leaves nothing.

    Attributes:
        version_id: Of the version that was deleted, or of the marker that was put in its place.
        marker: Whether that is a delete marker.
    """

    version_id: str | None = None
    marker: bool = False


@dataclass(frozen=True, slots=True)
class DeleteFailure:
    """A key that ``delete_many`` could not delete.

    Attributes:
        key: The stored key.
        error: Why.
    """

    key: str
    error: Exception
