"""Structured concurrency in the two shapes this package needs, with plain errors.

A task group raises an ``ExceptionGroup`` even for one error; nobody above wants to take that apart, users least of
all. Both functions open and close their task group inside the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")
R = TypeVar("R")


def plain_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error to raise for a group: the first that is not mere cancellation, as deep as it lies.

    Args:
        group: What a task group raised.

    Returns:
        One of its leaves.
    """
    cancelled = anyio.get_cancelled_exc_class()
    found: BaseException | None = None
    for error in group.exceptions:
        leaf = plain_error(error) if isinstance(error, BaseExceptionGroup) else error
        if not isinstance(leaf, cancelled):
            return leaf
        found = found or leaf
    return found or group


async def together(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Awaits several calls at once.

    Args:
        *calls: What to call, few of them.

    Returns:
        Their results, in order.

    Raises:
        BaseException: The first error of any; the others are cancelled.
    """
    return await map_bounded(lambda call: call(), calls, limit=len(calls) or 1)


async def map_bounded(function: Callable[[T], Awaitable[R]], items: Iterable[T], *, limit: int) -> list[R]:
    """Awaits ``function`` on each item, a bounded number at once.

    Args:
        function: What to await.
        items: A finite number of items; the results are held, so keep it to a page.
        limit: Calls in flight at most.

    Returns:
        The results, in the order of the items.

    Raises:
        BaseException: The first error of any; the others are cancelled.
    """
    queue = list(enumerate(items))
    results: list[Any] = [None] * len(queue)
    queue.reverse()

    async def work() -> None:
        while queue:
            index, item = queue.pop()
            results[index] = await function(item)

    if len(queue) == 1:
        await work()
        return results
    errors: list[BaseException] = []
    try:
        async with anyio.create_task_group() as group:
            for _ in range(min(limit, len(queue))):
                group.start_soon(work)
    except BaseExceptionGroup as group_error:
        errors.append(plain_error(group_error))
    if errors:
        raise errors.pop()  # Out here it keeps its own cause, which "from None" would take away.
    return results
