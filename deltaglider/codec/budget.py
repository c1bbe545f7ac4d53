"""What the codecs of a client share: how many run at once, and the bytes of memory they take together."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from deltaglider.threads import in_thread

T = TypeVar("T")


class Budget:
    """Bytes that tasks take, hold and give back, first come, first served.

    Args:
        total: Bytes there are.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._waiting: deque[tuple[int, anyio.Event]] = deque()

    @asynccontextmanager
    async def take(self, amount: int) -> AsyncIterator[None]:
        """Waits until ``amount`` bytes are free and holds them for the context.

        Args:
            amount: Bytes; more than there are is taken to mean all of them.
        """
        amount = min(amount, self.total)
        ticket = (amount, anyio.Event())
        self._waiting.append(ticket)
        self._admit()
        try:
            await ticket[1].wait()
            yield
        finally:
            if ticket[1].is_set():
                self._free += amount
            else:
                self._waiting.remove(ticket)
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            amount, admitted = self._waiting.popleft()
            self._free -= amount
            admitted.set()


class Resources:
    """Shared by the codecs of a client: its processes and threads that compute, and their memory.

    Args:
        workers: How many run at once.
        memory: Bytes all of them may use together.
    """

    def __init__(self, workers: int, memory: int) -> None:
        self.limiter = anyio.CapacityLimiter(workers)
        self.budget = Budget(memory)

    async def thread(self, memory: int, work: Callable[[], T]) -> T:
        """Runs work in a thread, once there is a place and memory for it.

        Args:
            memory: Bytes it takes.
            work: What to run; it looks now and then whether it was cancelled.

        Returns:
            What it returned.
        """
        async with self.budget.take(memory):
            return await in_thread(work, limiter=self.limiter)
