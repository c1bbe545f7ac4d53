"""The deletes of a whole place: plain objects many with one request, the others one at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from deltaglider.bulk.entries import Problem, RemoteEntry
from deltaglider.bulk.plan import Delete, Entries
from deltaglider.bulk.run import Job, Jobs
from deltaglider.errors import ClientStateError, ConfigurationError, DeltaGliderError
from deltaglider.late import dataclass
from deltaglider.models import ObjectInfo, Outcome

_AT_ONCE = 1000
"""What S3 deletes with one request."""


async def _nothing(infos: Sequence[ObjectInfo]) -> list[Exception | None]:
    return [None] * len(infos)


@dataclass(frozen=True, slots=True)
class Plain:
    """Objects that can be deleted without another look.

    Attributes:
        has: Whether an object of the listing is one of them.
        delete: Deletes many of one bucket; what went wrong with each.
    """

    has: Callable[[ObjectInfo], bool] = lambda info: False
    delete: Callable[[Sequence[ObjectInfo]], Awaitable[list[Exception | None]]] = _nothing


async def delete_jobs(entries: Entries[RemoteEntry], plain: Plain, delete: Callable[[Delete], Job]) -> Jobs:
    """What it takes to delete all entries.

    Args:
        entries: Of one place.
        plain: Those that are deleted here and now, as the jobs are drawn.
        delete: The job of any other.

    Yields:
        Jobs, and the outcomes of what is done.

    Raises:
        DeltaGliderError: Nothing can be deleted.
    """
    waiting: list[RemoteEntry] = []
    async with aclosing(entries):
        async for item in entries:
            if isinstance(item, Problem):
                continue
            if not plain.has(item.info):
                yield delete(Delete(item.name, item.size))
                continue
            waiting.append(item)
            if len(waiting) == _AT_ONCE:
                async for outcome in _deleted(waiting, plain):
                    yield outcome
                waiting = []
    async for outcome in _deleted(waiting, plain):
        yield outcome


async def _deleted(entries: Sequence[RemoteEntry], plain: Plain) -> AsyncGenerator[Outcome, None]:
    errors: Sequence[Exception | None]
    try:
        errors = await plain.delete([entry.info for entry in entries])
    except (ConfigurationError, ClientStateError):
        raise
    except DeltaGliderError as error:
        errors = [error] * len(entries)
    for entry, wrong in zip(entries, errors, strict=True):
        if wrong is None:
            yield Outcome("delete", "done", entry.where, size=entry.size)
        else:
            yield Outcome("delete", "failed", entry.where, size=entry.size, message=str(wrong), error=wrong)
