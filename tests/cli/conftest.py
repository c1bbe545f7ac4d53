"""The command line inside the test's own process and loop, on an embedded store with one bucket, ``bkt``."""

from __future__ import annotations

import dataclasses
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from deltaglider.cli.main import execute
from deltaglider.client.aio import AsyncDeltaGliderClient, create_async_client

BUCKET = "bkt"


@dataclasses.dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        return [json.loads(line) for line in self.lines]


class Cli:
    """Runs commands in the working directory, which is a test's own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], here: Path) -> None:
        self._capsys = capsys
        self.here = here

    async def __call__(self, *arguments: str | os.PathLike[str]) -> Ran:
        self._capsys.readouterr()
        code = await execute([os.fspath(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    async def ok(self, *arguments: str | os.PathLike[str]) -> Ran:
        """Runs a command that must succeed."""
        ran = await self(*arguments)
        assert ran.code == 0, ran
        return ran

    def write(self, name: str, content: bytes) -> Path:
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    async def keys(self) -> list[str]:
        """All keys of the bucket."""
        return [
            entry["key"] for entry in (await self("ls", BUCKET, "-r", "--json")).objects if entry["type"] == "object"
        ]


@pytest.fixture
def endpoint_url(tmp_path: Path) -> str:
    return (tmp_path / "store").as_uri()


@pytest.fixture
async def client(endpoint_url: str) -> AsyncDeltaGliderClient:
    return create_async_client(endpoint_url)


@pytest.fixture
async def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], endpoint_url: str
) -> Cli:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("DG_ENDPOINT_URL", endpoint_url)
    async with create_async_client(endpoint_url) as client:
        await client.make_bucket(BUCKET)
    return Cli(capsys, here)


@pytest.fixture
def versions() -> tuple[bytes, bytes]:
    """Two versions of a file of which the second is worth a delta."""
    first = random.Random(7).randbytes(100_000)
    return first, first[:50_000] + b"a change" + first[50_000:]
