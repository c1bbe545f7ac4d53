"""A thread never outlives the call that started it, however that call is cancelled."""

from __future__ import annotations

import asyncio
import threading

import anyio
import pytest
from anyio import from_thread

from deltaglider.threads import in_thread


class Endless:
    """Work that goes on until it notices that nobody wants it any more."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.ended = False

    def __call__(self) -> None:
        self.started.set()
        try:
            while True:
                from_thread.check_cancelled()
        finally:
            self.ended = True

    async def has_started(self) -> None:
        while not self.started.is_set():
            await asyncio.sleep(0.001)


@pytest.fixture
def limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(1)


async def test_the_result_comes_back(limiter: anyio.CapacityLimiter) -> None:
    assert await in_thread(divmod, 7, 3, limiter=limiter) == (2, 1)


async def test_an_error_comes_back_as_it_is(limiter: anyio.CapacityLimiter) -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0, limiter=limiter)


async def test_cancelling_the_task_ends_the_thread_first(limiter: anyio.CapacityLimiter) -> None:
    work = Endless()
    task = asyncio.create_task(in_thread(work, limiter=limiter))
    await work.has_started()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.ended
    assert limiter.borrowed_tokens == 0


async def test_an_asyncio_timeout_ends_the_thread_first(limiter: anyio.CapacityLimiter) -> None:
    work = Endless()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_thread(work, limiter=limiter)
    assert work.ended or not work.started.is_set()


async def test_cancelling_the_scope_ends_the_thread_first(limiter: anyio.CapacityLimiter) -> None:
    work = Endless()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: in_thread(work, limiter=limiter))
        await work.has_started()
        group.cancel_scope.cancel()
    assert work.ended


async def test_a_thread_that_finishes_anyway_does_not_swallow_the_cancellation(limiter: anyio.CapacityLimiter) -> None:
    started, go_on = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        go_on.wait(30)
        return "finished"

    task = asyncio.create_task(in_thread(work, limiter=limiter))
    while not started.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
