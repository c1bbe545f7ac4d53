"""Files of which no deltas are made, up and down, beside those tools that do nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import sets
from bench.measure import Command, Tools, run_once
from bench.report import Table, Target
from bench.server import running
from bench.sides import Duel, Place, Result, Side, against, compared

PEERS = ("ours", "awscli", "s5cmd", "rclone")


def plain_files(tools: Tools, *, name: str, count: int, size: int) -> Table:
    """Syncs files of one size up, and down.

    Args:
        tools: The programs.
        name: The case.
        count: How many files.
        size: Bytes of each.

    Returns:
        Medians, and ratios to the AWS command line.
    """
    rounds = tools.times(5)
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        source = sets.plain(Path(directory) / "source", count, size)
        duel = Duel(server, tools)

        def complete(place: Place) -> None:
            if len(server.stored(place.bucket)) != count:
                raise RuntimeError(f"{len(server.stored(place.bucket))} of {count} files went up")

        ups = [
            Side(peer, lambda place, peer=peer: _up(tools, peer, source, place.bucket), check=complete)  # type: ignore[misc]
            for peer in PEERS
        ]
        up = duel.run(ups, rounds)
        bucket = server.make_bucket()
        down_from = Side("", lambda _: (), bucket=bucket)
        with duel.place(down_from) as place:
            run_once(_up(tools, "ours", source, bucket), place.directory, environ=place.environ)
        downs = [
            Side(
                peer,
                lambda place, peer=peer: _down(tools, peer, place.bucket, place.files),  # type: ignore[misc]
                prepare=lambda place: place.files.mkdir(),
                check=lambda place: sets.same_files(source, place.files),
                bucket=bucket,
            )
            for peer in PEERS
        ]
        down = duel.run(downs, rounds)
    return compared(
        {"up": up, "down": down},
        "awscli",
        name=name,
        title=f"Plain files: sync of {count:,} x {size / 1e6:g} MB, medians of {rounds}",
        targets=[*_targets("up", up), *_targets("down", down)],
    )


def _targets(way: str, results: Sequence[Result]) -> list[Target]:
    aws, s5cmd = (against(results, "ours", peer, lambda result: result.cost.wall) for peer in ("awscli", "s5cmd"))
    return [
        Target(f"{way}: wall time, ours / awscli", 1, aws, below=True),
        Target(f"{way}: wall time, ours / s5cmd", 2, s5cmd),
    ]


def _up(tools: Tools, peer: str, source: Path, bucket: str) -> Command:
    commands: dict[str, Command] = {
        "ours": (tools.ours, "sync", source, f"s3://{bucket}/"),
        "awscli": (tools.aws, "s3", "sync", source, f"s3://{bucket}/"),
        "s5cmd": (tools.s5cmd, "sync", f"{source}/", f"s3://{bucket}/"),
        "rclone": (tools.rclone, "sync", source, f"bench:{bucket}"),
    }
    return commands[peer]


def _down(tools: Tools, peer: str, bucket: str, target: Path) -> Command:
    commands: dict[str, Command] = {
        "ours": (tools.ours, "sync", f"s3://{bucket}/", target),
        "awscli": (tools.aws, "s3", "sync", f"s3://{bucket}/", target),
        "s5cmd": (tools.s5cmd, "sync", f"s3://{bucket}/*", f"{target}/"),
        "rclone": (tools.rclone, "sync", f"bench:{bucket}", target),
    }
    return commands[peer]
