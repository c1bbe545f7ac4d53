"""The same releases come down again into an empty directory, with empty caches."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import sets
from bench.measure import Tools, run_once
from bench.report import Table, Target
from bench.server import running
from bench.sides import PEER, Duel, Result, Side, against, compared


def run(tools: Tools) -> Table:
    """Syncs 20 archives of 12 MB, which the same program has stored.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to deltaglider 6.2.0.
    """
    rounds = tools.times(5)
    files = sets.zips(tools.data, tools.some(20, 4))
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        source = sets.arranged(files, Path(directory) / "zips")
        duel = Duel(server, tools)
        programs = {PEER: (tools.predecessor, {}), **{name: (tools.ours, env) for name, env in sets.variants().items()}}
        sides = []
        for name, (program, environ) in programs.items():
            side = Side(
                name,
                lambda place, program=program: (program, "sync", f"s3://{place.bucket}/releases/", place.files),  # type: ignore[misc]
                check=lambda place: sets.same_files(source, place.files),
                prepare=lambda place: place.files.mkdir(),
                environ=environ,
                bucket=server.make_bucket(),
            )
            with duel.place(dataclasses.replace(side, prepare=lambda _: None)) as place:
                run_once(
                    [program, "sync", source, f"s3://{place.bucket}/releases/"], place.directory, environ=place.environ
                )
            sides.append(side)
        results = duel.run(sides, rounds)
    return compared(
        {"": results},
        PEER,
        name="sync_down_deltas",
        title=f"Sync down: {len(files)} zips stored as deltas, caches empty, medians of {rounds}",
        targets=_targets(results),
    )


def _targets(results: Sequence[Result]) -> list[Target]:
    targets = []
    for result in results:
        if result.name == PEER:
            continue
        wall = against(results, result.name, PEER, lambda r: r.cost.wall)
        targets.append(Target(f"wall time, {result.name} / {PEER}", 1 / 6, wall))
        if result.traffic:
            # Headers and listings come on top of the bodies; they are told apart by being small.
            ratio = result.traffic.received / sum(result.stored.values())
            targets.append(Target(f"bytes received / bytes stored, {result.name}", 1.01, ratio))
    return targets
