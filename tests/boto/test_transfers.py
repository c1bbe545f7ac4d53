"""``upload_file`` and its like, against boto3's own."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_async_client, create_client
from tests.boto.oracle import COMMON, Sides, noise, outcome
from tests.servers import S3Endpoint

BIG = noise("big", 21_000_000)
DELTA = "apps/v2/app.zip"


class Told:
    """A callback, and what it was told."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def __call__(self, count: int) -> None:
        assert count > 0
        self.counts.append(count)


def test_a_file_up_and_down(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(COMMON + b"file")
    extra = {"Metadata": {"k": "v"}, "ContentType": "application/x-zip", "CacheControl": "no-cache"}

    def there_and_back(client: Any, bucket: str) -> Any:
        assert client.upload_file(str(tmp_path / "file.zip"), bucket, "apps/v4/f.zip", ExtraArgs=extra) is None
        assert client.download_file(bucket, "apps/v4/f.zip", str(tmp_path / "back")) is None
        return (tmp_path / "back").read_bytes(), client.get_object(Bucket=bucket, Key="apps/v4/f.zip")

    boto, ours = sides.changes(there_and_back)
    assert ours == boto
    assert ours[0] == COMMON + b"file"
    assert sides.ours.head(f"s3://{sides.deltas}/apps/v4/f.zip").is_delta


@pytest.mark.parametrize("key", ["big/v1/a.zip", "big/v2/a.zip", "big/plain"])
def test_what_a_callback_is_told_adds_up(key: str, empty: Sides, tmp_path: Path) -> None:
    """Of a file in parts, of a delta far smaller than its file, and with a reference far larger than the delta."""
    up, down, stream = Told(), Told(), Told()
    (tmp_path / "file").write_bytes(BIG)
    empty.ours.upload_file(tmp_path / "file", empty.deltas, "big/v1/a.zip")
    empty.ours.upload_file(tmp_path / "file", empty.deltas, key, Callback=up)
    empty.ours.download_file(empty.deltas, key, tmp_path / "back", Callback=down)
    empty.ours.download_fileobj(empty.deltas, key, io.BytesIO(), Callback=stream)
    assert (sum(up.counts), sum(down.counts), sum(stream.counts)) == (len(BIG),) * 3
    assert (tmp_path / "back").read_bytes() == BIG
    if key == "big/plain":
        assert len(up.counts) > 2


def test_file_objects_stay_open(sides: Sides) -> None:
    def there_and_back(client: Any, bucket: str) -> Any:
        source, target = io.BytesIO(b"skipped" + COMMON), io.BytesIO()
        source.seek(7)
        client.upload_fileobj(source, bucket, "f.zip")
        client.download_fileobj(bucket, "f.zip", target)
        return source.closed, target.getvalue()

    # boto3 closes what it is given to upload (boto3#929); we do not.
    boto, ours = sides.changes(there_and_back)
    assert ours == [False, COMMON]
    assert boto[1] == COMMON


class OneWay(io.RawIOBase):
    """Bytes that come once, and cannot be sought."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_a_stream_that_cannot_be_sought(sides: Sides) -> None:
    sides.ours.upload_fileobj(OneWay(COMMON), sides.deltas, "s.zip", Callback=(told := Told()))
    assert sides.ours.get_object(Bucket=sides.deltas, Key="s.zip")["Body"].read() == COMMON
    assert sum(told.counts) == len(COMMON)


@pytest.mark.parametrize(
    "call",
    [
        lambda client, bucket: client.download_file(bucket, "missing", os.devnull),
        lambda client, bucket: client.download_file("no-such-bucket-here", "k", os.devnull),
        lambda client, bucket: client.upload_file("/no/such/file", bucket, "k"),
        lambda client, bucket: client.download_fileobj(bucket, "missing", io.BytesIO()),
    ],
)
def test_failures_are_boto3s(call: Any, sides: Sides) -> None:
    boto, ours = sides.changes(call)
    assert ours[0] == {"FileNotFoundError": "LocalFileNotFoundError"}.get(boto[0], boto[0])
    assert ours[1:] == boto[1:]


@pytest.mark.parametrize("method", ["upload_file", "upload_fileobj", "download_file", "download_fileobj"])
def test_a_misspelt_argument_is_refused(method: str, sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    thing = io.BytesIO() if method.endswith("obj") else str(tmp_path / "file")
    arguments = (thing, sides.deltas, "k") if method.startswith("up") else (sides.deltas, DELTA, thing)
    for client in (sides.boto, sides.ours):
        with pytest.raises(ValueError, match="Colour"):
            getattr(client, method)(*arguments, ExtraArgs={"Colour": "red"})


@pytest.mark.parametrize("method", ["upload_fileobj", "download_fileobj"])
def test_what_is_no_file_object(method: str, sides: Sides) -> None:
    arguments = ("text", sides.deltas, DELTA) if method == "upload_fileobj" else (sides.deltas, DELTA, "text")
    for client in (sides.boto, sides.ours):
        with pytest.raises(ValueError, match="must implement"):
            getattr(client, method)(*arguments)


def test_a_callback_that_raises_ends_the_transfer(sides: Sides, tmp_path: Path) -> None:
    def refuse(count: int) -> None:
        raise ZeroDivisionError(count)

    with pytest.raises(ZeroDivisionError):
        sides.ours.download_file(sides.deltas, DELTA, tmp_path / "back", Callback=refuse)
    with pytest.raises(ZeroDivisionError):
        sides.ours.upload_fileobj(io.BytesIO(COMMON), sides.deltas, "refused", Callback=refuse)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["back"])


class Reader:
    """What reads when it is awaited."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.written = b""

    async def read(self, amount: int = -1) -> bytes:
        return self._data.read(amount)

    async def write(self, data: bytes) -> int:
        self.written += data
        return len(data)


async def test_awaited_file_objects(moto: S3Endpoint) -> None:
    bucket, stream = moto.make_bucket(), Reader(COMMON)
    async with create_async_client(**moto.client_kwargs()) as client:
        await client.upload_fileobj(stream, bucket, "v1/a.zip")
        await client.download_fileobj(bucket, "v1/a.zip", stream)
        body = (await client.get_object(Bucket=bucket, Key="v1/a.zip"))["Body"]
        assert b"".join([piece async for piece in body.iter_chunks(1000)]) == COMMON
    assert stream.written == COMMON


def test_on_the_embedded_store(tmp_path: Path) -> None:
    with create_client(f"file://{tmp_path}/store") as client:
        client.make_bucket("bucket")
        client.put_object(Bucket="bucket", Key="v1/a.zip", Body=COMMON)
        client.upload_fileobj(io.BytesIO(COMMON + b"2"), "bucket", "v2/a.zip")
        assert client.get_object(Bucket="bucket", Key="v2/a.zip", Range="bytes=-2")["Body"].read() == COMMON[-1:] + b"2"
        found = outcome(lambda c, b: c.get_bucket_policy(Bucket=b), client, "bucket")
        assert (found[2], found[-1]) == ("GetBucketPolicy", 501)
