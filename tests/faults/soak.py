"""Many workers at one bucket, doing whatever comes: the soak test's."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from deltaglider.errors import NotFoundError, PreconditionFailedError, StoreUnavailableError, TransferBrokenError
from deltaglider.models import ObjectInfo
from tests.client.world import Either, sha256
from tests.engine.world import noise, revised
from tests.faults.ledger import Ledger, View

KB, MB = 1_000, 1_000_000
DIRECTORIES = ("app/v1/", "app/v2/", "tools/", "data/2026-01-01/", "data/2026-01-02/", "")
NAMES = ("a.zip", "b.zip", "c.tar.gz", "notes.txt", "d.bin")
KEYS = [directory + name for directory in DIRECTORIES for name in NAMES]
FAMILIES = [noise(f"family {number}", size * KB) for number, size in enumerate((10, 70, 120, 200))]

EXPECTED = (StoreUnavailableError, TransferBrokenError, PreconditionFailedError)
"""What may come of a network that fails: no connection, a body that breaks off, a key that will not hold still."""

VERBS = {"put": 38, "get": 26, "delete": 9, "copy": 9, "head": 7, "list": 5, "verify": 6}


@dataclasses.dataclass
class Work:
    """What all workers share.

    Attributes:
        bucket: The bucket.
        total: Operations to do.
        ledger: What the keys may hold.
        done: Operations begun so far.
        counts: How often each verb was done, and how often it failed.
    """

    bucket: str
    total: int
    ledger: Ledger = dataclasses.field(default_factory=Ledger)
    done: int = 0
    counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    numbers: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


class Worker:
    """One of them: does one operation after the other.

    Args:
        work: What all share.
        client: Its client, perhaps that of others too.
        home: A directory of its own.
        seed: What decides what it does.
    """

    def __init__(self, work: Work, client: Either, home: Path, seed: int) -> None:
        self.work = work
        self.client = client
        self.home = home
        self.chance = random.Random(seed)
        home.mkdir()

    async def run(self) -> None:
        while self.work.done < self.work.total:
            self.work.done += 1
            await self.one()

    async def one(self) -> None:
        verb = self.chance.choices(list(VERBS), list(VERBS.values()))[0]
        key = self.chance.choice(KEYS)
        with self.failing(verb):
            await getattr(self, verb)(key)

    @contextmanager
    def failing(self, verb: str) -> Iterator[None]:
        self.work.counts[verb] += 1
        try:
            yield
        except EXPECTED as error:
            self.work.counts["failed"] += 1
            self.work.counts[type(error).__name__] += 1

    def content(self, key: str) -> bytes:
        number = next(self.work.numbers)
        if key == "notes.txt" and self.chance.random() < 0.3:
            return noise(number, 6 * MB)  # Two parts.
        if self.chance.random() < 0.1:
            return noise(number, 50 * KB)  # Like no other: its delta is not worth keeping.
        return revised(FAMILIES[len(key) % len(FAMILIES)], number)

    async def put(self, key: str) -> None:
        data = self.content(key)
        digest = sha256(data)
        deed = self.work.ledger.begin(key, frozenset({digest}))
        acknowledged = False
        try:
            delta = None if self.chance.random() < 0.8 else False
            summary = await self.client("upload", data, self.work.url(key), delta=delta)
            assert summary.sha256 == digest
            acknowledged = True
        finally:
            self.work.ledger.end(deed, acknowledged=acknowledged)

    async def delete(self, key: str) -> None:
        deed = self.work.ledger.begin(key, frozenset({None}))
        acknowledged = False
        try:
            await self.client("delete", self.work.url(key))
            acknowledged = True
        finally:
            self.work.ledger.end(deed, acknowledged=acknowledged)

    async def copy(self, key: str) -> None:
        to = self.chance.choice([other for other in KEYS if other != key])
        with self.work.ledger.watch(key) as view:
            deed = self.work.ledger.begin(to, view)
            left = None
            try:
                summary = await self.client("copy", self.work.url(key), self.work.url(to))
                left = summary.sha256
            except NotFoundError:
                assert None in view.values(), f"{key} was not found"
            finally:
                self.work.ledger.end(deed, acknowledged=left is not None, left=left)

    async def get(self, key: str) -> None:
        target = self.home / "target"
        target.unlink(missing_ok=True)
        with self.seeing(key) as view:
            try:
                await self.client("download", self.work.url(key), str(target))
            except NotFoundError:
                found = None
            else:
                found = sha256(target.read_bytes())
            self.check(key, found, view)

    async def head(self, key: str) -> None:
        with self.seeing(key) as view:
            try:
                found = (await self.client("head", self.work.url(key))).sha256
            except NotFoundError:
                found = None
            self.check(key, found, view)

    async def verify(self, key: str) -> None:
        with self.seeing(key) as view:
            try:
                result = await self.client("verify", self.work.url(key))
            except NotFoundError:
                self.check(key, None, view)
            else:
                assert result.valid, result.message
                self.check(key, result.actual_sha256, view)

    async def list(self, key: str) -> None:
        directory = key[: key.rfind("/") + 1]
        keys = [other for other in KEYS if other.startswith(directory)]
        with self.seeing(*keys) as views:
            entries = await self.client("list", self.work.url(directory))
            found = [entry.key for entry in entries if isinstance(entry, ObjectInfo)]
            assert found == sorted(set(found))
            assert set(found) <= set(keys)
            for key, view in zip(keys, views, strict=True):
                seen = view.values()
                assert seen - {None} if key in found else None in seen, f"{key}: listed {key in found}"

    @contextmanager
    def seeing(self, *keys: str) -> Iterator[Any]:
        """Views of keys, or of one."""
        with ExitStack() as stack:
            views = [stack.enter_context(self.work.ledger.watch(key)) for key in keys]
            yield views[0] if len(keys) == 1 else views

    def check(self, key: str, found: str | None, view: View) -> None:
        assert found in view.values(), f"{key} is {found}, not one of {view.values()}"


async def settle(work: Work, client: Either, home: Path) -> int:
    """Looks at every key when all is quiet; how many there are."""
    worker = Worker(work, client, home, 0)
    for key in KEYS:
        await worker.get(key)
        await worker.verify(key)
        await worker.head(key)
    await worker.list("")
    entries = await client("list", work.url(""))
    return len(entries)
