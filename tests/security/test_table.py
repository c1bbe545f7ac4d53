"""The table of threats in the documents is true: its tests are there. And what needs no program to be proven."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import deltaglider

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "security.md").read_text("utf-8").partition("## Threats and their tests")[2]
NAMED = re.findall(r"`([\w/]+\.py)::(test_\w+)`", TABLE)


def test_every_row_names_a_test() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 35
    for row in rows:
        cells = re.split(r"(?<!\\) \| ", row.strip("| "))
        assert len(cells) == 3, row
        assert re.fullmatch(r"`[\w/]+\.py::test_\w+`(<br>`[\w/]+\.py::test_\w+`)*", cells[2]), row


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_named_test_is_there(path: str) -> None:
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {name for where, name in NAMED if where == path} <= there


def test_every_test_of_this_room_is_named() -> None:
    here = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert {name.rpartition("/")[2] for name, _ in NAMED if name.startswith("security/")} == here


def test_nothing_stored_is_code() -> None:
    """Whoever may write to a cache or a bucket must not be able to run anything: no format of ours holds code."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "yaml", "imp"}
    for path in Path(deltaglider.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            names = [name.name for name in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & forbidden, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile"}, path
