"""Two versions of a file in a bucket, the second one stored as a delta, and our client over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import fsspec
import pytest

from deltaglider import DeltaGliderClient, create_client
from deltaglider.fs import DeltaGliderFileSystem
from tests.client.world import noise
from tests.servers import S3Endpoint

FIRST = noise("somebody else's")
SECOND = FIRST[:9_000] + b"changed" + FIRST[9_000:]

# As the entry point does where the package is installed; the tests may run without that.
fsspec.register_implementation("dg", DeltaGliderFileSystem, clobber=True)


@pytest.fixture
def client(moto: S3Endpoint) -> Iterator[DeltaGliderClient]:
    with create_client(**moto.client_kwargs()) as made:
        yield made


@pytest.fixture
def bucket(moto: S3Endpoint, client: DeltaGliderClient) -> str:
    """Holds ``v1/app.zip`` and ``v2/app.zip``."""
    name = moto.make_bucket()
    client.upload(FIRST, f"s3://{name}/v1/app.zip")
    assert client.upload(SECOND, f"s3://{name}/v2/app.zip").is_delta
    return name


@pytest.fixture
def resource(moto: S3Endpoint, client: DeltaGliderClient) -> Any:
    """What ``boto3.resource("s3")`` gives, over our client."""
    made = boto3.resource("s3", **moto.client_kwargs())
    try:
        return type(made)(client=client)
    finally:
        made.meta.client.close()


@pytest.fixture
def options(moto: S3Endpoint) -> Iterator[dict[str, Any]]:
    """``storage_options``."""
    given = moto.client_kwargs()
    yield given
    fsspec.filesystem("dg", **given).close()
