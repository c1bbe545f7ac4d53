"""``put_object``, ``copy_object`` and the deletes, against boto3's own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from tests.boto.oracle import COMMON, Call, Sides, outcome


def put(**more: Any) -> Call:
    return lambda client, bucket: client.put_object(Bucket=bucket, **{"Key": "new/v9/app.zip", "Body": COMMON, **more})


def _put_stream(client: Any, bucket: str) -> Any:
    return put(Body=io.BytesIO(COMMON))(client, bucket)


def copy(**more: Any) -> Call:
    def call(client: Any, bucket: str) -> Any:
        source = more.get("CopySource", {"Bucket": bucket, "Key": "apps/v2/app.zip"})
        source = source.replace("BUCKET", bucket) if isinstance(source, str) else source
        return client.copy_object(Bucket=bucket, **{"Key": "copied/app.zip", **more, "CopySource": source})

    return call


def delete(*keys: str, **more: Any) -> Call:
    objects = [{"Key": key} for key in keys]
    return lambda client, bucket: client.delete_objects(Bucket=bucket, Delete={"Objects": objects, **more})


WRITES: dict[str, tuple[Call, str]] = {
    "bytes": (put(), "new/v9/app.zip"),
    "a bytearray": (put(Body=bytearray(COMMON)), "new/v9/app.zip"),
    "text": (put(Body="naïve text", Key="t.txt"), "t.txt"),
    "no body": (lambda client, bucket: client.put_object(Bucket=bucket, Key="nothing"), "nothing"),
    "a file object": (_put_stream, "new/v9/app.zip"),
    "headers": (
        put(ContentType="application/zip", CacheControl="no-store", ContentLanguage="fr", Metadata={"k": "v"}),
        "new/v9/app.zip",
    ),
    "over an object": (put(Key="apps/v2/app.zip", Body=COMMON + b"new"), "apps/v2/app.zip"),
    "over an object, whole": (put(Key="apps/v2/app.zip", Body=b"small"), "apps/v2/app.zip"),
    "an odd key": (put(Key="odd//b/./c é+.zip"), "odd//b/./c é+.zip"),
    "a leading slash": (put(Key="/lead.zip"), "/lead.zip"),
    "a directory": (put(Key="dir/", Body=b""), "dir/"),
    "an unknown parameter": (put(Colour="red"), "new/v9/app.zip"),
    "no bucket": (lambda client, _: client.put_object(Bucket="no-such-bucket-here", Key="k", Body=b"x"), "k"),
    "a copy": (copy(), "copied/app.zip"),
    "a copy of an odd name": (copy(CopySource="BUCKET/odd/a b+c%20é.zip"), "copied/app.zip"),
    "a copy with other metadata": (
        copy(MetadataDirective="REPLACE", Metadata={"new": "1"}, ContentType="text/x"),
        "copied/app.zip",
    ),
    "a copy that keeps metadata": (copy(Metadata={"ignored": "1"}), "copied/app.zip"),
    "a copy of nothing": (copy(CopySource="BUCKET/missing"), "copied/app.zip"),
    "a delete": (lambda client, bucket: client.delete_object(Bucket=bucket, Key="apps/v2/app.zip"), "apps/v2/app.zip"),
    "a delete of nothing": (lambda client, bucket: client.delete_object(Bucket=bucket, Key="none"), "none"),
    "deletes": (delete("apps/v1/app.zip", "apps.txt", "none"), "apps.txt"),
}


@pytest.mark.parametrize("name", WRITES)
def test_as_boto3_does(name: str, sides: Sides) -> None:
    call, key = WRITES[name]
    boto, ours = sides.changes(call)
    assert ours == boto
    left, there = sides.changes(lambda client, bucket: client.get_object(Bucket=bucket, Key=key))
    assert there == left
    keys, names = sides.changes(_keys)
    assert names == keys


def _keys(client: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_file_object_stays_open_and_is_read_from_where_it_stands(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"skipped" + COMMON)
    with (tmp_path / "file").open("rb") as file:
        file.seek(7)
        sides.ours.put_object(Bucket=sides.deltas, Key="f.zip", Body=file)
        assert not file.closed
    assert sides.ours.get_object(Bucket=sides.deltas, Key="f.zip")["Body"].read() == COMMON


def test_how_it_was_stored_rides_along(empty: Sides) -> None:
    first = empty.ours.put_object(Bucket=empty.deltas, Key="v1/a.zip", Body=COMMON)["DeltaGliderInfo"]
    second = empty.ours.put_object(Bucket=empty.deltas, Key="v2/a.zip", Body=COMMON + b"x")["DeltaGliderInfo"]
    assert (first["Operation"], first["IsDelta"]) == ("create_reference", False)
    assert (second["Operation"], second["IsDelta"]) == ("create_delta", True)
    assert second["SavingsPercent"] > 99
    gone = empty.ours.delete_object(Bucket=empty.deltas, Key="v2/a.zip")["DeltaGliderInfo"]
    assert gone == {"Type": "delta", "Deleted": True}


def test_a_key_of_ours_is_refused(sides: Sides) -> None:
    (reference,) = [
        each["Key"] for each in sides.boto.list_objects_v2(Bucket=sides.deltas, Prefix="apps/.deltaglider/")["Contents"]
    ]
    code = outcome(lambda client, bucket: client.delete_object(Bucket=bucket, Key=reference), sides.ours, sides.deltas)
    assert code[3]["Code"] == "InvalidArgument"
    failed = sides.ours.delete_objects(Bucket=sides.deltas, Delete={"Objects": [{"Key": reference}, {"Key": "none"}]})
    assert [each["Key"] for each in failed["Errors"]] == [reference]
    assert failed["Deleted"] == [{"Key": "none"}]
    assert sides.ours.get_object(Bucket=sides.deltas, Key="apps/v2/app.zip")["Body"].read() == COMMON + b"two"


def test_quiet_deletes_tell_of_failures_only(sides: Sides) -> None:
    assert outcome(delete("apps/v1/app.zip", "none", Quiet=True), sides.ours, sides.deltas) == {"status": 200}


@pytest.mark.parametrize("source", ["BUCKET", "", {"Bucket": "b"}])
def test_a_copy_of_no_object(source: Any, sides: Sides) -> None:
    assert outcome(copy(CopySource=source), sides.ours, sides.deltas) == ("ParamValidationError",)


@pytest.mark.parametrize("keys", [[], ["k"] * 1001])
def test_too_few_keys_and_too_many(keys: list[str], sides: Sides) -> None:
    assert outcome(delete(*keys), sides.ours, sides.deltas)[0] in ("ParamValidationError", "ClientError")


def test_references_go_with_the_last_delta(sides: Sides) -> None:
    keys = [each["Key"] for each in sides.ours.list_objects_v2(Bucket=sides.deltas)["Contents"]]
    sides.ours.delete_objects(Bucket=sides.deltas, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sides.boto.list_objects_v2(Bucket=sides.deltas)["KeyCount"] == 0
