"""Tests with the real predecessor, deltaglider 6.2.0: ``nox -s interop`` installs it and names it.

    DG_TEST_PREDECESSOR=/path/to/deltaglider pytest tests/interop

Without that variable, and unless this directory is asked for, they are left out of the run. Asked for without it, they
fail.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.world import World, world_on
from tests.interop.predecessor import VERSION, Predecessor
from tests.servers import S3Endpoint

VARIABLE = "DG_TEST_PREDECESSOR"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if VARIABLE in os.environ or any("interop" in str(argument) for argument in config.invocation_params.args):
        return
    here = Path(__file__).parent
    left_out = [item for item in items if here in item.path.parents]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if here not in item.path.parents]


@pytest.fixture(scope="session")
def program() -> Path:
    """The predecessor's executable."""
    # Read before any test begins: none of them sees the DG_ variables of the outside.
    path = os.environ.get(VARIABLE)
    assert path, f"set {VARIABLE} to the deltaglider executable of {VERSION}, or run 'nox -s interop'"
    assert os.access(path, os.X_OK), f"{VARIABLE} is {path}, which cannot be run"
    return Path(path).absolute()


@pytest.fixture
async def world(moto: S3Endpoint, tmp_path: Path) -> AsyncIterator[World]:
    """A bucket that both tools use."""
    async with world_on(moto, moto.make_bucket(), tmp_path / "home") as made:
        yield made


@pytest.fixture
def old(program: Path, world: World, tmp_path: Path) -> Predecessor:
    """The predecessor, at work in the same bucket."""
    assert isinstance(world.endpoint, S3Endpoint)
    home = tmp_path / "predecessor"
    home.mkdir()
    predecessor = Predecessor(program, world.endpoint, world.bucket, home)
    assert VERSION in predecessor.run("--version").stdout
    return predecessor
