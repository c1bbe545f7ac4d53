"""``put``: what goes in comes out, whole or not at all."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from deltaglider.config import MIB
from deltaglider.errors import (
    BucketNotFoundError,
    ChecksumMismatchError,
    LocalFileNotFoundError,
    NotFoundError,
    PreconditionFailedError,
)
from deltaglider.store.base import HEADER_NAMES
from tests.contract.conftest import PART
from tests.contract.tools import Box, md5, noise, sha256
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")
everywhere = pytest.mark.endpoints("directory", "moto", "weed", "weed-tls")

SIZES = [0, 1, MIB - 1, PART - 1, PART, 2 * PART + 12345]
METADATA = {"dg-tool": "test", "user-note": 'a, b; c=d "e" ~', "empty-ish": "-", "long": "x" * 1500}
HEADERS = {
    "ContentType": "application/x-test; charset=utf-8",
    "CacheControl": "max-age=60, private",
    "ContentDisposition": 'attachment; filename="a b.zip"',
    "ContentEncoding": "identity",
    "ContentLanguage": "de-CH, en",
    "Expires": "Wed, 21 Oct 2015 07:28:00 GMT",
}


@everywhere
@pytest.mark.parametrize("size", SIZES)
async def test_a_file_comes_back_byte_for_byte(box: Box, size: int) -> None:
    body = noise(size)
    result = await box.put("k", body, source=box.new_file(body))
    info, fetched = await box.fetch("k")
    assert fetched == body
    assert await box.read("k") == body
    assert (info.size, info.etag) == (size, result.etag)


@pytest.mark.parametrize("size", [0, 1, PART - 1, 2 * PART + 12345])
async def test_bytes_come_back_byte_for_byte(box: Box, size: int) -> None:
    body = noise(size)
    await box.put("k", body)
    assert await box.read("k") == body


@everywhere
@pytest.mark.parametrize("size", [0, 1000, 2 * PART + 12345])
async def test_head_tells_what_was_put(box: Box, size: int) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    result = await box.put("dir/k", noise(size), metadata=METADATA, headers=HEADERS)
    info = await box.head("dir/k")
    assert (info.bucket, info.key, info.size, info.etag) == (box.bucket, "dir/k", size, result.etag)
    assert info.metadata == METADATA
    assert {name: info.headers.get(name) for name in HEADERS} == HEADERS
    assert set(info.headers) <= set(HEADER_NAMES)
    assert before <= info.last_modified <= datetime.now(UTC) + timedelta(seconds=2)
    assert info.last_modified.utcoffset() == timedelta(0)
    assert info.last_modified.microsecond == 0
    assert info.storage_class == "STANDARD"


async def test_the_etag_of_one_part_is_its_md5_without_quotes(box: Box) -> None:
    result = await box.put("k", b"hello")
    assert result.etag == md5(b"hello")
    assert (await box.head("k")).etag == md5(b"hello")


async def test_metadata_names_come_back_in_lower_case(box: Box) -> None:
    await box.put("k", b"x", metadata={"Mixed-Case": "Value"})
    assert (await box.head("k")).metadata == {"mixed-case": "Value"}


async def test_write_parameters_of_the_service_ride_along(box: Box) -> None:
    await box.put("k", b"x", headers={"ContentType": "text/plain", "StorageClass": "STANDARD", "ACL": "private"})
    info = await box.head("k")
    assert info.headers["ContentType"] == "text/plain"
    assert info.storage_class == "STANDARD"


async def test_a_write_replaces_all_of_what_was_there(box: Box) -> None:
    await box.put("k", noise(2 * PART), metadata={"old": "1"}, headers={"ContentLanguage": "de"})
    await box.put("k", b"new", metadata={"new": "2"})
    info = await box.head("k")
    assert (info.size, info.metadata) == (3, {"new": "2"})
    assert "ContentLanguage" not in info.headers
    assert await box.read("k") == b"new"


@pytest.mark.parametrize("size", [0, 1000, 2 * PART + 12345])
async def test_moved_hears_of_each_byte_in_the_event_loop(box: Box, size: int) -> None:
    up: list[int] = []
    down: list[int] = []
    threads: set[threading.Thread] = set()

    def moved(counts: list[int], count: int) -> None:
        asyncio.get_running_loop()
        threads.add(threading.current_thread())
        counts.append(count)

    await box.put("k", noise(size), moved=lambda count: moved(up, count))
    await box.fetch("k", moved=lambda count: moved(down, count))
    assert (sum(up), sum(down)) == (size, size)
    assert threads <= {threading.current_thread()}


@everywhere
@pytest.mark.parametrize("size", [10, 2 * PART + 12345])
@pytest.mark.parametrize("as_file", [True, False])
async def test_a_source_other_than_promised_is_not_stored(box: Box, size: int, as_file: bool) -> None:
    body, promised = noise(size, seed=1), noise(size, seed=2)
    source = box.new_file(body) if as_file else body
    with pytest.raises(ChecksumMismatchError):
        await box.put("k", source=source, sha256=sha256(promised))
    with pytest.raises(NotFoundError):
        await box.head("k")
    assert await box.unfinished() == []


async def test_a_source_other_than_promised_leaves_the_old_object(box: Box) -> None:
    await box.put("k", b"old", metadata={"v": "1"})
    with pytest.raises(ChecksumMismatchError):
        await box.put("k", b"new", sha256=sha256(b"other"))
    assert await box.read("k") == b"old"
    assert (await box.head("k")).metadata == {"v": "1"}


async def test_a_missing_source_is_a_local_error_that_names_it(box: Box) -> None:
    path = box.tmp_path / "no such file"
    with pytest.raises(LocalFileNotFoundError, match="no such file"):
        await box.put("k", source=path)


@pytest.mark.parametrize("size", [10, 2 * PART + 12345])
async def test_a_bucket_that_is_missing_is_named(box: Box, size: int) -> None:
    with pytest.raises(BucketNotFoundError, match="no-such-bucket"):
        await box.store.put("no-such-bucket-0", "k", noise(size), sha256=sha256(noise(size)), metadata={})


@everywhere
@pytest.mark.parametrize("how", ["scope", "task"])
async def test_a_cancelled_write_leaves_nothing(box: Box, how: str) -> None:
    size = 4 * PART
    started = asyncio.Event()

    async def put() -> None:
        body = noise(size)
        await box.put("k", body, source=box.new_file(body), moved=lambda count: started.set())

    if how == "task":
        task = asyncio.create_task(put())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(put)
            await started.wait()
            group.cancel_scope.cancel()
    assert await box.keys() == []
    assert await box.unfinished() == []
    await box.put("k", b"after")
    assert await box.read("k") == b"after"


async def test_an_error_from_moved_ends_the_write(box: Box) -> None:
    class OnPurposeError(Exception):
        pass

    def fail(count: int) -> None:
        raise OnPurposeError

    with pytest.raises(OnPurposeError):
        await box.put("k", noise(3 * PART), moved=fail)
    assert await box.keys() == []
    assert await box.unfinished() == []


@everywhere
@pytest.mark.parametrize("size", [10, 2 * PART + 12345])
async def test_if_none_match_creates_and_never_overwrites(box: Box, size: int) -> None:
    body = noise(size)
    await box.put("k", body, if_none_match=True)
    with pytest.raises(PreconditionFailedError, match=f"s3://{box.bucket}/k"):
        await box.put("k", noise(size, seed=2), if_none_match=True)
    assert await box.read("k") == body
    assert await box.unfinished() == []


@pytest.mark.parametrize("size", [10, 2 * PART + 12345])
async def test_if_match_overwrites_that_generation_only(box: Box, size: int) -> None:
    first = await box.put("k", b"one")
    second = await box.put("k", noise(size), if_match=first.etag)
    with pytest.raises(PreconditionFailedError):
        await box.put("k", b"three", if_match=first.etag)
    assert (await box.head("k")).etag == second.etag
    assert await box.read("k") == noise(size)


async def test_if_match_of_what_is_absent_stores_nothing(box: Box) -> None:
    with pytest.raises(PreconditionFailedError):
        await box.put("k", b"x", if_match=md5(b"x"))
    assert await box.keys() == []


@pytest.mark.parametrize("condition", ["if_none_match", "if_match"])
async def test_of_eight_racers_one_wins(box: Box, condition: str) -> None:
    expected = None
    if condition == "if_match":
        expected = (await box.put("k", b"start")).etag
    winners: list[bytes] = []
    losers: list[bytes] = []

    async def race(body: bytes) -> None:
        try:
            await box.put("k", body, if_none_match=condition == "if_none_match", if_match=expected)
            winners.append(body)
        except PreconditionFailedError:
            losers.append(body)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(race, f"racer {number}".encode())
    assert len(winners) == 1
    assert len(losers) == 7
    assert await box.read("k") == winners[0]


async def test_many_tasks_write_and_read_at_once(box: Box, endpoint: Endpoint) -> None:
    seen: dict[str, bytes] = {}

    async def one(key: str) -> None:
        await box.put(key, key.encode() * 1000)
        seen[key] = await box.read(key)

    names = [f"many/{number}" for number in range(32)]
    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(one, name)
    assert seen == {name: name.encode() * 1000 for name in names}
    assert await box.keys("many/") == sorted(names)
