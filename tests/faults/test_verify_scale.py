"""Verifying very many objects: memory stays flat, and what was proven is not read again."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deltaglider.bulk.verify import VerifyOptions, verify_tree
from deltaglider.cache.proofs import Proofs
from deltaglider.client.assemble import assemble
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.store.base import ListedObject, StoredObject
from tests.faults.scale import scaled

DATA = b"content"
SHA256 = hashlib.sha256(DATA).hexdigest()
WHEN = datetime(2026, 11, 22, tzinfo=UTC)
MIB = 1 << 20


class EndlessStore:
    """Whole objects that are made up as they are asked for, so that the store itself takes no memory.

    Attributes:
        fetched: How many were read.
    """

    identity = "made up"

    def __init__(self, count: int) -> None:
        self.count = count
        self.fetched = 0

    async def list_objects(self, bucket: str, prefix: str = "", **_: Any) -> AsyncIterator[list[ListedObject]]:
        for start in range(0, self.count, 1000):
            numbers = range(start, min(start + 1000, self.count))
            yield [ListedObject(f"{prefix}{number:09}.txt", len(DATA), "etag", WHEN) for number in numbers]

    async def head(self, bucket: str, key: str) -> StoredObject:
        metadata = {"dg-tool": "x", "dg-file-sha256": SHA256, "dg-file-size": str(len(DATA)), "dg-compression": "none"}
        return StoredObject(bucket, key, len(DATA), "etag", WHEN, metadata, {})

    async def fetch(self, bucket: str, key: str, path: Path, **_: Any) -> StoredObject:
        self.fetched += 1
        path.write_bytes(DATA)
        return await self.head(bucket, key)


def context(store: EndlessStore, home: Path) -> Context:
    settings = Settings(endpoint_url=home.as_uri(), cache_dir=home / "cache", temp_dir=home / "tmp")
    return dataclasses.replace(assemble(settings), store=store)  # type: ignore[arg-type]


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def states(ctx: Context, stop: int | None = None, **options: Any) -> tuple[dict[str, int], int]:
    """How often each state came, of the first so many results, and by how much memory grew meanwhile."""
    found: dict[str, int] = {}
    before = most = 0
    async with aclosing(verify_tree(ctx, "bucket", "p/", VerifyOptions(**options))) as results:
        number = 0
        async for result in results:
            found[result.state] = found.get(result.state, 0) + 1
            number += 1
            if number % 1000 == 0:
                before = before or resident()
                most = max(most, resident())
            if number == stop:
                break
    return found, most - before


@pytest.mark.faults
async def test_an_interrupted_run_over_many_objects_reads_each_once(
    tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    count = scaled(600, 20_000)
    store = EndlessStore(count)
    ctx = context(store, tmp_path)
    first, _ = await states(ctx, stop=count // 3)
    assert first == {"proven": count // 3}
    found, _ = await states(ctx, resume=True)
    assert found["earlier"] >= count // 3
    assert found["earlier"] + found["proven"] == count
    assert store.fetched == count
    record_property(
        "figure", f"verify, interrupted: {count} objects, {store.fetched} read, {found['earlier']} passed over"
    )


@pytest.mark.faults
async def test_memory_is_flat_over_a_million_keys(tmp_path: Path, record_property: Callable[[str, str], None]) -> None:
    count = scaled(3_000, 1_000_000)
    store = EndlessStore(count)
    ctx = context(store, tmp_path)
    record = tmp_path / "record"
    proofs = Proofs(record, "made up s3://bucket/p/")
    proofs.open(resume=False)
    identity = f"etag {WHEN.timestamp():.0f}"
    for start in range(0, count, 1000):
        proofs.add([(f"p/{number:09}.txt", identity, int(time.time())) for number in range(start, start + 1000)])
    proofs.finish()
    proofs.close()
    started = time.monotonic()
    found, grown = await states(ctx, record=record, older_than=3600.0 * 24)
    seconds = time.monotonic() - started
    assert found == {"earlier": count}
    assert store.fetched == 0
    assert grown < 32 * MIB
    record_property(
        "figure",
        f"verify --older-than, {count} objects passed over: {seconds:.0f} s, memory grew by {grown / MIB:.1f} MiB, "
        f"record {record.stat().st_size / MIB:.0f} MiB",
    )
    found, grown = await states(ctx, stop=scaled(1_000, 50_000), quick=True)
    assert grown < 32 * MIB
    record_property("figure", f"verify --quick, {found['checked']} objects: memory grew by {grown / MIB:.1f} MiB")
