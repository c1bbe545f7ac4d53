"""A limiter by weight: several child processes share a number of bytes of memory."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


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
