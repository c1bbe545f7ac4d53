"""Releases of one package go up into an empty bucket."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import sets
from bench.measure import Tools, run_once
from bench.report import Table, Target
from bench.server import Server, running
from bench.sides import MB, PEER, Duel, Result, Side, against, compared, link_all

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
        duel = Duel(server, tools)
        results = duel.run(sides, rounds)
        taken = {result.name: _reference(result, source) for result in results}
        # Another reference makes other deltas: what is stored is compared with what the peer stores against the same.
        by_peer = {file: _stored_by_peer(tools, server, duel, source, file) for file in set(taken.values())}
        stored = {name: by_peer[file] for name, file in taken.items()}
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    told = "; ".join(
        f"{name}: {file.name if file else 'none'}, against which {PEER} stores {stored[name] / MB:.1f} MB"
        for name, file in taken.items()
    )
    return compared(
        {"": results},
        PEER,
        name="sync_up_deltas",
        title=f"Sync up: {len(files)} releases of botocore as zips, {megabytes:.0f} MB, medians of {rounds}",
        targets=_targets(results, stored),
        notes=f"References: {told}.",
    )


def _targets(results: Sequence[Result], by_peer: Mapping[str, int]) -> list[Target]:
    targets = []
    for result in results:
        if result.name == PEER:
            continue
        wall, cpu, stored = MOST["codec=zstd" if "zstd" in result.name else ""]
        ratio = sum(result.stored.values()) / by_peer[result.name]
        targets += [
            Target(
                f"wall time, {result.name} / {PEER}", wall, against(results, result.name, PEER, lambda r: r.cost.wall)
            ),
            Target(f"CPU, {result.name} / {PEER}", cpu, against(results, result.name, PEER, lambda r: r.cost.cpu)),
            Target(f"stored, {result.name} / {PEER} with the same reference", stored, ratio),
        ]
    return targets


def _reference(result: Result, source: Path) -> Path | None:
    """Which of the files became the reference."""
    for key, size in result.stored.items():
        if key.endswith("reference.bin"):
            # Ours are named by their content.
            ours = ".deltaglider/" in key
            for file in sorted(source.iterdir()):
                if sets.digest(file) == key.split("/")[-2] if ours else file.stat().st_size == size:
                    return file
    return None


def _stored_by_peer(tools: Tools, server: Server, duel: Duel, source: Path, reference: Path | None) -> int:
    """Bytes that the peer stores when it has to take a given file for its reference."""
    with duel.place(Side("", lambda _: ())) as place:
        first = link_all({reference.name: reference} if reference is not None else {}, place.files)
        for directory in (first, source):
            command = (tools.predecessor, "sync", directory, f"s3://{place.bucket}/releases/")
            run_once(command, place.directory, environ=place.environ)
        return sum(server.stored(place.bucket).values())
