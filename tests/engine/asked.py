"""Clients that count what they ask, of a store on whose clock everything is old enough to be remembered."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta
from typing import Any

from deltaglider.cache.objects import SETTLED
from deltaglider.engine.context import Context
from deltaglider.models import ObjectInfo
from deltaglider.store.base import StoredObject
from tests.engine.world import World
from tests.faults.wrapper import ScriptedStore

OLD = int(SETTLED.total_seconds()) + 60


class LaterStore(ScriptedStore):
    """A store whose clock says that time has passed, so that what was stored a moment ago is old."""

    passed = timedelta(seconds=OLD)

    async def head(self, bucket: str, key: str) -> StoredObject:
        found = await super().head(bucket, key)
        assert found.answered is not None
        return dataclasses.replace(found, answered=found.answered + self.passed)


class Asked:
    """A client that counts what it asks; each takes up the notes of the one before."""

    def __init__(self, world: World, **settings: Any) -> None:
        ctx = world.client(cache_dir=world.home / "cache-shared", **settings)
        self.store = LaterStore(ctx.store)
        self.ctx: Context = dataclasses.replace(ctx, store=self.store)
        self.world = world

    async def entries(self, prefix: str = "", **options: Any) -> list[ObjectInfo]:
        entries = await self.world.entries(self.ctx, prefix, **options)
        return [entry for entry in entries if isinstance(entry, ObjectInfo)]

    def requests(self) -> dict[str, int]:
        counted = Counter(call.operation for call in self.store.calls)
        self.store.calls.clear()
        return dict(counted)
