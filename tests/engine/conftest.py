"""The world of the engine's tests: the embedded store unless a test is marked with other endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from tests.engine.world import World, world_on
from tests.servers import DirectoryEndpoint, Endpoint


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    """A bucket of an embedded store."""
    async with world_on(directory, directory.make_bucket(), tmp_path / "home") as made:
        yield made


@pytest.fixture
async def any_world(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[World]:
    """A bucket of each store the test is marked with."""
    async with world_on(endpoint, endpoint.make_bucket(), tmp_path / "home") as made:
        yield made


@pytest.fixture
def ctx(world: World) -> Context:
    """A client."""
    return world.client()
