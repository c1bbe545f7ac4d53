"""From two sorted streams to what is to be done. Pure: streams go in and come out, nothing is held, nothing happens."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Generic, TypeAlias, TypeVar

from deltaglider.bulk.entries import Entry, Problem
from deltaglider.bulk.names import Ancestors
from deltaglider.errors import DeletesRefusedError, LocalFileError, NotSupportedError
from deltaglider.late import dataclass

E = TypeVar("E", bound=Entry)
S = TypeVar("S", bound=Entry)
T = TypeVar("T", bound=Entry)

Entries: TypeAlias = AsyncGenerator[E | Problem, None]
"""One side: entries sorted by name, and problems in their places."""


@dataclass(frozen=True, slots=True)
class Transfer(Generic[S]):
    """The target gets this entry of the source.

    Attributes:
        entry: The entry.
        is_new: Whether the target has nothing under its name.
    """

    entry: S
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """What the target has under this name goes: so little is known of it because many deletes may have to wait."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Both sides have it, and nothing needs to be done."""


@dataclass(frozen=True, slots=True)
class Refused:
    """All deletes of the plan, which must not be done.

    Attributes:
        error: Why; its URI is the target.
    """

    error: DeletesRefusedError


@dataclass(frozen=True, slots=True)
class Doubt(Generic[S, T]):
    """Both sides have it, of one size: only the content tells whether it is to be transferred."""

    source: S
    target: T


Settled: TypeAlias = Transfer[S] | Delete | Unchanged | Problem
Steps: TypeAlias = AsyncGenerator[Settled[S], None]
"""A plan, in the order of the names."""

GuardedSteps: TypeAlias = AsyncGenerator[Settled[S] | Refused, None]
"""A plan whose deletes come last, or are refused."""

Open: TypeAlias = AsyncGenerator[Settled[S] | Doubt[S, T], None]
"""A plan that leaves some things open."""


async def filtered(entries: Entries[E], keeps: Callable[[str], bool]) -> Entries[E]:
    """The entries whose names take part.

    Args:
        entries: One side.
        keeps: Whether a name takes part.

    Yields:
        The entries kept. Problems with other names stay, to protect what is below them, but have nothing more to say.
    """
    async with aclosing(entries):
        async for item in entries:
            if keeps(item.name):
                yield item
            elif isinstance(item, Problem):
                yield dataclasses.replace(item, message="")


async def files_only(entries: Entries[E]) -> Entries[E]:
    """Entries for a place that cannot hold ``a`` and ``a/b``: what lies below another entry becomes a failure.

    Args:
        entries: A side whose names were approved as file names.

    Yields:
        Entries, and problems for those below others.
    """
    files = Ancestors()
    async with aclosing(entries):
        async for item in entries:
            if isinstance(item, Problem):
                yield item
                continue
            above = files.of(item.name)
            if above is None:
                files.add(item.name)
                yield item
                continue
            message = f"{above} is an object too, and here it cannot be a file and a directory at once"
            error = LocalFileError(message, uri=item.where, remedy="Download it by itself, to another place")
            yield Problem(item.name, item.where, str(error), error)


async def merge(
    source: Entries[S],
    target: Entries[T],
    differs: Callable[[S, T], bool],
    *,
    deletable: Callable[[T], bool] = lambda entry: False,
    by_content: bool = False,
) -> Open[S, T]:
    """A sync: what the source has and the target lacks, or has otherwise, goes over.

    Args:
        source: Sorted by name.
        target: Sorted by name.
        differs: Whether an entry that both have is to be transferred.
        deletable: Whether an entry that only the target has is to be deleted. What lies under the name of a problem of
            the source never is: it may be there after all.
        by_content: Leave open what has the same size on both sides.

    Yields:
        Steps, in the order of the names.

    Raises:
        NotSupportedError: A side is not sorted.
    """
    protected = Ancestors()
    async with aclosing(_pairs(source, target)) as pairs:
        async for here, there in pairs:
            if isinstance(there, Problem):
                yield there
            if isinstance(here, Problem):
                protected.add(here.name.removesuffix("/"))
                yield here
            elif here is None:
                if not isinstance(there, Problem | None) and deletable(there) and protected.of(there.name) is None:
                    yield Delete(there.name, there.size)
            elif by_content and not isinstance(there, Problem | None) and here.size == there.size:
                yield Doubt(here, there)
            elif isinstance(there, Problem | None) or differs(here, there):
                yield Transfer(here, is_new=there is None)
            else:
                yield Unchanged()


async def _pairs(
    source: Entries[S], target: Entries[T]
) -> AsyncGenerator[tuple[S | Problem | None, T | Problem | None], None]:
    async with aclosing(_in_order(source)) as sources, aclosing(_in_order(target)) as targets:
        here, there = await anext(sources, None), await anext(targets, None)
        while here is not None or there is not None:
            if there is None or (here is not None and here.name < there.name):
                yield here, None
                here = await anext(sources, None)
            elif here is None or there.name < here.name:
                yield None, there
                there = await anext(targets, None)
            else:
                yield here, there
                here, there = await anext(sources, None), await anext(targets, None)


async def _in_order(entries: Entries[E]) -> Entries[E]:
    last: str | None = None
    async with aclosing(entries):
        async for item in entries:
            if not isinstance(item, Problem):
                if last is not None and item.name <= last:
                    raise NotSupportedError(
                        f"listed after {last!r}, though a sync needs names in byte order, each once",
                        uri=item.where,
                        remedy="This store cannot be synced; copy recursively instead",
                    )
                last = item.name
            yield item
