"""Work in pools, and who waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import anyio
from anyio import from_thread

from deltaglider.archive.rebuilding import _BATCH
from deltaglider.archive.search import _batches
from deltaglider.archive.stream import Stream
from deltaglider.archive.tree import Node
from deltaglider.archive.view import Memory, View
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


def test_what_is_large_goes_to_a_program_alone() -> None:
    """The results of several are read into memory."""
    empty = Memory(b"")
    sizes = [1000, _BATCH - 1, 5, 10 * _BATCH, 7, 8]
    nodes = [Node(Stream(0, 9, "zip", 0), b"", View(empty, 0, 9), View(empty, 0, size)) for size in sizes]

    batches = [[node.plain.size for node in batch] for batch in _batches(nodes)]

    assert batches == [[1000], [_BATCH - 1], [5], [10 * _BATCH], [7, 8]]
