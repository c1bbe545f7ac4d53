"""Buckets, against boto3's own."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_client
from tests.boto.oracle import Call, Sides, noise, outcome

NAME = f"made-{uuid.uuid4().hex[:12]}"


def _made(call: Call) -> Call:
    """In a bucket of its own, which is gone at the end."""

    def calls(client: Any, _: str) -> Any:
        name = f"made-{uuid.uuid4().hex[:16]}"
        client.create_bucket(Bucket=name)
        try:
            found = call(client, name)
        finally:
            client.delete_bucket(Bucket=name)
        return str(found).replace(name, "<name>")

    return calls


BUCKETS: dict[str, Call] = {
    "head": lambda client, bucket: client.head_bucket(Bucket=bucket),
    "head of none": lambda client, _: client.head_bucket(Bucket="no-such-bucket-here"),
    "create": lambda client, _: client.create_bucket(Bucket=NAME),
    "create again": lambda client, bucket: sorted(client.create_bucket(Bucket=bucket)),
    "create elsewhere": lambda client, bucket: client.create_bucket(
        Bucket=f"{bucket}-eu", CreateBucketConfiguration={"LocationConstraint": "nowhere-9"}
    )["ResponseMetadata"]["HTTPStatusCode"],
    "create with an unknown parameter": lambda client, _: client.create_bucket(Bucket=NAME, Colour="red"),
    "delete one that is not empty": lambda client, bucket: client.delete_bucket(Bucket=bucket),
    "delete none": lambda client, _: client.delete_bucket(Bucket="no-such-bucket-here"),
    "delete": _made(lambda client, name: client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"]),
    "list": lambda client, _: sorted(client.list_buckets().keys() - {"ResponseMetadata"}),
    "list an entry": lambda client, bucket: next(
        each for each in client.list_buckets()["Buckets"] if each["Name"] == bucket
    ),
    "list one": lambda client, bucket: client.list_buckets(Prefix=bucket)["Buckets"][0],
    "where it is": lambda client, bucket: client.get_bucket_location(Bucket=bucket),
    "its list": lambda client, bucket: client.get_bucket_acl(Bucket=bucket),
    "its list, set": lambda client, bucket: client.put_bucket_acl(Bucket=bucket, ACL="public-read"),
    "its versioning": lambda client, bucket: client.get_bucket_versioning(Bucket=bucket),
    "its tags": lambda client, bucket: client.get_bucket_tagging(Bucket=bucket),
    "its policy": lambda client, bucket: client.get_bucket_policy(Bucket=bucket),
    "its rules": lambda client, bucket: client.get_bucket_lifecycle_configuration(Bucket=bucket),
    "its web site": lambda client, bucket: client.get_bucket_website(Bucket=bucket),
    "its origins": lambda client, bucket: client.get_bucket_cors(Bucket=bucket),
}


@pytest.mark.parametrize("name", BUCKETS)
def test_as_boto3_answers(name: str, read_only: Sides) -> None:
    boto, ours = read_only.changes(BUCKETS[name])
    if name == "create":
        read_only.boto.delete_bucket(Bucket=NAME)
    assert ours == boto


def test_a_bucket_with_nothing_but_what_was_left_of_ours(empty: Sides) -> None:
    """Nothing is listed in it, and so it is empty."""
    for version in (1, 2):
        empty.ours.put_object(Bucket=empty.deltas, Key=f"v{version}/a.zip", Body=noise("a") + b"x" * version)
    for version in (1, 2):
        empty.boto.delete_object(Bucket=empty.deltas, Key=f"v{version}/a.zip.delta")
    assert empty.ours.list_objects_v2(Bucket=empty.deltas)["KeyCount"] == 0
    assert empty.boto.list_objects_v2(Bucket=empty.deltas)["KeyCount"] == 1
    answer = empty.ours.delete_bucket(Bucket=empty.deltas)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert outcome(lambda client, bucket: client.head_bucket(Bucket=bucket), empty.boto, empty.deltas)[-1] == 404


def test_on_the_embedded_store(tmp_path: Path) -> None:
    with create_client(f"file://{tmp_path}/store") as client:
        assert client.create_bucket(Bucket="bucket")["Location"] == "/bucket"
        assert [each["Name"] for each in client.list_buckets(Prefix="buck")["Buckets"]] == ["bucket"]
        assert client.head_bucket(Bucket="bucket")["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket="bucket")
        assert client.delete_bucket(Bucket="bucket")["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert outcome(lambda c, b: c.head_bucket(Bucket=b), client, "bucket")[-1] == 404
        assert outcome(lambda c, b: c.get_bucket_acl(Bucket=b), client, "bucket")[-1] == 501
        found = outcome(lambda c, b: c.head_bucket(Bucket=b, ExpectedBucketOwner="1" * 12), client, "bucket")
        assert found[-1] == 501
