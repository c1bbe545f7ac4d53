"""Releases of one package go up into an empty bucket."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import sets
from bench.measure import Tools
from bench.report import Table, Target
from bench.server import running
from bench.sides import PEER, Duel, Result, Side, against, compared

# Of the peer's wall time, CPU seconds and stored bytes.
MOST = {"": (1 / 5, 1 / 2, 1.01), "codec=zstd": (1 / 10, 1 / 8, 1.03)}


def run(tools: Tools) -> Table:
    """Syncs 20 archives of 12 MB.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to deltaglider 6.2.0.
    """
    rounds = tools.times(5)
    files = sets.zips(tools.data, tools.some(20, 4))
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        source = sets.arranged(files, Path(directory) / "zips")
        sides = [Side(PEER, lambda place: (tools.predecessor, "sync", source, f"s3://{place.bucket}/releases/"))]
        sides += [
            Side(name, lambda place: (tools.ours, "sync", source, f"s3://{place.bucket}/releases/"), environ=variables)
            for name, variables in sets.variants().items()
        ]
        results = Duel(server, tools).run(sides, rounds)
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    return compared(
        {"": results},
        PEER,
        name="sync_up_deltas",
        title=f"Sync up: {len(files)} releases of botocore as zips, {megabytes:.0f} MB, medians of {rounds}",
        targets=_targets(results),
        notes=_references(results, files),
    )


def _targets(results: Sequence[Result]) -> list[Target]:
    targets = []
    for result in results:
        if result.name == PEER:
            continue
        wall, cpu, stored = MOST["codec=zstd" if "zstd" in result.name else ""]
        targets += [
            Target(
                f"wall time, {result.name} / {PEER}", wall, against(results, result.name, PEER, lambda r: r.cost.wall)
            ),
            Target(f"CPU, {result.name} / {PEER}", cpu, against(results, result.name, PEER, lambda r: r.cost.cpu)),
            Target(
                f"stored, {result.name} / {PEER}",
                stored,
                against(results, result.name, PEER, lambda r: sum(r.stored.values())),
            ),
        ]
    return targets


def _references(results: Sequence[Result], files: Sequence[Path]) -> str:
    """Which of the files each took for its reference: another one makes other deltas."""
    names = {sets.digest(path): path.name for path in files}
    sizes = {path.stat().st_size: path.name for path in files}
    lines = []
    for result in results:
        keys = [key for key in result.stored if key.endswith("reference.bin")]
        taken = [
            names.get(key.split("/")[-2]) if ".deltaglider/" in key else sizes.get(result.stored[key]) for key in keys
        ]
        lines.append(f"{result.name}: {', '.join(map(str, taken))}")
    return f"References: {'; '.join(lines)}."
