"""Case conflicts with what is there already, on a file system that does not tell names apart by case."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from deltaglider.bulk.caseconflict import told_apart
from deltaglider.bulk.destination import Destination
from deltaglider.bulk.entries import Problem, RemoteEntry
from tests.bulk.world import NOON, info


async def test_a_file_of_another_spelling_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README").touch()
    (tmp_path / "same").touch()
    # As such a file system answers.
    monkeypatch.setattr("os.path.lexists", lambda path: Path(path).name.lower() in ("readme", "same"))

    async def entries() -> AsyncGenerator[RemoteEntry | Problem, None]:
        for name in ("readme", "same", "sub/new"):
            yield RemoteEntry(name, info(name, 1, NOON))

    limiter = anyio.CapacityLimiter(1)
    found = [item async for item in told_apart(entries(), Destination(tmp_path), "skip", limiter=limiter)]
    assert [(item.name, isinstance(item, Problem)) for item in found] == [
        ("readme", True),
        ("same", False),
        ("sub/new", False),
    ]
