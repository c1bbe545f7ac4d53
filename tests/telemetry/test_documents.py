"""docs/observability.md lists exactly the loggers, events and metrics that there are."""

from __future__ import annotations

import ast
import re
import typing
from pathlib import Path

import pytest

from deltaglider import events
from deltaglider.telemetry.metrics import COUNTERS, DURATIONS, RATIO, SAVED
from tests.architecture.house import read_house

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The names in the first column of the table under a column heading, row by row."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in table.splitlines()[2:]]


def names(heading: str) -> set[str]:
    found = [name for row in rows(heading) for name in row]
    assert len(found) == len(set(found))
    return set(found)


def test_loggers() -> None:
    made = {
        node.args[0].value
        for module in read_house()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "logging.getLogger"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert names("Logger") == made


def test_events() -> None:
    assert names("Event") == {kind.__name__ for kind in typing.get_args(events.Event)}


@pytest.mark.parametrize("name", sorted({*DURATIONS, *COUNTERS, RATIO, SAVED} | names("Metric")))
def test_metrics(name: str) -> None:
    assert name in names("Metric")
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |")]
    if name in DURATIONS:
        assert "histogram, `s`" in row
    elif name in COUNTERS:
        assert f"| counter, `{COUNTERS[name][0]}` |" in row
    else:
        assert name in (RATIO, SAVED)


def test_the_reference_of_events_is_whole() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for kind in typing.get_args(events.Event):
        assert f"{kind.__name__}," in page
