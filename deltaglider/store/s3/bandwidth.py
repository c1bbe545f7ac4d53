"""A limit on the bytes a second that bodies take, over all transfers of a client."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

import anyio

from deltaglider.config import KIB

_LARGEST_PIECE = 256 * KIB
_PIECES_A_SECOND = 4  # Of each request, when all of them share the rate: no peer may take silence for the end.
_SHORT = 0.01  # Seconds not worth sleeping: they add up until they are.


class Bandwidth:
    """One line for the pieces of all bodies, up and down: each waits until all before it, and itself, have passed.

    What is not used is not saved up, so that no burst follows a pause. Each transfer has at most one piece in the line,
    so that all of them get their share. A piece waits in one sleep; one that is cancelled leaves its time to others.

    Args:
        rate: Bytes a second.
        sharers: Requests that may be in flight at once.
        clock: Tells the seconds.
        sleep: Waits.

    Attributes:
        piece: Bytes that should be let through at once.
    """

    def __init__(
        self,
        rate: int,
        sharers: int,
        *,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.piece = max(1, min(_LARGEST_PIECE, rate // (sharers * _PIECES_A_SECOND)))
        self._rate = rate
        self._sharers = sharers
        self._clock = clock
        self._sleep = sleep
        self._free = 0.0  # When the last piece in the line will have passed.

    def turn(self, count: int) -> float:
        """Seconds until ``count`` bytes have passed, when all share the rate."""
        return count * self._sharers / self._rate

    async def take(self, count: int) -> None:
        """Waits until ``count`` bytes have passed.

        Args:
            count: Bytes about to be sent, or just received.
        """
        now = self._clock()
        seconds = count / self._rate
        self._free = max(self._free, now) + seconds
        if self._free - now < _SHORT:
            return
        try:
            await self._sleep(self._free - now)
        except BaseException:
            self._free -= seconds
            raise


class Paced:
    """A body that is sent no faster than the limit allows.

    Args:
        body: Its pieces, of any size.
        bandwidth: The limit.
    """

    def __init__(self, body: AsyncIterable[bytes | memoryview], bandwidth: Bandwidth) -> None:
        self._pieces = aiter(body)
        self._bandwidth = bandwidth
        self._rest: bytes | memoryview = b""

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]:
        return self

    async def __anext__(self) -> bytes | memoryview:
        # Not a generator: aiohttp leaves a body half sent where a request fails, and a generator would stay open.
        while not self._rest:
            self._rest = memoryview(await anext(self._pieces))
        piece, self._rest = self._rest[: self._bandwidth.piece], self._rest[self._bandwidth.piece :]
        await self._bandwidth.take(len(piece))
        return piece
