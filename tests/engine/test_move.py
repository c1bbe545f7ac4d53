"""Moves: the source goes once the target is proven to be there, and whatever fails on the way, the file is not lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.inspect import head
from deltaglider.engine.listing import list_objects
from deltaglider.engine.move import move_across, move_down, move_up
from deltaglider.engine.retire import Retirement
from deltaglider.errors import InvalidInputError, LocalFileError, NotFoundError, SourceRemainsError
from deltaglider.models import ObjectInfo
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.faults.wrapper import Call, fail

V1 = noise("v1")
V2 = revised(V1, "v2")


@pytest.mark.endpoints("directory", "moto")
async def test_up_across_and_down(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    source = world.file(V2, "b.zip")
    up = await move_up(ctx, source, world.bucket, "p/b.zip")
    assert (up.operation, up.sha256, source.exists()) == ("create_delta", sha256(V2), False)

    across = await move_across(ctx, world.bucket, "p/b.zip", world.bucket, "p/c.zip")
    assert (across.is_delta, across.key) == (True, "p/c.zip")
    assert await world.names(ctx) == ["p/a.zip", "p/c.zip"]

    target = world.place()
    down = await move_down(ctx, world.bucket, "p/c.zip", target, keep_mtime=True)
    assert (target.read_bytes(), down.path) == (V2, str(target))
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta"]


async def test_the_last_delta_takes_its_reference_along(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await move_across(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert list(await world.stored()) == [reference_at("q/", V1), "q/a.zip.delta"]
    await move_down(ctx, world.bucket, "q/a.zip", world.place())
    assert await world.stored() == {}


async def test_in_bulk_references_are_looked_at_once_a_deltaspace(world: World) -> None:
    ctx, store = world.scripted()
    for number in range(3):
        await world.put(ctx, f"p/{number}.zip", revised(V1, number))
    retirement = Retirement()
    for info in [entry async for entry in list_objects(ctx, world.bucket)]:
        assert isinstance(info, ObjectInfo)
        await move_across(
            ctx, world.bucket, info.key, world.bucket, info.key.replace("p/", "q/"), info=info, retirement=retirement
        )
        assert store.count("delete", "*/references/*") == 0
    await retirement.finish(ctx)
    assert store.count("delete", "*/references/*") == 1
    assert [key for key in await world.stored() if key.startswith("p/")] == []
    for number in range(3):
        assert await world.get(world.client(), f"q/{number}.zip") == revised(V1, number)


async def test_onto_itself_nothing_moves(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    with pytest.raises(InvalidInputError, match="same object"):
        await move_across(ctx, world.bucket, "p/a.zip", world.bucket, "p/a.zip")
    assert await world.get(ctx, "p/a.zip") == V1


async def test_what_is_not_there_cannot_move(world: World, ctx: Context) -> None:
    with pytest.raises(NotFoundError):
        await move_down(ctx, world.bucket, "nothing", world.place())
    with pytest.raises(NotFoundError):
        await move_across(ctx, world.bucket, "nothing", world.bucket, "else")
    with pytest.raises(LocalFileError):
        await move_up(ctx, Path("no/such/file"), world.bucket, "else")


async def test_a_file_that_changes_meanwhile_stays(world: World) -> None:
    ctx, store = world.scripted()
    source = world.file(V1)
    store.after("put", "*.delta", do=lambda call: source.write_bytes(V2))
    with pytest.raises(SourceRemainsError, match=r"s3://.*/p/a\.zip is complete, but .* changed while it was moved"):
        await move_up(ctx, source, world.bucket, "p/a.zip")
    assert source.read_bytes() == V2
    assert await world.get(ctx, "p/a.zip") == V1


async def test_an_object_that_is_replaced_meanwhile_stays(world: World) -> None:
    ctx, store = world.scripted()
    await world.put(ctx, "p/a.zip", V1)
    other = world.client()

    async def replace(call: Call) -> None:
        await world.put(other, "p/a.zip", V2)

    store.after("copy", "q/a.zip.delta", do=replace)
    with pytest.raises(SourceRemainsError, match="it was replaced meanwhile"):
        await move_across(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert (await world.get(other, "p/a.zip"), await world.get(other, "q/a.zip")) == (V2, V1)


async def test_an_object_that_was_replaced_since_it_was_listed_stays(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.txt", b"first")
    seen = await head(ctx, world.bucket, "a.txt")
    await world.put(ctx, "a.txt", b"second")
    target = world.place()
    with pytest.raises(SourceRemainsError):
        await move_down(ctx, world.bucket, "a.txt", target, info=seen)
    assert target.read_bytes() == await world.get(ctx, "a.txt") == b"second"


async def test_a_target_that_another_replaced_proves_nothing(world: World) -> None:
    ctx, store = world.scripted()
    other = world.client()

    async def replace(call: Call) -> None:
        await world.put(other, "p/a.txt", b"of another")

    source = world.file(b"mine")
    store.after("put", "p/a.txt", do=replace)
    with pytest.raises(SourceRemainsError, match="another file was stored there"):
        await move_up(ctx, source, world.bucket, "p/a.txt")
    assert source.read_bytes() == b"mine"


async def test_what_cannot_be_deleted_is_told_with_what_remains(world: World) -> None:
    ctx, store = world.scripted()
    await world.put(ctx, "a.txt", b"content")
    store.before("delete", "a.txt", do=fail(LocalFileError("the disk is tired")))
    target = world.place()
    with pytest.raises(SourceRemainsError) as caught:
        await move_down(ctx, world.bucket, "a.txt", target)
    assert str(caught.value) == (
        f"s3://{world.bucket}/a.txt: {target} is complete, but the source remains: the disk is tired. "
        "Compare them, and remove the source yourself"
    )
    assert target.read_bytes() == await world.get(ctx, "a.txt") == b"content"


async def test_nothing_is_deleted_if_the_target_fails(world: World) -> None:
    ctx, store = world.scripted()
    await world.put(ctx, "p/a.zip", V1)
    source = world.file(V2)
    store.before("put", do=fail(LocalFileError("no")))
    store.before("copy", do=fail(LocalFileError("no")))
    with pytest.raises(LocalFileError):
        await move_up(ctx, source, world.bucket, "p/b.zip")
    with pytest.raises(LocalFileError):
        await move_across(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    blocked = world.place()
    blocked.mkdir()
    with pytest.raises(LocalFileError):
        await move_down(ctx, world.bucket, "p/a.zip", blocked)
    assert source.read_bytes() == V2
    assert await world.get(ctx, "p/a.zip") == V1


async def test_a_pipe_keeps_nothing_so_its_source_stays(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.txt", b"content")
    with pytest.raises(SourceRemainsError):
        await move_down(ctx, world.bucket, "a.txt", Path(os.devnull))
    assert await world.get(ctx, "a.txt") == b"content"


async def test_of_a_link_the_link_goes(world: World, ctx: Context) -> None:
    real = world.file(b"content")
    link = real.with_name("link")
    link.symlink_to(real)
    await move_up(ctx, link, world.bucket, "a.txt")
    assert (real.read_bytes(), os.path.lexists(link)) == (b"content", False)


async def test_of_a_link_to_what_is_moved_meanwhile_the_link_goes(world: World) -> None:
    ctx, store = world.scripted()
    real = world.file(b"content")
    link = real.with_name("link")
    link.symlink_to(real)
    store.after("put", "a.txt", do=lambda call: real.unlink())
    await move_up(ctx, link, world.bucket, "a.txt")
    assert not os.path.lexists(link)
    assert await world.get(ctx, "a.txt") == b"content"


async def test_an_object_of_another_tool(world: World, ctx: Context) -> None:
    await world.put_raw("theirs.bin", b"content", {"k": "v"})
    await move_across(ctx, world.bucket, "theirs.bin", world.bucket, "mine.bin")
    assert [*await world.stored()] == ["mine.bin"]
    assert (await head(ctx, world.bucket, "mine.bin")).metadata == {"k": "v"}
    await copy(ctx, world.bucket, "mine.bin", world.bucket, "copy.bin")
    assert await world.get(ctx, "copy.bin") == b"content"
