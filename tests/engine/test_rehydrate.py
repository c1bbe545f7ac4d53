"""The file of a delta, put into the bucket for a while: made once, used again, prolonged, and never in anyone's way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.listing import list_objects
from deltaglider.engine.locate import locate
from deltaglider.engine.rehydrate import Stay, rehydrate
from deltaglider.errors import ChecksumMismatchError, DeltaGliderError, StoreUnavailableError
from deltaglider.layout.keys import is_temporary
from deltaglider.tasks import map_bounded
from tests.engine.clinic import V1, V2, V3
from tests.engine.world import World
from tests.faults.wrapper import fail

KEY = "v2/café.zip"
HOUR = 3600


@pytest.fixture
async def filled(world: World, ctx: Context) -> World:
    await world.put(ctx, "v1/app.zip", V1)
    headers = {"ContentType": "application/zip", "CacheControl": "no-store", "WebsiteRedirectLocation": "/elsewhere"}
    await world.put(ctx, KEY, V2, headers=headers, metadata={"team": "core"})
    return world


async def made(ctx: Context, world: World, seconds: int = HOUR, key: str = KEY) -> Stay:
    stay = await rehydrate(ctx, key, await locate(ctx, world.bucket, key), seconds)
    assert stay is not None
    return stay


async def temporary(world: World) -> list[str]:
    return [key for key in await world.stored() if is_temporary(key)]


async def test_a_file_has_its_bytes_name_headers_and_metadata(filled: World, ctx: Context) -> None:
    before = datetime.now(UTC)
    stay = await made(ctx, filled)
    assert before + timedelta(seconds=HOUR) <= stay.until <= datetime.now(UTC) + timedelta(seconds=2 * HOUR)
    assert await filled.body(stay.stored_key) == V2
    stored = (await filled.stored())[stay.stored_key]
    assert stored.headers == {
        "ContentType": "application/zip",
        "CacheControl": "no-store",
        "ContentDisposition": "attachment; filename=\"caf_.zip\"; filename*=UTF-8''caf%C3%A9.zip",
    }
    assert stored.metadata["team"] == "core"
    assert stored.metadata["dg-expires-at"] == f"{stay.until:%Y-%m-%dT%H:%M:%S}.000000Z"
    assert stay.stored_key.endswith("/café.zip")


async def test_nobody_sees_it(filled: World, ctx: Context) -> None:
    seen = [entry async for entry in list_objects(ctx, filled.bucket)]
    await made(ctx, filled)
    assert [entry async for entry in list_objects(ctx, filled.bucket)] == seen


async def test_it_is_used_again(filled: World, ctx: Context) -> None:
    stay = await made(ctx, filled, 24 * HOUR)
    fresh, store = filled.scripted()
    assert await made(fresh, filled) == stay
    assert (store.count("put"), store.count("fetch"), store.count("copy")) == (0, 0, 0)
    assert await temporary(filled) == [stay.stored_key]


async def test_it_is_prolonged_inside_the_store(filled: World, ctx: Context) -> None:
    short = await made(ctx, filled, 60)
    fresh, store = filled.scripted()
    longer = await made(fresh, filled, 24 * HOUR)
    assert (store.count("put"), store.count("fetch"), store.count("copy")) == (0, 0, 1)
    # The one that others may rely on is as it was.
    assert await temporary(filled) == sorted([short.stored_key, longer.stored_key])
    stored = await filled.stored()
    assert stored[longer.stored_key].metadata["dg-expires-at"] > stored[short.stored_key].metadata["dg-expires-at"]
    assert stored[longer.stored_key].headers == stored[short.stored_key].headers
    assert await filled.body(longer.stored_key) == V2


async def test_one_that_goes_while_it_is_prolonged_is_made_anew(filled: World, ctx: Context) -> None:
    short = await made(ctx, filled, 60)
    fresh, store = filled.scripted()
    store.before("copy", do=lambda call: filled.store.delete(filled.bucket, short.stored_key))
    longer = await made(fresh, filled, 24 * HOUR)
    assert await temporary(filled) == [longer.stored_key]
    assert await filled.body(longer.stored_key) == V2


async def test_one_that_is_only_listed_is_made_anew(filled: World, ctx: Context) -> None:
    stay = await made(ctx, filled)
    fresh, store = filled.scripted()
    store.after("list_objects", ".deltaglider/*", do=lambda call: filled.store.delete(filled.bucket, stay.stored_key))
    again = await made(fresh, filled)
    assert await filled.body(again.stored_key) == V2


async def test_one_of_another_size_is_not_taken(filled: World, ctx: Context) -> None:
    stay = await made(ctx, filled, 24 * HOUR)
    await filled.put_raw(stay.stored_key, V2[:-1])
    again = await made(ctx, filled, 24 * HOUR)
    assert await filled.body(again.stored_key) == V2


async def test_many_at_once_make_it_once_a_client(filled: World) -> None:
    (one, first), (two, second) = filled.scripted(), filled.scripted()
    stays = await map_bounded(lambda ctx: made(ctx, filled, 24 * HOUR), [one, two] * 10, limit=20)
    assert len(set(stays)) == 1
    assert first.count("put") <= 1
    assert second.count("put") <= 1
    assert await filled.body(stays[0].stored_key) == V2


async def test_a_shorter_stay_takes_nothing_from_a_longer_one(filled: World) -> None:
    """Whoever asks for less, and last, must not end what another was promised."""
    (slow, held), quick = filled.scripted(), filled.client()
    promised: list[Stay] = []

    async def meanwhile(call: object) -> None:
        promised.append(await made(quick, filled, 7 * 24 * HOUR))

    held.before("put", ".deltaglider/*", do=meanwhile)
    await made(slow, filled, 60)
    stored = await filled.stored()
    assert stored[promised[0].stored_key].metadata["dg-expires-at"] == f"{promised[0].until:%Y-%m-%dT%H:%M:%S}.000000Z"


async def test_an_object_that_is_replaced_meanwhile_is_looked_at_again(filled: World, ctx: Context) -> None:
    old = await locate(ctx, filled.bucket, KEY)
    await filled.put(ctx, KEY, V3)
    assert await rehydrate(ctx, KEY, old, HOUR) is None
    assert await temporary(filled) == []


async def test_nothing_is_put_of_a_damaged_delta(filled: World, ctx: Context) -> None:
    form = await locate(ctx, filled.bucket, KEY)
    await filled.damage(form.stored.key)
    with pytest.raises(DeltaGliderError) as caught:
        await made(ctx, filled)
    assert isinstance(caught.value, ChecksumMismatchError) or caught.value.code == "delta_corrupt"
    assert await temporary(filled) == []


async def test_a_failed_store_leaves_nothing(filled: World) -> None:
    ctx, store = filled.scripted()
    store.before("put", ".deltaglider/*", nth=1, do=fail(StoreUnavailableError("down")))
    with pytest.raises(StoreUnavailableError):
        await made(ctx, filled)
    assert await temporary(filled) == []
    assert await filled.body((await made(ctx, filled)).stored_key) == V2
