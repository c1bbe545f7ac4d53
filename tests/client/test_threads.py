"""One synchronous client, many threads; and inside a running event loop."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from deltaglider import DeltaGliderClient, create_client
from tests.client.world import noise
from tests.servers import DirectoryEndpoint

T = TypeVar("T")
COMMON = noise("common")


def _version(number: int) -> bytes:
    return COMMON[: number * 100] + noise(number, 50) + COMMON[number * 100 :]


def _at_once(work: Callable[[int], T], count: int = 16) -> list[T]:
    """Runs it with 0, 1, ... in threads that begin together."""
    together = threading.Barrier(count)

    def run(number: int) -> T:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def _portals() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deltaglider-portal"]


def test_sixteen_threads(client: DeltaGliderClient, bucket: str, tmp_path: Path) -> None:
    summaries = _at_once(lambda n: client.upload(_version(n), f"s3://{bucket}/v{n}/app.zip"))
    assert [summary.key for summary in summaries] == [f"v{n}/app.zip" for n in range(16)]
    # One of them was first, and the others are deltas against it.
    assert sorted(summary.is_delta for summary in summaries) == [False] + [True] * 15
    assert client.stats(f"s3://{bucket}").reference_objects == 1

    def download(number: int) -> None:
        target = tmp_path / f"{number}.zip"
        client.download(f"s3://{bucket}/v{number}/app.zip", target)
        assert target.read_bytes() == _version(number)
        stream = io.BytesIO()
        client.download(f"s3://{bucket}/v{number}/app.zip", stream)
        assert stream.getvalue() == _version(number)
        assert [entry.key for entry in client.list(f"s3://{bucket}/v{number}/")] == [f"v{number}/app.zip"]

    _at_once(download)
    assert len(_portals()) == 1


def test_the_same_name_in_different_places(client: DeltaGliderClient, bucket: str) -> None:
    """Nobody gets another's bytes, though all files are called alike."""
    _at_once(lambda n: client.upload(noise(n), f"s3://{bucket}/place-{n}/data.zip"))
    for number in range(16):
        assert b"".join(client.stream(f"s3://{bucket}/place-{number}/data.zip")) == noise(number)


def test_a_client_for_each_thread(directory: DirectoryEndpoint, bucket: str) -> None:
    def work(number: int) -> bytes:
        with create_client(directory.url) as client:
            client.upload(_version(number), f"s3://{bucket}/v{number}/app.zip")
            return b"".join(client.stream(f"s3://{bucket}/v{number}/app.zip"))

    assert _at_once(work, 8) == [_version(number) for number in range(8)]
    assert _portals() == []


async def test_inside_a_running_loop(client: DeltaGliderClient, bucket: str) -> None:
    """It blocks that loop, as anything synchronous does, and does not need it."""
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    ticker = asyncio.ensure_future(tick())
    client.upload(COMMON, f"s3://{bucket}/a.zip")
    assert b"".join(client.stream(f"s3://{bucket}/a.zip")) == COMMON
    assert turns == 0
    await asyncio.sleep(0)
    assert turns == 1
    ticker.cancel()


async def test_from_threads_of_a_running_loop(client: DeltaGliderClient, bucket: str) -> None:
    uploads = (asyncio.to_thread(client.upload, _version(n), f"s3://{bucket}/v{n}/app.zip") for n in range(4))
    assert len(await asyncio.gather(*uploads)) == 4


def test_a_client_that_is_forgotten_ends_its_thread(directory: DirectoryEndpoint, bucket: str, temporary: Path) -> None:
    def use() -> None:
        client = create_client(directory.url, temp_dir=temporary)
        client.upload(COMMON, f"s3://{bucket}/a.zip")
        assert len(list(temporary.iterdir())) == 1

    use()
    gc.collect()
    for thread in _portals():
        thread.join(30)
    assert _portals() == []
    assert list(temporary.iterdir()) == []


def test_forgotten_in_a_cycle_while_others_work(
    directory: DirectoryEndpoint, bucket: str, client: DeltaGliderClient
) -> None:
    forgotten = create_client(directory.url)
    forgotten.buckets()
    cycle: list[object] = [forgotten]
    cycle.append(cycle)
    del forgotten, cycle
    client.buckets()
    gc.collect()
    _at_once(lambda n: client.upload(_version(n), f"s3://{bucket}/v{n}/app.zip"), 4)
    assert b"".join(client.stream(f"s3://{bucket}/v3/app.zip")) == _version(3)
