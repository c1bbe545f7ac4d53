"""A client used where or when it must not be says so, and does no harm."""

from __future__ import annotations

import asyncio
import gc
import shutil
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider import AsyncDeltaGliderClient, ClientStateError, DeltaGliderClient, create_async_client, create_client
from deltaglider.client.boto import BotoMethods
from tests.client.world import EARLIER, Either, leftovers, noise, opened
from tests.servers import DirectoryEndpoint


def test_a_second_event_loop(directory: DirectoryEndpoint) -> None:
    client = create_async_client(directory.url)
    assert asyncio.run(client.buckets()) == []
    with pytest.raises(ClientStateError, match=r"another event loop.*Make a client in each event loop"):
        asyncio.run(client.buckets())


def test_a_client_made_outside_a_loop_belongs_to_the_first_it_is_used_in(directory: DirectoryEndpoint) -> None:
    client = create_async_client(directory.url)

    async def use() -> None:
        async with client:
            await client.make_bucket("bucket")
            assert [bucket.name for bucket in await client.buckets()] == ["bucket"]

    asyncio.run(use())


async def test_many_tasks_of_its_loop_may_use_it(aclient: AsyncDeltaGliderClient, bucket: str) -> None:
    await asyncio.gather(*(aclient.upload(noise(n, 5_000), f"s3://{bucket}/d{n}/a.zip") for n in range(20)))
    keys = [f"d{n}/a.zip" for n in range(20)]
    assert [entry.key async for entry in aclient.list(f"s3://{bucket}")] == sorted(keys)


METHODS: list[tuple[Any, ...]] = [
    ("upload", "a", "s3://bucket/key"),
    ("download", "s3://bucket/key", "a"),
    ("stream", "s3://bucket/key"),
    ("head", "s3://bucket/key"),
    ("verify", "s3://bucket/key"),
    ("rescue", "s3://bucket/key"),
    ("delete", "s3://bucket/key"),
    ("copy", "s3://bucket/key", "s3://bucket/other"),
    ("list", "s3://bucket"),
    ("stats", "s3://bucket"),
    ("upload_directory", ".", "s3://bucket"),
    ("download_directory", "s3://bucket", "."),
    ("copy_directory", "s3://bucket/a", "s3://bucket/b"),
    ("delete_directory", "s3://bucket"),
    ("sync", ".", "s3://bucket"),
    ("transfer", ["."], "s3://bucket"),
    ("analyze", "s3://bucket"),
    ("migrate", "s3://bucket/a/", "s3://bucket/b/"),
    ("verify_directory", "s3://bucket"),
    ("buckets",),
    ("make_bucket", "bucket"),
    ("remove_bucket", "bucket"),
    ("bucket_acl", "bucket"),
    ("set_bucket_acl", "bucket"),
    ("set_bucket_website", "bucket"),
    ("presign", "s3://bucket/k"),
    ("purge", "bucket"),
    ("doctor",),
    ("survey", "s3://bucket"),
]


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("used", [False, True])
async def test_closed(kind: str, used: bool, directory: DirectoryEndpoint, temporary: Path, bucket: str) -> None:
    async with opened(kind, temporary, endpoint_url=directory.url) as either:
        if used:
            await either("upload", noise(1), f"s3://{bucket}/a.zip")
    for method, *arguments in METHODS:
        with pytest.raises(ClientStateError, match=r"the client is closed\. Make a new one"):
            await either(method, *arguments)
    assert isinstance(either, Either)


def test_closed_is_tested_of_all_methods() -> None:
    public = {name for name in dir(AsyncDeltaGliderClient) if not name.startswith("_")}
    # Those of boto3's shape have tests of their own, in tests/boto.
    assert {method for method, *_ in METHODS} == public - set(dir(BotoMethods)) - EARLIER


async def test_closed_twice(directory: DirectoryEndpoint) -> None:
    client, aclient = create_client(directory.url), create_async_client(directory.url)
    client.buckets()
    await aclient.buckets()
    for _ in range(2):
        client.close()
        await aclient.aclose()


async def test_closed_in_an_open_context(directory: DirectoryEndpoint) -> None:
    with create_client(directory.url) as client:
        client.buckets()
        client.close()
    async with create_async_client(directory.url) as aclient:
        await aclient.buckets()
        await aclient.aclose()


async def test_closed_before_it_was_used(directory: DirectoryEndpoint) -> None:
    create_client(directory.url).close()
    await create_async_client(directory.url).aclose()
    assert not directory.root.exists()


def test_an_error_inside_the_context_comes_out_of_it(directory: DirectoryEndpoint) -> None:
    client = create_client(directory.url)
    with pytest.raises(ZeroDivisionError), client:
        client.upload(1 / 0, "s3://bucket/key")  # type: ignore[arg-type]
    with pytest.raises(ClientStateError):
        client.buckets()


async def test_closed_in_the_middle_of_calls(directory: DirectoryEndpoint, bucket: str, temporary: Path) -> None:
    """They end with what they had, or say what happened; damage is not what they see."""
    aclient = create_async_client(directory.url, temp_dir=temporary)
    await aclient.upload(noise(0), f"s3://{bucket}/v0/app.zip")
    fed, go_on = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield noise(0)
        fed.set()
        await go_on.wait()

    pieces = aclient.stream(f"s3://{bucket}/v0/app.zip")
    read = await anext(pieces)
    upload = asyncio.ensure_future(aclient.upload(source(), f"s3://{bucket}/v1/app.zip"))
    await fed.wait()
    await aclient.aclose()
    go_on.set()
    with pytest.raises(ClientStateError, match="closed in the middle"):
        await upload
    assert read + b"".join([piece async for piece in pieces]) == noise(0)


async def test_temporary_files_that_were_cleaned_away(
    aclient: AsyncDeltaGliderClient, bucket: str, temporary: Path
) -> None:
    """As happens to a service that did nothing for days."""
    await aclient.upload(noise(0), f"s3://{bucket}/v0/app.zip")
    (home,) = temporary.iterdir()
    shutil.rmtree(home)
    await aclient.upload(noise(0), f"s3://{bucket}/v1/app.zip")
    assert [entry.key async for entry in aclient.list(f"s3://{bucket}")] == ["v0/app.zip", "v1/app.zip"]


async def test_entering_a_closed_client(directory: DirectoryEndpoint) -> None:
    aclient, client = create_async_client(directory.url), create_client(directory.url)
    await aclient.aclose()
    client.close()
    with pytest.raises(ClientStateError, match="closed"):
        async with aclient:
            raise AssertionError("entered")
    with pytest.raises(ClientStateError, match="closed"), client:
        raise AssertionError("entered")


async def test_closing_in_another_loop_does_no_harm(directory: DirectoryEndpoint, temporary: Path) -> None:
    aclient = create_async_client(directory.url, temp_dir=temporary)
    bucket = directory.make_bucket()
    await asyncio.to_thread(asyncio.run, aclient.upload(noise(1), f"s3://{bucket}/a.zip"))
    await aclient.aclose()
    assert leftovers(temporary) == []


async def test_a_client_nobody_closed_goes_away(directory: DirectoryEndpoint) -> None:
    client: DeltaGliderClient | None = create_client(directory.url)
    aclient: AsyncDeltaGliderClient | None = create_async_client(directory.url)
    assert client is not None
    assert aclient is not None
    references = [weakref.ref(client), weakref.ref(aclient)]
    await aclient.buckets()
    del client, aclient
    gc.collect()
    assert [reference() for reference in references] == [None, None]
