"""Names that are ours and names that only look so: collisions are refused before anything is overwritten."""

from __future__ import annotations

import anyio
import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.errors import InvalidInputError, ReservedKeyError
from tests.engine.test_delete import as_by_620
from tests.engine.test_references import classic
from tests.engine.world import World, noise, reference_at, revised
from tests.faults.wrapper import Gate

V1 = noise("v1")
V2 = revised(V1, "v2")


@pytest.mark.parametrize(
    "key",
    [
        ".deltaglider/x",
        "p/.deltaglider/x.zip",
        "p/.deltaglider/references/" + "0" * 64 + "/reference.bin",
        ".deltaglider/",
        reference_at("p/", V1),
    ],
)
async def test_keys_in_our_directories_are_refused(world: World, key: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    before = await world.stored()
    ctx, store = world.scripted()
    with pytest.raises(ReservedKeyError, match="Use another name"):
        await world.put(ctx, key, V2)
    assert store.calls == []
    assert await world.stored() == before


@pytest.mark.parametrize("key", [".deltaglider", "x.deltaglider/a", "p/deltaglider/a", "p/.deltaglider2/a"])
async def test_names_that_only_resemble_them_are_anybodys(world: World, ctx: Context, key: str) -> None:
    await world.put(ctx, key, b"mine")
    assert await world.get(ctx, key) == b"mine"
    assert await world.names(ctx) == [key]


async def test_an_empty_key_is_refused(world: World, ctx: Context) -> None:
    with pytest.raises(InvalidInputError, match="the key is empty"):
        await world.put(ctx, "", V1)


@pytest.mark.parametrize("place", ["", "p/"])
async def test_a_classic_reference_is_not_overwritten(world: World, ctx: Context, place: str) -> None:
    await as_by_620(world, place)
    before = await world.stored()
    with pytest.raises(ReservedKeyError, match="the reference of that directory"):
        await world.put(ctx, f"{place}reference.bin", b"mine")
    assert await world.stored() == before
    assert await world.get(ctx, f"{place}b.zip") == V2


async def test_the_delta_of_another_object_is_not_overwritten(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    before = await world.stored()
    with pytest.raises(ReservedKeyError, match="the delta of another object"):
        await world.put(ctx, "p/a.zip.delta", b"mine")
    assert await world.stored() == before


@pytest.mark.endpoints("directory", "moto")
async def test_files_of_the_users_own_with_such_names_come_back_under_them(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    files = {
        "p/reference.bin": V1,
        "p/fw.delta": V2,
        "p/a.zip.delta": b"no delta of ours",
        "p/a.zip": V1,
        "p/b.zip.delta.zip": V2,
        "reference.bin": b"at the root",
        "x.delta.delta": b"two",
    }
    for key, data in files.items():
        await world.put(ctx, key, data)
    fresh = world.client()
    assert {key: await world.get(fresh, key) for key in files} == files
    assert sorted(files) == await world.names(fresh)
    # And may be replaced.
    for key in files:
        await world.put(ctx, key, b"new")
        assert await world.get(fresh, key) == b"new"


async def test_a_delta_may_be_made_of_a_file_called_delta(world: World) -> None:
    ctx = world.client(delta_suffixes=(".delta",))
    await world.put(ctx, "p/fw.delta", V1)
    await world.put(ctx, "p/fw2.delta", V2)
    assert list(await world.stored()) == [reference_at("p/", V1), "p/fw.delta.delta", "p/fw2.delta.delta"]
    assert await world.names(ctx) == ["p/fw.delta", "p/fw2.delta"]
    assert await world.get(world.client(), "p/fw2.delta") == V2


async def test_a_reference_bin_without_a_references_metadata_may_be_replaced(world: World, ctx: Context) -> None:
    await world.put_raw("p/reference.bin", V1, {**classic(V1), "dg-note": "passthrough"})
    await world.put_raw("q/reference.bin", V1)
    for key in ("p/reference.bin", "q/reference.bin"):
        await world.put(ctx, key, V2)
        assert await world.get(ctx, key) == V2


@pytest.mark.parametrize("verb", ["upload", "copy"])
@pytest.mark.parametrize("first", ["object", "file called delta"])
async def test_an_object_and_a_file_called_as_its_delta_do_not_pass_each_other_unseen(
    world: World, first: str, verb: str
) -> None:
    """As when a dump of a bucket is synced: ``a.zip`` and ``a.zip.delta`` go up side by side, from one client."""
    await world.put(world.client(), "p/source.zip", V2)
    ctx, store = world.scripted()
    gate = Gate()

    async def put_object() -> None:
        if verb == "upload":
            await world.put(ctx, "p/a.zip", V2)
        else:
            await copy(ctx, world.bucket, "p/source.zip", world.bucket, "p/a.zip")

    async def put_file() -> None:
        try:
            await world.put(ctx, "p/a.zip.delta", b"mine")
        except ReservedKeyError:
            refused.append("p/a.zip.delta")

    refused: list[str] = []
    works = [put_object, put_file] if first == "object" else [put_file, put_object]
    store.before("put" if verb == "upload" or works[0] is put_file else "copy", "p/a.zip*", nth=1, do=gate)
    async with anyio.create_task_group() as group:
        group.start_soon(works[0])
        await gate.reached.wait()
        group.start_soon(works[1])
        await anyio.sleep(0.05)
        gate.open()
    fresh = world.client()
    assert await world.get(fresh, "p/a.zip") == V2
    if first == "object":
        assert refused == ["p/a.zip.delta"]
    else:
        assert await world.get(fresh, "p/a.zip.delta") == b"mine"
