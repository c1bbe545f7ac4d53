"""What the tests of kills, signals and full disks share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from deltaglider.store.base import ObjectStore
from tests.faults.kills import Driver, driver
from tests.servers import Endpoint


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """Runs the command line, each command in a process of its own."""
    with driver(tmp_path_factory.mktemp("driver") / "home") as running:
        yield running


@pytest.fixture
async def stores() -> AsyncIterator[Callable[[Endpoint], ObjectStore]]:
    """Opens the store of an endpoint, once."""
    opened: dict[str, ObjectStore] = {}

    def open_store(endpoint: Endpoint) -> ObjectStore:
        return opened.setdefault(endpoint.url, endpoint.open_store())

    yield open_store
    for store in opened.values():
        await store.aclose()
