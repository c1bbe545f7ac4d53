"""A URL lasts as long as was asked, however long it took to make the file it leads to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deltaglider.engine.presign import presign
from deltaglider.errors import AccessDeniedError, MetadataLostError, PreconditionFailedError
from tests.engine.clinic import V1, V2, V3
from tests.engine.world import World
from tests.faults.wrapper import Call, ScriptedStore, fail, wait

pytestmark = pytest.mark.endpoints("moto")


@pytest.fixture
async def filled(any_world: World) -> World:
    ctx = any_world.client()
    await any_world.put(ctx, "v1/app.zip", V1)
    await any_world.put(ctx, "v2/app.zip", V2)
    return any_world


async def ends_of(world: World) -> list[datetime]:
    stored = (await world.stored()).values()
    return [
        datetime.fromisoformat(found.metadata["dg-expires-at"]) for found in stored if "dg-expires-at" in found.metadata
    ]


async def test_a_slow_store_costs_the_url_nothing(filled: World) -> None:
    ctx, store = filled.scripted()
    store.before("put", ".deltaglider/*", do=wait(2.1))
    made = await presign(ctx, filled.bucket, "v2/app.zip", expires=1)
    assert store.count("put", ".deltaglider/*") == 1
    assert store.count("copy", ".deltaglider/*") >= 1
    assert max(await ends_of(filled)) >= made.expires_at >= datetime.now(UTC) - timedelta(seconds=60)
    assert await filled.body(made.stored_key) == V2


async def test_an_object_that_is_replaced_meanwhile(filled: World) -> None:
    ctx, store = filled.scripted()
    other = filled.client()
    store.before("list_objects", ".deltaglider/*", nth=1, do=lambda call: filled.put(other, "v2/app.zip", V3))
    made = await presign(ctx, filled.bucket, "v2/app.zip")
    assert await filled.body(made.stored_key) == V3
    store.before("list_objects", ".deltaglider/*", do=lambda call: filled.put(other, "v1/app.zip", V2, delta=False))
    assert (await presign(ctx, filled.bucket, "v1/app.zip")).stored_key == "v1/app.zip"


async def test_an_object_that_never_stands_still(filled: World) -> None:
    ctx, store = filled.scripted()
    other, versions = filled.client(), iter([V3, V1] * 5)

    async def replace(call: Call) -> None:
        await filled.put(other, "v2/app.zip", next(versions))

    store.before("list_objects", ".deltaglider/*", do=replace)
    with pytest.raises(PreconditionFailedError, match="as fast as it is read"):
        await presign(ctx, filled.bucket, "v2/app.zip")


async def test_what_the_store_does_not_tell_is_not_guessed(filled: World) -> None:
    ctx, store = filled.scripted()
    store.before("head", "v2/app.zip.delta", do=fail(AccessDeniedError("no")))
    with pytest.raises(AccessDeniedError):
        await presign(ctx, filled.bucket, "v2/app.zip")
    assert isinstance(store, ScriptedStore)
    await filled.put_raw("v2/app.zip.delta", await filled.body("v2/app.zip.delta"))
    with pytest.raises(MetadataLostError, match="metadata is gone"):
        await presign(filled.client(), filled.bucket, "v2/app.zip")
