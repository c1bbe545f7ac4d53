"""The same bytes once more: nothing is encoded, everything else is done as for any upload."""

from __future__ import annotations

import pytest

from deltaglider.engine.inspect import head
from deltaglider.errors import StoreUnavailableError
from deltaglider.events import CodecRan
from tests.engine.world import World, noise, revised
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, 2)


def encodings(events: list[object]) -> int:
    return len([event for event in events if isinstance(event, CodecRan) and event.operation == "encode"])


@pytest.mark.endpoints("directory", "moto")
async def test_the_same_bytes_are_not_encoded_again_and_metadata_are_what_is_given_now(any_world: World) -> None:
    world, events = any_world, list[object]()
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2, metadata={"mood": "old"}, headers={"ContentType": "a/old"})
    before, body = await world.store.head(world.bucket, "p/b.zip.delta"), await world.body("p/b.zip.delta")
    ctx = world.client(observer=events.append)
    summary = await world.put(ctx, "p/b.zip", V2, metadata={"mood": "new"}, headers={"ContentType": "a/new"})
    assert encodings(events) == 0
    assert (summary.operation, summary.stored_size) == ("create_delta", len(body))
    assert await world.body("p/b.zip.delta") == body
    after = await head(ctx, world.bucket, "p/b.zip")
    assert (after.metadata, after.content_type) == ({"mood": "new"}, "a/new")
    changed = (await world.store.head(world.bucket, "p/b.zip.delta")).metadata
    assert changed["dg-created-at"] > before.metadata["dg-created-at"]
    assert {**changed, "dg-created-at": "", "user-mood": ""} == {
        **before.metadata,
        "dg-created-at": "",
        "user-mood": "",
    }
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_a_damaged_delta_is_healed_by_an_upload(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    stored = await world.store.head(world.bucket, "p/b.zip.delta")
    body = bytearray(await world.body("p/b.zip.delta"))
    body[len(body) // 2] ^= 0xFF
    await world.put_raw("p/b.zip.delta", bytes(body), stored.metadata)
    events: list[object] = []
    await world.put(world.client(observer=events.append), "p/b.zip", V2)
    assert encodings(events) == 1
    assert await world.get(world.client(), "p/b.zip") == V2


@pytest.mark.parametrize(
    ("changes", "settings"),
    [({"dg-tool": "deltaglider/6.9.9"}, {}), ({"dg-delta-cmd": "x"}, {"codec": "zstd"})],
    ids=["another version", "another codec"],
)
async def test_what_may_become_smaller_is_made_anew(
    changes: dict[str, str], settings: dict[str, str], world: World
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    stored = await world.store.head(world.bucket, "p/b.zip.delta")
    await world.put_raw("p/b.zip.delta", await world.body("p/b.zip.delta"), {**stored.metadata, **changes})
    events: list[object] = []
    await world.put(world.client(observer=events.append, **settings), "p/b.zip", V2)
    assert encodings(events) == 1
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_a_delta_that_cannot_be_fetched_is_made_anew(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    ctx, store = world.scripted()
    store.before("fetch", "p/b.zip.delta", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    assert (await world.put(ctx, "p/b.zip", V2)).operation == "create_delta"
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_a_reference_that_went_is_put_back(world: World) -> None:
    """As for any upload: it is confirmed before and after."""
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    (reference,) = [key for key in await world.stored() if key.endswith("reference.bin")]
    await world.store.delete(world.bucket, reference)
    await world.put(ctx, "p/b.zip", V2)
    assert reference in await world.stored()
    assert await world.get(world.client(), "p/b.zip") == V2
