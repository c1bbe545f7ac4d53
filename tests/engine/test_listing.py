"""Listings: what users put, under its own names, sizes and in its own order, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaglider.cache.notes import Notes
from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.inspect import head
from deltaglider.engine.listing import list_objects
from deltaglider.errors import BucketNotFoundError, NotFoundError, StoreUnavailableError
from deltaglider.layout.metadata import Description
from deltaglider.models import ObjectInfo, Prefix
from deltaglider.store.base import ListedObject, ListedPrefix, StoredObject
from tests.engine.test_delete import as_by_620
from tests.engine.test_references import classic
from tests.engine.world import World, md5, noise, reference_at, revised, sha256
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.endpoints("directory", "moto")
async def test_a_listing_shows_original_names_sizes_and_etags(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1, metadata={"team": "core"}, headers={"ContentType": "application/zip"})
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.txt", b"whole")
    await world.put(ctx, "p/fw.delta", b"mine")
    await world.put(ctx, "p/reference.bin", b"mine too")
    await world.put_raw("p/foreign", b"raw")
    entries = await world.entries(world.client())
    stored = await world.stored()
    seen = [
        (entry.key, entry.size, entry.etag, entry.is_delta, entry.stored_key, entry.stored_size)
        for entry in entries
        if isinstance(entry, ObjectInfo)
    ]
    sizes = {key: found.size for key, found in stored.items()}
    assert seen == [
        ("p/a.zip", len(V1), md5(V1), True, "p/a.zip.delta", sizes["p/a.zip.delta"]),
        ("p/b.zip", len(V2), md5(V2), True, "p/b.zip.delta", sizes["p/b.zip.delta"]),
        ("p/c.txt", 5, md5(b"whole"), False, "p/c.txt", 5),
        ("p/foreign", 3, md5(b"raw"), False, "p/foreign", 3),
        ("p/fw.delta", 4, md5(b"mine"), False, "p/fw.delta", 4),
        ("p/reference.bin", 8, md5(b"mine too"), False, "p/reference.bin", 8),
    ]
    for entry in entries:
        assert isinstance(entry, ObjectInfo)
        # What is listed has a head and can be got, and all three agree.
        found = await head(ctx, world.bucket, entry.key)
        assert (found.size, found.etag, found.last_modified, found.stored_key) == (
            entry.size,
            entry.etag,
            entry.last_modified,
            entry.stored_key,
        )
        assert len(await world.get(ctx, entry.key)) == entry.size
    first = entries[0]
    assert isinstance(first, ObjectInfo)
    assert (first.sha256, first.metadata, first.content_type) == (sha256(V1), {"team": "core"}, "application/zip")
    assert first.reference_key == reference_at("p/", V1)


@pytest.mark.endpoints("directory", "moto")
async def test_what_is_ours_is_hidden_at_every_level(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "a.zip", V1)
    await world.put(ctx, "p/q/a.zip", V1)
    await as_by_620(world, "old/")
    await world.put_raw("reference.bin", V1, classic(V1))
    await world.put_raw(".deltaglider/tmp/1234_a.zip", V1)
    await world.put_raw(".deltaglider/stats_quick.json", b"{}")
    await world.put_raw(f"p/.deltaglider/trash/{sha256(V1)}/1/reference.bin", V1)
    assert await world.names(ctx) == ["a.zip", "old/a.zip", "old/b.zip", "p/q/a.zip"]
    assert await world.names(ctx, delimiter="/") == ["a.zip", "old/", "p/"]
    assert await world.names(ctx, "p/", delimiter="/") == ["p/q/"]
    assert await world.names(ctx, "p/q/", delimiter="/") == ["p/q/a.zip"]
    assert await world.names(ctx, ".deltaglider/") == []
    assert await world.names(ctx, "old/r") == []


@pytest.mark.parametrize("newer", ["whole", "delta"])
async def test_both_forms_of_one_key_are_one_object(world: World, ctx: Context, newer: str) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("p/a.zip", b"of another tool")
    world.age("p/a.zip", -60 if newer == "whole" else 60)
    (entry,) = await world.entries(ctx)
    assert isinstance(entry, ObjectInfo)
    expected = ("p/a.zip", 15) if newer == "whole" else ("p/a.zip.delta", len(V1))
    assert (entry.key, entry.stored_key, entry.size) == ("p/a.zip", *expected)
    assert (await head(ctx, world.bucket, "p/a.zip")).stored_key == expected[0]
    assert await world.get(ctx, "p/a.zip") == (b"of another tool" if newer == "whole" else V1)


async def test_a_copy_of_a_reference_under_another_name_is_an_object_like_any(world: World, ctx: Context) -> None:
    await world.put_raw("backup/first.zip", V1, classic(V1))
    assert await world.names(ctx) == ["backup/first.zip"]
    assert (await head(ctx, world.bucket, "backup/first.zip")).size == len(V1)
    assert await world.get(ctx, "backup/first.zip") == V1
    await world.put(ctx, "backup/first.zip", V2)
    assert await world.get(ctx, "backup/first.zip") == V2


@pytest.mark.endpoints("directory", "moto")
async def test_a_missing_bucket_is_an_error_and_an_empty_one_is_not(any_world: World) -> None:
    ctx = any_world.client()
    assert await any_world.names(ctx) == []
    with pytest.raises(BucketNotFoundError):
        async for _ in list_objects(ctx, "no-such-bucket"):
            pass


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("operation", ["list_objects", "head"])
async def test_a_store_that_fails_never_makes_a_listing_end_early(world: World, operation: str, where: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.txt", b"x")
    ctx, store = world.scripted()
    getattr(store, where)(operation, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await world.names(ctx)


# What goes on while a listing is read.


async def test_a_delta_deleted_meanwhile_is_not_listed_as_a_file_of_that_name(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    ctx, store = world.scripted()
    store.before("head", "p/a.zip.delta", do=lambda call: delete(world.client(), world.bucket, "p/a.zip"))
    assert await world.names(ctx) == ["p/b.zip"]


async def test_a_classic_reference_deleted_meanwhile_is_not_listed_as_a_file(world: World) -> None:
    await world.put_raw("p/reference.bin", V1, classic(V1))
    ctx, store = world.scripted()
    store.before("head", "p/reference.bin", do=lambda call: store.inner.delete(call.bucket, call.key))
    assert await world.names(ctx) == []


async def test_an_object_that_changes_its_form_meanwhile_is_listed_all_the_same(world: World) -> None:
    """It existed at every moment: not listing it would make a sync delete it elsewhere."""
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("head", "p/a.zip.delta", do=lambda call: world.put(world.client(), "p/a.zip", V2, delta=False))
    (entry,) = await world.entries(ctx)
    assert isinstance(entry, ObjectInfo)
    assert (entry.key, entry.stored_key, entry.size) == ("p/a.zip", "p/a.zip", len(V2))

    ctx, store = world.scripted()
    store.after("list_objects", "", do=lambda call: world.put(world.client(), "p/a.zip", V1))
    assert await world.names(ctx) == ["p/a.zip"]


async def test_a_listing_that_is_given_up_lets_go_of_the_store(world: World, ctx: Context) -> None:
    for number in range(3):
        await world.put(ctx, f"{number}.txt", b"x")
    entries = list_objects(ctx, world.bucket)
    assert isinstance(await anext(entries), ObjectInfo)
    await entries.aclose()
    assert await world.names(ctx) == ["0.txt", "1.txt", "2.txt"]


# The order, against an oracle.


@dataclasses.dataclass
class Memory:
    """As much of a store as a listing needs, in pages of a few keys."""

    objects: dict[str, StoredObject]
    page_size: int
    identity: str = "made up"

    def add(self, key: str, size: int, metadata: dict[str, str], age: int) -> None:
        etag = hashlib.md5(key.encode()).hexdigest()
        modified = NOON - timedelta(seconds=age)
        self.objects[key] = StoredObject("b", key, size, etag, modified, metadata, answered=NOON + timedelta(minutes=1))

    async def head(self, bucket: str, key: str) -> StoredObject:
        await asyncio.sleep(0)
        if key not in self.objects:
            raise NotFoundError("no such object", uri=key)
        return self.objects[key]

    async def list_objects(
        self, bucket: str, prefix: str = "", *, delimiter: str = "", start_after: str = "", page_size: int = 1000
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        entries: dict[str, ListedObject | ListedPrefix] = {}
        for key in sorted(self.objects, key=str.encode):
            if not key.startswith(prefix):
                continue
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            common = key[: at + len(delimiter)] if at >= 0 else ""
            if (common or key).encode() > start_after.encode() and (common or key) not in entries:
                found = self.objects[key]
                entries[common or key] = (
                    ListedPrefix(common) if common else ListedObject(key, found.size, found.etag, found.last_modified)
                )
        listed = list(entries.values())
        for start in range(0, len(listed), self.page_size):
            yield listed[start : start + self.page_size]


def description(kind: Any, key: str, size: int, age: int) -> dict[str, str]:
    more: dict[str, Any] = {"reference_key": "r", "reference_sha256": "1" * 64} if kind == "delta" else {}
    created = NOON - timedelta(seconds=age, microseconds=1)
    return Description(
        kind=kind, sha256="0" * 64, size=size, created=created, name=key.rpartition("/")[2] or "n", tool="t", **more
    ).write()


PARTS = st.sampled_from(["a", "b", "v1", "v1.2", "v1.2.3", "a.zip", "a.zip.asc", "a-1", "a!", "é", "𝄞", "z"])
KEYS = st.builds("/".join, st.lists(PARTS, min_size=1, max_size=3))
FORMS = st.sampled_from(["whole", "delta", "both", "raw", "foreign delta", "classic", "reserved", "own reference"])


@settings(max_examples=200)
@given(
    contents=st.dictionaries(KEYS, FORMS, max_size=12),
    prefix=st.sampled_from(["", "a", "a/", "v1", "v1.", "v1.2", "a.zip", "z/z/", "é"]),
    delimiter=st.sampled_from(["", "/", "-", ".", "d", ".d", "a", "zip", "1.", "p.delta"]),
    start_after=st.sampled_from(["", "a", "a.zip", "a.zip.b", "a/", "v1", "v1.1", "v1.2.3", "é", "zz"]),
    page_size=st.integers(1, 5),
)
def test_the_order_is_that_of_the_logical_keys(
    contents: dict[str, str], prefix: str, delimiter: str, start_after: str, page_size: int
) -> None:
    memory = Memory({}, page_size)
    expected: dict[str, int] = {}
    beside: set[str] = set()
    for number, (key, form) in enumerate(contents.items()):
        size = number + 1
        directory = key.rpartition("/")[0]
        if form in ("delta", "both"):
            memory.add(f"{key}.delta", 1000 + size, description("delta", key, size, 5), 5)
            expected[key] = size
        if form in ("whole", "both"):
            # Of the two, the whole one is newer.
            memory.add(key, 500 + size, description("whole", key, 500 + size, 1), 1)
            expected[key] = 500 + size
        if form == "raw":
            memory.add(key, size, {}, 1)
            expected[key] = size
        if form == "foreign delta":
            memory.add(f"{key}.delta", size, {}, 1)
            expected[f"{key}.delta"] = size
        if form == "own reference" and f"{directory}/reference.bin" not in memory.objects:
            memory.add(f"{directory}/reference.bin", size, {}, 1)
            expected[f"{directory}/reference.bin"] = size
        if form == "classic" and f"{key}/reference.bin" not in memory.objects:
            memory.add(f"{key}/reference.bin", size, description("reference", key, size, 1), 1)
            beside.add(f"{key}/reference.bin")
        if form == "reserved":
            memory.add(f"{key}/.deltaglider/references/{'0' * 64}/reference.bin", size, {}, 1)
            beside.add(f"{key}/.deltaglider/")

    def grouped(key: str) -> str:
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        return key[: at + len(delimiter)] if at >= 0 else key

    def selected(keys: set[str]) -> set[str]:
        chosen = {grouped(key) for key in keys if key.startswith(prefix)}
        return {name for name in chosen if name.encode() > start_after.encode()}

    async def read(notes: Notes) -> list[ObjectInfo | Prefix]:
        parts = dataclasses.make_dataclass("Parts", ["store", "settings", "notes"])
        limits = dataclasses.make_dataclass("Limits", ["max_concurrent_requests", "page_size"])
        ctx: Any = parts(memory, limits(4, 1000), notes)
        found = list_objects(ctx, "b", prefix, delimiter=delimiter, start_after=start_after)
        return [entry async for entry in found]

    with TemporaryDirectory() as home, closing(Notes(Path(home) / "cache", 1 << 20)) as notes:
        entries = asyncio.run(read(notes))
        # What is remembered changes nothing.
        assert asyncio.run(read(notes)) == entries
    names = [entry.key if isinstance(entry, ObjectInfo) else entry.prefix for entry in entries]
    wanted = selected(set(expected))
    # A directory that holds nothing but what is hidden may show: only looking inside would tell.
    empty = {name for name in selected(beside) if delimiter and name.endswith(delimiter)}
    assert wanted <= set(names) <= wanted | empty
    assert names == sorted(set(names), key=str.encode)
    sizes = {entry.key: entry.size for entry in entries if isinstance(entry, ObjectInfo)}
    assert sizes == {key: expected[key] for key in sizes}


def test_a_delta_that_is_stored_late_comes_first_without_reading_all() -> None:
    """``1.delta`` is stored behind all of ``1.0.*``, but ``1`` is listed before them."""
    memory = Memory({}, 1000)
    for number in range(4_000):
        key = f"1.0.{number:04}/app.zip"
        memory.add(key, 1, {}, 1)
    memory.add("1.delta", 1000, description("delta", "1", 7, 5), 5)
    memory.add("2", 1, {}, 1)
    pages = 0
    paged = memory.list_objects

    async def counting(*arguments: Any, **options: Any) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        nonlocal pages
        async for page in paged(*arguments, **options):
            pages += 1
            yield page

    async def read() -> list[str]:
        parts = dataclasses.make_dataclass("Parts", ["store", "settings", "notes"])
        limits = dataclasses.make_dataclass("Limits", ["max_concurrent_requests", "page_size"])
        ctx: Any = parts(memory, limits(4, 1000), Notes(Path(), 0))
        found = list_objects(ctx, "b")
        first = await anext(found)
        assert isinstance(first, ObjectInfo)
        assert (first.key, first.size) == ("1", 7)
        assert pages <= 2
        return [entry.key async for entry in found if isinstance(entry, ObjectInfo)]

    memory.list_objects = counting  # type: ignore[method-assign]
    assert asyncio.run(read()) == [*(f"1.0.{number:04}/app.zip" for number in range(4_000)), "2"]
