"""Files that do not fit into memory, and a block that was moved far."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import made, sets
from bench.measure import Command, Cost, Tools, run_once
from bench.report import Row, Table, Target
from bench.server import Server, running
from bench.sides import MB, Duel, Side

GB = 1_000_000_000
OWN = 300
MOVED = 1000


def run(tools: Tools) -> Table:
    """Stores two versions of files of 1 GB and of 5 GB, and reads the second one back.

    Args:
        tools: The programs.

    Returns:
        One row a command, each run once: what counts here is memory.
    """
    rows: list[Row] = []
    targets: list[Target] = []
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        home = Path(directory)
        for size in (tools.some(GB, 50 * MB), tools.some(5 * GB, 100 * MB)):
            first, second = home / "first.bin", home / "second.bin"
            made.write_versions(first, second, size)
            label = f"{size / GB:g} GB"
            steps, _ = _round_trip(tools, server, first, second)
            for step, cost in steps.items():
                rows.append(_row(f"{label}, {step}", cost, size))
                targets.append(Target(f"{label}, {step}: peak memory of our process", OWN, cost.own / MB, "MB"))
                targets.append(Target(f"{label}, {step}: of it and its children", _budget(), cost.peak / MB, "MB"))
            first.unlink()
            second.unlink()
        before, after = made.moved(tools.data)
        steps, delta = _round_trip(tools, server, before, after)
        rows += [_row(f"moved block, {step}", cost, before.stat().st_size) for step, cost in steps.items()]
        targets.append(Target("78 MB with a block moved by 70 MB: delta", MOVED, delta, "B", below=True))
    return Table(
        name="large",
        title="Large files: two versions up, the second one down, each command once",
        columns=("command", "wall s", "CPU s", "MB/s", "peak MB, our process", "peak MB, with children"),
        rows=tuple(rows),
        targets=tuple(targets),
        notes="The budget of all processes is that of the documentation of the settings, with their defaults.",
    )


def _round_trip(tools: Tools, server: Server, first: Path, second: Path) -> tuple[dict[str, Cost], int]:
    """What each step took, and how large the delta is."""
    costs: dict[str, Cost] = {}
    with Duel(server, tools).place(Side("", lambda _: ())) as place:
        copy = place.directory / "copy.bin"
        steps: dict[str, Command] = {
            "first version up": (tools.ours, "cp", first, f"s3://{place.bucket}/v1/file.bin"),
            "second version up": (tools.ours, "cp", second, f"s3://{place.bucket}/v2/file.bin"),
            "second version down": (tools.ours, "cp", f"s3://{place.bucket}/v2/file.bin", copy),
        }
        for step, command in steps.items():
            costs[step] = run_once(command, place.directory, environ=place.environ)
        if sets.digest(copy) != sets.digest(second):
            raise RuntimeError(f"{second} did not come back as it was")
        stored = server.stored(place.bucket)
    return costs, stored["v2/file.bin.delta"]


def _row(label: str, cost: Cost, size: int) -> Row:
    memory = (round(cost.own / MB, 1), round(cost.peak / MB, 1))
    return (label, round(cost.wall, 2), round(cost.cpu, 2), round(size / MB / cost.wall, 1), *memory)


def _budget() -> float:
    """Bodies in flight, libraries, and the codec's share: the formula in the documentation of the settings."""
    from deltaglider.config import Settings

    settings = Settings.from_env({})
    bodies = settings.max_concurrent_requests * settings.multipart_chunksize
    return round((bodies + 70_000_000 + settings.codec_memory) / MB)
