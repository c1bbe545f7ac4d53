"""Filesystems to test, each with clients of its own."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest

from deltaglider.fs import DeltaGliderFileSystem
from tests.servers import Endpoint

# As the entry point does where the package is installed; the tests may run without that.
fsspec.register_implementation("dg", DeltaGliderFileSystem, clobber=True)


@pytest.fixture
def fs(endpoint: Endpoint) -> Iterator[DeltaGliderFileSystem]:
    """A filesystem on the endpoint, closed at the end."""
    made = fsspec.filesystem("dg", skip_instance_cache=True, **endpoint.client_kwargs())
    yield made
    made.close()
