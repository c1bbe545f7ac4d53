"""Blocking work in threads, such that no cancellation leaves it running.

``anyio.to_thread.run_sync`` waits for its thread when a cancel scope is cancelled, but not when the task itself is:
``task.cancel()``, ``asyncio.timeout`` and Ctrl-C under ``asyncio.run`` leave the thread behind, and
``from_thread.check_cancelled`` in it never tells. A task group turns the one kind of cancellation into the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(work: Callable[[*Ts], T], *arguments: *Ts, limiter: anyio.CapacityLimiter) -> T:
    """Runs blocking work in a thread and waits for its end, also when cancelled.

    Args:
        work: What to run. Where it takes long it calls ``anyio.from_thread.check_cancelled()`` now and then, which
            raises once the caller is cancelled, in whatever way.
        *arguments: What to call it with.
        limiter: Bounds how much of this kind runs at once.

    Returns:
        What ``work`` returned. It is lost if the caller is cancelled: what must be released, ``work`` hands over by
        other means.

    Raises:
        Exception: What ``work`` raised.
    """
    results: list[T] = []
    errors: list[Exception] = []

    async def run() -> None:
        try:
            results.append(await to_thread.run_sync(work, *arguments, limiter=limiter))
        except Exception as error:  # noqa: BLE001 - Raised below, out of the group, where it would be wrapped.
            errors.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(run)
    if errors:
        raise errors.pop()
    return results.pop()
