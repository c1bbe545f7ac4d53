"""Clients of an embedded store with one bucket. What ends leaves no temporary file behind."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient, DeltaGliderClient, create_async_client, create_client
from tests.client.world import Either, emptied, leftovers, opened, portals
from tests.servers import DirectoryEndpoint


@pytest.fixture
def bucket(directory: DirectoryEndpoint) -> str:
    return directory.make_bucket()


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    """The next test counts the threads of clients; those of forgotten ones end when they have cleaned up."""
    yield
    if portals(0):
        gc.collect()
        assert portals() == []


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where clients keep files in flight; empty at the end."""
    path = tmp_path / "temporary"
    path.mkdir()
    yield path
    assert emptied(path), f"left behind: {leftovers(path)}"


@pytest.fixture(params=["asynchronous", "synchronous"])
async def either(
    request: pytest.FixtureRequest, directory: DirectoryEndpoint, temporary: Path
) -> AsyncIterator[Either]:
    """Either client. No call leaves a file in flight."""
    async with opened(request.param, temporary, endpoint_url=directory.url) as client:
        yield client
        assert leftovers(temporary) == []


@pytest.fixture
async def aclient(directory: DirectoryEndpoint, temporary: Path) -> AsyncIterator[AsyncDeltaGliderClient]:
    async with create_async_client(directory.url, temp_dir=temporary) as client:
        yield client


@pytest.fixture
def client(directory: DirectoryEndpoint, temporary: Path) -> Iterator[DeltaGliderClient]:
    with create_client(directory.url, temp_dir=temporary) as made:
        yield made
