"""Deletes that look like a mistake are refused, all of them, before the first one is done.

The two mistakes that empty a target are a source that is not what it should be (an unmounted disk, a directory that a
build did not fill, a misspelt prefix), and a target that is too much.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Literal, TypeVar

from deltaglider.bulk.entries import Entry, Problem
from deltaglider.bulk.plan import Entries
from deltaglider.errors import DeletesRefusedError, InvalidInputError
from deltaglider.late import dataclass

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class DeleteLimit:
    """How many deletes a sync may do.

    Attributes:
        number: A number of files; or, with ``share``, a percentage of those that the target holds.
        share: Whether it is a percentage.
    """

    number: float
    share: bool = False

    @classmethod
    def of(cls, value: int | str) -> DeleteLimit:
        """Reads a limit.

        Args:
            value: A number, or text such as ``100`` or ``10%``.

        Returns:
            The limit.

        Raises:
            InvalidInputError: It is none.
        """
        found = re.fullmatch(r"(\d{1,18})|(\d{1,3}(?:\.\d{1,6})?) ?%", str(value).strip(), re.ASCII)
        if found is None or isinstance(value, bool) or float(found[2] or 0) > 100:
            raise InvalidInputError(
                f"the largest number of deletes is {value!r}, neither a number nor a percentage",
                remedy="Give a number such as 100, or a share of what the target holds such as 10%",
            )
        return cls(float(found[2]), share=True) if found[2] else cls(int(found[1]))

    def allows(self, deletes: int, held: int) -> bool:
        """Whether so many deletes are within it.

        Args:
            deletes: Files to be deleted.
            held: Files that the target holds.
        """
        return deletes * 100 <= self.number * held if self.share else deletes <= self.number

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.share else f"{self.number}"


class Guard:
    """Counts both sides of a sync while they are compared, and then says whether its deletes may be done.

    Args:
        limit: How many deletes are allowed; ``None`` for any number.
        force: Whether everything may be deleted for a source that is empty.
    """

    def __init__(self, limit: DeleteLimit | None = None, *, force: bool = False) -> None:
        self._limit = limit
        self._force = force
        self._counts = {"source": 0, "target": 0}

    async def counted(self, entries: Entries[E], side: Literal["source", "target"]) -> Entries[E]:
        """The same entries, counted as those of one side."""
        async with aclosing(entries):
            async for item in entries:
                self._counts[side] += not isinstance(item, Problem)
                yield item

    def objection(self, deletes: int, *, uri: str) -> DeletesRefusedError | None:
        """Why the deletes must not be done, once both sides were seen to their ends.

        Args:
            deletes: How many there are.
            uri: The target.

        Returns:
            The error to tell; ``None`` if they may be done.
        """
        held = self._counts["target"]
        if deletes and not self._counts["source"] and not self._force:
            return DeletesRefusedError(
                f"the source is empty, and {deletes} of {held} files here would be deleted for that, so none was",
                uri=uri,
                remedy="Check the source; if it is meant to be empty, add --force (force=True)",
            )
        if self._limit is not None and not self._limit.allows(deletes, held):
            return DeletesRefusedError(
                f"{deletes} of {held} files here would be deleted, more than --max-delete {self._limit} allows, "
                "so none was",
                uri=uri,
                remedy="Look with --dryrun what would be deleted; if that is right, raise --max-delete",
            )
        return None
