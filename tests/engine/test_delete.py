"""Deletes: both forms go, references follow the last delta that needs them, and nothing else does."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.retire import Retirement, _has_delta, retire
from deltaglider.errors import NotFoundError, ReservedKeyError, StoreUnavailableError
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.models import DeleteSummary
from deltaglider.store.base import ListedObject, ListedPrefix
from tests.engine.test_references import classic, only_references
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.faults.wrapper import ScriptedStore, fail

V1 = noise("v1")
V2 = revised(V1, "v2")


@pytest.mark.endpoints("directory", "moto")
async def test_the_last_delta_takes_its_reference_along(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/note.txt", b"whole")
    assert await delete(ctx, world.bucket, "p/a.zip") == DeleteSummary(world.bucket, "p/a.zip", True, True)
    assert list(await world.stored()) == [reference_at("p/", V1), "p/b.zip.delta", "p/note.txt"]
    assert await world.get(world.client(), "p/b.zip") == V2
    await delete(ctx, world.bucket, "p/b.zip")
    assert list(await world.stored()) == ["p/note.txt"]
    assert await delete(ctx, world.bucket, "p/note.txt") == DeleteSummary(world.bucket, "p/note.txt", True, False)
    assert await world.stored() == {}
    with pytest.raises(NotFoundError):
        await world.get(ctx, "p/b.zip")
    # The next first file starts afresh, with the same client.
    assert (await world.put(ctx, "p/c.zip", V2)).operation == "create_reference"
    assert await world.get(world.client(), "p/c.zip") == V2


@pytest.mark.endpoints("directory", "moto")
async def test_deleting_what_is_absent_is_success(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    for key in ("p/a.zip", "p/a.zip.delta", "p/", "nothing"):
        assert await delete(ctx, world.bucket, key) == DeleteSummary(world.bucket, key, False, False)


async def test_both_forms_go(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("p/a.zip", b"of another tool")
    assert (await delete(ctx, world.bucket, "p/a.zip")).deleted
    assert await world.stored() == {}


@pytest.mark.parametrize("survivor", ["whole", "delta"])
async def test_whoever_dies_between_the_two_leaves_the_newer_one(world: World, survivor: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put_raw("p/a.zip", b"of another tool")
    world.age("p/a.zip", -60 if survivor == "whole" else 60)
    ctx, store = world.scripted()
    store.before("delete", "p/a.zip*", nth=2, do=fail(StoreUnavailableError("dead", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await delete(ctx, world.bucket, "p/a.zip")
    assert await world.get(world.client(), "p/a.zip") == (b"of another tool" if survivor == "whole" else V1)


async def test_what_is_ours_is_not_deleted_by_its_name(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("q/reference.bin", V1, classic(V1))
    before = await world.stored()
    for key in (reference_at("p/", V1), "q/reference.bin", ".deltaglider/tmp/x", "p/.deltaglider/trash/x"):
        with pytest.raises(ReservedKeyError):
            await delete(ctx, world.bucket, key)
    assert not (await delete(ctx, world.bucket, "p/a.zip.delta")).deleted
    assert await world.stored() == before


async def test_a_users_own_reference_bin_and_delta_are_deleted_like_any_file(world: World, ctx: Context) -> None:
    for key in ("p/reference.bin", "p/fw.delta"):
        await world.put(ctx, key, V1)
        assert (await delete(ctx, world.bucket, key)).deleted
    assert await world.stored() == {}


async def test_a_reference_waits_for_the_last_version_directory(world: World, ctx: Context) -> None:
    keys = ["r/v1/a.zip", "r/v2/a.zip", "r/v3/x86_64/a.zip", "r/build-7/v4/a.zip", "r/a.zip"]
    for number, key in enumerate(keys):
        await world.put(ctx, key, revised(V1, number))
    # x86_64 is a thing, not a version: it has a reference of its own.
    own = reference_at("r/v3/x86_64/", revised(V1, 2))
    shared = reference_at("r/", revised(V1, 0))
    for key in ("r/a.zip", "r/v1/a.zip", "r/v2/a.zip"):
        await delete(ctx, world.bucket, key)
        assert await only_references(world) == [shared, own]
    await delete(ctx, world.bucket, "r/build-7/v4/a.zip")
    assert await only_references(world) == [own]
    assert await world.get(world.client(), "r/v3/x86_64/a.zip") == revised(V1, 2)


async def test_nested_and_sibling_prefixes_are_untouched(world: World, ctx: Context) -> None:
    places = ["", "rl/", "rl2/", "rl/sub/", "rl-old/", "r/"]
    for place in places:
        await world.put(ctx, f"{place}a.zip", V1)
    for place in places:
        await delete(ctx, world.bucket, f"{place}a.zip")
        left = [other for other in places if places.index(other) > places.index(place)]
        assert await only_references(world) == sorted(reference_at(other, V1) for other in left)
        for other in left:
            assert await world.get(world.client(), f"{other}a.zip") == V1


KEYS = st.lists(
    st.sampled_from(
        [
            *("v1", "v2.0", "1.2.3-rc1", "2026-11-22", "build-7", "latest", "0a1b2c3"),
            *("nginx", "nginx-1.26.1", "nginx_v2", "app", "app-2.0", "x86_64", "releases"),
        ]
    ),
    max_size=4,
).map(lambda parts: "/".join([*parts, "a.zip"]))


@hypothesis.given(KEYS, st.sampled_from(["versioned", "directory"]))
@hypothesis.settings(max_examples=150)
def test_whatever_shares_a_reference_keeps_it(key: str, mode: Any) -> None:
    """The rule that puts a key into a deltaspace and the rule that looks whether one is empty agree."""

    class Listing:
        """A store with one delta in it, enough for listing."""

        async def list_objects(self, bucket: str, prefix: str = "", *, delimiter: str = "") -> Any:
            stored = f"{key}.delta"
            if stored.startswith(prefix):
                head, slash, _ = stored[len(prefix) :].partition("/")
                nested = ListedPrefix(prefix + head + slash)
                yield [nested if slash else ListedObject(stored, 1, "", datetime.now(UTC))]

    class Parts:
        store = Listing()

    assert asyncio.run(_has_delta(Parts(), "bucket", deltaspace_of(key, mode)))  # type: ignore[arg-type]


async def test_deltas_in_a_directory_named_after_its_parent_keep_their_reference(world: World, ctx: Context) -> None:
    await world.put(ctx, "nginx/nginx-1.26.1/a.zip", V1)
    await world.put(ctx, "nginx/nginx-1.27.0/a.zip", V2)
    assert await only_references(world) == [reference_at("nginx/", V1)]
    await delete(ctx, world.bucket, "nginx/nginx-1.26.1/a.zip")
    assert await world.get(world.client(), "nginx/nginx-1.27.0/a.zip") == V2


async def test_bulk_deletes_look_once_per_deltaspace_at_the_end(world: World) -> None:
    for place in ("p/", "q/"):
        for number in range(3):
            await world.put(world.client(), f"{place}{number}.zip", revised(V1, number))
    ctx, store = world.scripted()
    retirement = Retirement()
    for place in ("p/", "q/"):
        for number in range(3 if place == "p/" else 2):
            await delete(ctx, world.bucket, f"{place}{number}.zip", retirement=retirement)
    assert store.count("list_objects") == 0
    assert await only_references(world) == [reference_at("p/", revised(V1, 0)), reference_at("q/", revised(V1, 0))]
    await retirement.finish(ctx)
    assert store.count("list_objects", "*references/") == 1
    assert list(await world.stored()) == [reference_at("q/", revised(V1, 0)), "q/2.zip.delta"]
    assert retirement.spaces == {}
    assert await world.get(world.client(), "q/2.zip") == revised(V1, 2)


async def test_a_retirement_that_fails_can_be_finished_later(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("list_objects", "p/", nth=1, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    retirement = Retirement()
    await delete(ctx, world.bucket, "p/a.zip", retirement=retirement)
    with pytest.raises(StoreUnavailableError):
        await retirement.finish(ctx)
    await retirement.finish(ctx)
    assert await world.stored() == {}


async def test_a_reference_that_cannot_be_removed_does_not_fail_the_delete(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("delete", "*reference.bin", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with caplog.at_level(logging.WARNING, "deltaglider"):
        assert (await delete(ctx, world.bucket, "p/a.zip")).deleted
    assert "references that nothing needs may be left" in caplog.text
    assert "p/a.zip.delta" not in await world.stored()


def delta_of_620(data: bytes, name: str, reference_key: str, reference: bytes, size: int) -> dict[str, str]:
    return {
        "dg-tool": "deltaglider/6.2.0",
        "dg-original-name": name,
        "dg-file-sha256": sha256(data),
        "dg-file-size": str(len(data)),
        "dg-created-at": "2025-01-02T03:04:05.678901Z",
        "dg-ref-key": reference_key,
        "dg-ref-sha256": sha256(reference),
        "dg-delta-size": str(size),
        "dg-delta-cmd": f"xdelta3 -e -9 -s reference.bin {name} {name}.delta",
    }


async def as_by_620(world: World, place: str, *, proxy: bool = False) -> None:
    """Two deltas and their classic reference, as an earlier tool left them (the bytes are made by ours)."""
    ctx = world.client(deltaspace="directory")
    await world.put(ctx, f"{place}a.zip", V1)
    await world.put(ctx, f"{place}b.zip", V2)
    await world.put_raw(f"{place}reference.bin", V1, classic(V1))
    for name, data in (("a.zip", V1), ("b.zip", V2)):
        delta = await world.body(f"{place}{name}.delta")
        metadata = delta_of_620(data, name, f"{place}reference.bin", V1, len(delta))
        if proxy:
            del metadata["dg-ref-key"]
            metadata |= {"dg-tool": "deltaglider_proxy/1.0", "dg-ref-path": "reference.bin", "dg-note": "delta"}
        await world.put_raw(f"{place}{name}.delta", delta, metadata)
    await world.store.delete(world.bucket, reference_at(place, V1))


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("place", ["", "p/", "p/v1/"])
async def test_a_classic_reference_goes_with_the_last_delta(world: World, place: str, proxy: bool) -> None:
    await as_by_620(world, place, proxy=proxy)
    ctx = world.client()
    await world.put_raw("other/reference.bin", V1, classic(V1))
    await delete(ctx, world.bucket, f"{place}a.zip")
    assert f"{place}reference.bin" in await world.stored()
    assert await world.get(world.client(), f"{place}b.zip") == V2
    await delete(ctx, world.bucket, f"{place}b.zip")
    assert list(await world.stored()) == ["other/reference.bin"]


async def test_our_deltas_beside_a_classic_reference_do_not_need_it(world: World) -> None:
    await as_by_620(world, "p/")
    ctx = world.client()
    await world.put(ctx, "p/c.zip", revised(V1, "v3"))
    for name in ("a", "b", "c"):
        await delete(ctx, world.bucket, f"p/{name}.zip")
    assert await world.stored() == {}


async def test_a_foreign_file_called_delta_keeps_references(world: World, ctx: Context) -> None:
    """A mistake this way costs the space of a reference; the other way it would cost data."""
    await world.put(ctx, "p/fw.delta", b"mine")
    await world.put(ctx, "p/a.zip", V1)
    await delete(ctx, world.bucket, "p/a.zip")
    assert list(await world.stored()) == [reference_at("p/", V1), "p/fw.delta"]
    await delete(ctx, world.bucket, "p/fw.delta")
    assert await world.stored() == {}


# Retiring and uploading at the same time: what each finds when the other was in between.


async def test_a_delta_that_appears_while_references_retire_brings_them_back(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    other = world.client()
    reference = reference_at("p/", V1)

    async def appear(call: Any) -> None:
        # Its confirmation comes before the deleter's delete; so the deleter has to notice.
        await world.put(other, "p/b.zip", V2)
        assert reference in await world.stored()

    rule = store.before("delete", reference, do=appear)
    await delete(ctx, world.bucket, "p/a.zip")
    assert rule.hits == 1
    assert list(await world.stored()) == [reference, "p/b.zip.delta"]
    assert await world.get(world.client(), "p/b.zip") == V2


class LateListings(ScriptedStore):
    """A store whose listings show what was there when it was made."""

    def __init__(self, inner: Any, shown: set[str]) -> None:
        super().__init__(inner)
        self.shown = shown

    async def list_objects(self, bucket: str, prefix: str = "", **options: Any) -> Any:
        async for page in super().list_objects(bucket, prefix, **options):
            shown = [entry for entry in page if isinstance(entry, ListedPrefix) or entry.key in self.shown]
            if shown:
                yield shown


async def test_a_listing_that_may_be_late_is_not_believed(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The delta that appeared is not listed yet. Its writer has confirmed it, and only the deleter can save it."""
    monkeypatch.setattr("deltaglider.engine.retire._PATIENCE", (0.0, 0.0))
    await world.put(world.client(), "p/a.zip", V1)
    reference = reference_at("p/", V1)
    ctx = world.client()
    store = LateListings(ctx.store, shown={reference})
    ctx = dataclasses.replace(ctx, store=store)
    rule = store.before("delete", reference, do=lambda call: world.put(world.client(), "p/b.zip", V2))
    await delete(ctx, world.bucket, "p/a.zip")
    assert rule.hits == 1
    assert "listings of" in caplog.text
    assert list(await world.stored()) == [reference, "p/b.zip.delta"]
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_a_reader_finds_the_reference_in_the_trash_while_it_retires(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    ctx, store = world.scripted()
    read = []

    async def look(call: Any) -> None:
        read.append(await world.get(world.client(), "p/b.zip"))

    # As if the listing had come before the delta: the first look finds none.
    hide_deltas_once(store)
    rule = store.after("delete", reference_at("p/", V1), do=look)
    assert await retire(ctx, world.bucket, "p/") is False
    assert rule.hits == 1
    assert read == [V2]
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta", "p/b.zip.delta"]


def hide_deltas_once(store: ScriptedStore) -> None:
    listing = store.inner.list_objects
    calls = []

    async def first_empty(bucket: str, prefix: str = "", **options: Any) -> Any:
        calls.append(prefix)
        async for page in listing(bucket, prefix, **options):
            if len(calls) > 1:
                yield page

    store.inner.list_objects = first_empty


async def test_a_deleter_that_dies_leaves_the_reference_where_readers_find_it(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    ctx, store = world.scripted()
    hide_deltas_once(store)
    store.after("delete", reference_at("p/", V1), do=fail(StoreUnavailableError("dead", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await retire(ctx, world.bucket, "p/")
    (left,) = await only_references(world)
    assert left.startswith(f"p/.deltaglider/trash/{sha256(V1)}/")
    assert await world.get(world.client(), "p/b.zip") == V2
    # A client that adds a file meanwhile makes a reference of its own, and all goes on.
    await world.put(world.client(), "p/c.zip", V1)
    assert await world.get(world.client(), "p/a.zip") == V1


async def test_two_deleters_at_once_are_as_good_as_one(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    rule = store.before("copy", "*trash*", nth=1, do=lambda call: retire(other, world.bucket, "p/"))
    other = world.client()
    await world.store.delete(world.bucket, "p/a.zip.delta")
    assert await retire(ctx, world.bucket, "p/") is True
    assert rule.hits == 1
    assert await world.stored() == {}


async def test_two_deleters_and_a_delta_that_appears_lose_nothing(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    other = world.client()

    async def meddle(call: Any) -> None:
        assert await retire(other, world.bucket, "p/") is True
        await world.put(other, "p/b.zip", V2)

    store.before("copy", "*trash*", nth=1, do=meddle)
    await world.store.delete(world.bucket, "p/a.zip.delta")
    assert await retire(ctx, world.bucket, "p/") is False
    assert list(await world.stored()) == [reference_at("p/", V2), "p/b.zip.delta"]
    assert await world.get(world.client(), "p/b.zip") == V2
