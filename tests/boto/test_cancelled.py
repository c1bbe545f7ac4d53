"""A transfer that is cancelled half-way leaves nothing behind: no part, no object, no file."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from deltaglider import AsyncDeltaGliderClient, create_async_client
from deltaglider.config import MIB
from deltaglider.events import BytesMoved, Event, RequestSent
from tests.boto.oracle import noise
from tests.client.world import leftovers
from tests.servers import S3Endpoint

DATA = noise("cancelled", 11 * MIB)
PARTS: dict[str, Any] = {"multipart_threshold": 5 * MIB, "multipart_chunksize": 5 * MIB}

Start = Callable[[AsyncDeltaGliderClient, str, str, Path], Any]

UPLOADS: dict[str, Start] = {
    "upload": lambda client, bucket, key, path: client.upload(path, f"s3://{bucket}/{key}"),
    "put_object": lambda client, bucket, key, path: client.put_object(Bucket=bucket, Key=key, Body=DATA),
    "upload_file": lambda client, bucket, key, path: client.upload_file(path, bucket, key, Callback=_nothing),
    "upload_fileobj": lambda client, bucket, key, path: client.upload_fileobj(io.BytesIO(DATA), bucket, key),
}
DOWNLOADS: dict[str, Start] = {
    "download": lambda client, bucket, key, path: client.download(f"s3://{bucket}/{key}", path / "copy"),
    "get_object": lambda client, bucket, key, path: _read(client, bucket, key),
    "download_file": lambda client, bucket, key, path: client.download_file(
        bucket, key, path / "copy", Callback=_nothing
    ),
    "download_fileobj": lambda client, bucket, key, path: client.download_fileobj(bucket, key, io.BytesIO()),
}


def _nothing(count: int) -> None:
    pass


async def _read(client: AsyncDeltaGliderClient, bucket: str, key: str) -> None:
    await (await client.get_object(Bucket=bucket, Key=key))["Body"].read()


class Canceller:
    """An observer that cancels a task at a certain event."""

    def __init__(self, is_time: Callable[[Event], bool]) -> None:
        self._is_time = is_time
        self.task: asyncio.Task[Any] | None = None
        self.struck = False

    def __call__(self, event: Event, /) -> None:
        if self.task is not None and not self.struck and self._is_time(event):
            self.struck = True
            self.task.get_loop().call_soon_threadsafe(self.task.cancel)

    async def over(self, work: Any) -> None:
        """Runs work that is cancelled."""
        self.task = asyncio.ensure_future(work)
        with pytest.raises(asyncio.CancelledError):
            await self.task
        assert self.struck


def lies(moto: S3Endpoint, bucket: str) -> tuple[list[str], list[str]]:
    """The keys of a bucket, and of its unfinished uploads."""
    boto = boto3.client("s3", **moto.client_kwargs())
    try:
        keys = [entry["Key"] for entry in boto.list_objects_v2(Bucket=bucket).get("Contents", [])]
        uploads = [entry["Key"] for entry in boto.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]
    finally:
        boto.close()
    return keys, uploads


@pytest.mark.parametrize(
    ("name", "key"),
    [*((name, "plain.txt") for name in UPLOADS), ("upload", "v1/app.zip"), ("upload_fileobj", "v1/app.zip")],
)
async def test_an_upload(name: str, key: str, moto: S3Endpoint, tmp_path: Path) -> None:
    """While parts go up: of an object stored whole, or of a first reference."""
    bucket, temporary = moto.make_bucket(), tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "source").write_bytes(DATA)
    canceller = Canceller(lambda event: isinstance(event, RequestSent) and event.operation == "UploadPart")
    async with create_async_client(
        **moto.client_kwargs(), **PARTS, temp_dir=temporary, cache_dir=tmp_path / "cache", observer=canceller
    ) as client:
        await canceller.over(UPLOADS[name](client, bucket, key, tmp_path / "source"))
        assert lies(moto, bucket) == ([], [])
        assert leftovers(temporary) == []
        # The client goes on as if nothing had been.
        await client.put_object(Bucket=bucket, Key=key, Body=b"after")
        assert (await client.head(f"s3://{bucket}/{key}")).size == 5


@pytest.mark.parametrize(
    ("name", "key"),
    [*((name, "v2/app.zip") for name in DOWNLOADS), ("download", "plain.txt"), ("get_object", "plain.txt")],
)
async def test_a_download(name: str, key: str, moto: S3Endpoint, tmp_path: Path) -> None:
    bucket, temporary, there = moto.make_bucket(), tmp_path / "temporary", tmp_path / "there"
    temporary.mkdir()
    there.mkdir()
    canceller = Canceller(lambda event: isinstance(event, BytesMoved) and event.direction == "down")
    settings = {**moto.client_kwargs(), **PARTS, "temp_dir": temporary}
    async with create_async_client(**settings, cache_dir=tmp_path / "first") as client:
        await client.put_object(Bucket=bucket, Key="v1/app.zip", Body=DATA)
        await client.put_object(Bucket=bucket, Key=key, Body=DATA + b"more")
    async with create_async_client(**settings, cache_dir=tmp_path / "second", observer=canceller) as client:
        await canceller.over(DOWNLOADS[name](client, bucket, key, there))
        assert leftovers(temporary) == []
        assert list(there.iterdir()) == []
        answer = await client.get_object(Bucket=bucket, Key=key)
        assert await answer["Body"].read() == DATA + b"more"
    assert list(temporary.iterdir()) == []
