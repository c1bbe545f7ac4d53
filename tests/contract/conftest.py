"""The store under test: small parts, so that a few MiB go through multipart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider.config import MIB
from deltaglider.store.base import ObjectStore
from tests.contract.tools import Box
from tests.servers import Endpoint

PART = 5 * MIB


@pytest.fixture
async def store(endpoint: Endpoint) -> AsyncIterator[ObjectStore]:
    opened = endpoint.open_store(multipart_threshold=PART, multipart_chunksize=PART)
    try:
        yield opened
    finally:
        await opened.aclose()


@pytest.fixture
def box(store: ObjectStore, bucket: str, tmp_path: Path) -> Box:
    return Box(store, bucket, tmp_path)
