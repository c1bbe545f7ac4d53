"""A source replaced while it is copied, on a store that ignores conditions on the source, as moto does."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_async_client
from deltaglider.errors import StoreUnavailableError
from tests.engine.world import noise
from tests.faults.proxy import Fault, FaultyProxy, Request
from tests.servers import S3Endpoint

OLD, NEW, THERE = noise("old", 9_000), noise("new", 9_000), noise("there", 9_000)


class Scene:
    """A source, what replaces it, and a target that holds something; all three whole files."""

    def __init__(self, moto: S3Endpoint, nth: int) -> None:
        self.moto = moto
        self.nth = nth
        self.bucket = moto.make_bucket()
        self.writes = 0

    async def set(self, cache: Path) -> None:
        async with create_async_client(**self.moto.client_kwargs(cache_dir=cache)) as plain:
            for key, data in (("source.txt", OLD), ("other.txt", NEW), ("target.txt", THERE)):
                await plain.upload(data, f"s3://{self.bucket}/{key}")

    async def copy(self, client: Any) -> None:
        await client.copy(f"s3://{self.bucket}/source.txt", f"s3://{self.bucket}/target.txt")

    def replace(self, request: Request) -> None:
        """Replaces the source just before the nth request that writes."""
        self.writes += request.method == "PUT"
        if request.method == "PUT" and self.writes == self.nth:
            self.moto.client().copy_object(Bucket=self.bucket, Key="source.txt", CopySource=f"{self.bucket}/other.txt")

    def target(self) -> bytes:
        """The target as a client would read it: its bytes must be those its metadata tell of."""
        answer = self.moto.client().get_object(Bucket=self.bucket, Key="target.txt")
        data: bytes = answer["Body"].read()
        assert hashlib.sha256(data).hexdigest() == answer["Metadata"]["dg-file-sha256"]
        return data


@pytest.mark.parametrize("nth", [1, 2])
async def test_no_reader_ever_sees_the_one_under_the_metadata_of_the_other(
    moto: S3Endpoint, tmp_path: Path, nth: int
) -> None:
    scene = Scene(moto, nth)
    await scene.set(tmp_path)
    seen: list[bytes] = []

    def script(request: Request) -> None:
        seen.append(scene.target())
        scene.replace(request)

    with FaultyProxy(moto, script) as proxied:
        async with create_async_client(**proxied.client_kwargs(cache_dir=tmp_path)) as client:
            await scene.copy(client)
            keys = [entry.key async for page in client._parts.store.list_objects(scene.bucket) for entry in page]
    assert scene.writes >= nth
    assert {*seen, scene.target()} - {THERE} <= {OLD, NEW}
    assert scene.target() != THERE
    assert keys == ["other.txt", "source.txt", "target.txt"]


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_copy_that_is_cut_off_leaves_no_mixture(moto: S3Endpoint, tmp_path: Path, nth: int) -> None:
    """The network fails for good as soon as that request was made."""
    scene = Scene(moto, nth)
    await scene.set(tmp_path)

    def script(request: Request) -> Fault | None:
        if scene.writes >= nth:
            return Fault("refuse")
        scene.replace(request)
        return None

    with FaultyProxy(moto, script) as proxied:
        async with create_async_client(**proxied.client_kwargs(cache_dir=tmp_path, max_attempts=1)) as client:
            with contextlib.suppress(StoreUnavailableError):
                await scene.copy(client)
    assert scene.writes == nth
    assert scene.target() in (OLD, NEW, THERE)
