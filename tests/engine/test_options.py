"""What users say of an object holds of the object they see, whichever form it is stored in."""

from __future__ import annotations

from typing import Any

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.inspect import head
from deltaglider.engine.options import UploadOptions
from deltaglider.errors import AlreadyExistsError, NotSupportedError
from tests.engine.world import World, noise, reference_at, revised
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")
TAGS = {"team": "core"}
GIVEN = {
    "metadata": {"a": "1"},
    "headers": {"ContentType": "text/x-mine", "CacheControl": "no-store"},
    "tags": TAGS,
}
KEYS = ["p/a.zip", "p/a.txt"]  # Stored as a delta, and whole.


async def tags_of(ctx: Context, bucket: str, key: str) -> dict[str, str]:
    return await ctx.store.tags(bucket, (await head(ctx, bucket, key)).stored_key)


async def seen(ctx: Context, bucket: str, key: str) -> tuple[Any, ...]:
    info = await head(ctx, bucket, key)
    return info.metadata, info.headers.get("CacheControl"), await tags_of(ctx, bucket, key)


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("key", KEYS)
async def test_tags_lie_on_the_object_and_not_on_its_reference(any_world: World, key: str) -> None:
    ctx = any_world.client()
    headers = {"ContentType": "text/x", "StorageClass": "STANDARD_IA", "ACL": "public-read"}
    summary = await any_world.put(ctx, key, V1, tags=TAGS, headers=headers)
    assert await tags_of(ctx, any_world.bucket, key) == TAGS
    if summary.operation == "create_reference":
        reference = await ctx.store.head(any_world.bucket, reference_at("p/", V1))
        assert (reference.tag_count, reference.storage_class) == (0, "STANDARD")
        assert reference.headers.get("ContentType") != "text/x"


# (options of the copy, metadata, Cache-Control, tags)
COPIES: list[tuple[dict[str, Any], dict[str, str], str | None, dict[str, str]]] = [
    ({}, {"a": "1"}, "no-store", TAGS),
    ({"metadata": {"b": "2"}}, {"b": "2"}, "no-store", TAGS),
    ({"directive": "COPY", "metadata": {"b": "2"}, "headers": {"CacheControl": "x"}}, {"a": "1"}, "no-store", TAGS),
    ({"directive": "REPLACE"}, {}, None, TAGS),
    ({"directive": "REPLACE", "metadata": {"b": "2"}, "headers": {"CacheControl": "x"}}, {"b": "2"}, "x", TAGS),
    ({"directive": "REPLACE", "keep_tags": False}, {}, None, {}),
    ({"directive": "COPY", "keep_tags": False}, {"a": "1"}, "no-store", {}),
    ({"tags": {"new": "1"}}, {"a": "1"}, "no-store", {"new": "1"}),
]


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize(("options", "metadata", "cached", "tags"), COPIES)
async def test_what_goes_along_with_a_copy(
    any_world: World, options: dict[str, Any], metadata: dict[str, str], cached: str | None, tags: dict[str, str]
) -> None:
    ctx, bucket = any_world.client(), any_world.bucket
    # Of a delta with its reference, of a whole object, and of a delta that is encoded again in another deltaspace.
    await any_world.put(ctx, "r/other.zip", noise("other"))
    for key in KEYS:
        await any_world.put(ctx, key, V1, **GIVEN)
        for target in (f"q/{key[2:]}", f"r/{key[2:]}"):
            await copy(ctx, bucket, key, bucket, target, options=UploadOptions(**options))
            assert await seen(ctx, bucket, target) == (metadata, cached, tags), target
            assert await any_world.get(ctx, target) == V1


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("there", [True, False], ids=["as a delta", "whole"])
@pytest.mark.parametrize("delta", [None, False], ids=["as a delta", "whole"])
async def test_nothing_is_overwritten_in_either_form(any_world: World, there: bool, delta: bool | None) -> None:
    ctx, bucket = any_world.client(), any_world.bucket
    await any_world.put(ctx, "p/a.zip", V1, delta=None if there else False)
    await any_world.put(ctx, "p/b.zip", V2, delta=delta)
    before = await any_world.stored()
    with pytest.raises(AlreadyExistsError, match="not to be overwritten"):
        await any_world.put(ctx, "p/a.zip", V2, delta=delta, no_overwrite=True)
    with pytest.raises(AlreadyExistsError, match="not to be overwritten"):
        await copy(ctx, bucket, "p/b.zip", bucket, "p/a.zip", options=UploadOptions(no_overwrite=True, delta=delta))
    assert await any_world.stored() == before
    await any_world.put(ctx, "p/new.zip", V2, delta=delta, no_overwrite=True)
    assert await any_world.get(ctx, "p/new.zip") == V2


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("operation", ["put", "copy"])
async def test_what_comes_to_be_meanwhile_is_not_overwritten_either(any_world: World, key: str, operation: str) -> None:
    world, other = any_world, any_world.client()
    ctx, store = world.scripted()
    target = key.replace("p/", "q/")
    options: dict[str, Any] = {"no_overwrite": True, "delta": None if key.endswith("zip") else False}
    await world.put(other, key, V2)
    stored = f"{target}.delta" if key.endswith("zip") else target
    rule = store.before(operation, stored, nth=1, do=lambda call: world.put(other, target, V1))
    work = (
        world.put(ctx, target, V2, **options)
        if operation == "put"
        else copy(ctx, world.bucket, key, world.bucket, target, options=UploadOptions(**options))
    )
    with pytest.raises(AlreadyExistsError):
        await work
    assert rule.hits == 1
    assert await world.get(ctx, target) == V1


async def test_a_store_without_conditions_is_looked_at_instead(world: World) -> None:
    ctx, store = world.scripted()
    store.before("put", "p/a.txt", nth=1, do=fail(NotSupportedError("no conditions")))
    await world.put(ctx, "p/a.txt", V1, no_overwrite=True)
    assert await world.get(ctx, "p/a.txt") == V1
    with pytest.raises(AlreadyExistsError):
        await world.put(ctx, "p/a.txt", V2, no_overwrite=True)
    assert await world.get(ctx, "p/a.txt") == V1
