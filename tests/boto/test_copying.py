"""``copy_object`` and the managed ``copy``, against boto3's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_client
from tests.boto.oracle import COMMON, OBJECTS, Call, Sides, outcome

SOURCE = "apps/v2/app.zip"
ETAG = hashlib.md5(OBJECTS[SOURCE][0]).hexdigest()
LONG_AGO, LATER = datetime(2001, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def copied(**more: Any) -> Call:
    def call(client: Any, bucket: str) -> Any:
        source = {"Bucket": bucket, "Key": SOURCE}
        return client.copy_object(**{"Bucket": bucket, "Key": "copied/app.zip", "CopySource": source, **more})

    return call


def managed(key: str = SOURCE, to: str = "copied/app.zip", **extra: Any) -> Call:
    def call(client: Any, bucket: str) -> Any:
        told: list[int] = []
        done = client.copy({"Bucket": bucket, "Key": key}, bucket, to, ExtraArgs=extra, Callback=told.append)
        return done, sum(told)

    return call


def by_name(client: Any, bucket: str) -> Any:
    return client.copy(CopySource={"Bucket": bucket, "Key": SOURCE}, Bucket=bucket, Key="copied/app.zip")


def tags(key: str = "copied/app.zip") -> Call:
    return lambda client, bucket: client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]


COPIES: dict[str, Call] = {
    "if it has an ETag": copied(CopySourceIfMatch=ETAG),
    "if it has not an ETag": copied(CopySourceIfNoneMatch="other"),
    "if it is new": copied(CopySourceIfModifiedSince=LONG_AGO),
    "if it is not younger": copied(CopySourceIfUnmodifiedSince=LATER),
    "with new tags": copied(TaggingDirective="REPLACE", Tagging="team=core&empty="),
    "without tags": copied(TaggingDirective="REPLACE"),
    "with tags that do not count": copied(Tagging="team=core"),
    "with everything new": copied(
        MetadataDirective="REPLACE", Metadata={"new": "1"}, ContentType="text/x", CacheControl="no-store"
    ),
    "with another class": copied(StorageClass="STANDARD_IA"),
    "onto itself": copied(Key=SOURCE),
    "an unknown parameter": copied(Colour="red"),
    "to no bucket": copied(Bucket="no-such-bucket-here"),
    "managed": managed(),
    "managed, by name": by_name,
    "managed, of a whole object": managed("plain.bin", "copied/plain"),
    "managed, with metadata": managed(MetadataDirective="REPLACE", Metadata={"new": "1"}, ContentType="text/x"),
    "managed, with tags": managed(TaggingDirective="REPLACE", Tagging="a=b"),
    "managed, of nothing": managed("missing"),
    "managed, if it has another": managed(CopySourceIfMatch="other"),
    "onto itself, changed": copied(Key=SOURCE, MetadataDirective="REPLACE", Metadata={"new": "1"}),
}


@pytest.mark.parametrize("name", COPIES)
def test_as_boto3_does(name: str, read_only: Sides) -> None:
    """One after the other, in the same buckets."""
    sides = read_only
    for client, bucket in ((sides.boto, sides.plain), (sides.ours, sides.deltas)):
        client.put_object_tagging(Bucket=bucket, Key=SOURCE, Tagging={"TagSet": [{"Key": "old", "Value": "1"}]})
        client.delete_object(Bucket=bucket, Key="copied/app.zip")
    boto, ours = sides.changes(COPIES[name])
    assert ours == boto
    key = SOURCE if "onto itself" in name else "copied/plain" if "whole" in name else "copied/app.zip"
    left, there = sides.changes(lambda client, bucket: client.get_object(Bucket=bucket, Key=key))
    assert there == left
    marked, ours_marked = sides.changes(tags(key))
    assert ours_marked == marked


@pytest.mark.parametrize(
    "condition",
    [
        {"CopySourceIfMatch": "other"},
        {"CopySourceIfNoneMatch": f'"{ETAG}"'},
        {"CopySourceIfModifiedSince": LATER},
        {"CopySourceIfUnmodifiedSince": LONG_AGO},
    ],
)
def test_conditions_that_do_not_hold(condition: dict[str, Any], read_only: Sides) -> None:
    """As S3 answers; moto passes them over."""
    refused = outcome(copied(Key="refused.zip", **condition), read_only.ours, read_only.deltas)
    assert (refused[2], refused[3]["Code"], refused[-1]) == ("CopyObject", "PreconditionFailed", 412)
    with pytest.raises(read_only.ours.exceptions.ClientError, match="404"):
        read_only.ours.head_object(Bucket=read_only.deltas, Key="refused.zip")


def test_managed_copies_stay_deltas(sides: Sides) -> None:
    managed(to="apps/v7/app.zip")(sides.ours, sides.deltas)
    assert sides.ours.head(f"s3://{sides.deltas}/apps/v7/app.zip").is_delta


def test_either_way_of_calling_it(sides: Sides) -> None:
    url = f"s3://{sides.deltas}"
    summary = sides.ours.copy(f"{url}/{SOURCE}", f"{url}/copied/app.zip", metadata={"k": "v"})
    assert (summary.key, summary.is_delta) == ("copied/app.zip", True)
    assert sides.ours.get_object(Bucket=sides.deltas, Key="copied/app.zip")["Body"].read() == COMMON + b"two"


WRONG: list[Callable[[Any, str], Any]] = [
    lambda client, url: client.copy(f"{url}/a", "bucket", "key"),
    lambda client, url: client.copy(f"{url}/a", f"{url}/b", Callback=print),
    lambda client, url: client.copy({"Bucket": "b", "Key": "k"}, "bucket"),
]


@pytest.mark.parametrize("call", WRONG)
def test_both_ways_at_once(call: Any, sides: Sides) -> None:
    with pytest.raises(TypeError, match="two URLs"):
        call(sides.ours, f"s3://{sides.deltas}")


def test_a_misspelt_argument_is_refused(sides: Sides) -> None:
    with pytest.raises(ValueError, match="Colour"):
        managed(Colour="red")(sides.boto, sides.plain)
    with pytest.raises(ValueError, match="Colour"):
        managed(Colour="red")(sides.ours, sides.deltas)


def test_conditions_on_the_target(sides: Sides) -> None:
    etag = hashlib.md5(OBJECTS["apps/v1/app.zip"][0]).hexdigest()
    refused = outcome(copied(Key="apps/v1/app.zip", IfNoneMatch="*"), sides.ours, sides.deltas)
    assert (refused[3]["Code"], refused[-1]) == ("PreconditionFailed", 412)
    assert outcome(copied(Key="apps/v1/app.zip", IfMatch="other"), sides.ours, sides.deltas)[-1] == 412
    assert outcome(copied(Key="apps/v1/app.zip", IfMatch=etag), sides.ours, sides.deltas)["status"] == 200


def test_on_the_embedded_store(tmp_path: Path) -> None:
    with create_client(f"file://{tmp_path}/store") as client:
        client.make_bucket("bucket")
        client.put_object(Bucket="bucket", Key="v1/a.zip", Body=COMMON, Tagging="k=v")
        client.copy({"Bucket": "bucket", "Key": "v1/a.zip"}, "bucket", "v2/a.zip")
        assert client.get_object(Bucket="bucket", Key="v2/a.zip")["Body"].read() == COMMON
