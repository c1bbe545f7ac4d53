"""Every row has a test of its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

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
    assert found == set(ROWS)


def _row(match: re.Match[str]) -> str:
    return f"{match[1].upper()}{int(match[2])}{match[3]}"
