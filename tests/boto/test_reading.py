"""``get_object``, ``head_object`` and the listings, against boto3's own."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deltaglider import ChecksumMismatchError, create_client
from deltaglider.events import CodecRan
from tests.boto.oracle import COMMON, OBJECTS, Call, Sides, outcome
from tests.servers import S3Endpoint

DELTA = "apps/v2/app.zip"
PLAIN = "plain.bin"
ETAG = hashlib.md5(OBJECTS[DELTA][0]).hexdigest()
LONG_AGO, LATER = datetime(2001, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def get(**more: Any) -> Call:
    return lambda client, bucket: client.get_object(Bucket=bucket, **{"Key": DELTA, **more})


def head(**more: Any) -> Call:
    return lambda client, bucket: client.head_object(Bucket=bucket, **{"Key": DELTA, **more})


def listed(**more: Any) -> Call:
    return lambda client, bucket: client.list_objects_v2(Bucket=bucket, **more)


def listed_once(**more: Any) -> Call:
    return lambda client, bucket: client.list_objects(Bucket=bucket, **more)


RANGES = [
    "bytes=0-9",
    "bytes=10-",
    "bytes=-10",
    "bytes=0-0",
    "bytes=29990-99999999",
    "bytes=-99999999",
    "bytes=0-99999999",
    "bytes=30002-",
    "bytes=99999999-",
    "bytes=5-10",
]
CONDITIONS: list[dict[str, Any]] = [
    {"IfMatch": f'"{ETAG}"'},
    {"IfMatch": '"other"'},
    {"IfNoneMatch": f'"{ETAG}"'},
    {"IfNoneMatch": '"other"'},
    {"IfModifiedSince": LONG_AGO},
    {"IfUnmodifiedSince": LATER},
    {"IfUnmodifiedSince": LONG_AGO},
]
READS: dict[str, Call] = {
    **{f"get {key}": get(Key=key) for key in OBJECTS},
    **{f"head {key}": head(Key=key) for key in OBJECTS},
    **{f"range {text}": get(Range=text) for text in RANGES},
    **{f"range of a whole object {text}": get(Range=text, Key=PLAIN) for text in RANGES},
    **{f"get if {condition}": get(**condition) for condition in CONDITIONS},
    **{f"head if {condition}": head(**condition) for condition in CONDITIONS},
    "get what is missing": get(Key="missing.zip"),
    "head what is missing": head(Key="missing.zip"),
    "get below an object": get(Key=f"{DELTA}/x"),
    "get an empty range": get(Key="apps/v3/empty.zip", Range="bytes=0-0"),
    "get with another type": get(ResponseContentType="text/x", ResponseContentDisposition="inline"),
    "get with a checksum": get(ChecksumMode="ENABLED"),
    "get of no bucket": lambda client, _: client.get_object(Bucket="no-such-bucket-here", Key="k"),
    "head of no bucket": lambda client, _: client.head_object(Bucket="no-such-bucket-here", Key="k"),
    "an unknown parameter": get(Colour="red"),
    "list": listed(),
    "list a prefix": listed(Prefix="apps/"),
    "list part of a name": listed(Prefix="apps/v"),
    "list directories": listed(Delimiter="/"),
    "list directories below": listed(Prefix="apps/", Delimiter="/"),
    "list nothing": listed(Prefix="none"),
    "list after": listed(StartAfter="apps/v2/app.zip"),
    "list after and below": listed(Prefix="odd/", StartAfter="odd/a.zip"),
    "list no bucket": lambda client, _: client.list_objects_v2(Bucket="no-such-bucket-here"),
    "list once": listed_once(),
    "list once, directories": listed_once(Delimiter="/"),
    "list once, after": listed_once(Marker="apps/v2/app.zip"),
}


@pytest.mark.parametrize("name", READS)
def test_as_boto3_answers(name: str, read_only: Sides) -> None:
    boto, deltas, plain = read_only.answers(READS[name])
    assert _as_s3(deltas) == _as_s3(boto)
    assert _as_s3(plain) == _as_s3(boto)


def _as_s3(answer: Any) -> Any:
    """moto tells owners where S3 does not, and keeps quiet about what it was asked for."""
    if not isinstance(answer, dict) or "IsTruncated" not in answer:
        return answer
    contents = [{k: v for k, v in each.items() if k != "Owner"} for each in answer.get("Contents", [])]
    kept = {name: value for name, value in answer.items() if name not in ("Prefix", "Marker", "KeyCount")}
    return {**kept, "Contents": contents}


def test_what_was_asked_for_is_told(read_only: Sides) -> None:
    answer = read_only.ours.list_objects(Bucket=read_only.deltas, Prefix="apps/", Marker="apps/v2/app.zip", MaxKeys=1)
    assert (answer["Prefix"], answer["Marker"], answer["MaxKeys"]) == ("apps/", "apps/v2/app.zip", 1)


def test_a_bad_token(read_only: Sides) -> None:
    found = outcome(listed(ContinuationToken="%%%"), read_only.ours, read_only.deltas)
    assert found == ("ClientError", "ClientError", "ListObjectsV2", {"Code": "InvalidArgument"}, 400)


def test_an_etag_without_quotes(read_only: Sides) -> None:
    assert outcome(head(IfMatch=ETAG), read_only.ours, read_only.deltas)["status"] == 200
    assert outcome(head(IfNoneMatch=f"W/{ETAG}, other"), read_only.ours, read_only.deltas)[-1] == 304


def test_the_objects_are_deltas(read_only: Sides) -> None:
    """Or nothing above is proven."""
    forms = {info.key: info.is_delta for info in read_only.ours.list(f"s3://{read_only.deltas}")}  # type: ignore[union-attr]
    assert [key for key, is_delta in forms.items() if is_delta] == [
        "apps/v1/app.zip",
        "apps/v2/app.zip",
        "apps/v3/app.zip",
        "odd/a b+c%20é.zip",
        "odd/a.zip",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_have_what_boto3_has(size: int, delimiter: str, read_only: Sides) -> None:
    def pages(client: Any, bucket: str) -> list[Any]:
        found, more = [], {}
        while True:
            answer = client.list_objects_v2(Bucket=bucket, MaxKeys=size, Delimiter=delimiter, **more)
            entries = [each["Key"] for each in answer.get("Contents", [])]
            found.append((entries, answer.get("CommonPrefixes"), answer["KeyCount"], answer["IsTruncated"]))
            if not answer["IsTruncated"]:
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    boto, deltas, plain = read_only.answers(pages)
    assert deltas == plain == boto


def test_a_body_in_pieces_and_lines(read_only: Sides) -> None:
    def pieces(client: Any, bucket: str) -> Any:
        def body(key: str = DELTA) -> Any:
            return client.get_object(Bucket=bucket, Key=key)["Body"]

        read = body()
        told = [read.read(7), read.tell(), read.read(0), read.read(20_000), read.tell(), read.read(), read.read(5)]
        with body() as entered:
            first = entered.read(3)
        return {
            "read": told,
            "chunks": list(body().iter_chunks(9_999)),
            "iterated": list(body()),
            "lines": list(body("apps/v1/notes.txt").iter_lines()),
            "lines kept": list(body("apps/v1/notes.txt").iter_lines(chunk_size=4, keepends=True)),
            "all lines": body("apps/v1/notes.txt").readlines(),
            "entered": first,
        }

    boto, deltas, plain = read_only.answers(pieces)
    assert deltas == plain == boto
    assert b"".join(boto["chunks"]) == COMMON + b"two"


def test_errors_are_caught_by_the_names_of_the_client(read_only: Sides) -> None:
    ours, bucket = read_only.ours, read_only.deltas
    with pytest.raises(ours.exceptions.NoSuchKey):
        ours.get_object(Bucket=bucket, Key="missing")
    with pytest.raises(ours.exceptions.NoSuchBucket):
        ours.list_objects_v2(Bucket="no-such-bucket-here")
    with pytest.raises(ours.exceptions.ClientError):
        ours.head_object(Bucket=bucket, Key="missing")


def test_a_body_given_up_leaves_no_file(sides: Sides, temporary: Path) -> None:
    answer = sides.ours.get_object(Bucket=sides.deltas, Key=DELTA)
    assert len([path for path in temporary.rglob("*") if path.is_file() and path.name != ".lock"]) == 1
    answer["Body"].close()
    assert [path for path in temporary.rglob("*") if path.is_file() and path.name != ".lock"] == []


def test_bodies_that_nobody_reads_hold_no_connection(sides: Sides) -> None:
    held = [sides.ours.get_object(Bucket=sides.deltas, Key=key) for key in [PLAIN, DELTA] * 20]
    assert outcome(get(), sides.ours, sides.deltas) == outcome(get(), sides.boto, sides.plain)
    for answer in held:
        answer["Body"].close()


def test_a_second_range_is_not_decoded_again(sides: Sides, moto: S3Endpoint, tmp_path: Path) -> None:
    seen: list[object] = []
    with create_client(**moto.client_kwargs(), cache_dir=tmp_path, observer=seen.append) as ours:
        for text in ("bytes=-3", "bytes=0-2", "bytes=100-"):
            assert outcome(get(Range=text), ours, sides.deltas) == outcome(get(Range=text), sides.boto, sides.plain)
    assert len([event for event in seen if isinstance(event, CodecRan)]) == 1


def test_wrong_bytes_are_never_given_to_their_end(sides: Sides) -> None:
    """Those of a whole object are proven as they are read; the last piece is kept back until all of them are."""
    metadata = sides.boto.head_object(Bucket=sides.deltas, Key=PLAIN)["Metadata"]
    sides.boto.put_object(Bucket=sides.deltas, Key=PLAIN, Body=b"y" * 1000, Metadata=metadata)
    with pytest.raises(Exception, match="SHA-256") as raised:
        sides.ours.get_object(Bucket=sides.deltas, Key=PLAIN)["Body"].read()
    assert isinstance(raised.value.__cause__ or raised.value, ChecksumMismatchError)
