"""What a store may offer besides the contract: ask with ``isinstance``."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Native(Protocol):
    """What a store offers besides, if it is S3: all that the contract above leaves out."""

    async def native(self) -> Any:
        """The client of aiobotocore that sends its requests; it belongs to the store.

        Raises:
            DeltaGliderError: It cannot be made.
        """

    @property
    def connected(self) -> Any:
        """The same, once it was made; ``None`` before."""


@runtime_checkable
class Upkeep(Protocol):
    """What a store may offer besides, if it has files of its own to look after."""

    async def orphans(self, age: float, *, remove: bool) -> int:
        """Finds files that no object names.

        Args:
            age: Seconds; younger ones may belong to a writer that is not done.
            remove: Remove them, too.

        Returns:
            Their number.
        """
