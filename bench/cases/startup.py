"""How long it takes until anything happens: imports, versions, and the listing of a small bucket."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import made
from bench.measure import Cost, Tools, by_turns, run_once
from bench.report import Row, Table, Target
from bench.server import running
from bench.sides import PEER, environment


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
    bare: tuple[str | Path, ...] = (tools.python, "-c", "pass")
    rounds = tools.times(15)
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        bucket = server.make_bucket()
        # Each tool keeps its caches from one run to the next, as it does for a user.
        environ = {**environment(Path(directory)), **server.environ()}
        _fill(tools, bucket, Path(directory), environ)
        subjects = _subjects(tools, bucket)
        commands = [bare, *(subject.command for subject in subjects)]
        floor, *costs = by_turns(commands, rounds, environs=[environ] * len(commands))
    firsts: dict[str, Cost] = {}
    rows: list[Row] = [("python -c pass", _ms(floor.wall), _ms(floor.cpu), None, None, None)]
    for subject, cost in zip(subjects, costs, strict=True):
        first = firsts.setdefault(subject.group, cost)
        over = _ms(cost.wall - floor.wall)
        ratios = (round(cost.wall / first.wall, 3), round(cost.cpu / first.cpu, 3))
        rows.append((subject.name, _ms(cost.wall), _ms(cost.cpu), over, *ratios))
    return Table(
        name="startup",
        title=f"Start-up: whole processes, run by turns, medians of {rounds} rounds",
        columns=("process", "wall ms", "CPU ms", "ms over bare Python", "wall ratio", "CPU ratio"),
        rows=tuple(rows),
        targets=_targets(dict(zip((subject.name for subject in subjects), costs, strict=True))),
        notes="The bucket holds 12 objects, 10 of them deltas; what ls may remember of them, it remembers.",
    )


def _fill(tools: Tools, bucket: str, directory: Path, environ: Mapping[str, str]) -> None:
    """A small bucket: versions of a file as deltas, and a file that is none."""
    content = b"".join(made.noise(100_000, "startup"))
    for number in range(11):
        (directory / f"app-{number}.zip").write_bytes(content + b"%d" % number)
    (directory / "notes.txt").write_text("some text")
    only = ["--exclude", "*", "--include", "app-*", "--include", "notes.txt"]
    run_once([tools.ours, "cp", "--recursive", *only, str(directory), f"s3://{bucket}/"], directory, environ=environ)


def _subjects(tools: Tools, bucket: str) -> list[Subject]:
    subjects = [
        Subject("import", "import deltaglider", (tools.python, "-c", "import deltaglider")),
        Subject("import", f"import deltaglider ({PEER})", (tools.predecessor_python, "-c", "import deltaglider")),
    ]
    programs = (("deltaglider", tools.ours, ()), (PEER, tools.predecessor, ()), ("aws", tools.aws, ("s3",)))
    subjects += [Subject("version", f"{name} --version", (program, "--version")) for name, program, _ in programs]
    subjects += [
        Subject("ls", f"{name} ls", (program, *group, "ls", f"s3://{bucket}/")) for name, program, group in programs
    ]
    return subjects


def _targets(costs: Mapping[str, Cost]) -> tuple[Target, ...]:
    found: list[Target] = []
    for what, most in (("--version", 150), ("ls", 400)):
        ours = costs[f"deltaglider {what}"].wall
        found.append(Target(f"{what}: wall time", most, _ms(ours), "ms", below=True))
        found += [
            Target(f"{what}: wall time, ours / {peer}", 1, ours / costs[f"{peer} {what}"].wall, below=True)
            for peer in ("aws", PEER)
        ]
    return tuple(found)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
