"""Which objects no delta was worth keeping of, so that a migration that is run again does not try them again."""

from __future__ import annotations

from deltaglider.cache.notes import name_of
from deltaglider.engine.context import TOOL, Context
from deltaglider.engine.reference import list_references
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.models import ObjectInfo

_KIND = "stays whole"
_MOST = 4096  # Deltaspaces remembered at once.


class Verdicts:
    """What was tried on this machine: true of the very bytes of an object, of a reference and of a ratio.

    Args:
        ctx: The client's parts.
        max_ratio: The largest delta kept, as a share of the file's size.
    """

    def __init__(self, ctx: Context, max_ratio: float) -> None:
        self._ctx = ctx
        self._ratio = max_ratio
        self._references: dict[tuple[str, str], str] = {}

    async def stays_whole(self, info: ObjectInfo) -> bool:
        """Whether it was tried, and would come to the same again.

        Args:
            info: An object that is stored whole.

        Raises:
            StoreError: The references of its deltaspace could not be listed.
        """
        name = await self._name(info)
        if name is None:
            return False
        return bool(await self._ctx.notes.run(self._ctx.notes.find, [name]))

    async def keep(self, info: ObjectInfo) -> None:
        """Takes note that it was tried.

        Args:
            info: An object that is stored whole.

        Raises:
            StoreError: The references of its deltaspace could not be listed.
        """
        name = await self._name(info)
        if name is not None:
            await self._ctx.notes.run(self._ctx.notes.keep, [(name, b"")])

    async def _name(self, info: ObjectInfo) -> bytes | None:
        reference = await self._reference(info)
        if not reference:
            return None
        place, stored = (self._ctx.store.identity, info.bucket, info.key), (info.etag, info.size)
        return name_of(_KIND, TOOL, *place, *stored, info.last_modified.isoformat(), reference, str(self._ratio))

    async def _reference(self, info: ObjectInfo) -> str:
        """The SHA-256 of the reference it is tried against; empty if there is none."""
        deltaspace = deltaspace_of(info.key, self._ctx.settings.deltaspace)
        known = self._ctx.flights.of(info.bucket, deltaspace).reference
        if known is not None:
            return known[1]
        if (info.bucket, deltaspace) not in self._references:
            found = await list_references(self._ctx, info.bucket, deltaspace)
            if len(self._references) >= _MOST:
                self._references.clear()
            self._references[info.bucket, deltaspace] = found[0].sha256 if found else ""
        return self._references[info.bucket, deltaspace]
