"""A bucket, clients of it, and short ways to put, get and look behind the curtain."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import os
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from deltaglider.client.assemble import assemble
from deltaglider.engine.context import Context
from deltaglider.engine.download import download
from deltaglider.engine.listing import list_objects
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import upload
from deltaglider.events import Observer, ignore
from deltaglider.models import DownloadSummary, ObjectInfo, Prefix, UploadSummary
from deltaglider.store.base import StoredObject
from tests.faults.wrapper import ScriptedStore
from tests.servers import DirectoryEndpoint, Endpoint

SIZE = 30_000
"""Bytes of a test file: far over the least that is worth a delta, and quick."""


def noise(seed: object, size: int = SIZE) -> bytes:
    """Bytes that nothing compresses, the same for the same seed."""
    return random.Random(repr(seed)).randbytes(size)


def revised(data: bytes, seed: object) -> bytes:
    """Another version of a file: a few bytes changed, a few put in."""
    at = random.Random(repr(seed)).randrange(1, len(data) - 1)
    return data[:at] + noise(seed, 20) + data[at + 5 :]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def reference_at(deltaspace: str, data: bytes) -> str:
    """The key of the reference with these bytes."""
    return f"{deltaspace}.deltaglider/references/{sha256(data)}/reference.bin"


class World:
    """One bucket of one store, and any number of clients, each with a cache and temporary files of its own."""

    def __init__(self, endpoint: Endpoint, bucket: str, home: Path) -> None:
        self.endpoint = endpoint
        self.bucket = bucket
        self.home = home
        self.home.mkdir()
        self.clients: list[Context] = []
        self._numbers = itertools.count()
        self.store = endpoint.open_store()

    def client(self, *, observer: Observer = ignore, **settings: Any) -> Context:
        """A new client."""
        number = len(self.clients)
        places = {"cache_dir": self.home / f"cache-{number}", "temp_dir": self.home / f"temporary-{number}"}
        ctx = assemble(self.endpoint.settings(**{**places, **settings}), observer)
        self.clients.append(ctx)
        return ctx

    def scripted(self, **settings: Any) -> tuple[Context, ScriptedStore]:
        """A new client on a store that follows a script."""
        ctx = self.client(**settings)
        store = ScriptedStore(ctx.store)
        return dataclasses.replace(ctx, store=store), store

    def file(self, data: bytes, name: str = "source") -> Path:
        """A new local file."""
        path = self.home / "files" / str(next(self._numbers)) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        return path

    def place(self, name: str = "target") -> Path:
        """A path in a new local directory where there is no file yet."""
        path = self.home / "targets" / str(next(self._numbers)) / name
        path.parent.mkdir(parents=True)
        return path

    async def put(self, ctx: Context, key: str, data: bytes, **options: Any) -> UploadSummary:
        return await upload(ctx, self.file(data), self.bucket, key, options=UploadOptions(**options))

    async def get(self, ctx: Context, key: str, bucket: str | None = None) -> bytes:
        target = self.place()
        summary = await download(ctx, bucket or self.bucket, key, target)
        data = target.read_bytes()
        assert summary == DownloadSummary(
            bucket=bucket or self.bucket,
            key=key,
            path=str(target),
            size=len(data),
            fetched=summary.fetched,
            sha256=sha256(data),
            verified=summary.verified,
        )
        assert os.listdir(target.parent) == ["target"]
        return data

    async def entries(self, ctx: Context, prefix: str = "", **options: Any) -> list[ObjectInfo | Prefix]:
        return [entry async for entry in list_objects(ctx, self.bucket, prefix, **options)]

    async def names(self, ctx: Context, prefix: str = "", **options: Any) -> list[str]:
        entries = await self.entries(ctx, prefix, **options)
        return [entry.key if isinstance(entry, ObjectInfo) else entry.prefix for entry in entries]

    async def put_raw(
        self,
        key: str,
        data: bytes,
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        bucket: str | None = None,
    ) -> None:
        """Stores something as another tool would."""
        await self.store.put(
            bucket or self.bucket, key, data, sha256=sha256(data), metadata=metadata or {}, headers=headers or {}
        )

    async def stored(self, bucket: str | None = None) -> dict[str, StoredObject]:
        """All that lies in the bucket, by stored key, in stored order."""
        bucket = bucket or self.bucket
        keys = [entry.key async for page in self.store.list_objects(bucket) for entry in page]
        return {key: await self.store.head(bucket, key) for key in keys}

    async def body(self, key: str, bucket: str | None = None) -> bytes:
        """A stored object's bytes."""
        async with self.store.open(bucket or self.bucket, key) as body:
            return b"".join([chunk async for chunk in body])

    async def damage(self, key: str, data: bytes | None = None) -> None:
        """Replaces a stored object's bytes, as a failing disk or a careless tool would; its metadata stay."""
        found = await self.store.head(self.bucket, key)
        old = await self.body(key)
        at = len(old) // 2
        new = data if data is not None else old[:at] + bytes([old[at] ^ 1]) + old[at + 1 :]
        await self.put_raw(key, new, found.metadata, found.headers)

    def age(self, key: str, seconds: int) -> None:
        """Makes a stored object older; the embedded store keeps whole seconds, as S3 does."""
        assert isinstance(self.endpoint, DirectoryEndpoint)
        with contextlib.closing(sqlite3.connect(self.endpoint.root / "index.db")) as connection, connection:
            changed = connection.execute(
                "UPDATE objects SET modified = modified - ? WHERE bucket = ? AND key = ?",
                (seconds, self.bucket, key.encode()),
            )
            assert changed.rowcount == 1

    def leftovers(self) -> list[str]:
        """Temporary files, and downloads that were not finished."""
        roots = [path for path in self.home.iterdir() if path.name.startswith(("temporary", "targets", "cache"))]
        found = [str(path.relative_to(self.home)) for root in roots for path in root.rglob("*") if path.is_file()]
        return [
            path
            for path in found
            if not path.endswith("/.lock") and (path.startswith("temporary") or ".part" in path or "in-use" in path)
        ]

    async def close(self) -> None:
        for ctx in self.clients:
            await ctx.store.aclose()
            ctx.cache.close()
            ctx.notes.close()
            ctx.spool.close()
        await self.store.aclose()


@asynccontextmanager
async def world_on(endpoint: Endpoint, bucket: str, home: Path) -> AsyncIterator[World]:
    """A world that makes sure, at its end, that nothing temporary is left."""
    world = World(endpoint, bucket, home)
    try:
        yield world
        assert world.leftovers() == []
    finally:
        await world.close()
