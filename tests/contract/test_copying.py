"""``copy``, ``delete`` and ``delete_many``."""

from __future__ import annotations

import pytest

from deltaglider.errors import BucketNotFoundError, NotFoundError, PreconditionFailedError
from tests.contract.conftest import PART
from tests.contract.tools import Box, md5, noise
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")

METADATA = {"dg-tool": "test", "note": "a, b"}
HEADERS = {"ContentType": "application/x-test", "CacheControl": "no-store", "ContentLanguage": "de"}


@pytest.mark.parametrize("size", [0, 1000, 2 * PART + 12345])
async def test_a_copy_keeps_bytes_metadata_and_headers(box: Box, endpoint: Endpoint, size: int) -> None:
    await box.put("k", noise(size), metadata=METADATA, headers=HEADERS)
    target = Box(box.store, endpoint.make_bucket(), box.tmp_path)
    result = await box.store.copy(box.bucket, "k", target.bucket, "copies/k")
    info = await target.head("copies/k")
    assert (info.bucket, info.key, info.size, info.etag) == (target.bucket, "copies/k", size, result.etag)
    assert info.metadata == METADATA
    assert {name: info.headers.get(name) for name in HEADERS} == HEADERS
    assert await target.read("copies/k") == noise(size)


async def test_a_copy_with_new_metadata_has_nothing_of_the_old(box: Box) -> None:
    await box.put("k", b"body", metadata=METADATA, headers=HEADERS)
    await box.store.copy(
        box.bucket, "k", box.bucket, "k2", metadata={"new": "1"}, headers={"ContentType": "text/x-new"}
    )
    info = await box.head("k2")
    assert info.metadata == {"new": "1"}
    assert info.headers["ContentType"] == "text/x-new"
    assert "CacheControl" not in info.headers
    assert "ContentLanguage" not in info.headers
    assert await box.read("k2") == b"body"
    assert (await box.head("k")).metadata == METADATA


async def test_a_copy_with_empty_metadata_has_none(box: Box) -> None:
    await box.put("k", b"body", metadata=METADATA)
    await box.store.copy(box.bucket, "k", box.bucket, "k2", metadata={})
    assert (await box.head("k2")).metadata == {}


async def test_a_copy_onto_itself_gives_new_metadata(box: Box) -> None:
    await box.put("k", b"body", metadata=METADATA)
    await box.store.copy(box.bucket, "k", box.bucket, "k", metadata={"new": "1"})
    assert (await box.head("k")).metadata == {"new": "1"}
    assert await box.read("k") == b"body"


async def test_a_copy_lives_on_without_its_source(box: Box) -> None:
    await box.put("k", b"body")
    await box.store.copy(box.bucket, "k", box.bucket, "k2")
    await box.put("k", b"other")
    assert await box.read("k2") == b"body"
    await box.store.delete(box.bucket, "k")
    assert await box.read("k2") == b"body"


async def test_a_copy_replaces_its_target(box: Box) -> None:
    await box.put("k", b"body")
    await box.put("k2", b"old", metadata={"old": "1"})
    await box.store.copy(box.bucket, "k", box.bucket, "k2")
    assert await box.read("k2") == b"body"
    assert (await box.head("k2")).metadata == {}


async def test_copying_what_is_absent_is_not_found(box: Box) -> None:
    with pytest.raises(NotFoundError, match=f"s3://{box.bucket}/absent"):
        await box.store.copy(box.bucket, "absent", box.bucket, "k2")
    await box.put("k", b"x")
    with pytest.raises(NotFoundError):
        await box.store.copy(box.bucket, "k", "no-such-bucket-0", "k2")
    with pytest.raises(NotFoundError):
        await box.store.copy("no-such-bucket-0", "k", box.bucket, "k2")
    assert await box.keys() == ["k"]


async def test_if_match_copies_that_generation_only(box: Box) -> None:
    etag = (await box.put("k", b"body")).etag
    with pytest.raises(PreconditionFailedError):
        await box.store.copy(box.bucket, "k", box.bucket, "k2", if_match=md5(b"other"))
    assert await box.keys() == ["k"]
    await box.store.copy(box.bucket, "k", box.bucket, "k2", if_match=etag)
    assert await box.read("k2") == b"body"


async def test_delete_removes_one_object(box: Box) -> None:
    await box.put_many(["k", "k2"])
    await box.store.delete(box.bucket, "k")
    assert await box.keys() == ["k2"]
    with pytest.raises(NotFoundError):
        await box.head("k")


async def test_a_delete_on_condition_spares_what_came_since(box: Box) -> None:
    etag = (await box.put("k", b"seen")).etag
    await box.put("k", b"came since")
    with pytest.raises(PreconditionFailedError, match="k"):
        await box.store.delete(box.bucket, "k", if_match=etag)
    assert await box.read("k") == b"came since"
    await box.store.delete(box.bucket, "k", if_match=md5(b"came since"))
    assert await box.keys() == []


async def test_deleting_what_is_absent_is_success(box: Box) -> None:
    await box.put("dir/k")
    await box.store.delete(box.bucket, "absent")
    await box.store.delete(box.bucket, "dir")
    assert await box.store.delete_many(box.bucket, ["absent", "also/absent"]) == []
    assert await box.keys() == ["dir/k"]


async def test_deleting_in_a_missing_bucket_is_not_found(box: Box) -> None:
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        await box.store.delete("no-such-bucket-0", "k")
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        await box.store.delete_many("no-such-bucket-0", ["k"])


async def test_delete_many_takes_more_than_one_request_can_hold(box: Box) -> None:
    keys = [f"k{number:04}" for number in range(1100)]
    # Most of them are absent, which is success: these are at the borders of requests of up to 1,000 keys.
    await box.put_many([keys[at] for at in (0, 499, 500, 999, 1000, 1099)])
    await box.put("left")
    assert await box.store.delete_many(box.bucket, keys) == []
    assert await box.keys() == ["left"]


async def test_delete_many_of_nothing_does_nothing(box: Box) -> None:
    await box.put("k")
    assert await box.store.delete_many(box.bucket, []) == []
    assert await box.keys() == ["k"]
