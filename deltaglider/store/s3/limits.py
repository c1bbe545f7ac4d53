"""What keeps a store within its bounds, and its errors and clean-up plain."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from deltaglider.tasks import plain_error


class ByteBudget:
    """Bytes that may be held at once, given out first come, first served.

    Args:
        total: Bytes. Whoever asks for more than all of it gets all of it, alone.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    @property
    def held(self) -> int:
        """Bytes given out at present."""
        return self.total - self._free

    def resize(self, total: int) -> None:
        """Sets another total, before anyone waits."""
        self._free += total - self.total
        self.total = total

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Lease]:
        """An account for one call; whatever it still holds at its end goes back."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self.give(lease.held)

    async def take(self, count: int) -> None:
        """Waits for ``count`` bytes, at most the total."""
        if not self._waiting and count <= self._free:
            self._free -= count
            return
        entry = (count, anyio.Event())
        self._waiting.append(entry)
        try:
            await entry[1].wait()
        except BaseException:
            if entry[1].is_set():  # Granted and cancelled at the same moment.
                self.give(count)
            else:
                self._waiting.remove(entry)  # The lease, which ends with this, lets the next one in.
            raise

    def give(self, count: int) -> None:
        """Returns ``count`` bytes."""
        self._free += count
        while self._waiting and self._waiting[0][0] <= self._free:
            granted, event = self._waiting.popleft()
            self._free -= granted
            event.set()


class Lease:
    """What one call holds of a budget.

    Attributes:
        held: Bytes.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.held = 0

    async def take(self, count: int) -> None:
        """Waits for ``count`` bytes."""
        count = min(count, self._budget.total)
        await self._budget.take(count)
        self.held += count

    def give(self, count: int) -> None:
        """Returns ``count`` bytes."""
        count = min(count, self._budget.total)
        self.held -= count
        self._budget.give(count)


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """A task group that raises the first error itself, not a group of errors."""
    try:
        async with anyio.create_task_group() as group:
            yield group
    except BaseExceptionGroup as errors:
        error = plain_error(errors)
        raise error from error.__cause__


async def see_through(work: Callable[[], Awaitable[None]], grace: float) -> None:
    """Runs work whose outcome must be known: cancelled meanwhile, it gets a little longer before it is ended.

    Args:
        work: The work.
        grace: Seconds it may go on after the cancellation.
    """
    shield = anyio.CancelScope(shield=True)

    async def run() -> None:
        with shield:
            await work()
        done.set()

    done = anyio.Event()
    async with task_group() as group:
        group.start_soon(run)
        try:
            await done.wait()
        except BaseException:
            shield.deadline = anyio.current_time() + grace
            raise
