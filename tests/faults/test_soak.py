"""A day of use in small: many workers through a network that fails, and afterwards nothing lost and nothing left."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.config import KIB, MIB
from tests.client.world import Either, leftovers, opened
from tests.faults import leaks
from tests.faults.ledger import Ledger
from tests.faults.proxy import FaultyProxy, Request, sometimes
from tests.faults.scale import scaled
from tests.faults.soak import KEYS, Work, Worker, settle
from tests.servers import S3Endpoint

RATE = 0.05
# A low threshold, so that many uploads go in parts; some clients try once only, so that the engine sees failures, too.
SETTINGS: dict[str, Any] = {"multipart_threshold": 64 * KIB, "multipart_chunksize": 5 * MIB}
CLIENTS = (("asynchronous", 1), ("asynchronous", 2), ("asynchronous", 4), ("synchronous", 2))
"""Kinds of clients, and how often they try a request."""
SLACK = 48 * MIB
"""How much more memory the process may hold at the end than when it was warm: what allocators keep."""


def test_a_ledger_knows_what_a_key_may_hold() -> None:
    ledger = Ledger()
    put = ledger.begin("k", frozenset({"1"}))
    with ledger.watch("k") as early:
        ledger.end(put, acknowledged=False)
        failed = ledger.begin("k", frozenset({"2"}))
        assert early.values() == {None, "1", "2"}
        ledger.end(failed, acknowledged=False)
    ledger.end(ledger.begin("k", frozenset({"3"})), acknowledged=True)
    with ledger.watch("k") as late, ledger.watch("other") as other:
        assert late.values() == {"3"}
        copied = ledger.begin("other", late)
        again = ledger.begin("k", other)  # In a circle.
        assert late.values() == {"3"}
        ledger.end(copied, acknowledged=True, left="3")
        ledger.end(again, acknowledged=False)
        assert other.values() == {None, "3"}
    with ledger.watch("other") as other:
        assert other.values() == {"3"}


class Accident:
    """The proxy's script, and what of it a client cannot know: uploads in parts begun, but not told to it."""

    def __init__(self, seed: int) -> None:
        self._script = sometimes(seed, RATE)
        self.faults = 0
        self.begun = 0
        self.untold = 0

    def __call__(self, request: Request) -> Any:
        fault = self._script(request)
        begins = request.method == "POST" and request.query.partition("=")[0] == "uploads"
        self.begun += begins
        if fault is not None:
            self.faults += 1
            # A request without a body is whole when half of its body is sent.
            self.untold += begins and fault.kind in ("lose answer", "cut answer", "cut request")
        return fault


@contextmanager
def giving_all_back() -> Iterator[None]:
    """Makes sure that children, threads and sockets are as before."""
    gc.collect()
    before = leaks.children(), leaks.threads(), leaks.sockets()
    yield
    gc.collect()
    assert (leaks.children(), leaks.threads(), leaks.sockets()) == before


async def soak(proxy: FaultyProxy, proxied: S3Endpoint, plain: S3Endpoint, work: Work, home: Path) -> tuple[int, int]:
    """Does the work; resident memory when warm and at the end."""
    async with AsyncExitStack() as stack:
        clients: list[Either] = []
        for number, (kind, tries) in enumerate(CLIENTS):
            settings = proxied.client_kwargs(**SETTINGS, max_attempts=tries, cache_dir=home / f"cache-{number}")
            clients.append(await stack.enter_async_context(opened(kind, home / f"temporary-{number}", **settings)))
        workers = [
            Worker(work, clients[number % len(CLIENTS)], home / f"worker-{number}", number) for number in range(8)
        ]
        warm = 0
        for share in (0.3, 1.0):
            work.total, whole = int(work.total * share), work.total
            async with anyio.create_task_group() as group:
                for worker in workers:
                    group.start_soon(worker.run)
            work.total = whole
            proxy.requests.clear()  # Its memory is not what is measured.
            gc.collect()
            warm = warm or leaks.resident()
        ended = leaks.resident()
        for number in range(len(CLIENTS)):
            assert leftovers(home / f"temporary-{number}") == []
            assert leftovers(home / f"cache-{number}" / "in-use") == []
        proxy.script = None
        fresh = await stack.enter_async_context(
            opened("asynchronous", home / "temporary", **plain.client_kwargs(cache_dir=home / "cache"))
        )
        assert await settle(work, fresh, home / "reader") > len(KEYS) // 4
    return warm, ended


async def unfinished(endpoint: S3Endpoint, bucket: str) -> list[str]:
    store = endpoint.open_store()
    try:
        return [upload.key async for upload in store.unfinished_uploads(bucket)]
    finally:
        await store.aclose()


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_through_a_network_that_fails_nothing_is_lost_and_nothing_is_left(
    moto: S3Endpoint, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    accident = Accident(seed=1)
    work = Work(moto.make_bucket(), scaled(100, 10_000))
    started = time.monotonic()
    with giving_all_back():
        proxy = FaultyProxy(moto, accident)
        with proxy as proxied:
            warm, ended = asyncio.run(soak(proxy, proxied, moto, work, tmp_path))
        left = asyncio.run(unfinished(moto, work.bucket))
    assert [path for path in tmp_path.rglob("temporary*/**/*") if path.is_file()] == []
    # Nobody was told of these: the answer with their name was lost.
    assert len(left) <= accident.untold
    assert work.done >= work.total
    assert accident.faults > work.total // 10
    assert accident.begun > work.total // 50
    assert ended < warm + SLACK
    failed = work.counts["failed"]
    record_property(
        "figure",
        f"soak on moto: {work.done} operations, {accident.faults} requests failed, {failed} operations failed; 0 lost, "
        f"0 wrong; left: no temporary file, thread, child or socket, {len(left)} of {accident.begun} uploads in parts "
        f"({accident.untold} names were lost on the way); memory {warm >> 20} MiB when warm, {ended >> 20} MiB at "
        f"the end; {time.monotonic() - started:.0f} s; {dict(itertools.islice(sorted(work.counts.items()), 20))}",
    )
