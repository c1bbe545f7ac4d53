"""Tables of figures, for people and as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = tuple[str | float | None, ...]


@dataclasses.dataclass(frozen=True)
class Target:
    """What a case was to show.

    Attributes:
        claim: What is measured, in words, such as ``wall time, ours / awscli``.
        most: What it may be at most.
        measured: What it is.
        unit: Of both; ``x`` is a ratio.
        below: Whether it has to be below ``most``, and not at it.
    """

    claim: str
    most: float
    measured: float
    unit: str = "x"
    below: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is as demanded."""
        return self.measured < self.most if self.below else self.measured <= self.most


@dataclasses.dataclass(frozen=True)
class Table:
    """What one case measured.

    Attributes:
        name: The case.
        title: One line that says what the figures are.
        columns: Names of the columns, units included.
        rows: One value a column; numbers as numbers.
        targets: What it was to show, and whether it did.
        notes: What a reader must know besides.
        seconds: How long the case took.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    targets: tuple[Target, ...] = ()
    notes: str = ""
    seconds: float | None = None

    def text(self) -> str:
        """As aligned text, the first column to the left, the others to the right."""
        parts = [self.title, "", aligned(self.columns, self.rows)]
        if self.notes:
            parts += ["", self.notes]
        if self.targets:
            rows = [
                (
                    target.claim,
                    f"{target.most:.4g} {target.unit}",
                    f"{target.measured:.3g} {target.unit}",
                    verdict(target),
                )
                for target in self.targets
            ]
            parts += ["", aligned(("to be shown", "at most", "measured", ""), rows)]
        if self.seconds is not None:
            parts += ["", f"({self.name}: {self.seconds:.0f} s)"]
        return "\n".join(parts)

    def data(self) -> dict[str, Any]:
        """As plain data, one object a row."""
        return {
            "case": self.name,
            "title": self.title,
            "columns": list(self.columns),
            "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            "targets": [{**dataclasses.asdict(target), "holds": target.holds} for target in self.targets],
            "notes": self.notes,
            "seconds": self.seconds,
        }


def verdict(target: Target) -> str:
    """Whether a target is met.

    Args:
        target: The target.

    Returns:
        A word or two.
    """
    return "holds" if target.holds else "MISSED"


def aligned(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Aligned text, the first column to the left, the others to the right.

    Args:
        columns: Names of the columns.
        rows: One value a column.

    Returns:
        Lines.
    """
    cells = [tuple(columns), *(tuple(_cell(value) for value in row) for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def document(tables: Iterable[Table], about: Mapping[str, Any]) -> dict[str, Any]:
    """All tables as plain data, with what they were measured on; each with its date, as they are run again one by one.

    Args:
        tables: The tables.
        about: Versions and the like; ``commit`` goes with each table.

    Returns:
        The data.
    """
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Who reads the figures has to know whether the machine had other things to do.
    load = round(os.getloadavg()[1], 1) if hasattr(os, "getloadavg") else None
    of_each = {"date": date, "commit": about.get("commit", ""), "load": load}
    others = {name: value for name, value in about.items() if name != "commit"}
    return {"machine": machine, **others, "cases": [{**table.data(), **of_each} for table in tables]}


def save(tables: Iterable[Table], path: Path, about: Mapping[str, Any] | None = None) -> None:
    """Writes tables as one JSON document, beside those of other cases that the file holds already.

    Args:
        tables: The tables.
        path: The file.
        about: Versions and the like.
    """
    found = document(tables, about or {})
    if path.exists():
        found = merge(json.loads(path.read_text(encoding="utf-8")), found)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Documents as one: the newer's cases in the place of the older's of the same name.

    Args:
        old: The older document.
        new: The newer one.

    Returns:
        All cases, each once, by name.
    """
    cases = {case["case"]: case for case in [*old["cases"], *new["cases"]]}
    return {**new, "cases": [cases[name] for name in sorted(cases)]}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.3g}"
