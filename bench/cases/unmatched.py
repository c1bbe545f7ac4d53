"""Archives that have nothing in common go up: what does it cost to find out?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import made
from bench.measure import Tools
from bench.report import Table, Target
from bench.server import running
from bench.sides import PEER, Duel, Side, against, compared, link_all

PLAIN = "ours, delta=false"


def run(tools: Tools) -> Table:
    """Syncs 500 MB of unrelated zips.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to a plain upload.
    """
    rounds = tools.times(5)
    deadline = tools.some(120, 15)
    archives = made.unrelated(tools.data, tools.some(25, 4))
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        source = link_all({path.name: path for path in archives}, Path(directory) / "zips")
        sides = [
            Side("ours", lambda place: (tools.ours, "sync", source, f"s3://{place.bucket}/")),
            Side(
                PLAIN,
                lambda place: (tools.ours, "sync", source, f"s3://{place.bucket}/"),
                environ={"DG_DELTA": "false"},
            ),
            Side("awscli", lambda place: (tools.aws, "s3", "sync", source, f"s3://{place.bucket}/")),
            Side(
                PEER,
                lambda place: (tools.predecessor, "sync", source, f"s3://{place.bucket}/"),
                deadline=deadline,
            ),
        ]
        results = Duel(server, tools).run(sides, rounds)
    peer = results[-1].cost
    done = "finished" if peer.ended else f"was stopped, after {deadline} s"
    return compared(
        {"": results},
        PLAIN,
        name="unmatched",
        title=f"Sync up: {len(archives)} zips of 21 MB without likeness, medians of {rounds}",
        targets=[
            Target("CPU, ours / plain upload by ours", 1.5, against(results, "ours", PLAIN, lambda r: r.cost.cpu)),
            Target(
                "wall time, ours / plain upload by ours", 1.5, against(results, "ours", PLAIN, lambda r: r.cost.wall)
            ),
        ],
        notes=f"{PEER} {done}.",
    )
