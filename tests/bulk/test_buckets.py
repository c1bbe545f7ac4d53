"""Buckets are removed with what is in them when that is asked for, and else only if no object is in them."""

from __future__ import annotations

import pytest

from deltaglider.bulk.buckets import remove_bucket
from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.errors import AccessDeniedError, BucketNotFoundError, StoreError
from deltaglider.models import Outcome
from tests.engine.clinic import V1, V2
from tests.engine.world import World
from tests.faults.wrapper import fail
from tests.servers import S3Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")

OURS = {
    ".deltaglider/tmp/x_app.zip": {"dg-expires-at": "2901-02-03T04:05:06Z"},
    ".deltaglider/stats_quick.json": {},
    f"v/.deltaglider/trash/{'0' * 64}/unique/reference.bin": {},
    f"v/.deltaglider/references/{'0' * 64}/reference.bin": {},
}


async def fill(world: World) -> Context:
    ctx = world.client()
    await world.put(ctx, "v1/app.zip", V1)
    await world.put(ctx, "v2/app.zip", V2)
    await world.put(ctx, "notes.txt", b"notes")
    for key, metadata in OURS.items():
        await world.put_raw(key, b"ours", metadata)
    return ctx


async def test_by_force(any_world: World) -> None:
    ctx, other = await fill(any_world), any_world.endpoint.make_bucket()
    await any_world.put_raw(".deltaglider/config.db", b"another tool's")
    await any_world.put_raw("k", b"kept", bucket=other)
    told: list[Outcome] = []
    await remove_bucket(ctx, any_world.bucket, force=True, report=told.append)
    assert sorted(one.source.removeprefix(f"s3://{any_world.bucket}/") for one in told) == [
        "notes.txt",
        "v1/app.zip",
        "v2/app.zip",
    ]
    assert not await any_world.store.bucket_exists(any_world.bucket)
    assert list(await any_world.stored(other)) == ["k"]


async def test_with_objects_it_stays_as_it_is(any_world: World) -> None:
    ctx = await fill(any_world)
    before = await any_world.stored()
    with pytest.raises(StoreError) as caught:
        await remove_bucket(ctx, any_world.bucket)
    assert caught.value.s3_code == "BucketNotEmpty"
    assert await any_world.stored() == before


async def test_what_only_objects_needed_goes_with_it(any_world: World) -> None:
    ctx = await fill(any_world)
    for key in ("notes.txt", "v1/app.zip", "v2/app.zip"):
        await delete(ctx, any_world.bucket, key)
    assert await any_world.names(ctx) == []
    await remove_bucket(ctx, any_world.bucket)
    assert not await any_world.store.bucket_exists(any_world.bucket)


@pytest.mark.endpoints("directory")
async def test_what_others_keep_in_our_place_stays(any_world: World) -> None:
    for key in (".deltaglider/config.db", "p/.deltaglider/mine"):
        await any_world.put_raw(key, b"another tool's")
    with pytest.raises(StoreError) as caught:
        await remove_bucket(any_world.client(), any_world.bucket)
    assert caught.value.s3_code == "BucketNotEmpty"
    assert len(await any_world.stored()) == 2


@pytest.mark.endpoints("directory")
async def test_classic_references_go_and_a_users_own_file_of_that_name_stays(any_world: World) -> None:
    await any_world.put_raw("p/reference.bin", V1, {"dg-note": "reference", "dg-file-sha256": "0" * 64})
    await remove_bucket(any_world.client(), any_world.bucket)
    await any_world.store.create_bucket(any_world.bucket)
    await any_world.put_raw("p/reference.bin", V1)
    with pytest.raises(StoreError, match="not empty"):
        await remove_bucket(any_world.client(), any_world.bucket)


@pytest.mark.endpoints("directory")
async def test_an_object_that_cannot_be_deleted_keeps_it(any_world: World) -> None:
    await fill(any_world)
    ctx, store = any_world.scripted()
    store.before("delete", "v2/app.zip.delta", do=fail(AccessDeniedError("no")))
    with pytest.raises(StoreError, match="1 of its objects could not be deleted, so the bucket stays"):
        await remove_bucket(ctx, any_world.bucket, force=True)
    assert await any_world.names(any_world.client()) == ["v2/app.zip"]
    assert OURS.keys() <= (await any_world.stored()).keys()
    assert await any_world.get(any_world.client(), "v2/app.zip") == V2


@pytest.mark.endpoints("directory")
async def test_an_object_that_comes_meanwhile_keeps_it(any_world: World) -> None:
    await fill(any_world)
    (ctx, store), other = any_world.scripted(), any_world.client()
    store.before("delete_many", do=lambda call: any_world.put(other, "new/app.zip", V1))
    with pytest.raises(StoreError) as caught:
        await remove_bucket(ctx, any_world.bucket, force=True)
    assert caught.value.s3_code == "BucketNotEmpty"
    assert await any_world.get(any_world.client(), "new/app.zip") == V1


@pytest.mark.endpoints("moto")  # SeaweedFS removes such a bucket.
async def test_earlier_versions_are_told_of(any_world: World) -> None:
    assert isinstance(any_world.endpoint, S3Endpoint)
    server = any_world.endpoint.client()
    server.put_bucket_versioning(Bucket=any_world.bucket, VersioningConfiguration={"Status": "Enabled"})
    await any_world.put_raw("k", b"content")
    with pytest.raises(StoreError, match="earlier versions of objects, or delete markers"):
        await remove_bucket(any_world.client(), any_world.bucket, force=True)
    assert await any_world.store.bucket_exists(any_world.bucket)


@pytest.mark.parametrize("force", [False, True])
async def test_one_that_is_not_there(any_world: World, force: bool) -> None:
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        await remove_bucket(any_world.client(), "no-such-bucket-0", force=force)
