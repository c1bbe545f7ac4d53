"""Conditions, tags, checksums and owners of writes, against boto3's own."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from typing import Any

import pytest

from deltaglider import DeltaGliderClient
from tests.boto.oracle import COMMON, OBJECTS, Call, Sides, fill, outcome

KEY = "apps/v2/app.zip"
BODY = COMMON + b"new"
ETAG = hashlib.md5(OBJECTS[KEY][0]).hexdigest()
OWNER = "123456789012"


def put(**more: Any) -> Call:
    return lambda client, bucket: client.put_object(**{"Bucket": bucket, "Key": KEY, "Body": BODY, **more})


def encoded(digest: bytes) -> str:
    return b64encode(digest).decode()


WRITES: dict[str, Call] = {
    "where nothing is": put(Key="new/app.zip", IfNoneMatch="*"),
    "where something is": put(IfNoneMatch="*"),
    "where something whole is": put(Key="plain.bin", IfNoneMatch="*"),
    "over what was seen": put(IfMatch=f'"{ETAG}"'),
    "over what was seen, without quotes": put(IfMatch=ETAG),
    "over something else": put(IfMatch='"0123"'),
    "with tags": put(Tagging="team=core&stage=a%20b"),
    "with a sum": put(ChecksumSHA256=encoded(hashlib.sha256(BODY).digest())),
    "with a sum asked for": put(ChecksumAlgorithm="SHA256"),
    "with an MD5": put(ContentMD5=encoded(hashlib.md5(BODY).digest())),
    "with a length": put(ContentLength=len(BODY)),
    "for its owner": put(ExpectedBucketOwner=OWNER),
    "for the requester": put(RequestPayer="requester"),
    "with a class": put(StorageClass="STANDARD_IA"),
}


@pytest.mark.parametrize("name", WRITES)
def test_as_boto3_does(name: str, read_only: Sides) -> None:
    """One after the other, in the same buckets."""
    sides = read_only
    body, more = OBJECTS[KEY]
    sides.boto.put_object(Bucket=sides.plain, Key=KEY, Body=body, **more)
    sides.ours.put_object(Bucket=sides.deltas, Key=KEY, Body=body, **more)
    boto, ours = sides.changes(WRITES[name])
    assert ours == boto
    key = "new/app.zip" if name == "where nothing is" else "plain.bin" if "whole" in name else KEY
    left, there = sides.changes(lambda client, bucket: client.get_object(Bucket=bucket, Key=key))
    assert there == left
    marked, tags = sides.changes(lambda client, bucket: client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"])
    assert tags == marked


def _failed(sides: Sides, call: Call) -> tuple[str, int]:
    found = outcome(call, sides.ours, sides.deltas)
    assert sides.ours.get_object(Bucket=sides.deltas, Key=KEY)["Body"].read() == OBJECTS[KEY][0]
    return found[3]["Code"], found[-1]


@pytest.fixture
def sides(empty: Sides) -> Sides:
    fill(empty, ("apps/v1/app.zip", KEY, "apps.txt"))
    return empty


def test_over_nothing(sides: Sides) -> None:
    assert _failed(sides, put(Key="new/app.zip", IfMatch="x")) == ("NoSuchKey", 404)


def test_a_condition_that_s3_does_not_have(sides: Sides) -> None:
    assert _failed(sides, put(IfNoneMatch="x")) == ("NotImplemented", 501)


def test_sums_that_are_wrong(sides: Sides) -> None:
    for name in ("ContentMD5", "ChecksumMD5", "ChecksumSHA1", "ChecksumSHA256", "ChecksumSHA512"):
        assert _failed(sides, put(**{name: encoded(b"x" * 16)})) == ("BadDigest", 400)
        assert _failed(sides, put(**{name: "%%"})) == ("InvalidDigest", 400)


def test_a_sum_of_32_bits(sides: Sides) -> None:
    """It is of the original bytes, and told."""
    wanted = encoded(zlib.crc32(BODY).to_bytes(4, "big"))
    assert put(ChecksumCRC32=wanted)(sides.ours, sides.deltas)["ChecksumCRC32"] == wanted
    assert put(ChecksumAlgorithm="CRC32")(sides.ours, sides.deltas)["ChecksumCRC32"] == wanted


def test_a_sum_that_cannot_be_computed_here(sides: Sides) -> None:
    assert outcome(put(ChecksumCRC64NVME="x"), sides.ours, sides.deltas) == ("ParamValidationError",)


def test_a_length_that_is_wrong(sides: Sides) -> None:
    assert _failed(sides, put(ContentLength=3)) == ("IncompleteBody", 400)


def test_the_sum_of_what_is_read(sides: Sides) -> None:
    answer = sides.ours.head_object(Bucket=sides.deltas, Key=KEY, ChecksumMode="ENABLED")
    assert answer["ChecksumSHA256"] == encoded(hashlib.sha256(OBJECTS[KEY][0]).digest())


OWNED: dict[str, Any] = {
    "get_object": lambda client, bucket, **more: client.get_object(Bucket=bucket, Key=KEY, **more),
    "head_object": lambda client, bucket, **more: client.head_object(Bucket=bucket, Key=KEY, **more),
    "put_object": lambda client, bucket, **more: client.put_object(Bucket=bucket, Key=KEY, Body=BODY, **more),
    "delete_object": lambda client, bucket, **more: client.delete_object(Bucket=bucket, Key=KEY, **more),
    "delete_objects": lambda client, bucket, **more: client.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": KEY}]}, **more
    ),
    "list_objects_v2": lambda client, bucket, **more: client.list_objects_v2(Bucket=bucket, **more),
    "copy_object": lambda client, bucket, **more: client.copy_object(
        Bucket=bucket, Key="c.zip", CopySource={"Bucket": bucket, "Key": KEY}, **more
    ),
    "upload_file": lambda client, bucket, **more: client.upload_file(__file__, bucket, "this.py", ExtraArgs=more),
    "download_file": lambda client, bucket, **more: client.download_file(bucket, KEY, "/dev/null", ExtraArgs=more),
}


@pytest.mark.parametrize("method", OWNED)
def test_every_request_names_the_owner(method: str, sides: Sides) -> None:
    """A service that heeds it refuses what is another account's: it must be told with each request."""
    seen: list[tuple[str, str | None, str | None]] = []
    with _watched(sides.ours, seen):
        OWNED[method](sides.ours, sides.deltas, ExpectedBucketOwner=OWNER, RequestPayer="requester")
    assert seen
    assert {(owner, payer) for _, owner, payer in seen} == {(OWNER, "requester")}, seen
    with _watched(sides.ours, seen := []):
        sides.ours.head_object(Bucket=sides.deltas, Key="apps.txt")
    assert {(owner, payer) for _, owner, payer in seen} == {(None, None)}


class _watched:
    """Sees the headers of all requests of a client."""

    def __init__(self, client: DeltaGliderClient, seen: list[tuple[str, str | None, str | None]]) -> None:
        self._client = client
        self._seen = seen

    def __enter__(self) -> None:
        self._events("register")

    def __exit__(self, *_: object) -> None:
        self._events("unregister")

    def _events(self, verb: str) -> None:
        async def change() -> None:
            client = await self._client._client._parts.store.native()  # type: ignore[attr-defined]
            getattr(client.meta.events, verb)("before-send.s3", self._see)

        self._client._portal.call(change)

    def _see(self, request: Any, **_: Any) -> None:
        def said(name: str) -> str | None:
            value = request.headers.get(name)
            return value.decode() if isinstance(value, bytes) else value

        if request.method != "HEAD" or "/" in request.url.split("://", 1)[1].rstrip("/"):
            owner, payer = said("x-amz-expected-bucket-owner"), said("x-amz-request-payer")
            self._seen.append((f"{request.method} {request.url}", owner, payer))
