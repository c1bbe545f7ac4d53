"""What a listing costs: one HEAD for each delta that is not remembered, and never an old answer for a new object."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.inspect import head
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.stats import stats
from deltaglider.engine.verify import afresh
from deltaglider.models import ObjectInfo
from deltaglider.store.base import ListedObject, ListedPrefix, StoredObject
from tests.engine.asked import OLD, Asked
from tests.engine.test_references import classic
from tests.engine.world import World, noise, revised

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")


@pytest.mark.endpoints("directory", "moto", "weed")
async def test_a_second_listing_asks_for_nothing_and_says_the_same(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1, metadata={"team": "core"}, headers={"ContentType": "application/zip"})
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.txt", b"whole")
    await world.put(ctx, "p/fw.delta", b"mine")
    await world.put_raw("q/reference.bin", V1, classic(V1))
    first = Asked(world)
    cold = await first.entries()
    assert first.requests() == {"list_objects": 1, "head": 4}
    assert await first.entries() == cold
    assert first.requests() == {"list_objects": 1}
    again = Asked(world)
    assert await again.entries() == cold
    assert again.requests() == {"list_objects": 1}
    assert cold == await Asked(world, notes_size=0).entries()
    assert [await head(ctx, world.bucket, info.key) for info in cold if info.is_delta or info.key == "p/fw.delta"] == [
        info for info in cold if info.is_delta or info.key == "p/fw.delta"
    ]


async def test_statistics_and_directories_use_what_is_remembered(world: World) -> None:
    ctx = world.client()
    for number in range(5):
        await world.put(ctx, f"p/{number}/a.zip", revised(V1, number))
    first = Asked(world)
    counted = await stats(first.ctx, world.bucket, use_cache=False)
    assert first.requests() == {"list_objects": 1, "head": 5}
    assert await stats(first.ctx, world.bucket, use_cache=False) == counted
    await first.entries("p/", delimiter="/")
    await first.entries("p/3/", delimiter="/")
    assert first.requests() == {"list_objects": 3}


async def test_a_bucket_without_deltas_opens_no_notes(world: World) -> None:
    await world.put(world.client(), "a.txt", b"x")
    asked = Asked(world)
    assert len(await asked.entries()) == 1
    assert asked.requests() == {"list_objects": 1}
    assert not asked.ctx.notes.directory.exists()


async def test_what_was_just_stored_is_asked_for_again(world: World) -> None:
    await world.put(world.client(), "a.zip", V1)
    asked = Asked(world)
    asked.store.passed = timedelta(0)
    await asked.entries()
    await asked.entries()
    assert asked.requests() == {"list_objects": 2, "head": 2}
    assert not asked.ctx.notes.directory.exists()


async def test_only_what_changed_is_asked_for(world: World) -> None:
    ctx = world.client()
    for name in ("a", "b", "c", "d"):
        await world.put(ctx, f"{name}.zip", revised(V1, name))
        world.age(f"{name}.zip.delta", 1000)
    asked = Asked(world)
    await asked.entries()
    asked.requests()
    await world.put(ctx, "b.zip", V3)
    await delete(ctx, world.bucket, "c.zip")
    await world.put(ctx, "e.zip", V2)
    seen = {info.key: info.size for info in await asked.entries()}
    assert asked.requests() == {"list_objects": 1, "head": 2}
    assert seen == {"a.zip": len(V2), "b.zip": len(V3), "d.zip": len(V2), "e.zip": len(V2)}


async def clock(world: World) -> datetime:
    found = await world.store.head(world.bucket, "a.zip.delta")
    assert found.answered is not None
    return found.answered


@pytest.mark.endpoints("directory", "moto", "weed")
async def test_the_same_bytes_with_other_metadata_are_another_object(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "a.zip", V1, metadata={"team": "core"})
    asked = Asked(world)
    (before,) = await asked.entries()
    # It was taken for older than it is: let it really be older than the second of the change.
    while await clock(world) <= before.last_modified + timedelta(seconds=1):
        await anyio.sleep(0.1)
    asked.requests()
    options = UploadOptions(metadata={"team": "other"})
    await copy(ctx, world.bucket, "a.zip", world.bucket, "a.zip", options=options)
    (after,) = await asked.entries()
    assert asked.requests() == {"list_objects": 1, "head": 1}
    assert (before.metadata, after.metadata) == ({"team": "core"}, {"team": "other"})
    assert (after.size, after.etag, after.stored_size) == (len(V1), before.etag, before.stored_size)


async def test_verifying_asks_the_store(world: World) -> None:
    await world.put(world.client(), "a.zip", V1)
    asked = Asked(world)
    await asked.entries()
    asked.requests()
    with afresh(asked.ctx) as cold:
        await world.entries(cold)
    assert asked.requests() == {"list_objects": 1, "head": 1}


async def test_one_that_vanished_or_moved_on_is_asked_for(world: World) -> None:
    ctx = world.client()
    await world.put(ctx, "a.zip", V1)
    await world.put(ctx, "b.zip", V2)
    asked = Asked(world)
    asked.store.before("head", "a.zip.delta", do=lambda call: delete(ctx, world.bucket, "a.zip"))
    assert [info.key for info in await asked.entries()] == ["b.zip"]
    assert [info.key for info in await Asked(world).entries()] == ["b.zip"]


async def test_a_cache_that_is_removed_meanwhile_costs_requests_and_nothing_else(world: World) -> None:
    await world.put(world.client(), "a.zip", V1)
    asked = Asked(world)
    first = await asked.entries()
    shutil.rmtree(asked.ctx.notes.directory)
    assert await asked.entries() == first
    assert await Asked(world).entries() == first


class Bucketful:
    """A listing of so many deltas, made up as they are asked for.

    Attributes:
        lists: Pages that were asked for.
        heads: Objects that were.
    """

    identity = "https://made.up"

    def __init__(self, inner: StoredObject, count: int) -> None:
        self.inner = inner
        self.count = count
        self.lists = self.heads = 0

    async def list_objects(self, bucket: str, *_: Any, **__: Any) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        for start in range(0, self.count, 1000):
            self.lists += 1
            found = self.inner
            yield [
                ListedObject(f"{number:07}.zip.delta", found.size, found.etag, found.last_modified, found.storage_class)
                for number in range(start, min(start + 1000, self.count))
            ]

    async def head(self, bucket: str, key: str) -> StoredObject:
        self.heads += 1
        return dataclasses.replace(self.inner, bucket=bucket, key=key)


async def test_many_pages_of_deltas_cost_no_head_the_second_time(
    world: World, record_property: Any, tmp_path: Path
) -> None:
    await world.put(world.client(), "a.zip", V1)
    found = await world.store.head(world.bucket, "a.zip.delta")
    assert found.answered is not None
    store = Bucketful(dataclasses.replace(found, answered=found.answered + timedelta(seconds=OLD)), 3500)
    ctx: Context = dataclasses.replace(world.client(), store=store)  # type: ignore[arg-type]
    counted = []
    for _ in range(2):
        sizes = {info.size for info in await world.entries(ctx) if isinstance(info, ObjectInfo)}
        assert sizes == {len(V1)}
        counted.append((store.lists, store.heads))
    assert counted == [(4, 3500), (8, 3500)]
    record_property("figure", f"listing {store.count} deltas: 4 LIST and 3500 HEAD, the second time 4 LIST and 0 HEAD")


async def test_whether_an_archived_object_was_restored_is_asked_each_time(world: World) -> None:
    await world.put(world.client(), "a.zip", V1)
    found = await world.store.head(world.bucket, "a.zip.delta")
    assert found.answered is not None
    later = found.answered + timedelta(seconds=OLD)
    store = Bucketful(dataclasses.replace(found, answered=later, storage_class="GLACIER", archived=True), 1)
    ctx: Context = dataclasses.replace(world.client(), store=store)  # type: ignore[arg-type]
    for archived in (True, False):
        store.inner = dataclasses.replace(store.inner, archived=archived)
        (info,) = await world.entries(ctx)
        assert isinstance(info, ObjectInfo)
        assert (info.archived, info.storage_class, info.size) == (archived, "GLACIER", len(V1))
    assert store.heads == 2
