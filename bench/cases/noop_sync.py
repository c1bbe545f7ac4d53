"""A sync that finds nothing to do, of many objects."""

from __future__ import annotations

import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import made
from bench.measure import Tools, run_once
from bench.report import Table, Target
from bench.server import Server, running
from bench.sides import Duel, Side, against, compared

SIZE = 5000
THREADS = 16


def run(tools: Tools) -> Table:
    """Syncs 19,990 files that are stored already, whole in one bucket and as deltas in another.

    Args:
        tools: The programs.

    Returns:
        Medians, and ratios to the AWS command line.
    """
    rounds = tools.times(5)
    # Neither fills its last page of a listing, a reference included: after a full one, a server may tell of one more.
    count = tools.some(19_990, 299)
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        home = Path(directory)
        content = b"".join(made.noise(SIZE, "no-op"))
        plain, deltas = (_files(home / suffix, count, suffix, content) for suffix in ("dat", "zip"))
        whole, small = server.make_bucket(), server.make_bucket()
        _put_all(server, whole, [path.name for path in plain.iterdir()], content, {})
        duel = Duel(server, tools)
        _store_deltas(tools, duel, server, small, deltas)

        caches = home / "caches"
        sides = [
            _ours(tools, "ours, plain", plain, whole, caches),
            _ours(tools, "ours, deltas", deltas, small, caches),
            Side("awscli, plain", lambda _: (tools.aws, "s3", "sync", plain, f"s3://{whole}/"), bucket=whole),
        ]
        first = {}
        for side in sides:
            with duel.place(side) as place:
                first[side.name] = run_once(side.command(place), place.directory, environ=place.environ)
        before = {bucket: server.stored(bucket) for bucket in (whole, small)}
        results = duel.run(sides, rounds)
        if before != {bucket: server.stored(bucket) for bucket in (whole, small)}:
            raise RuntimeError("a sync that should have had nothing to do did something")
    requests = [result.traffic.count if result.traffic else 0 for result in results]
    told = "; ".join(f"{name} {cost.wall:.1f} s" for name, cost in first.items())
    return compared(
        {"": results},
        "awscli, plain",
        name="noop_sync",
        title=f"Sync with nothing to do: {count:,} objects, warm, medians of {rounds}",
        targets=[
            *(
                Target(
                    f"wall time, {name} / awscli",
                    1,
                    against(results, name, "awscli, plain", lambda r: r.cost.wall),
                    below=True,
                )
                for name in ("ours, plain", "ours, deltas")
            ),
            Target("requests, deltas / plain", 1, requests[1] / requests[0]),
        ],
        notes=f"The first sync of each, with nothing known: {told}.",
    )


def _ours(tools: Tools, name: str, files: Path, bucket: str, caches: Path) -> Side:
    return Side(name, lambda _: (tools.ours, "sync", files, f"s3://{bucket}/"), bucket=bucket, caches=caches)


def _files(directory: Path, count: int, suffix: str, content: bytes) -> Path:
    directory.mkdir()
    for number in range(count):
        (directory / f"file-{number:06}.{suffix}").write_bytes(content)
    return directory


def _put_all(server: Server, bucket: str, keys: list[str], body: bytes, metadata: dict[str, str]) -> None:
    put = functools.partial(server.client.put_object, Bucket=bucket, Body=body)
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(lambda key: put(Key=key, Metadata=_named(metadata, key)), keys):
            pass


def _named(metadata: dict[str, str], key: str) -> dict[str, str]:
    return {**metadata, "dg-original-name": key.removesuffix(".delta")} if metadata else {}


def _store_deltas(tools: Tools, duel: Duel, server: Server, bucket: str, files: Path) -> None:
    """Stores one file as a delta with our command, and all others by repeating that delta under their names."""
    first, *others = sorted(path.name for path in files.iterdir())
    with duel.place(Side("", lambda _: (), bucket=bucket)) as place:
        run_once([tools.ours, "cp", files / first, f"s3://{bucket}/"], place.directory, environ=place.environ)
    delta = server.client.get_object(Bucket=bucket, Key=f"{first}.delta")
    _put_all(server, bucket, [f"{name}.delta" for name in others], delta["Body"].read(), delta["Metadata"])
