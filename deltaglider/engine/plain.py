"""Plain objects deleted, many with one request.

Deleting one object takes two looks, at its key and at its delta's, and then a delete for each form that is there. A
listing has looked already. Of an object that it showed in one form only, whole, that form is deleted without another
look. A writer who stores the object anew in the meantime, as a delta, has not been listed, so it is as if it had begun
after the delete: its delta stays, and whichever of the two removes the whole form, it is gone.

Where the listing showed two forms, or a name that could be that of a delta or of a reference, an object goes the long
way: the older form must go first, and references wait for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from deltaglider.engine.context import Context
from deltaglider.engine.listing import list_objects
from deltaglider.layout.keys import is_plain_name, is_reserved, without_delta
from deltaglider.models import ObjectInfo, Prefix
from deltaglider.store.base import ListedObject

_MOST_DOUBLES = 10_000


class PlainObjects:
    """The plain objects of the listings of one piece of bulk work.

    Args:
        ctx: The client's parts.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._doubles: set[tuple[str, str]] = set()

    async def list_objects(self, bucket: str, prefix: str) -> AsyncGenerator[ObjectInfo | Prefix, None]:
        """Lists, and takes note of the objects that have two forms.

        Args:
            bucket: The bucket.
            prefix: Only keys that begin with it.

        Yields:
            The objects, as ``engine.listing`` does.

        Raises:
            StoreError: The store failed.
        """

        def hidden(entry: ListedObject) -> None:
            if not is_reserved(entry.key):
                self._doubles.add((bucket, without_delta(entry.key) or entry.key))

        async with aclosing(list_objects(self._ctx, bucket, prefix, hidden=hidden)) as infos:
            async for info in infos:
                yield info

    def has(self, info: ObjectInfo) -> bool:
        """Whether an object is plain: listed here, in one form, whole, and under a name that means nothing else."""
        key = info.key
        if not is_plain_name(key) or info.is_delta or info.stored_key != key:
            return False
        # Very many doubles are no longer worth their memory: then all go the long way.
        return len(self._doubles) < _MOST_DOUBLES and (info.bucket, key) not in self._doubles

    async def delete(self, infos: Sequence[ObjectInfo]) -> list[Exception | None]:
        """Deletes plain objects of one bucket.

        Args:
            infos: Objects that are plain.

        Returns:
            What went wrong with each, in order; ``None`` where all is well.

        Raises:
            StoreError: The store refused or failed as a whole.
        """
        if not infos:
            return []
        failures = await self._ctx.store.delete_many(infos[0].bucket, [info.key for info in infos])
        wrong = {failure.key: failure.error for failure in failures}
        return [wrong.get(info.key) for info in infos]
