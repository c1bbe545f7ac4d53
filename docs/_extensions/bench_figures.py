"""Directives for docs/performance: what ``nox -s bench`` measured, out of the file in which it saved it.

``bench-case`` shows one case, ``bench-targets`` what was to be shown by all, ``bench-machine`` what they ran on. No
figure is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FIGURES = Path(__file__).resolve().parent.parent / "performance" / "figures.json"


def load() -> dict[str, Any]:
    """All that was measured."""
    found: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return found


def cell(value: Any) -> str:
    """A figure as a person would write it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> nodes.table:
    """A table, its figures to the right."""
    group = nodes.tgroup(cols=len(columns))
    group += [nodes.colspec(colwidth=3 if not at else 1) for at in range(len(columns))]
    head, body = nodes.thead(), nodes.tbody()
    head += row(columns)
    body += [row(texts) for texts in rows]
    group += [head, body]
    return nodes.table("", group, classes=["colwidths-auto"])


def row(texts: Sequence[str]) -> nodes.row:
    """One line of a table."""
    entries = []
    for at, text in enumerate(texts):
        entry = nodes.entry("", nodes.paragraph(text=text), classes=["text-right"] if at else [])
        entries.append(entry)
    return nodes.row("", *entries)


def targets(cases: Iterable[dict[str, Any]], *, named: bool) -> nodes.table:
    """What was to be shown, what was measured, and whether that is it."""
    lines = []
    for case in cases:
        for target in case["targets"]:
            unit = target["unit"]
            line = [
                target["claim"],
                f"{target['most']:.4g} {unit}",
                f"{target['measured']:.3g} {unit}",
                "holds" if target["holds"] else "missed",
            ]
            lines.append([case["case"], *line] if named else line)
    columns = ["To be shown", "at most", "measured", ""]
    return table(["Case", *columns] if named else columns, lines)


class BenchCase(SphinxDirective):
    """One case: its picture, its table, what it was to show."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Builds it from the figures."""
        self.env.note_dependency(str(FIGURES))
        (name,) = self.arguments
        case = next((case for case in load()["cases"] if case["case"] == name), None)
        if case is None:
            said = f"This case is not among the figures that were saved: nox -s bench -- {name}"
            return [nodes.paragraph("", "", nodes.emphasis(text=said))]
        found: list[nodes.Node] = [nodes.paragraph("", "", nodes.strong(text=case["title"]))]
        if FIGURES.with_name(f"{name}.svg").exists():
            found.append(nodes.image(uri=f"performance/{name}.svg", alt=case["title"]))
        found.append(
            table(case["columns"], ([cell(line[column]) for column in case["columns"]] for line in case["rows"]))
        )
        busy = f", at a load average of {case['load']}" if case.get("load") else ""
        said = [case["notes"], f"Measured {case['date'][:10]} at commit {case['commit']}{busy}."]
        found.append(nodes.paragraph(text=" ".join(filter(None, said))))
        if case["targets"]:
            found.append(targets([case], named=False))
        return found


class BenchTargets(Directive):
    """What all cases were to show."""

    def run(self) -> list[nodes.Node]:
        """Builds it from the figures."""
        cases = load()["cases"]
        every = [target for case in cases for target in case["targets"]]
        holds = sum(target["holds"] for target in every)
        return [nodes.paragraph(text=f"{holds} of {len(every)} hold."), targets(cases, named=True)]


class BenchMachine(Directive):
    """On what it was measured, and with which versions."""

    def run(self) -> list[nodes.Node]:
        """Builds it from the figures."""
        found = load()
        machine = found["machine"]
        lines = [
            ("processor", f"{machine['processor']}, {machine['cores']} cores"),
            ("system", f"{machine['system']}, Python {machine['python']}"),
            *found["versions"].items(),
        ]
        return [table(["", ""], lines)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directives."""
    app.add_directive("bench-case", BenchCase)
    app.add_directive("bench-targets", BenchTargets)
    app.add_directive("bench-machine", BenchMachine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
