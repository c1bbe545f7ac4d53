"""boto3's client and ours, on one moto server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from deltaglider import DeltaGliderClient, create_client
from tests.boto.oracle import CHANGED, Sides, fill
from tests.servers import S3Endpoint


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where our client keeps files in flight."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def clients(
    moto: S3Endpoint, temporary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, DeltaGliderClient]]:
    """boto3's, and ours, which leaves nothing behind."""
    boto = boto3.client("s3", **moto.client_kwargs())
    cache = tmp_path_factory.mktemp("cache")
    with create_client(**moto.client_kwargs(), temp_dir=temporary, cache_dir=cache) as ours:
        yield boto, ours
    boto.close()
    assert list(temporary.iterdir()) == []


@pytest.fixture
def empty(moto: S3Endpoint, clients: tuple[Any, DeltaGliderClient]) -> Sides:
    """Both clients, and empty buckets."""
    return Sides(*clients, moto.make_bucket(), moto.make_bucket())


@pytest.fixture
def sides(empty: Sides) -> Sides:
    """The same, with objects in the buckets."""
    fill(empty, CHANGED)
    return empty


@pytest.fixture(scope="module")
def read_only(moto: S3Endpoint, clients: tuple[Any, DeltaGliderClient]) -> Sides:
    """The same, with more objects, for all tests of a module that only look."""
    made = Sides(*clients, moto.make_bucket(), moto.make_bucket())
    fill(made)
    return made
