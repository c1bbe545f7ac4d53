"""Each test here is a row of what goes wrong in the predecessor, and runs on this tool.

With ``DG_TEST_PREDECESSOR`` naming its program (``nox -s interop`` does), each runs on the predecessor too, where what
it asserts must fail, and in the way it says.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.rows.gate import Gate
from tests.rows.ours import Ours
from tests.rows.theirs import VARIABLE, VERSION, Theirs
from tests.rows.tool import Tool
from tests.servers import S3Endpoint

# Read here: no test sees the DG_ variables of the outside.
PROGRAM = os.environ.get(VARIABLE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tool" in metafunc.fixturenames:
        metafunc.parametrize("tool", ["ours", *(["theirs"] if PROGRAM else [])], indirect=True)


@pytest.fixture
async def tool(
    request: pytest.FixtureRequest,
    moto: S3Endpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Tool]:
    """One of the tools, in a bucket of its own."""
    tool: Tool
    if request.param == "ours":
        tool = Ours(moto, tmp_path, monkeypatch, capsys)
    else:
        assert PROGRAM
        tool = Theirs(moto, tmp_path, Path(PROGRAM).absolute())
    yield tool
    await tool.aclose()


@pytest.fixture
def gate(moto: S3Endpoint, tool: Tool) -> Iterator[Gate]:
    """A proxy that the tool's requests go through."""
    with Gate(moto.url) as gate:
        tool.use(gate.url)
        yield gate


@pytest.fixture(scope="session", autouse=True)
def _is_the_predecessor() -> None:
    if PROGRAM:
        home = Path(PROGRAM).absolute().parent.parent
        assert list(home.glob(f"lib/python3*/site-packages/deltaglider-{VERSION}.dist-info")), f"{VERSION} is not there"
