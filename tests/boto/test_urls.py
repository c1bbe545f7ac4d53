"""Signed URLs, and what the client tells of itself, against boto3's own."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deltaglider import create_async_client, create_client
from deltaglider.errors import ClientStateError, NotFoundError
from tests.boto.oracle import COMMON, OBJECTS, Call, Sides, noise, outcome
from tests.servers import S3Endpoint

DELTA = "apps/v2/app.zip"
SIGNED = ("X-Amz-Signature", "X-Amz-Date", "X-Amz-Credential", "Signature", "Expires", "AWSAccessKeyId")


def fetched(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes, str | None]:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": ""})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", None


def url(method: str = "get_object", key: str = DELTA, expires: int = 600, verb: str | None = None, **more: Any) -> Call:
    """What a URL gives, and what it asks for."""

    def call(client: Any, bucket: str) -> Any:
        made = client.generate_presigned_url(
            method, Params={"Bucket": bucket, "Key": key, **more}, ExpiresIn=expires, HttpMethod=verb
        )
        return fetched(made, verb or {"head_object": "HEAD", "delete_object": "DELETE"}.get(method, "GET"))

    return call


def made(method: str, verb: str | None = None, **params: Any) -> Call:
    """What a URL consists of, its signature apart."""

    def call(client: Any, bucket: str) -> Any:
        parts = urlsplit(client.generate_presigned_url(method, {"Bucket": bucket, **params}, 600, verb))
        asked = {name for name in parse_qs(parts.query, keep_blank_values=True) if not name.startswith("X-Amz-")}
        return parts.netloc, parts.path.replace(bucket, "<bucket>"), sorted(asked - {*SIGNED, "x-id"})

    return call


URLS: dict[str, Call] = {
    "a delta": url(),
    "a delta with headers": url(ResponseContentType="text/x", ResponseContentDisposition="inline"),
    "the head of a delta": url("head_object"),
    "a whole object": url(key="plain.bin"),
    "an odd name": url(key="odd/a b+c%20é.zip"),
    "nothing": url(key="missing"),
    "no operation": lambda client, _: client.generate_presigned_url("no_such_method"),
    "a missing parameter": lambda client, bucket: client.generate_presigned_url("get_object", {"Bucket": bucket}),
    "a put": made("put_object", Key="new.zip"),
    "a put, by verb": made("put_object", "POST", Key="new.zip"),
    "a listing": made("list_objects_v2", Prefix="apps/"),
    "a delete of a whole object": made("delete_object", Key="plain.bin"),
    "a part": made("upload_part", Key="new.zip", UploadId="x", PartNumber=1),
}


@pytest.mark.parametrize("name", URLS)
def test_as_boto3_makes_them(name: str, read_only: Sides) -> None:
    boto, ours = read_only.changes(URLS[name])
    assert ours == boto


def test_a_put_goes_past_the_client(sides: Sides) -> None:
    """A store tells seconds of what we did not store; what it is to come after must be older than that."""
    time.sleep(1.1)
    made = sides.ours.generate_presigned_url("put_object", Params={"Bucket": sides.deltas, "Key": DELTA})
    assert fetched(made, "PUT", b"put by a browser")[0] == 200
    assert sides.ours.get_object(Bucket=sides.deltas, Key=DELTA)["Body"].read() == b"put by a browser"


def test_a_delete_of_a_delta(sides: Sides) -> None:
    assert url("delete_object")(sides.ours, sides.deltas)[0] == 204
    assert outcome(lambda c, b: c.head_object(Bucket=b, Key=DELTA), sides.ours, sides.deltas)[-1] == 404


def test_a_part_sent_past_the_client(empty: Sides) -> None:
    """The upload becomes the store's own, with the parts that were sent to us."""
    ours, place = empty.ours, {"Bucket": empty.deltas, "Key": "parts/a.zip"}
    place["UploadId"] = ours.create_multipart_upload(**place, Metadata={"k": "v"})["UploadId"]
    first = ours.upload_part(**place, PartNumber=1, Body=noise("first", 5 << 20))["ETag"]
    made = ours.generate_presigned_url("upload_part", Params={**place, "PartNumber": 2})
    assert fetched(made, "PUT", b"second")[0] == 200
    parts = ours.list_parts(**place)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, 5 << 20), (2, 6)]
    assert parts[0]["ETag"] == first
    ours.complete_multipart_upload(**place, MultipartUpload={"Parts": [_named(part) for part in parts]})
    answer = ours.get_object(Bucket=empty.deltas, Key="parts/a.zip")
    assert (answer["Body"].read(), answer["Metadata"]) == (noise("first", 5 << 20) + b"second", {"k": "v"})
    assert [
        ours.get_object(Bucket=empty.deltas, Key="parts/a.zip", PartNumber=number)["ContentLength"] for number in (1, 2)
    ] == [5 << 20, 6]


def _named(part: dict[str, Any]) -> dict[str, Any]:
    return {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}


def test_a_part_of_an_object_in_one(read_only: Sides) -> None:
    answer = read_only.ours.get_object(Bucket=read_only.deltas, Key=DELTA, PartNumber=1)
    assert answer["Body"].read() == OBJECTS[DELTA][0]
    found = outcome(lambda c, b: c.get_object(Bucket=b, Key=DELTA, PartNumber=2), read_only.ours, read_only.deltas)
    assert (found[3]["Code"], found[-1]) == ("InvalidPartNumber", 416)


def test_a_form(read_only: Sides) -> None:
    def form(client: Any, bucket: str) -> Any:
        found = client.generate_presigned_post(
            bucket, "up/${filename}", Fields={"acl": "private"}, Conditions=[{"acl": "private"}], ExpiresIn=60
        )
        return found["url"].replace(bucket, "<bucket>"), found["fields"]["key"], found["fields"]["acl"]

    boto, ours = read_only.changes(form)
    assert ours == boto


def test_files_for_urls_by_their_earlier_names(sides: Sides) -> None:
    ours, bucket = sides.ours, sides.deltas
    made = ours.generate_presigned_url_with_rehydration(bucket, DELTA, 600)
    with urllib.request.urlopen(made, timeout=60) as answer:
        assert answer.read() == COMMON + b"two"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="app.zip"'
    kept = ours.rehydrate_for_download(bucket, DELTA)
    assert sides.boto.get_object(Bucket=bucket, Key=kept)["Body"].read() == COMMON + b"two"
    assert ours.rehydrate_for_download(bucket, "plain.bin") is None
    with pytest.raises(NotFoundError):
        ours.rehydrate_for_download(bucket, "missing")
    odd = ours.generate_presigned_url_with_rehydration(bucket, "odd/a b+c%20é.zip")
    with urllib.request.urlopen(odd, timeout=60) as answer:
        assert answer.headers["Content-Disposition"].endswith("filename*=UTF-8''a%20b%2Bc%2520%C3%A9.zip")
    purged = ours.purge_temp_files(bucket)
    assert (purged["deleted_count"], purged["prefix"], purged["errors"]) == (0, ".deltaglider/tmp/", [])
    assert set(purged) == {
        "bucket",
        "prefix",
        "deleted_count",
        "expired_count",
        "error_count",
        "total_size_freed",
        "duration_seconds",
        "errors",
    }


def test_what_the_client_is(read_only: Sides) -> None:
    boto, ours = read_only.boto.meta, read_only.ours.meta
    assert (ours.region_name, ours.endpoint_url) == (boto.region_name, boto.endpoint_url)
    assert (ours.partition, ours.service_model.service_name) == (boto.partition, boto.service_model.service_name)
    assert ours.method_to_api_mapping == boto.method_to_api_mapping
    assert ours.config.region_name == boto.region_name
    seen: list[str] = []
    ours.events.register("before-send.s3", lambda request, **_: seen.append(request.method))
    read_only.ours.head_object(Bucket=read_only.deltas, Key="plain.bin")
    assert "HEAD" in seen


async def test_what_an_asynchronous_client_is(moto: S3Endpoint, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    client = create_async_client(**moto.client_kwargs())
    assert client.meta.endpoint_url == moto.client_kwargs()["endpoint_url"]
    with pytest.raises(ClientStateError, match="Send a request"):
        client.meta.events  # noqa: B018
    await client.put_object(Bucket=bucket, Key="v1/a.zip", Body=COMMON)
    await client.put_object(Bucket=bucket, Key="v2/a.zip", Body=COMMON + b"2")
    assert client.meta.events is not None
    made = await client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "v2/a.zip"})
    assert fetched(made)[1] == COMMON + b"2"
    await client.close()
    await client.close()


def test_on_the_embedded_store(tmp_path: Path) -> None:
    with create_client(f"file://{tmp_path}/store") as client:
        client.make_bucket("bucket")
        assert (client.meta.region_name, client.meta.endpoint_url) == (None, f"file://{tmp_path}/store")
        for call in (
            url(),
            url("put_object"),
            lambda c, b: c.generate_presigned_post(b, "k"),
        ):
            assert outcome(call, client, "bucket")[-1] == 501
