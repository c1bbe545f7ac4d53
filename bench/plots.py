"""Pictures of the figures, as SVG: the same figures give the same file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Case = Mapping[str, Any]
OURS = "#2563eb"
OTHERS = "#9ca3af"
SETTINGS = {
    "svg.hashsalt": "deltaglider",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(figures: Mapping[str, Any], directory: Path) -> list[Path]:
    """Draws what there are figures for.

    Args:
        figures: What ``bench.report.document`` gives.
        directory: Where the pictures go.

    Returns:
        The files.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update(SETTINGS)
    directory.mkdir(parents=True, exist_ok=True)
    cases = {case["case"]: case for case in figures["cases"]}
    drawn = []
    for name, case in cases.items():
        if name == "scaling":
            drawn.append(_write(directory / "scaling.svg", _scaling, case))
        elif "side" in case["columns"]:
            drawn.append(_write(directory / f"{name}.svg", _bars, case))
    drawn.append(_write(directory / "targets.svg", _targets, {"cases": list(cases.values())}))
    return drawn


def ratios(cases: Sequence[Case]) -> list[tuple[str, float]]:
    """How far each target is reached: 1 is just so, below is better.

    Args:
        cases: The cases.

    Returns:
        What was to be shown, and the measured over the demanded figure.
    """
    return [
        (f"{case['case']}: {target['claim']}", target["measured"] / target["most"])
        for case in cases
        for target in case["targets"]
    ]


def _write(path: Path, paint: Callable[[Any, Case], None], case: Case) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    paint(figure, case)
    # Without a date, and with a salt for the names of its parts: equal figures, equal file.
    figure.savefig(path, format="svg", metadata={"Date": None})
    return path


def _bars(figure: Any, case: Case) -> None:
    """Wall time and CPU seconds of each side."""
    rows = case["rows"]
    names = [row["side"] for row in rows]
    figure.set_size_inches(8, 0.6 + 0.3 * len(rows))
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, column in ((left, "wall s"), (right, "CPU s")):
        values = [row[column] for row in rows]
        bars = axes.barh(names, values, color=[OURS if "ours" in name else OTHERS for name in names])
        axes.bar_label(bars, labels=[f" {value:.3g}" for value in values])
        axes.set_title(column)
        axes.margins(x=0.15)
    left.invert_yaxis()


def _scaling(figure: Any, case: Case) -> None:
    """Time and memory over the number of objects, a line a command."""
    figure.set_size_inches(8, 3.2)
    left, right = figure.subplots(1, 2)
    commands = list(dict.fromkeys(row["command"].rsplit(", ", 1)[0] for row in case["rows"]))
    for command in commands:
        rows = [row for row in case["rows"] if row["command"].startswith(f"{command}, ")]
        counts = [row["objects"] for row in rows]
        left.loglog(counts, [row["wall s"] for row in rows], marker="o", label=command)
        right.semilogx(counts, [row["peak MB"] for row in rows], marker="o", label=command)
    left.set(xlabel="objects", ylabel="wall s")
    right.set(xlabel="objects", ylabel="peak MB", ylim=(0, None))
    left.legend(frameon=False)


def _targets(figure: Any, case: Case) -> None:
    """The measured over the demanded figure of every target."""
    found = ratios(case["cases"])
    figure.set_size_inches(9, 0.8 + 0.22 * len(found))
    axes = figure.subplots()
    colors = [OURS if ratio <= 1 else "#dc2626" for _, ratio in found]
    axes.barh([name for name, _ in found], [max(ratio, 0.01) for _, ratio in found], color=colors)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xlabel="measured / demanded: left of the line it holds", xlim=(0.01, None))
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.tick_params(axis="y", labelsize=7)


def main() -> None:
    """``python -m bench.plots FIGURES.json DIRECTORY``."""
    parser = argparse.ArgumentParser(prog="bench.plots", description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("directory", type=Path)
    arguments = parser.parse_args()
    for path in draw(json.loads(arguments.figures.read_text(encoding="utf-8")), arguments.directory):
        print(path)


if __name__ == "__main__":
    main()
