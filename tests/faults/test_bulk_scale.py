"""Bulk work at scale: requests that are counted, and memory that stays flat over a million keys."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deltaglider.bulk import BulkOptions, engine_verbs, sync_up
from deltaglider.cache.objects import SETTLED
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BulkSummary
from deltaglider.store.base import ListedObject, ListedPrefix, StoredObject
from deltaglider.store.directory import DirectoryStore
from tests.engine.world import World, noise, revised, world_on
from tests.faults.scale import scaled
from tests.faults.wrapper import ScriptedStore
from tests.servers import Endpoint

pytestmark = [pytest.mark.faults, pytest.mark.timeout(scaled(120, 3600))]

Figure = Callable[[str, str], None]
MIB = 1 << 20
MOST = 200 * MIB
"""Bytes that a command may take, whatever the bucket holds."""


# A tree of 20,000 files.


class CountingStore(ScriptedStore):
    """Counts requests, a listing by its pages; on its clock, everything is old enough to be remembered."""

    pages = 0

    async def head(self, bucket: str, key: str) -> StoredObject:
        found = await super().head(bucket, key)
        assert found.answered is not None
        return dataclasses.replace(found, answered=found.answered + 2 * SETTLED)

    async def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        self.pages += 1
        first = True
        pages = super().list_objects(bucket, prefix, delimiter=delimiter, start_after=start_after, page_size=page_size)
        async for page in pages:
            self.pages += not first
            first = False
            yield page

    def requests(self) -> dict[str, int]:
        counted = Counter(call.operation for call in self.calls if call.operation != "list_objects")
        counted["LIST"] = self.pages
        self.calls.clear()
        self.pages = 0
        return {name.upper(): count for name, count in sorted(counted.items()) if count}


@pytest.fixture
async def any_world(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(endpoint, endpoint.make_bucket(), tmp_path / "home") as made:
        yield made


def plant(root: Path, count: int) -> int:
    """A tree of so many files, a hundredth of them worth a delta; their number."""
    archive = noise("archive", 6000)
    deltas = 0
    for number in range(count):
        path = root / f"{number // 100:03}" / f"{number:05}{'.zip' if number % 100 == 7 else '.txt'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        deltas += path.suffix == ".zip"
        path.write_bytes(revised(archive, number) if path.suffix == ".zip" else b"content of %05d" % number)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return deltas


def change(root: Path, count: int) -> tuple[int, int]:
    """Changes a hundredth of a tree: edits, new files, and files that go; how many of the first two and the last."""
    edited = [root / f"{number // 100:03}" / f"{number:05}.txt" for number in range(11, count, 125)]
    gone = [root / f"{number // 100:03}" / f"{number:05}.txt" for number in range(13, count, 1000)]
    for path in edited:
        path.write_bytes(path.read_bytes() + b" changed")
    for path in gone:
        path.unlink()
        path.with_name(f"new-{path.name}").write_bytes(b"new")
    return len(edited) + len(gone), len(gone)


@pytest.mark.endpoints("directory", "moto")
async def test_a_sync_with_nothing_to_do_costs_one_listing(
    any_world: World, tmp_path: Path, record_property: Figure
) -> None:
    world, src = any_world, tmp_path / "src"
    count = scaled(200, 2_000 if world.endpoint.is_server else 20_000)
    target = S3Uri(world.bucket, "tree/")
    deltas = plant(src, count)

    async def sync(what: str, **options: Any) -> tuple[BulkSummary, dict[str, int]]:
        ctx = world.client(cache_dir=world.home / "cache-shared")
        store = CountingStore(ctx.store)
        verbs = engine_verbs(dataclasses.replace(ctx, store=store))
        started = time.monotonic()
        summary = await sync_up(verbs, src, target, BulkOptions(**options))
        seconds = time.monotonic() - started
        requests = store.requests()
        told = ", ".join(f"{number} {name}" for name, number in requests.items())
        record_property("figure", f"sync of {count} files on {world.endpoint.name}, {what}: {told}; {seconds:.0f} s")
        return summary, requests

    first, _ = await sync("all new")
    assert (first.done, first.failed) == (count, 0)
    again, requests = await sync("nothing to do, deltas met for the first time")
    # References lie in the listing, too.
    pages = -(-(count + len(list(src.iterdir()))) // 1000)
    assert (again.done, again.unchanged) == (0, count)
    assert requests.pop("HEAD") == deltas
    assert requests["LIST"] <= pages
    warm, requests = await sync("nothing to do")
    assert (warm.done, warm.unchanged) == (0, count)
    assert requests.keys() == {"LIST"}
    assert requests["LIST"] <= pages
    sent, gone = change(src, count)
    changed, requests = await sync(f"{sent} sent and {gone} deleted", delete=True)
    assert (changed.done - changed.deleted, changed.deleted, changed.failed) == (sent, gone, 0)
    assert requests["LIST"] <= pages
    # Two for each file that was edited or deleted; as many are new as were deleted, and they need none.
    assert requests["HEAD"] <= 2 * sent
    assert (requests["PUT"], requests["DELETE"]) == (sent, gone)
    by_content, requests = await sync("nothing to do, by content for the first time", checksum=True, delete=True)
    assert (by_content.done, by_content.unchanged) == (0, count)
    assert requests["HEAD"] == count - deltas
    by_content, requests = await sync("nothing to do, by content", checksum=True, delete=True)
    assert (by_content.done, by_content.unchanged) == (0, count)
    assert requests.keys() == {"LIST"}


# A million keys.


def description(number: int) -> str:
    """The metadata of a delta."""
    digits = f"{number:064x}"
    return json.dumps(
        {
            "dg-tool": "deltaglider/7.0.0",
            "dg-original-name": f"{number:07}.zip",
            "dg-file-sha256": digits,
            "dg-file-size": str(5000 + number % 1000),
            "dg-md5": digits[:32],
            "dg-created-at": "2026-11-22T11:22:33.123456Z",
            "dg-ref-key": f"p/.deltaglider/references/{'c' * 64}/reference.bin",
            "dg-ref-sha256": "c" * 64,
            "dg-delta-size": "100",
            "dg-delta-cmd": "xdelta3 -e -f -q -D -A= -S djw -6 -I 0 -B 1048576",
            "dg-note": "delta",
        }
    )


def rows(bucket: str, count: int) -> Iterator[tuple[Any, ...]]:
    """What the index of an embedded store holds of so many objects, a tenth of them deltas."""
    stored = int(time.time() - timedelta(days=1).total_seconds())
    for number in range(count):
        is_delta = number % 10 == 0
        key = f"p/{number // 1000:04}/{number:07}{'.zip.delta' if is_delta else '.txt'}"
        metadata = description(number) if is_delta else "{}"
        yield (bucket, key.encode(), f"{bucket}-{number}", 100, f"{number:032x}", stored, metadata, "{}")


async def make_buckets(root: Path, *buckets: str) -> None:
    store = DirectoryStore(root)
    for bucket in buckets:
        await store.create_bucket(bucket)
    await store.aclose()


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a command printed to stdout, by lines, and what it took."""

    lines: int
    last: str
    seconds: float
    peak: int


# A process counts the memory of the one that started it as its own; so let that be a small one.
_MEASURE = """
import os, sys
_, status, usage = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
open(sys.argv[1], "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(home: Path, *arguments: str) -> Ran:
    """Runs a command as a process of its own, and looks at its memory when it is through."""
    environ = {**os.environ, "DG_ENDPOINT_URL": (home / "store").as_uri(), "DG_CACHE_DIR": str(home / "cache")}
    command = [sys.executable, "-m", "deltaglider", *arguments]
    out, peak, started = home / "out", home / "peak", time.monotonic()
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-c", _MEASURE, str(peak), *command], env=environ, stdout=file, check=True)
    seconds = time.monotonic() - started
    lines, last = 0, b""
    with out.open("rb") as file:
        for lines, last in enumerate(file, 1):  # noqa: B007 - The last of both is what is wanted.
            pass
    return Ran(lines, last.decode(), seconds, int(peak.read_text()) * 1024)


def test_memory_is_flat_over_a_million_keys(tmp_path: Path, record_property: Figure) -> None:
    count = scaled(3_000, 1_000_000)
    asyncio.run(make_buckets(tmp_path / "store", "one", "two"))
    with contextlib.closing(sqlite3.connect(tmp_path / "store" / "index.db")) as index, index:
        index.execute("PRAGMA synchronous = OFF")
        for bucket in ("one", "two"):
            index.executemany(
                "INSERT INTO objects (bucket, key, blob, size, etag, modified, metadata, headers)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows(bucket, count),
            )
        index.execute("DELETE FROM objects WHERE bucket = 'two' AND CAST(key AS TEXT) LIKE '%777.txt'")
    missing = len(range(777, count, 1000))
    expected = {
        ("ls", "-r", "s3://one"): count,
        ("stats", "s3://one", "--json"): 1,
        ("rm", "-r", "s3://one", "--dryrun"): count,
        ("sync", "s3://one", "s3://two", "--dryrun", "--delete"): missing,
    }
    for arguments, lines in expected.items():
        ran = run(tmp_path, *arguments)
        record_property(
            "figure",
            f"{' '.join(arguments)}, {count} keys a bucket: peak {ran.peak / MIB:.0f} MiB, {ran.seconds:.0f} s",
        )
        assert ran.lines == lines, arguments
        assert ran.peak < MOST, arguments
        if arguments[0] == "stats":
            assert json.loads(ran.last)["object_count"] == count
