"""Versions of objects, in a bucket that keeps them, against boto3's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from deltaglider import DeltaGliderClient, create_client
from tests.boto.oracle import COMMON, Sides, outcome
from tests.servers import S3Endpoint

KEYS = ("v/app.zip", "plain")


@dataclasses.dataclass(frozen=True)
class History:
    """Two versions of two objects, on both sides.

    Attributes:
        sides: The clients and buckets.
        ids: The versions' names, by bucket, key and number.
    """

    sides: Sides
    ids: dict[tuple[str, str, int], str]

    def compare(self, method: str, key: str, number: int, **more: Any) -> Any:
        found = []
        for client, bucket in ((self.sides.boto, self.sides.plain), (self.sides.ours, self.sides.deltas)):
            version = self.ids[bucket, key, number]

            def call(c: Any, b: str, version: str = version) -> Any:
                return getattr(c, method)(Bucket=b, Key=key, VersionId=version, **more)

            found.append(_unnamed(outcome(call, client, bucket)))
        assert found[1] == found[0]
        return found[0]


def _unnamed(answer: Any) -> Any:
    """Versions are named by the server, and each in its own way."""
    if isinstance(answer, dict):
        return {name: "<version>" if "VersionId" in name else _unnamed(value) for name, value in answer.items()}
    return answer


@pytest.fixture(scope="module")
def history(moto: S3Endpoint, clients: tuple[Any, DeltaGliderClient]) -> History:
    sides = Sides(*clients, moto.make_bucket(), moto.make_bucket())
    ids: dict[tuple[str, str, int], str] = {}
    for client, bucket in ((sides.boto, sides.plain), (sides.ours, sides.deltas)):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket=bucket, Key="v/first.zip", Body=COMMON)
        for key in KEYS:
            for number in (1, 2):
                body = COMMON + b"x" * number if key != "plain" else b"text" * number
                answer = client.put_object(Bucket=bucket, Key=key, Body=body, Metadata={"number": str(number)})
                ids[bucket, key, number] = answer["VersionId"]
    return History(sides, ids)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("number", [1, 2])
def test_reads_of_a_version(key: str, number: int, history: History) -> None:
    wanted = COMMON + b"x" * number if key != "plain" else b"text" * number
    assert history.compare("get_object", key, number)["Body"] == wanted
    assert history.compare("head_object", key, number)["ContentLength"] == len(wanted)
    assert history.compare("get_object", key, number, Range="bytes=-3")["Body"] == wanted[-3:]


def test_it_is_a_delta(history: History) -> None:
    listed = history.sides.boto.list_object_versions(Bucket=history.sides.deltas, Prefix="v/app.zip")["Versions"]
    assert [(each["Key"], each["IsLatest"]) for each in listed] == [
        ("v/app.zip.delta", True),
        ("v/app.zip.delta", False),
    ]


@pytest.mark.parametrize("method", ["get_object", "head_object"])
def test_no_such_version(method: str, history: History) -> None:
    def call(client: Any, bucket: str) -> Any:
        return getattr(client, method)(Bucket=bucket, Key="v/app.zip", VersionId=history.ids[bucket, "plain", 1])

    found = outcome(call, history.sides.ours, history.sides.deltas)
    code = {"get_object": "NoSuchVersion", "head_object": "404"}[method]
    assert (found[3]["Code"], found[-1]) == (code, 404)


def test_a_version_down_to_a_file(history: History, tmp_path: Path) -> None:
    told: list[int] = []
    extra = {"VersionId": history.ids[history.sides.deltas, "v/app.zip", 1]}
    history.sides.ours.download_file(
        history.sides.deltas, "v/app.zip", tmp_path / "f", ExtraArgs=extra, Callback=told.append
    )
    assert (tmp_path / "f").read_bytes() == COMMON + b"x"
    assert sum(told) == len(COMMON) + 1


def test_a_copy_of_a_version(history: History) -> None:
    """So is an old one brought back."""

    def back(client: Any, bucket: str) -> Any:
        version = history.ids[bucket, "v/app.zip", 1]
        source = {"Bucket": bucket, "Key": "v/app.zip", "VersionId": version}
        told = client.copy_object(Bucket=bucket, Key="v/back.zip", CopySource=source)
        assert told["CopySourceVersionId"] == version
        read = client.get_object(Bucket=bucket, Key="v/back.zip")
        return read["Body"].read(), read["Metadata"], told["VersionId"] == read["VersionId"], set(told)

    boto, ours = history.sides.changes(back)
    assert ours == boto
    assert boto[0] == COMMON + b"x"


def test_deletes_and_what_they_leave(history: History) -> None:
    def story(client: Any, bucket: str) -> Any:
        first = client.put_object(Bucket=bucket, Key="v/gone.zip", Body=COMMON + b"1")["VersionId"]
        second = client.put_object(Bucket=bucket, Key="v/gone.zip", Body=COMMON + b"2")["VersionId"]
        marker = client.delete_object(Bucket=bucket, Key="v/gone.zip")
        seen = [marker["DeleteMarker"], outcome(_get("v/gone.zip"), client, bucket)[-1]]
        read_marker = outcome(_get("v/gone.zip", marker["VersionId"]), client, bucket)
        unmade = client.delete_object(Bucket=bucket, Key="v/gone.zip", VersionId=marker["VersionId"])
        seen += [unmade["VersionId"] == marker["VersionId"], read_marker[-1] in (404, 405)]
        seen.append(client.get_object(Bucket=bucket, Key="v/gone.zip")["Body"].read())
        gone = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "v/gone.zip", "VersionId": second}]})[
            "Deleted"
        ]
        seen += [gone == [{"Key": "v/gone.zip", "VersionId": second}]]
        seen.append(client.get_object(Bucket=bucket, Key="v/gone.zip")["Body"].read())
        left = client.delete_object(Bucket=bucket, Key="v/gone.zip", VersionId=first)
        return [*seen, left["VersionId"] == first, outcome(_get("v/gone.zip"), client, bucket)[-1]]

    boto, ours = history.sides.changes(story)
    assert ours == boto
    assert (boto[4][-1:], boto[6][-1:]) == (b"2", b"1")


def _get(key: str, version: str | None = None) -> Any:
    more = {"VersionId": version} if version else {}
    return lambda client, bucket: client.get_object(Bucket=bucket, Key=key, **more)


def test_a_version_whose_reference_was_retired(history: History, moto: S3Endpoint, tmp_path: Path) -> None:
    ours, bucket = history.sides.ours, history.sides.deltas
    old = ours.put_object(Bucket=bucket, Key="retired/a.zip", Body=COMMON + b"old")["VersionId"]
    ours.delete_object(Bucket=bucket, Key="retired/a.zip")
    with create_client(**moto.client_kwargs(), cache_dir=tmp_path) as elsewhere:
        found = outcome(_get("retired/a.zip", old), elsewhere, bucket)
        with pytest.raises(elsewhere.exceptions.ClientError, match=r"its reference .* went when no object needed it"):
            elsewhere.download_file(bucket, "retired/a.zip", tmp_path / "file", ExtraArgs={"VersionId": old})
    assert found[0] == "ClientError"
