"""fsspec's own suite for filesystems."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Callable, Iterator
from typing import TypeAlias

import fsspec
import pytest
from fsspec.tests import abstract

from deltaglider.fs import DeltaGliderFileSystem
from tests.faults.scale import FULL
from tests.servers import DirectoryEndpoint, Endpoint

pytestmark = pytest.mark.faults

Place: TypeAlias = tuple[DeltaGliderFileSystem, str]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # Globs take long, and are between fsspec and a listing: one store is enough, but now and then.
    few = "glob" in metafunc.definition.name and not FULL
    metafunc.parametrize("place", ["directory"] if few else ["directory", "moto"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One filesystem and bucket for all tests of the module: there are many, and each takes a new directory."""
    scratch = tmp_path_factory.mktemp("abstract")
    is_embedded = request.param == "directory"
    endpoint: Endpoint = DirectoryEndpoint(scratch / "store") if is_embedded else request.getfixturevalue("moto")
    options = endpoint.client_kwargs(cache_dir=str(scratch / "cache"))
    fs = fsspec.filesystem("dg", skip_instance_cache=True, **options)
    yield fs, endpoint.make_bucket()
    fs.close()


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, place: Place) -> DeltaGliderFileSystem:
        return place[0]

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return posixpath.join

    @pytest.fixture
    def fs_path(self, place: Place) -> str:
        return f"{place[1]}/{uuid.uuid4().hex}"

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        return False


class TestCopy(abstract.AbstractCopyTests, Fixtures):
    pass


class TestGet(abstract.AbstractGetTests, Fixtures):
    pass


class TestPut(abstract.AbstractPutTests, Fixtures):
    pass


class TestPipe(abstract.AbstractPipeTests, Fixtures):
    pass


class TestOpen(abstract.AbstractOpenTests, Fixtures):
    pass
