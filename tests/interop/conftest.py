"""Both tools in one bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider import DeltaGliderClient, create_client
from tests.interop.predecessor import Predecessor
from tests.servers import S3Endpoint

_PROGRAM = os.environ.get("DG_TEST_PREDECESSOR", "")  # Read before the tests' environment is emptied.


@pytest.fixture
def old(moto: S3Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predecessor:
    monkeypatch.setenv("DG_TEST_PREDECESSOR", _PROGRAM)
    directory = tmp_path / "old"
    directory.mkdir()
    return Predecessor(moto, directory)


@pytest.fixture
def bucket(moto: S3Endpoint) -> str:
    return moto.make_bucket()


@pytest.fixture
def new(moto: S3Endpoint) -> Iterator[DeltaGliderClient]:
    with create_client(**moto.client_kwargs()) as client:
        yield client


@pytest.fixture
def s3(moto: S3Endpoint) -> Any:
    """A raw client, to see and change what is stored."""
    import boto3

    kwargs = {
        key: value for key, value in moto.client_kwargs().items() if key.startswith(("aws_", "region", "endpoint"))
    }
    return boto3.client("s3", **kwargs)
