"""Time and memory of what goes over a whole bucket, from a thousand objects to a hundred thousand."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import multiply
from bench.measure import Command, Cost, Tools, median, run_once
from bench.report import Row, Table, Target
from bench.sides import MB, environment

MORE_TIME = 1.5
MORE_MEMORY = 1.5


def run(tools: Tools) -> Table:
    """Runs four commands over buckets of the embedded store.

    Args:
        tools: The programs.

    Returns:
        One row a command and size.
    """
    counts = (200, 1000, 2000) if tools.quick else (1000, 10_000, 100_000)
    costs: dict[tuple[str, int], Cost] = {}
    for count in counts:
        with tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
            for what, cost in _measure(tools, Path(directory), count).items():
                costs[what, count] = cost
    commands = list(dict.fromkeys(what for what, _ in costs))
    rows: list[Row] = [
        (f"{what}, {count:,}", count, *_figures(costs[what, count], count)) for what in commands for count in counts
    ]
    targets: list[Target] = []
    least, middle, most = counts
    for what in commands:
        # Between the larger two: with the smallest, most of the time is the start.
        grown = (costs[what, most].cpu - costs[what, least].cpu) / (most - least)
        before = (costs[what, middle].cpu - costs[what, least].cpu) / (middle - least)
        targets.append(
            Target(f"{what}: CPU of one more object, to {most:,} / to {middle:,}", MORE_TIME, grown / before)
        )
        memory = costs[what, most].peak / costs[what, least].peak
        targets.append(Target(f"{what}: peak memory, {most:,} / {least:,} objects", MORE_MEMORY, memory))
    return Table(
        name="scaling",
        title="From 1,000 to 100,000 objects, embedded store, whole processes",
        columns=("command", "objects", "wall s", "CPU s", "us an object", "peak MB"),
        rows=tuple(rows),
        targets=tuple(targets),
        notes="Each command is run anew for each size: medians of three up to 10,000 objects, once above.",
    )


def _measure(tools: Tools, home: Path, count: int) -> dict[str, Cost]:
    store = home / "store"
    environ = {**environment(home), "DG_ENDPOINT_URL": store.as_uri()}
    files = multiply.local_files(home / "files", count)
    multiply.embedded_store(tools, store, count, environ)
    bucket = f"s3://{multiply.BUCKET}/"
    commands: dict[str, Command] = {
        "list": (tools.ours, "ls", "--recursive", bucket),
        "sync plan": (tools.ours, "sync", "--dryrun", "--size-only", files, bucket),
        "stats": (tools.ours, "stats", bucket),
        "verify": (tools.ours, "verify", bucket),
    }
    rounds = 1 if count > 10_000 else tools.times(3)
    costs: dict[str, Cost] = {}
    for what, command in commands.items():
        costs[what] = median(run_once(command, home, environ=environ) for _ in range(rounds))
    return costs


def _figures(cost: Cost, count: int) -> tuple[float, ...]:
    each = round(cost.wall / count * 1e6, 1)
    return round(cost.wall, 2), round(cost.cpu, 2), each, round(cost.peak / MB, 1)
