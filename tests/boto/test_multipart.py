"""Uploads in parts, against boto3's own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_client
from tests.boto.oracle import OBJECTS, Call, Sides, noise, outcome
from tests.servers import S3Endpoint

MIB = 1 << 20
PART = noise("part", 5 * MIB)
KEY = "parts/v2/app.zip"


def begin(client: Any, bucket: str, key: str = KEY, **more: Any) -> dict[str, Any]:
    name = client.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"]
    return {"Bucket": bucket, "Key": key, "UploadId": name}


def send(client: Any, place: dict[str, Any], *bodies: Any) -> list[dict[str, Any]]:
    return [
        {"PartNumber": number, "ETag": client.upload_part(**place, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate(bodies, 1)
    ]


def _unnamed(answer: Any) -> Any:
    """Uploads are named, and located, by whoever keeps them; S3 tells who began them. moto calls all begun in 2010."""
    left_out = ("UploadId", "Location", "Owner", "Initiator", "Initiated", "ETag", "VersionId")
    if isinstance(answer, dict):
        return {name: _unnamed(value) for name, value in answer.items() if name not in left_out}
    return [_unnamed(each) for each in answer] if isinstance(answer, list | tuple) else answer


def completed(*parts: dict[str, Any], bodies: tuple[bytes, ...] = (b"a", b"b"), **more: Any) -> Call:
    """Parts that S3 would not take, or takes: what is named instead of what was sent."""

    def call(client: Any, bucket: str) -> Any:
        place = begin(client, bucket)
        sent = send(client, place, *bodies)
        wanted = [
            {**sent[part["PartNumber"] - 1], **part} if part["PartNumber"] <= len(sent) else part for part in parts
        ]
        try:
            return client.complete_multipart_upload(**place, MultipartUpload={"Parts": wanted}, **more)
        except client.exceptions.ClientError:
            client.abort_multipart_upload(**place)
            raise

    return call


def listed(**more: Any) -> Call:
    def call(client: Any, bucket: str) -> Any:
        place = begin(client, bucket)
        sent = send(client, place, b"1", b"22", b"333")
        found = client.list_parts(**place, **more)
        client.abort_multipart_upload(**place)
        assert [each["ETag"] for each in found.get("Parts", [])] == [
            each["ETag"] for each in sent if each["PartNumber"] in [part["PartNumber"] for part in found["Parts"]]
        ]
        return found

    return call


def uploads(client: Any, bucket: str) -> Any:
    places = [begin(client, bucket, key) for key in ("parts/b", "parts/a", "other")]
    found = client.list_multipart_uploads(Bucket=bucket, Prefix="parts/")["Uploads"]
    for place in places:
        client.abort_multipart_upload(**place)
    left = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    return [sorted(each, key=lambda upload: upload["Key"]) for each in (found, left)]


def of_none(method: str, **more: Any) -> Call:
    return lambda client, bucket: getattr(client, method)(Bucket=bucket, Key=KEY, UploadId="none", **more)


CALLS: dict[str, Call] = {
    "begin": lambda client, bucket: client.create_multipart_upload(Bucket=bucket, Key="begun"),
    "begin in no bucket": lambda client, _: client.create_multipart_upload(Bucket="no-such-bucket-here", Key="k"),
    "begin with an unknown parameter": lambda client, bucket: client.create_multipart_upload(
        Bucket=bucket, Key="k", Colour="red"
    ),
    "one part": completed({"PartNumber": 1}),
    "parts that are too small": completed({"PartNumber": 1}, {"PartNumber": 2}),
    "a part that is not there": completed({"PartNumber": 1, "ETag": '"0123"'}),
    "a part of another number": completed({"PartNumber": 7, "ETag": '"0123"'}),
    "no part": completed(),
    "parts": completed({"PartNumber": 1}, {"PartNumber": 2}, bodies=(PART, b"end")),
    "listed": listed(),
    "listed in pages": listed(MaxParts=2),
    "listed from there": listed(PartNumberMarker=2),
    "uploads": uploads,
    "giving none up": of_none("abort_multipart_upload"),
    "listing none": of_none("list_parts"),
}


@pytest.mark.parametrize("name", CALLS)
def test_as_boto3_answers(name: str, read_only: Sides) -> None:
    boto, ours = read_only.changes(CALLS[name])
    assert _unnamed(ours) == _unnamed(boto)


def test_parts_become_a_delta(empty: Sides) -> None:
    whole = PART + noise("tail", 1000)
    empty.ours.put_object(Bucket=empty.deltas, Key="parts/v1/app.zip", Body=whole)

    def story(client: Any, bucket: str) -> Any:
        place = begin(client, bucket, Metadata={"k": "v"}, ContentType="application/x-parts", Tagging="a=b")
        send(client, place, b"replaced")
        sent = send(client, place, PART, whole[len(PART) :] + b"!")
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": sent})
        gone = outcome(lambda c, _: c.list_parts(**place), client, bucket)[3]["Code"]
        read = client.get_object(Bucket=bucket, Key=KEY)
        return read["Body"].read(), read["Metadata"], read["ContentType"], read["TagCount"], gone, sent

    boto, ours = empty.changes(story)
    assert ours == boto
    assert ours[0] == whole + b"!"
    info = empty.ours.head(f"s3://{empty.deltas}/{KEY}")
    assert (info.is_delta, info.etag) == (True, hashlib.md5(whole + b"!").hexdigest())


def test_parts_of_objects(sides: Sides) -> None:
    """Of one stored as a delta, and of one stored whole: the bytes are those of the files."""

    def story(client: Any, bucket: str) -> Any:
        place = begin(client, bucket)
        source = {"Bucket": bucket, "Key": "apps/v2/app.zip"}
        first = client.upload_part_copy(**place, PartNumber=1, CopySource=source, CopySourceRange="bytes=5-29999")[
            "CopyPartResult"
        ]
        told = set(first), first["ETag"]
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first["ETag"]}]})
        again = begin(client, bucket, "again")
        part = client.upload_part_copy(**again, PartNumber=1, CopySource=f"{bucket}/plain.bin")["CopyPartResult"]
        client.complete_multipart_upload(**again, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
        return told, [client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in (KEY, "again")]

    boto, ours = sides.changes(story)
    assert ours == boto
    assert ours[1] == [OBJECTS["apps/v2/app.zip"][0][5:30_000], OBJECTS["plain.bin"][0]]


@pytest.mark.parametrize("text", ["bytes=1-", "bytes=5-2", "bytes=0-99999999", "1-2"])
def test_a_range_that_its_source_does_not_have(text: str, sides: Sides) -> None:
    place = begin(sides.ours, sides.deltas)
    source = {"Bucket": sides.deltas, "Key": "apps/v2/app.zip"}
    with pytest.raises(sides.ours.exceptions.ClientError, match="InvalidArgument"):
        sides.ours.upload_part_copy(**place, PartNumber=1, CopySource=source, CopySourceRange=text)
    sides.ours.abort_multipart_upload(**place)


def test_what_is_refused(empty: Sides) -> None:
    place = begin(empty.ours, empty.deltas)
    errors = empty.ours.exceptions.ClientError
    for number in (0, 10_001):
        with pytest.raises(errors, match="InvalidArgument"):
            empty.ours.upload_part(**place, PartNumber=number, Body=b"x")
    with pytest.raises(errors, match="BadDigest"):
        empty.ours.upload_part(**place, PartNumber=1, Body=b"x", ContentMD5="AAAA")
    sent = send(empty.ours, place, b"x")
    with pytest.raises(errors, match="InvalidPartOrder"):
        empty.ours.complete_multipart_upload(**place, MultipartUpload={"Parts": sent * 2})
    with pytest.raises(errors, match="IncompleteBody"):
        empty.ours.complete_multipart_upload(**place, MultipartUpload={"Parts": sent}, MpuObjectSize=7)
    empty.ours.put_object(Bucket=empty.deltas, Key=KEY, Body=b"there")
    with pytest.raises(errors, match="PreconditionFailed"):
        empty.ours.complete_multipart_upload(**place, MultipartUpload={"Parts": sent}, IfNoneMatch="*")
    empty.ours.complete_multipart_upload(**place, MultipartUpload={"Parts": sent})
    assert empty.ours.get_object(Bucket=empty.deltas, Key=KEY)["Body"].read() == b"x"


def test_an_upload_begun_elsewhere_is_the_stores_own(empty: Sides) -> None:
    place = begin(empty.boto, empty.deltas)
    sent = send(empty.ours, place, b"by us")
    assert empty.ours.list_parts(**place)["Parts"][0]["Size"] == 5
    assert [each["Key"] for each in empty.ours.list_multipart_uploads(Bucket=empty.deltas)["Uploads"]] == [KEY]
    empty.ours.complete_multipart_upload(**place, MultipartUpload={"Parts": sent})
    assert empty.ours.get_object(Bucket=empty.deltas, Key=KEY)["Body"].read() == b"by us"
    other = begin(empty.boto, empty.deltas)
    empty.ours.abort_multipart_upload(**other)
    assert "Uploads" not in empty.boto.list_multipart_uploads(Bucket=empty.deltas)


def test_a_client_that_ends_drops_its_parts(moto: S3Endpoint, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    with create_client(**moto.client_kwargs(), temp_dir=tmp_path) as client:
        send(client, begin(client, bucket), b"x" * 100)
        assert [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"] == [100]
    assert list(tmp_path.iterdir()) == []


GONE: dict[str, dict[str, Any]] = {
    "upload_part": {"PartNumber": 1, "Body": b"x"},
    "upload_part_copy": {"PartNumber": 1, "CopySource": f"bucket/{KEY}"},
    "complete_multipart_upload": {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}},
    "abort_multipart_upload": {},
    "list_parts": {},
}


def test_on_the_embedded_store(tmp_path: Path) -> None:
    with create_client(f"file://{tmp_path}/store") as client:
        client.make_bucket("bucket")
        place = begin(client, "bucket")
        (tmp_path / "part").write_bytes(PART)
        sent = send(client, place, tmp_path / "part", "text")
        assert [each["Key"] for each in client.list_multipart_uploads(Bucket="bucket")["Uploads"]] == [KEY]
        client.complete_multipart_upload(**place, MultipartUpload={"Parts": sent})
        assert client.get_object(Bucket="bucket", Key=KEY)["Body"].read() == PART + b"text"
        assert (tmp_path / "part").exists()
        for method, more in GONE.items():
            with pytest.raises(client.exceptions.NoSuchUpload):
                getattr(client, method)(**place, **more)
        with pytest.raises(client.exceptions.NoSuchBucket):
            client.list_multipart_uploads(Bucket="no-such-bucket-here")
