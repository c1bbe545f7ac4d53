"""Tables of figures, for people and as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Table:
    """What one case measured.

    Attributes:
        name: The case.
        title: One line that says what the figures are.
        columns: Names of the columns, units included.
        rows: One value a column; numbers as numbers.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | None, ...], ...]

    def text(self) -> str:
        """As aligned text, the first column to the left, the others to the right."""
        cells = [self.columns, *(tuple(_cell(value) for value in row) for row in self.rows)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(_pairs(row, widths))
            )
            for row in cells
        ]
        return "\n".join([self.title, "", lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def data(self) -> dict[str, Any]:
        """As plain data, one object a row."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"case": self.name, "title": self.title, "rows": rows}


def save(tables: Iterable[Table], path: Path) -> None:
    """Writes tables as one JSON document, with what they were measured on.

    Args:
        tables: The tables.
        path: The file.
    """
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    document = {"machine": machine, "cases": [table.data() for table in tables]}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _pairs(row: tuple[str, ...], widths: list[int]) -> Iterable[tuple[str, int]]:
    return zip(row, widths, strict=True)


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:,.1f}"
