"""Work in pools, and who waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
from anyio import from_thread

from deltaglider.archive.waiting import result_of
from deltaglider.threads import in_thread


async def test_who_waits_for_one_large_stream_can_be_cancelled() -> None:
    begun, over = anyio.Event(), threading.Event()

    def work() -> None:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(over.wait)
            from_thread.run_sync(begun.set)
            try:
                result_of(future)
            finally:
                over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(partial(in_thread, work, limiter=anyio.CapacityLimiter(1)))
        await begun.wait()
        group.cancel_scope.cancel()

    assert group.cancel_scope.cancelled_caught
    assert over.is_set()
