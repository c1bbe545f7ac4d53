"""What is stored and saved, exactly or by estimate; and the figures that are kept until anything changes."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import Counter

import pytest

from deltaglider.client.aio import AsyncDeltaGliderClient
from deltaglider.engine import tally
from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.doctor import Survey, survey
from deltaglider.engine.stats import stats
from deltaglider.errors import AccessDeniedError, InvalidInputError
from deltaglider.layout.keys import statistics_key
from deltaglider.models import StatsMode
from tests.engine.world import World, noise, revised
from tests.faults.wrapper import fail

V1 = noise("v1")
KEPT = statistics_key("", "detailed")


async def fill(world: World, spaces: int = 2, versions: int = 6) -> int:
    """Stores a number of versions in each of some deltaspaces, of different sizes, and a note; gives all bytes."""
    ctx, total = world.client(), 4
    await world.put(ctx, "note.txt", b"note")
    for space in range(spaces):
        base = noise(space)
        for version in range(versions):
            data = base + noise(version, 20 * version**2 * (space + 1))
            await world.put(ctx, f"s{space}/v{version}/app.zip", data)
            total += len(data)
    return total


def asked(ctx: Context) -> Counter[str]:
    return Counter(call.operation for call in ctx.store.calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["quick", "sampled", "detailed"])
async def test_what_is_stored_is_exact_in_every_mode(world: World, mode: StatsMode) -> None:
    total = await fill(world)
    stored = sum(one.size for one in (await world.stored()).values())
    ctx, store = world.scripted()
    found = await stats(ctx, world.bucket, mode=mode)
    assert (found.object_count, found.delta_objects, found.direct_objects) == (13, 12, 1)
    assert (found.compressed_size, found.reference_objects, found.mode) == (stored, 2, mode)
    heads = sum(call.operation == "head" for call in store.calls)
    if mode == "detailed":
        assert (found.total_size, found.estimated, heads) == (total, False, 12)
    else:
        assert found.estimated
        assert found.total_size != total
        assert abs(found.total_size - total) < total / 50
        assert heads == (0 if mode == "quick" else 2 * tally.SAMPLES)


async def test_a_sample_of_all_there_is_is_exact(world: World) -> None:
    total = await fill(world, spaces=3, versions=tally.SAMPLES)
    found = await stats(world.client(), world.bucket, mode="sampled")
    assert (found.total_size, found.estimated) == (total, False)
    assert dataclasses.replace(found, mode="detailed") == await stats(world.client(), world.bucket)


async def test_what_this_machine_remembers_is_not_estimated(world: World) -> None:
    total = await fill(world)
    for key in await world.stored():
        world.age(key, 60)
    ctx = world.client()
    await stats(ctx, world.bucket, use_cache=False)
    found = await stats(ctx, world.bucket, mode="quick", use_cache=False)
    assert (found.total_size, found.estimated, found.cached) == (total, False, False)


async def test_files_of_the_users_own_that_look_like_ours(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put_raw("q/fw.delta", b"a patch")
    await world.put_raw("q/reference.bin", b"a manual")
    await world.put_raw(".deltaglider/tmp/1_a.zip", b"temporary")
    exact = await stats(world.client(), world.bucket)
    assert (exact.object_count, exact.delta_objects, exact.total_size) == (3, 1, len(V1) + 15)
    sampled = await stats(world.client(), world.bucket, mode="sampled", use_cache=False)
    assert dataclasses.replace(sampled, mode="detailed") == exact


async def test_of_a_prefix_inside_a_deltaspace_the_sizes_are_those_of_the_rest(world: World) -> None:
    total = await fill(world, spaces=1)
    found = await stats(world.client(), world.bucket, "s0/v1/", mode="quick")
    assert (found.object_count, found.reference_objects, found.estimated) == (1, 0, True)
    assert 0 < found.total_size < total


@pytest.mark.endpoints("directory", "moto")
async def test_figures_are_counted_once_and_then_cost_a_listing(any_world: World) -> None:
    world = any_world
    await fill(world)
    first = await stats(world.client(), world.bucket)
    assert not first.cached
    modes: tuple[StatsMode, ...] = ("detailed", "sampled", "quick")
    for mode in modes:
        ctx, _ = world.scripted()
        again = await stats(ctx, world.bucket, mode=mode)
        assert (again, again.cached) == (first, True)
        assert asked(ctx) <= Counter({"open": 2, "list_objects": 1})


@pytest.mark.parametrize("change", ["add", "overwrite", "delete", "same size", "whole"])
async def test_figures_never_outlive_a_change(world: World, change: str) -> None:
    await fill(world)
    ctx = world.client()
    before = await stats(ctx, world.bucket)
    if change == "add":
        await world.put(ctx, "s0/v9/app.zip", revised(noise(0), "more"))
    elif change == "overwrite":
        await world.put(ctx, "s0/v3/app.zip", noise(0) + b"another ending")
    elif change == "delete":
        await delete(ctx, world.bucket, "s0/v3/app.zip")
    elif change == "whole":
        await world.put_raw("other.txt", b"by another tool")
    else:
        await world.put_raw("note.txt", b"NOTE")
    for mode in ("detailed", "sampled", "quick"):
        after = await stats(world.client(), world.bucket, mode=mode, use_cache=True)  # type: ignore[arg-type]
        if mode == "detailed":
            assert not after.cached
            assert after == await stats(world.client(), world.bucket, use_cache=False)
            assert (after == before) == (change == "same size")


async def test_what_is_kept_is_no_part_of_the_figures(world: World) -> None:
    await fill(world)
    before = await stats(world.client(), world.bucket, use_cache=False)
    forged = {"version": "1.0", "mode": "detailed", "stats": {"object_count": 99}}
    for mode in ("quick", "sampled", "detailed"):
        await world.put_raw(f".deltaglider/stats_{mode}.json", json.dumps(forged).encode())
    modes: tuple[StatsMode, ...] = ("sampled", "detailed")
    for mode in modes:
        await stats(world.client(), world.bucket, mode=mode, refresh=True)
    assert KEPT in await world.stored()
    assert await stats(world.client(), world.bucket, use_cache=False) == before
    assert await world.names(world.client(), "") == [
        "note.txt",
        *sorted(f"s{s}/v{v}/app.zip" for s in (0, 1) for v in range(6)),
    ]
    assert [finding async for finding in survey(world.client(), world.bucket, "", Survey())] == []


@pytest.mark.parametrize("damage", ["garbage", "other place", "other format", "wrong types", "far too long"])
async def test_what_is_not_ours_is_not_taken(world: World, damage: str) -> None:
    await fill(world)
    right = await stats(world.client(), world.bucket)
    content = json.loads(await world.body(KEPT))
    if damage == "other place":
        content["figures"]["prefix"] = "p/"
    elif damage == "other format":
        content["format"] = 2
    elif damage == "wrong types":
        content["figures"]["total_size"] = "12"
    text = b"\xff{" if damage == "garbage" else json.dumps(content).encode()
    await world.put_raw(KEPT, b" " * 70_000 + text if damage == "far too long" else text)
    assert await stats(world.client(), world.bucket) == right


async def test_refresh_counts_anew_and_no_cache_leaves_no_trace(world: World) -> None:
    await fill(world)
    right = await stats(world.client(), world.bucket, use_cache=False)
    assert KEPT not in await world.stored()
    await stats(world.client(), world.bucket)
    content = json.loads(await world.body(KEPT))
    content["figures"]["total_size"] += 1
    await world.put_raw(KEPT, json.dumps(content).encode())
    assert (await stats(world.client(), world.bucket)).total_size == right.total_size + 1
    ctx, store = world.scripted()
    assert await stats(ctx, world.bucket, use_cache=False) == right
    assert not {call.operation for call in store.calls} & {"open", "put"}
    assert await stats(world.client(), world.bucket, refresh=True) == right
    again = await stats(world.client(), world.bucket)
    assert (again, again.cached) == (right, True)


async def test_who_may_only_read_gets_figures_and_hears_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await fill(world)
    ctx, store = world.scripted()
    for operation in ("put", "open"):
        store.before(operation, "*", do=fail(AccessDeniedError("denied", status=403)))
    with caplog.at_level(logging.INFO, "deltaglider"):
        assert (await stats(ctx, world.bucket)).object_count == 13
    assert caplog.records == []


async def test_where_there_is_no_delta_nothing_is_kept(world: World, ctx: Context) -> None:
    await world.put(ctx, "note.txt", b"note")
    await stats(ctx, world.bucket)
    assert list(await world.stored()) == ["note.txt"]


async def test_an_unknown_mode(world: World, ctx: Context) -> None:
    with pytest.raises(InvalidInputError, match="exact"):
        await stats(ctx, world.bucket, mode="exact")  # type: ignore[arg-type]


@pytest.mark.endpoints("directory", "moto")
async def test_a_bucket_with_nothing_but_figures_is_empty(any_world: World) -> None:
    world = any_world
    await world.put(world.client(), "p/a.zip", V1)
    async with AsyncDeltaGliderClient(world.client().settings) as client:
        await client.stats(world.bucket)
        await client.delete(f"s3://{world.bucket}/p/a.zip")
        assert list(await world.stored()) == [KEPT]
        await client.remove_bucket(world.bucket)
    assert not await world.store.bucket_exists(world.bucket)
