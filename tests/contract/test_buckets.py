"""Buckets, unfinished uploads, URLs, and the store itself."""

from __future__ import annotations

import urllib.error
from datetime import UTC, datetime, timedelta

import pytest

from deltaglider.errors import AlreadyExistsError, BucketNotFoundError, NotSupportedError, StoreError
from deltaglider.store.base import ObjectStore
from tests.contract.tools import Box, request
from tests.servers import Endpoint, S3Endpoint, new_bucket_name

EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")


async def test_a_bucket_is_made_found_and_removed(store: ObjectStore) -> None:
    name = new_bucket_name()
    assert not await store.bucket_exists(name)
    await store.create_bucket(name)
    assert await store.bucket_exists(name)
    assert name in [bucket.name for bucket in await store.list_buckets()]
    await store.delete_bucket(name)
    assert not await store.bucket_exists(name)
    assert name not in [bucket.name for bucket in await store.list_buckets()]


async def test_buckets_are_listed_by_name(store: ObjectStore, endpoint: Endpoint) -> None:
    names = {endpoint.make_bucket() for _ in range(3)}
    listed = await store.list_buckets()
    assert [bucket.name for bucket in listed] == sorted(bucket.name for bucket in listed)
    made = [bucket.created for bucket in listed if bucket.name in names]
    assert len(made) == 3
    for created in made:
        assert created
        # Loosely: the fixture makes buckets ahead, and the machine may be slow. A wrong zone or unit is off by more.
        assert abs(created - datetime.now(UTC)) < timedelta(minutes=30)


async def test_a_bucket_that_exists_is_not_made_again(box: Box) -> None:
    await box.put("k", b"x")
    with pytest.raises(AlreadyExistsError, match=box.bucket):
        await box.store.create_bucket(box.bucket)
    assert await box.keys() == ["k"]


@pytest.mark.endpoints("directory", "weed")
@pytest.mark.parametrize("name", ["ab", "a..b", "-abc", "has_underscore", "Upper-case", "192.168.5.4", "x" * 64])
async def test_a_name_s3_does_not_allow_is_refused(store: ObjectStore, name: str) -> None:
    with pytest.raises(StoreError) as caught:
        await store.create_bucket(name)
    assert caught.value.s3_code == "InvalidBucketName"


async def test_a_bucket_that_is_not_empty_stays(box: Box) -> None:
    await box.put("k", b"x")
    with pytest.raises(StoreError, match=box.bucket) as caught:
        await box.store.delete_bucket(box.bucket)
    assert caught.value.s3_code == "BucketNotEmpty"
    assert await box.read("k") == b"x"


async def test_a_bucket_that_is_missing_cannot_be_removed(store: ObjectStore) -> None:
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        await store.delete_bucket("no-such-bucket-0")


async def test_the_same_key_in_two_buckets_is_two_objects(box: Box, endpoint: Endpoint) -> None:
    other = Box(box.store, endpoint.make_bucket(), box.tmp_path)
    await box.put("k", b"one")
    await other.put("k", b"two")
    assert [await box.read("k"), await other.read("k")] == [b"one", b"two"]
    await box.store.delete(box.bucket, "k")
    assert await other.keys() == ["k"]


@pytest.mark.endpoints("directory", "moto", "weed")
async def test_buckets_are_listed_by_the_beginning_of_their_names(store: ObjectStore, endpoint: Endpoint) -> None:
    name, other = endpoint.make_bucket(), endpoint.make_bucket()
    for prefix in (name, name[:-1]):
        assert [bucket.name for bucket in await store.list_buckets(prefix=prefix)] == [name]
    assert other in [bucket.name for bucket in await store.list_buckets(prefix="test-")]
    assert await store.list_buckets(prefix="no-such") == []


@pytest.mark.endpoints("moto", "weed")
async def test_buckets_of_a_region(store: ObjectStore, endpoint: S3Endpoint) -> None:
    """SeaweedFS tells of no regions; then all are listed, as the server has them."""
    name = endpoint.make_bucket()
    assert name in [bucket.name for bucket in await store.list_buckets(region=endpoint.region)]


@pytest.mark.endpoints("moto", "weed")
async def test_a_bucket_is_made_with_its_tags(store: ObjectStore, endpoint: S3Endpoint) -> None:
    name = new_bucket_name()
    await store.create_bucket(name, tags={"team": "core", "cost center": "42 é"})
    tags = endpoint.client().get_bucket_tagging(Bucket=name)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "core", "cost center": "42 é"}


@pytest.mark.endpoints("moto")
async def test_a_bucket_whose_tags_are_refused_is_not_made(store: ObjectStore) -> None:
    name = new_bucket_name()
    with pytest.raises(StoreError):
        await store.create_bucket(name, tags={"aws:reserved": "x"})
    assert not await store.bucket_exists(name)


@pytest.mark.endpoints("moto", "weed")
async def test_who_may_do_what_with_a_bucket(store: ObjectStore, bucket: str) -> None:
    before = await store.bucket_acl(bucket)
    assert [grant["Permission"] for grant in before["Grants"]] == ["FULL_CONTROL"]
    await store.set_bucket_acl(bucket, {"ACL": "public-read"})
    after = await store.bucket_acl(bucket)
    assert {(grant["Grantee"].get("URI"), grant["Permission"]) for grant in after["Grants"]} >= {(EVERYONE, "READ")}
    await store.set_bucket_acl(bucket, {"AccessControlPolicy": before})
    assert (await store.bucket_acl(bucket))["Grants"] == before["Grants"]


@pytest.mark.endpoints("moto")
async def test_a_bucket_becomes_a_web_site(store: ObjectStore, endpoint: S3Endpoint, bucket: str) -> None:
    await store.set_bucket_website(
        bucket, {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    )
    found = endpoint.client().get_bucket_website(Bucket=bucket)
    assert (found["IndexDocument"], found["ErrorDocument"]) == ({"Suffix": "index.html"}, {"Key": "error.html"})


@pytest.mark.endpoints("moto", "weed")
async def test_what_is_asked_of_a_bucket_that_is_missing(store: ObjectStore) -> None:
    for attempt in (
        store.bucket_acl("no-such-bucket-0"),
        store.set_bucket_acl("no-such-bucket-0", {"ACL": "private"}),
    ):
        with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
            await attempt


@pytest.mark.endpoints("directory")
async def test_a_store_without_such_things_says_so(store: ObjectStore, bucket: str) -> None:
    name = new_bucket_name()
    for attempt in (
        store.bucket_acl(bucket),
        store.set_bucket_acl(bucket, {"ACL": "private"}),
        store.set_bucket_website(bucket, {"IndexDocument": {"Suffix": "index.html"}}),
        store.create_bucket(name, tags={"team": "core"}),
    ):
        with pytest.raises(NotSupportedError, match="the embedded store has no"):
            await attempt
    assert not await store.bucket_exists(name)


@pytest.mark.endpoints("moto", "weed")
async def test_an_unfinished_upload_is_seen_and_dropped(box: Box, endpoint: S3Endpoint) -> None:
    made = endpoint.client().create_multipart_upload(Bucket=box.bucket, Key="dir/big +.zip")
    uploads = [upload async for upload in box.store.unfinished_uploads(box.bucket)]
    assert [(upload.key, upload.upload_id) for upload in uploads] == [("dir/big +.zip", made["UploadId"])]
    if endpoint.name != "moto":  # Its uploads all began in 2010.
        assert abs(uploads[0].initiated - datetime.now(UTC)) < timedelta(minutes=1)
    assert [u async for u in box.store.unfinished_uploads(box.bucket, "dir/")] == uploads
    assert [u async for u in box.store.unfinished_uploads(box.bucket, "other/")] == []
    await box.store.abort_upload(box.bucket, "dir/big +.zip", made["UploadId"])
    assert await box.unfinished() == []


async def test_dropping_an_absent_upload_is_success(box: Box) -> None:
    await box.put("k", b"x")
    await box.store.abort_upload(box.bucket, "k", "5f3c9dd0a1a64a2fb4a1c6e3d6f9f0aa")
    assert await box.read("k") == b"x"


@pytest.mark.endpoints("directory")
async def test_a_store_without_urls_says_so(box: Box) -> None:
    with pytest.raises(NotSupportedError, match=f"s3://{box.bucket}/k"):
        await box.store.presign(box.bucket, "k")


@pytest.mark.endpoints("moto", "weed", "weed-tls")
async def test_a_url_reads_without_credentials(box: Box, endpoint: S3Endpoint) -> None:
    await box.put("dir/k +é.txt", b"hello", headers={"ContentType": "text/plain"})
    url = await box.store.presign(
        box.bucket, "dir/k +é.txt", expires=60, parameters={"ResponseContentDisposition": "attachment"}
    )
    answer = request(endpoint, url)
    assert answer.body == b"hello"
    assert answer.headers["Content-Disposition"] == "attachment"


@pytest.mark.endpoints("moto", "weed", "weed-tls")
async def test_a_url_writes_and_looks_without_credentials(box: Box, endpoint: S3Endpoint) -> None:
    request(endpoint, await box.store.presign(box.bucket, "k", method="put_object"), "PUT", b"sent")
    assert await box.read("k") == b"sent"
    answer = request(endpoint, await box.store.presign(box.bucket, "k", method="head_object"), "HEAD")
    assert answer.headers["Content-Length"] == "4"


@pytest.mark.endpoints("weed", "weed-tls")
async def test_a_url_is_for_one_key_and_one_method(box: Box, endpoint: S3Endpoint) -> None:
    await box.put("k", b"hello")
    await box.put("other", b"hello")
    url = await box.store.presign(box.bucket, "k")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        request(endpoint, url.replace("/k?", "/other?"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        request(endpoint, url, "PUT", b"sent")
    assert await box.read("k") == b"hello"


async def test_the_identity_is_the_endpoint(store: ObjectStore, endpoint: Endpoint) -> None:
    assert store.identity == endpoint.url


async def test_closing_twice_is_harmless(box: Box) -> None:
    await box.put("k", b"x")
    await box.store.aclose()
    await box.store.aclose()


async def test_closing_unused_is_harmless(store: ObjectStore) -> None:
    await store.aclose()
