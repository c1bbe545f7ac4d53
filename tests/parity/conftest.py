"""The comparison with the real ``aws s3``: ``nox -s parity`` installs it and names it.

    DG_TEST_AWS=/path/to/aws pytest tests/parity

Without that variable, and unless this directory is asked for, only the tests of the comparer itself are run. Asked for
without it, the others fail. ``--endpoint weed`` or ``weed-tls`` takes SeaweedFS in place of moto on both sides.

``aws`` works through all cases in a thread, one ahead of the other: it and ours each have a server of their own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.parity import programs
from tests.parity.case import Case
from tests.parity.sides import Observed, Ours, Theirs
from tests.servers import S3Endpoint, moto_server, weed_server

VARIABLE = "DG_TEST_AWS"
ENDPOINTS = ("moto", "weed", "weed-tls")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--endpoint", choices=ENDPOINTS, default="moto", help="the servers both programs run against")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if VARIABLE in os.environ or any("parity" in str(argument) for argument in config.invocation_params.args):
        return
    left_out = [item for item in items if item.path == Path(__file__).with_name("test_parity.py")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The score."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    verdicts = Counter(str(value) for each in reports for name, value in each.user_properties if name == "parity")
    if verdicts:
        terminalreporter.section("parity")
        total = verdicts.total()
        endpoint = terminalreporter.config.getoption("--endpoint")
        terminalreporter.write_line(
            f"parity on {endpoint}: {total - verdicts['departs'] - verdicts['differs']} of {total} cases equal, "
            f"{verdicts['departs']} departures, {verdicts['differs']} differences"
        )


class Programme:
    """What ``aws`` does with each case that is to be run, done ahead in a thread."""

    def __init__(self, side: Theirs, cases: list[Case]) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._results: dict[str, Future[Observed]] = {
            case.name: self._thread.submit(side.run, case, "plain") for case in cases
        }

    def result(self, case: Case) -> Observed:
        return self._results[case.name].result(100)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[S3Endpoint, S3Endpoint]]:
    """One for each side."""
    name = request.config.getoption("--endpoint")
    with ExitStack() as stack:
        if name == "moto":
            yield stack.enter_context(moto_server()), stack.enter_context(moto_server())
        else:
            yield stack.enter_context(weed_server())[name], stack.enter_context(weed_server())[name]


@pytest.fixture(scope="session")
def aws(request: pytest.FixtureRequest, servers: tuple[S3Endpoint, S3Endpoint]) -> Iterator[Programme]:
    """What the real program comes to."""
    path = os.environ.get(VARIABLE)
    assert path, f"set {VARIABLE} to the aws executable of PyPI's awscli, or run 'nox -s parity'"
    assert os.access(path, os.X_OK), f"{VARIABLE} is {path}, which cannot be run"
    program = programs.aws(Path(path).absolute())
    wanted: dict[str, Any] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and "case" in getattr(item, "callspec", item).__dict__.get("params", {}):
            case = item.callspec.params["case"]
            wanted[case.name] = case
    programme = Programme(Theirs(program, servers[0]), list(wanted.values()))
    try:
        yield programme
    finally:
        programme.close()
        program.close()


@pytest.fixture(scope="session")
def ours(servers: tuple[S3Endpoint, S3Endpoint]) -> Iterator[Ours]:
    """Our program and its server."""
    program = programs.ours()
    try:
        yield Ours(program, servers[1])
    finally:
        program.close()
