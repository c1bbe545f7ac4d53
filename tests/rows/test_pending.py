"""Every row has a test of its name; what waits for a verb is told when the verb is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from deltaglider.cli.main import execute
from tests.rows.pending import MORE_TO_TEST, UNTESTED, Pending

ROWS = [*(f"D{number}" for number in range(1, 53)), "D14b", "D14c", "D14d", "D14e", *(f"S{n}" for n in range(1, 6))]


def test_every_row_has_a_test_of_its_name() -> None:
    here = Path(__file__).parent
    names = [
        node.name
        for file in here.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    found = {_row(match) for name in names if (match := re.match(r"test_([ds])(\d+)([a-z]?)_", name))}
    assert found | UNTESTED.keys() == set(ROWS)
    assert not found & UNTESTED.keys()
    assert MORE_TO_TEST.keys() <= found


def _row(match: re.Match[str]) -> str:
    return f"{match[1].upper()}{int(match[2])}{match[3]}"


@pytest.mark.parametrize(("row", "pending"), [*UNTESTED.items(), *MORE_TO_TEST.items()], ids=str)
async def test_what_a_row_waits_for_is_not_there(
    row: str, pending: Pending, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = f"it is there now: test {row} with it ({pending.what}), and take the row out of tests/rows/pending.py"
    if pending.method:
        assert not hasattr(AsyncDeltaGliderClient, pending.method), remedy
        return
    command, _, option = pending.command.partition(" ")
    code = await execute([command, "--help"])
    assert (option not in capsys.readouterr().out) if option else code != 0, remedy
