"""The three hottest paths beside their parts done barely: what is left, and who takes it."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench import inside, sets
from bench.measure import Cost, Tools
from bench.report import Row, Table
from bench.server import Server, running

AT_ONCE = 8
SMALL = 100_000
OURS = "ours, all of it"


def run(tools: Tools) -> Table:
    """Measures an upload and a download of a delta, and a sync of small files, each beside what it consists of.

    Args:
        tools: The programs.

    Returns:
        One row a part, and what of ours it is.
    """
    rounds = tools.times(9)
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        files = sets.zips(tools.data)
        small = sets.plain(Path(directory) / "small", tools.some(500, 50), SMALL)
        scene = _Scene(server, Path(directory), files[0], files[10], small)
        paths = asyncio.run(scene.run(rounds))
    rows: list[Row] = []
    for path, costs in paths.items():
        ours = costs[OURS]
        for part, cost in costs.items():
            rows.append((f"{path}: {part}", _ms(cost.wall), _ms(cost.cpu), _percent(cost.wall / ours.wall)))
        bare = [cost for part, cost in costs.items() if part != OURS]
        wall, cpu = sum(cost.wall for cost in bare), sum(cost.cpu for cost in bare)
        rows.append((f"{path}: the parts together", _ms(wall), _ms(cpu), _percent(wall / ours.wall)))
    return Table(
        name="limits",
        title=f"The hottest paths and their parts, in process, warm, medians of {rounds}",
        columns=("path and part", "wall ms", "CPU ms", "% of ours"),
        rows=tuple(rows),
        notes="The parts are done one after the other, with nothing else: ours may do them at the same time. "
        "The deltas are plain ones (archive=never).",
    )


class _Scene:
    def __init__(self, server: Server, home: Path, first: Path, second: Path, small: Path) -> None:
        self._server = server
        self._home = home
        self._first = first
        self._second = second
        self._small = sorted(small.iterdir())
        self._bucket = server.make_bucket()
        self._delta = home / "delta"
        self._copy = home / "copy.zip"

    async def run(self, rounds: int) -> dict[str, dict[str, Cost]]:
        """The costs of each path's parts."""
        from aiobotocore.session import get_session

        from deltaglider import create_async_client

        never: dict[str, Any] = {"archive": "never"} if "archive" in sets.settings() else {}
        async with AsyncExitStack() as stack:
            given = inside.client_options(self._server, self._home / "cache")
            client = await stack.enter_async_context(create_async_client(**given, **never))
            for name, path in (("first", self._first), ("second", self._second)):
                await client.upload(path, f"s3://{self._bucket}/versions/{name}.zip")
            raw = await stack.enter_async_context(get_session().create_client("s3", **inside.raw_options(self._server)))
            encoder = inside.Encoder(self._home)
            given |= {"cache_dir": self._home / "another-cache", "xdelta3": str(encoder.program)}
            other = await stack.enter_async_context(create_async_client(**given, **never))
            await other.upload(self._second, f"s3://{self._bucket}/versions/flags.zip")
            paths = {
                "upload of a delta": self._upload(client, raw, encoder.encode),
                "download of a delta": self._download(client, raw),
                f"sync of {len(self._small)} x 100 KB up": self._sync(client, raw),
            }
            return {path: await inside.in_turns(works, rounds) for path, works in paths.items()}

    def _upload(self, client: Any, raw: Any, encode: Callable[[Path, Path, Path], None]) -> Mapping[str, inside.Work]:
        return {
            "SHA-256 and MD5 of the file": lambda _: asyncio.to_thread(_digests, self._second),
            "xdelta3 -e": lambda _: asyncio.to_thread(encode, self._first, self._second, self._delta),
            "xdelta3 -d, the proof": lambda _: asyncio.to_thread(inside.decode, self._first, self._delta, self._copy),
            "SHA-256 of its result": lambda _: asyncio.to_thread(sets.digest, self._copy),
            "PUT of the delta": lambda _: self._put(raw, "raw", self._delta),
            OURS: lambda turn: client.upload(self._second, f"s3://{self._bucket}/versions/again-{turn}.zip"),
        }

    def _download(self, client: Any, raw: Any) -> Mapping[str, inside.Work]:
        return {
            "GET of the delta": lambda _: self._get(raw, "versions/second.zip.delta", self._delta),
            "xdelta3 -d": lambda _: asyncio.to_thread(inside.decode, self._first, self._delta, self._copy),
            "SHA-256 of its result": lambda _: asyncio.to_thread(sets.digest, self._copy),
            OURS: lambda _: client.download(f"s3://{self._bucket}/versions/second.zip", self._copy),
        }

    def _sync(self, client: Any, raw: Any) -> Mapping[str, inside.Work]:
        small = self._small[0].parent
        return {
            "SHA-256 and MD5 of the files": lambda _: asyncio.to_thread(
                lambda: [_digests(path) for path in self._small]
            ),
            f"PUT of the files, {AT_ONCE} at once": lambda turn: self._put_all(raw, turn),
            OURS: lambda turn: client.sync(small, f"s3://{self._bucket}/small-{turn}/"),
        }

    async def _put(self, raw: Any, key: str, path: Path) -> None:
        await raw.put_object(Bucket=self._bucket, Key=key, Body=path.read_bytes())

    async def _get(self, raw: Any, key: str, path: Path) -> None:
        answer = await raw.get_object(Bucket=self._bucket, Key=key)
        async with answer["Body"] as body:
            path.write_bytes(await body.read())

    async def _put_all(self, raw: Any, turn: int) -> None:
        waiting = iter(self._small)

        async def work() -> None:
            for path in waiting:
                await self._put(raw, f"bare-{turn}/{path.name}", path)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def _digests(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        while chunk := file.read(1 << 20):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _percent(share: float) -> float:
    return round(100 * share, 1)
