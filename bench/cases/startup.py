"""How long it takes until anything happens: imports, and commands that only print their version."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.measure import Cost, Tools, by_turns
from bench.report import Table


@dataclasses.dataclass(frozen=True)
class Subject:
    """One program, and the group within which it is compared; the first of a group is the measure of the others."""

    group: str
    name: str
    command: tuple[str | Path, ...]


def run(tools: Tools) -> Table:
    """Measures whole processes.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to the first program of each group.
    """
    subjects = [
        Subject("import", "import deltaglider", (tools.python, "-c", "import deltaglider")),
        Subject("import", "import deltaglider (6.2.0)", (tools.predecessor_python, "-c", "import deltaglider")),
        Subject("version", "deltaglider --version", (tools.ours, "--version")),
        Subject("version", "deltaglider --version (6.2.0)", (tools.predecessor, "--version")),
        Subject("version", "aws --version", (tools.aws, "--version")),
    ]
    bare: tuple[str | Path, ...] = (tools.python, "-c", "pass")
    floor, *costs = by_turns([bare, *(subject.command for subject in subjects)], tools.rounds)
    firsts: dict[str, Cost] = {}
    rows: list[tuple[str | float | None, ...]] = [("python -c pass", _ms(floor.wall), _ms(floor.cpu), None, None, None)]
    for subject, cost in zip(subjects, costs, strict=True):
        first = firsts.setdefault(subject.group, cost)
        over = _ms(cost.wall - floor.wall)
        rows.append((subject.name, _ms(cost.wall), _ms(cost.cpu), over, cost.wall / first.wall, cost.cpu / first.cpu))
    return Table(
        name="startup",
        title=f"Start-up: whole processes, run by turns, medians of {tools.rounds} rounds",
        columns=("process", "wall ms", "CPU ms", "ms over bare Python", "wall ratio", "CPU ratio"),
        rows=tuple(rows),
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
