"""What the end-to-end tests start from: the embedded store, or moto, and a directory to work in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider import DeltaGliderClient, create_client
from tests.e2e.process import Program
from tests.servers import DirectoryEndpoint, Endpoint


def program_on(endpoint: Endpoint, tmp_path: Path) -> Program:
    """The program with an environment that names a store."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    environ = {**endpoint.environ(), "DG_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": "", "COLUMNS": "100"}
    return Program(environ, here, temporary)


@pytest.fixture
def program(directory: DirectoryEndpoint, tmp_path: Path) -> Program:
    """The program on an embedded store."""
    return program_on(directory, tmp_path)


@pytest.fixture
def bkt(directory: DirectoryEndpoint) -> str:
    """A bucket of the embedded store."""
    return directory.make_bucket()


@pytest.fixture
def client(directory: DirectoryEndpoint, tmp_path: Path) -> Iterator[DeltaGliderClient]:
    """What a test sets up and looks at without a process for each."""
    with create_client(directory.url, cache_dir=tmp_path / "cache") as client:
        yield client


@pytest.fixture
def pair() -> tuple[bytes, bytes]:
    """Two versions of a file of which the second is worth a delta."""
    first = random.Random(11).randbytes(300_000)
    return first, first[:100_000] + b"a change" + first[100_000:]
