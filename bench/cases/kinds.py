"""One new version each of things that people keep: how small its delta is, and what it costs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import made, sets
from bench.measure import Command, Tools, run_once
from bench.report import Row, Table
from bench.server import running
from bench.sides import MB, PEER, Duel, Place, Result, Side, link_all


def run(tools: Tools) -> Table:
    """Uploads the second of two versions of a wheel, a database, a dump and a checkpoint.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to deltaglider 6.2.0.
    """
    rounds = tools.times(5)
    rows: list[Row] = []
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        for kind, (first, second) in _pairs(tools).items():
            # Under names that all of them make deltas of.
            files = link_all({"one.zip": first, "two.zip": second}, Path(directory) / kind)
            results = Duel(server, tools).run(_sides(tools, files), rounds, counted=False)
            rows += _rows(kind, results, second)
    return Table(
        name="kinds",
        title=f"Upload of the next version of different things, caches empty, medians of {rounds}",
        columns=("kind and side", "MB", "delta KB", "delta %", "wall s", "CPU s", f"CPU / {PEER}", f"delta / {PEER}"),
        rows=tuple(rows),
        notes="The wheel is ten releases younger than its reference; of the database one row in fifty is changed and "
        "one in a hundred new; the dump is of the same two; of the checkpoint every fifth layer is another.",
    )


def _pairs(tools: Tools) -> dict[str, tuple[Path, Path]]:
    rows = tools.some(100_000, 5_000)
    wheels = sets.zips(tools.data)
    return {
        "wheel": (wheels[0], wheels[2]),
        "database": made.databases(tools.data, rows),
        "SQL dump": made.dumps(tools.data, rows),
        "checkpoint": made.checkpoints(tools.data, 20, tools.some(2 << 20, 100_000)),
    }


def _sides(tools: Tools, files: Path) -> list[Side]:
    def side(name: str, program: Path, environ: Mapping[str, str]) -> Side:
        def command(place: Place, file: str = "two.zip") -> Command:
            return program, "cp", files / file, f"s3://{place.bucket}/versions/"

        def prepare(place: Place) -> None:
            run_once(command(place, "one.zip"), place.directory, environ=place.environ)

        return Side(name, command, prepare=prepare, environ=environ)

    return [side(PEER, tools.predecessor, {}), *(side(name, tools.ours, env) for name, env in sets.variants().items())]


def _rows(kind: str, results: Sequence[Result], second: Path) -> list[Row]:
    size = second.stat().st_size
    deltas = {result.name: _stored(result) for result in results}
    peer = results[0]
    return [
        (
            f"{kind}: {result.name}",
            round(size / MB, 1),
            round(deltas[result.name] / 1000, 1),
            round(100 * deltas[result.name] / size, 3),
            round(result.cost.wall, 3),
            round(result.cost.cpu, 3),
            round(result.cost.cpu / peer.cost.cpu, 3),
            round(deltas[result.name] / deltas[peer.name], 3),
        )
        for result in results
    ]


def _stored(result: Result) -> int:
    """Bytes of the second version, wherever the program put it; whole, where no delta was small enough."""
    (size,) = (size for key, size in result.stored.items() if key.rpartition("/")[2] in ("two.zip.delta", "two.zip"))
    return size
