"""Copies: inside the store where that is possible, with all that belongs to the object, readable at once."""

from __future__ import annotations

import os
from typing import Any

import anyio
import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.inspect import head
from deltaglider.engine.options import UploadOptions
from deltaglider.errors import (
    BucketNotFoundError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    ReferenceMissingError,
    ReservedKeyError,
    StoreUnavailableError,
)
from deltaglider.models import UploadSummary
from tests.engine.test_delete import as_by_620
from tests.engine.test_references import classic
from tests.engine.world import World, md5, noise, reference_at, revised, sha256
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")
MINE = {"metadata": {"team": "core"}, "headers": {"ContentType": "application/x-mine", "CacheControl": "no-cache"}}


async def kept(world: World, ctx: Context, key: str, bucket: str | None = None) -> tuple[Any, ...]:
    info = await head(ctx, bucket or world.bucket, key)
    return info.metadata, info.content_type, info.headers.get("CacheControl")


AS_GIVEN = ({"team": "core"}, "application/x-mine", "no-cache")


@pytest.mark.endpoints("directory", "moto")
async def test_inside_a_deltaspace_the_delta_is_copied_and_nothing_travels(any_world: World) -> None:
    world = any_world
    writer = world.client()
    await world.put(writer, "p/a.zip", V1)
    second = await world.put(writer, "p/b.zip", V2, **MINE)
    ctx, store = world.scripted()
    summary = await copy(ctx, world.bucket, "p/b.zip", world.bucket, "p/c.zip")
    assert store.count("put") == 0
    assert store.count("fetch", "*.delta") == 0
    assert summary == UploadSummary(
        operation="create_delta",
        bucket=world.bucket,
        key="p/c.zip",
        original_size=len(V2),
        stored_size=second.stored_size,
        is_delta=True,
        delta_ratio=second.delta_ratio,
        sha256=sha256(V2),
        etag=md5(V2),
    )
    stored = await world.stored()
    assert list(stored) == [reference_at("p/", V1), "p/a.zip.delta", "p/b.zip.delta", "p/c.zip.delta"]
    assert stored["p/c.zip.delta"].metadata["dg-original-name"] == "c.zip"
    assert await kept(world, ctx, "p/c.zip") == AS_GIVEN
    await delete(ctx, world.bucket, "p/b.zip")
    await delete(ctx, world.bucket, "p/a.zip")
    assert await world.get(world.client(), "p/c.zip") == V2


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("elsewhere", [False, True])
async def test_into_an_empty_deltaspace_the_reference_goes_along_once(any_world: World, elsewhere: bool) -> None:
    world = any_world
    writer = world.client()
    bucket = world.endpoint.make_bucket() if elsewhere else world.bucket
    for number in range(4):
        await world.put(writer, f"p/{number}.zip", revised(V1, number), **MINE)
    ctx, store = world.scripted()
    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(copy, ctx, world.bucket, f"p/{number}.zip", bucket, f"q/{number}.zip")
    assert store.count("put") == 1
    stored = await world.stored(bucket)
    reference = reference_at("q/", revised(V1, 0))
    assert [key for key in stored if key.startswith("q/")] == [reference, *(f"q/{n}.zip.delta" for n in range(4))]
    # Nothing there hangs on where it came from.
    for number in range(4):
        await delete(ctx, world.bucket, f"p/{number}.zip")
    fresh = world.client()
    for number in range(4):
        assert await world.get(fresh, f"q/{number}.zip", bucket) == revised(V1, number)
        assert await kept(world, fresh, f"q/{number}.zip", bucket) == AS_GIVEN


async def test_into_a_deltaspace_with_a_reference_it_becomes_a_delta_against_that(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1, **MINE)
    await world.put(ctx, "q/b.zip", V2)
    summary = await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert summary.operation == "create_delta"
    assert list(await world.stored()) == [
        reference_at("p/", V1),
        "p/a.zip.delta",
        reference_at("q/", V2),
        "q/a.zip.delta",
        "q/b.zip.delta",
    ]
    assert await kept(world, ctx, "q/a.zip") == AS_GIVEN
    await delete(ctx, world.bucket, "p/a.zip")
    assert await world.get(world.client(), "q/a.zip") == V1


async def test_a_version_directory_copied_beside_the_others_shares_their_reference(world: World, ctx: Context) -> None:
    await world.put(ctx, "r/v1/a.zip", V1)
    await copy(ctx, world.bucket, "r/v1/a.zip", world.bucket, "r/v2/a.zip")
    assert list(await world.stored()) == [reference_at("r/", V1), "r/v1/a.zip.delta", "r/v2/a.zip.delta"]


@pytest.mark.endpoints("directory", "moto")
async def test_a_whole_object_is_copied_inside_the_store(any_world: World) -> None:
    world = any_world
    await world.put(world.client(), "p/a.txt", b"text", **MINE)
    ctx, store = world.scripted()
    summary = await copy(ctx, world.bucket, "p/a.txt", world.bucket, "q/b.txt")
    assert store.count("fetch") == store.count("put") == 0
    assert (summary.operation, summary.sha256, summary.etag) == ("upload_direct", sha256(b"text"), md5(b"text"))
    stored = await world.stored()
    assert stored["q/b.txt"].metadata["dg-original-name"] == "b.txt"
    assert await kept(world, ctx, "q/b.txt") == AS_GIVEN
    assert await world.get(ctx, "q/b.txt") == b"text"


async def test_a_foreign_object_stays_foreign_or_becomes_a_delta(world: World, ctx: Context) -> None:
    await world.put_raw("p/a.txt", b"text", {"team": "core"}, {"ContentType": "text/x"})
    await world.put_raw("p/a.zip", V1, {"team": "core"}, {"ContentType": "text/x"})
    assert (await copy(ctx, world.bucket, "p/a.txt", world.bucket, "q/a.txt")).sha256 == ""
    assert (await world.stored())["q/a.txt"].metadata == {"team": "core"}
    assert (await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")).operation == "create_reference"
    plain = UploadOptions(delta=False)
    assert (await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/b.zip", options=plain)).sha256 == ""
    for key in ("q/a.txt", "q/a.zip", "q/b.zip"):
        info = await head(ctx, world.bucket, key)
        assert (info.metadata, info.content_type) == ({"team": "core"}, "text/x")
    assert [await world.get(ctx, f"q/{name}") for name in ("a.txt", "a.zip", "b.zip")] == [b"text", V1, V1]


@pytest.mark.parametrize("metadata", [{"dg-file-sha256": "0" * 64}, {"name": "ü"}])
@pytest.mark.parametrize("key", ["p/foreign.txt", "p/whole.txt", "p/delta.zip", "p/foreign.zip"])
async def test_metadata_is_checked_whatever_the_form(
    world: World, ctx: Context, key: str, metadata: dict[str, str]
) -> None:
    if "foreign" in key:
        await world.put_raw(key, V1)
    else:
        await world.put(ctx, key, V1)
    before = await world.stored()
    with pytest.raises(InvalidInputError):
        await copy(ctx, world.bucket, key, world.bucket, "q/x", options=UploadOptions(metadata=metadata))
    assert await world.stored() == before


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("key", ["p/a.zip", "p/a.txt"])
async def test_metadata_and_headers_may_be_replaced_in_place(any_world: World, key: str) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, key, V1, **MINE)
    await copy(ctx, world.bucket, key, world.bucket, key, options=UploadOptions(metadata={"team": "docs"}))
    assert await kept(world, ctx, key) == ({"team": "docs"}, "application/x-mine", "no-cache")
    await copy(ctx, world.bucket, key, world.bucket, key, options=UploadOptions(headers={"ContentType": "text/x"}))
    assert await kept(world, ctx, key) == ({"team": "docs"}, "text/x", None)
    await copy(ctx, world.bucket, key, world.bucket, key, options=UploadOptions(headers={"StorageClass": "STANDARD"}))
    assert (await kept(world, ctx, key))[:2] == ({"team": "docs"}, "text/x")
    assert await world.get(world.client(), key) == V1
    assert await world.names(ctx) == [key]


async def test_a_foreign_object_copied_onto_itself_becomes_ours(world: World, ctx: Context) -> None:
    await world.put_raw("p/a.zip", V1, {"team": "core"})
    options = UploadOptions(headers={"ContentType": "application/zip"})
    await copy(ctx, world.bucket, "p/a.zip", world.bucket, "p/a.zip", options=options)
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta"]
    assert await world.get(world.client(), "p/a.zip") == V1


async def test_onto_itself_with_nothing_new_is_refused(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    with pytest.raises(InvalidInputError, match="same object"):
        await copy(ctx, world.bucket, "p/a.zip", world.bucket, "p/a.zip")


@pytest.mark.parametrize("there", ["delta", "whole", "foreign delta"])
@pytest.mark.parametrize("source", ["delta", "whole"])
async def test_what_was_at_the_target_is_replaced(world: World, ctx: Context, there: str, source: str) -> None:
    await world.put(ctx, "p/a.zip", V1, delta=source == "delta")
    if there == "foreign delta":
        await world.put_raw("q/a.zip.delta", b"mine")
    else:
        await world.put(ctx, "q/a.zip", noise("old"), delta=there == "delta")
    options = UploadOptions(delta=source == "delta")
    await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip", options=options)
    assert await world.get(world.client(), "q/a.zip") == V1
    both = ["q/a.zip", "q/a.zip.delta"]
    assert await world.names(ctx, "q/") == (both if there == "foreign delta" else both[:1])


async def test_what_cannot_be_copied_is_said(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("q/reference.bin", V1, classic(V1))
    with pytest.raises(NotFoundError, match=r"p/b\.zip"):
        await copy(ctx, world.bucket, "p/b.zip", world.bucket, "p/c.zip")
    before = await world.stored()
    for key in ("q/reference.bin", "p/.deltaglider/x", "p/a.zip.delta", reference_at("p/", V1)):
        with pytest.raises(ReservedKeyError):
            await copy(ctx, world.bucket, "p/a.zip", world.bucket, key)
    for key in ("q/reference.bin", reference_at("p/", V1), "p/a.zip.delta"):
        with pytest.raises(NotFoundError):
            await copy(ctx, world.bucket, key, world.bucket, "p/c.zip")
    with pytest.raises(InvalidInputError):
        await copy(ctx, world.bucket, "p/a.zip", world.bucket, "")
    assert await world.stored() == before


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("key", ["p/a.zip", "p/a.txt"])
async def test_a_missing_bucket_is_said(any_world: World, key: str) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, key, V1)
    with pytest.raises(BucketNotFoundError, match="no-such-bucket"):
        await copy(ctx, world.bucket, key, "no-such-bucket", "q/c.zip")


async def test_a_bucket_that_vanishes_meanwhile_is_said(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("copy", do=fail(BucketNotFoundError("the bucket does not exist", uri="s3://gone")))
    with pytest.raises(BucketNotFoundError, match="gone"):
        await copy(ctx, world.bucket, "p/a.zip", world.bucket, "p/b.zip")


async def test_a_delta_of_an_earlier_tool_is_proven_and_made_anew(world: World, ctx: Context) -> None:
    await as_by_620(world, "p/")
    await copy(ctx, world.bucket, "p/b.zip", world.bucket, "p/c.zip")
    stored = await world.stored()
    assert stored["p/c.zip.delta"].metadata["dg-delta-cmd"] == "xdelta3 -e -D -S djw"
    await world.store.delete(world.bucket, "p/reference.bin")
    assert await world.get(world.client(), "p/c.zip") == V2


async def test_what_the_proxy_stored_keeps_its_media_type(world: World, ctx: Context) -> None:
    theirs = {
        "dg-tool": "deltaglider_proxy/1.0",
        "dg-original-name": "a.txt",
        "dg-file-sha256": sha256(b"text"),
        "dg-file-size": "4",
        "dg-note": "passthrough",
        "content-type": "text/x-theirs",
        "user-team": "core",
    }
    await world.put_raw("p/a.txt", b"text", theirs, {"ContentType": "application/octet-stream"})
    assert (await kept(world, ctx, "p/a.txt"))[:2] == ({"team": "core"}, "text/x-theirs")
    await copy(ctx, world.bucket, "p/a.txt", world.bucket, "q/a.txt")
    assert (await kept(world, ctx, "q/a.txt"))[:2] == ({"team": "core"}, "text/x-theirs")


async def test_a_reference_that_goes_along_is_as_well_encrypted_as_its_delta(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    sent: dict[str, Any] = {}
    put = store.inner.put

    async def recording(bucket: str, key: str, source: Any, **options: Any) -> Any:
        sent[key] = options["headers"]
        return await put(bucket, key, source, **options)

    store.inner.put = recording
    options = UploadOptions(headers={"ServerSideEncryption": "aws:kms", "StorageClass": "GLACIER"})
    await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip", options=options)
    assert sent == {reference_at("q/", V1): {"ServerSideEncryption": "aws:kms"}}


# What goes on meanwhile.


@pytest.mark.parametrize("key", ["p/a.zip", "p/a.txt"])
async def test_a_source_overwritten_between_two_requests_is_one_of_the_two(world: World, key: str) -> None:
    await world.put(world.client(), key, V1)
    ctx, store = world.scripted()
    rule = store.before("copy", "q/a*", nth=1, do=lambda call: world.put(world.client(), key, V2))
    await copy(ctx, world.bucket, key, world.bucket, key.replace("p/", "q/"))
    assert rule.hits == 1
    assert await world.get(world.client(), key.replace("p/", "q/")) == V2


@pytest.mark.parametrize("pattern", [("copy", "q/a.zip.delta"), ("fetch", "p/*reference.bin")])
async def test_a_source_deleted_between_two_requests_is_absent_and_leaves_nothing(
    world: World, pattern: tuple[str, str]
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    rule = store.before(*pattern, nth=1, do=lambda call: delete(world.client(), world.bucket, "p/a.zip"))
    with pytest.raises(NotFoundError):
        await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert rule.hits == 1
    assert await world.stored() == {}


async def test_a_source_deleted_and_stored_again_with_its_reference_is_found_again(world: World) -> None:
    writer = world.client()
    await world.put(writer, "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("fetch", "*reference.bin", nth=1, do=lambda call: delete(writer, world.bucket, "p/a.zip"))
    # The source is looked at again, and a look is what brings it back.
    store.before("head", "p/a.zip.delta", nth=2, do=lambda call: world.put(writer, "p/a.zip", V2))
    await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert await world.get(world.client(), "q/a.zip") == V2


async def test_a_delta_whose_metadata_would_not_fit_becomes_a_whole_file(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    mine = {"comment": "x" * 1600}
    await copy(ctx, world.bucket, "p/a.zip", world.bucket, "p/b.zip", options=UploadOptions(metadata=mine))
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta", "p/b.zip"]
    assert (await head(ctx, world.bucket, "p/b.zip")).metadata == mine


async def test_a_source_that_never_holds_still_is_given_up(world: World) -> None:
    await world.put(world.client(), "p/a.txt", V1)
    ctx, store = world.scripted()
    store.before("copy", do=lambda call: world.put(world.client(), "p/a.txt", noise(call.number)))
    with pytest.raises(PreconditionFailedError, match="changes as fast as it is copied"):
        await copy(ctx, world.bucket, "p/a.txt", world.bucket, "q/a.txt")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("what", [("put", "q/*reference.bin"), ("copy", "q/a.zip.delta")])
async def test_a_copy_that_fails_midway_leaves_no_reference_that_nothing_needs(
    world: World, moment: str, what: tuple[str, str]
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    getattr(store, moment)(*what, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await copy(ctx, world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    left = [key for key in await world.stored() if key.startswith("q/")]
    if (moment, what[0]) == ("after", "copy"):
        assert left == [reference_at("q/", V1), "q/a.zip.delta"]
        assert await world.get(world.client(), "q/a.zip") == V1
    else:
        assert left == []


async def test_a_reference_that_vanishes_during_the_copy_is_put_back(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    reference = reference_at("p/", V1)
    ctx, store = world.scripted()
    store.after("copy", "p/c.zip.delta", nth=1, do=lambda call: store.inner.delete(call.bucket, reference))
    await copy(ctx, world.bucket, "p/b.zip", world.bucket, "p/c.zip")
    assert await world.get(world.client(), "p/c.zip") == V2


async def test_a_source_whose_reference_is_gone_is_an_error_and_stores_nothing(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.store.delete(world.bucket, reference_at("p/", V1))
    with pytest.raises(ReferenceMissingError, match=r"p/a\.zip"):
        await copy(world.client(), world.bucket, "p/a.zip", world.bucket, "q/a.zip")
    assert list(await world.stored()) == ["p/a.zip.delta"]
    assert os.listdir(world.home)
