"""Overwriting: the new form first, the old form last, and the newest wins while both are there."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.inspect import head
from deltaglider.errors import StoreUnavailableError
from tests.engine.test_delete import as_by_620
from tests.engine.world import World, noise, reference_at, revised
from tests.faults.wrapper import Call, Gate, ScriptedStore, fail

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")


@pytest.mark.endpoints("directory", "moto")
async def test_a_delta_gives_way_to_a_whole_file_and_back(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    for delta, data in ((True, V1), (False, V2), (True, V3), (True, V1), (False, V2), (False, V3)):
        await world.put(ctx, "p/a.zip", data, delta=delta)
        assert await world.get(world.client() if not world.endpoint.is_server else ctx, "p/a.zip") == data
        forms = [key for key in await world.stored() if key.startswith("p/a.zip")]
        assert forms == ["p/a.zip.delta" if delta else "p/a.zip"]
    # The reference went with the last delta.
    assert list(await world.stored()) == ["p/a.zip"]


async def test_metadata_and_headers_are_the_new_ones(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1, metadata={"a": "1"}, headers={"CacheControl": "no-cache"})
    await world.put(ctx, "p/a.zip", V2, metadata={"b": "2"})
    info = await head(ctx, world.bucket, "p/a.zip")
    assert (info.metadata, dict(info.headers)) == ({"b": "2"}, {})


@pytest.mark.parametrize("first", ["delta", "whole"])
async def test_the_old_form_goes_after_the_new_one_is_there(world: World, first: str) -> None:
    await world.put(world.client(), "p/a.zip", V1, delta=first == "delta")
    ctx, store = world.scripted()
    seen: list[bytes] = []

    async def look(call: Any) -> None:
        seen.append(await world.get(world.client(), "p/a.zip"))

    store.before("put", "p/a.zip*", do=look)
    store.before("delete", "p/a.zip*", do=look)
    store.after("delete", "p/a.zip*", do=look)
    await world.put(ctx, "p/a.zip", V2, delta=first != "delta")
    # While both forms are there, the newer one counts.
    assert seen == [V1, V2, V2]


@pytest.mark.parametrize("first", ["delta", "whole"])
async def test_a_writer_that_dies_between_the_two_leaves_the_new_one(world: World, first: str) -> None:
    await world.put(world.client(), "p/a.zip", V1, delta=first == "delta")
    ctx, store = world.scripted()
    store.before("delete", "p/a.zip*", do=fail(StoreUnavailableError("dead", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await world.put(ctx, "p/a.zip", V2, delta=first != "delta")
    assert {"p/a.zip", "p/a.zip.delta"} < set(await world.stored())
    fresh = world.client()
    assert await world.get(fresh, "p/a.zip") == V2
    assert await world.names(fresh) == ["p/a.zip"]
    # The next writer tidies up, in whatever form it writes.
    await world.put(fresh, "p/a.zip", V3)
    assert await world.get(world.client(), "p/a.zip") == V3
    assert "p/a.zip" not in await world.stored()


@pytest.mark.parametrize("first", ["delta", "whole"])
@pytest.mark.parametrize("then", ["delta", "whole"])
async def test_a_clock_that_is_behind_does_not_make_a_newer_object_older(
    world: World, ctx: Context, first: str, then: str
) -> None:
    """What is there was stored by a machine whose clock is a day ahead."""
    await world.put(ctx, "p/a.zip", V1, delta=first == "delta")
    (key,) = [key for key in await world.stored() if key.startswith("p/a.zip")]
    found = await world.store.head(world.bucket, key)
    ahead = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S.%fZ}"
    await world.put_raw(key, await world.body(key), {**found.metadata, "dg-created-at": ahead})
    scripted, store = world.scripted()
    # Even if the old form stays, the new one counts.
    store.before("delete", "p/a.zip*", do=fail(StoreUnavailableError("dead", uri="s3://b/k")))
    try:
        await world.put(scripted, "p/a.zip", V2, delta=then == "delta")
    except StoreUnavailableError:
        assert first != then
    assert await world.get(world.client(), "p/a.zip") == V2
    assert (await head(ctx, world.bucket, "p/a.zip")).size == len(V2)


async def test_the_last_delta_that_is_overwritten_takes_its_reference_along(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/a.zip", V1, delta=False)
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip", "p/b.zip.delta"]
    await world.put(ctx, "p/b.zip", b"tiny")
    assert list(await world.stored()) == ["p/a.zip", "p/b.zip"]


async def test_a_delta_of_an_earlier_tool_is_overwritten_like_any(world: World, ctx: Context) -> None:
    await as_by_620(world, "p/")
    await world.put(ctx, "p/a.zip", V3)
    await world.put(ctx, "p/b.zip", V3, delta=False)
    assert await world.get(world.client(), "p/a.zip") == V3
    assert await world.get(world.client(), "p/b.zip") == V3
    await delete(ctx, world.bucket, "p/a.zip")
    assert list(await world.stored()) == ["p/b.zip"]


async def test_a_foreign_file_newer_than_our_delta_counts(world: World, ctx: Context) -> None:
    """Another tool, which knows nothing of deltas, overwrote the object."""
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("p/a.zip", V2)
    world.age("p/a.zip", -60)
    assert await world.get(ctx, "p/a.zip") == V2
    await world.put(ctx, "p/a.zip", V3)
    assert await world.get(ctx, "p/a.zip") == V3
    assert "p/a.zip" not in await world.stored()


# Two writers of one key.


@pytest.mark.parametrize("winner", ["delta", "whole"])
async def test_a_writer_whose_form_another_removes_stores_it_again(world: World, winner: str) -> None:
    """Both forms were there. Each writer removes what it takes for the old one; the later one must survive."""
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V1)
    await world.put_raw("p/a.zip", b"old")
    ctx, store = world.scripted()
    mine = "p/a.zip.delta" if winner == "delta" else "p/a.zip"
    # The other writer's delete comes late, and hits the new form of ours.
    rule = store.after("delete", "p/a.zip*", nth=1, do=lambda call: store.inner.delete(call.bucket, mine))
    await world.put(ctx, "p/a.zip", V2, delta=winner == "delta")
    assert rule.hits == 1
    assert store.count("put", mine) == 2
    assert await world.get(world.client(), "p/a.zip") == V2


async def test_a_newer_form_that_appears_meanwhile_is_left_alone(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.after("put", "p/a.zip", nth=1, do=lambda call: world.put(world.client(), "p/a.zip", V3))
    await world.put(ctx, "p/a.zip", V2, delta=False)
    assert await world.get(world.client(), "p/a.zip") == V3


@pytest.mark.parametrize("delta", [True, False])
async def test_what_came_since_one_looked_is_another_writers(world: World, delta: bool) -> None:
    """Only the very form that was seen goes, were the new one older by its clock."""
    await world.put(world.client(), "p/b.zip", V1)
    await world.put(world.client(), "p/a.zip", V1, delta=not delta)
    ctx, store = world.scripted()
    mine, other = ("p/a.zip.delta", "p/a.zip") if delta else ("p/a.zip", "p/a.zip.delta")

    async def late(call: Call) -> None:
        await world.put(world.client(), "p/a.zip", V3, delta=not delta)

    store.before("put", mine, do=late)
    await world.put(ctx, "p/a.zip", V2, delta=delta)
    assert {mine, other} <= set(await world.stored())
    assert await world.get(world.client(), "p/a.zip") in (V2, V3)
    # The next writer finds both, and puts it in order.
    await world.put(world.client(), "p/a.zip", V1, delta=delta)
    assert other not in await world.stored()
    assert await world.get(world.client(), "p/a.zip") == V1


async def test_a_form_replaced_between_the_last_look_and_the_delete_stays(world: World) -> None:
    await world.put(world.client(), "p/b.zip", V1)
    await world.put(world.client(), "p/a.zip", V1, delta=False)
    ctx, store = world.scripted()
    rule = store.before("delete", "p/a.zip", do=lambda call: world.put_raw("p/a.zip", V3))
    await world.put(ctx, "p/a.zip", V2)
    assert rule.hits == 1
    assert await world.body("p/a.zip") == V3


async def test_a_writer_that_dies_before_confirming_leaves_what_was_there(world: World) -> None:
    """Its reference was retired since it last used it, and nothing was acknowledged: the old file must still be had."""
    ctx, store = world.scripted()
    await world.put(ctx, "p/b.zip", V1)
    await delete(world.client(), world.bucket, "p/b.zip")
    await world.put(world.client(), "p/a.zip", V1, delta=False)
    store.after("head", "*/reference.bin", nth=1, do=lambda call: store.inner.delete(call.bucket, call.key))
    store.after("put", "p/a.zip.delta", do=die)
    with pytest.raises(Died):
        await world.put(ctx, "p/a.zip", V2)
    assert "p/a.zip.delta" in await world.stored()
    assert await world.get(world.client(), "p/a.zip") == V1


async def test_a_writer_puts_its_reference_back_before_it_replaces_a_delta(world: World) -> None:
    ctx, store = world.scripted()
    await world.put(ctx, "p/b.zip", V1)
    await delete(world.client(), world.bucket, "p/b.zip")
    await world.put(world.client(), "p/a.zip", V3)
    store.after("put", "p/a.zip.delta", do=die)
    with pytest.raises(Died):
        await world.put(ctx, "p/a.zip", V2)
    assert await world.get(world.client(), "p/a.zip") == V2


class Died(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def die(call: Call) -> None:
    raise Died


async def test_many_writers_of_one_key_leave_one_of_their_files(world: World) -> None:
    clients = [world.client() for _ in range(3)]
    files = [revised(V1, number) for number in range(9)]
    async with anyio.create_task_group() as group:
        for number, data in enumerate(files):

            async def write(number: int = number, data: bytes = data) -> None:
                await world.put(clients[number % 3], "p/a.zip", data, delta=number % 2 == 0)

            group.start_soon(write)
    assert await world.get(world.client(), "p/a.zip") in files
    assert await world.names(world.client()) == ["p/a.zip"]


@pytest.mark.parametrize("before", ["delta", "whole"])
async def test_a_reader_between_the_old_form_and_the_new_one_finds_the_object(world: World, before: str) -> None:
    """It learns that there is no object of the one form, then a writer changes the form, then it asks for the other."""
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1, delta=before == "delta")
    reader = world.client()
    held, asked = ("p/a.zip.delta", "p/a.zip") if before == "delta" else ("p/a.zip", "p/a.zip.delta")
    gate, answered = Gate(), anyio.Event()

    class Telling(ScriptedStore):
        async def head(self, bucket: str, key: str) -> Any:
            try:
                return await super().head(bucket, key)
            finally:
                if key == asked:
                    answered.set()

    store = Telling(reader.store)
    store.before("head", held, nth=1, do=gate)
    found: list[bytes] = []

    async def read() -> None:
        found.append(await world.get(dataclasses.replace(reader, store=store), "p/a.zip"))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await answered.wait()
        await gate.reached.wait()
        await world.put(ctx, "p/a.zip", V2, delta=before != "delta")
        gate.open()
    assert found == [V2]
