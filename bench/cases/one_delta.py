"""One delta up and one down, in process: what is left above the least that it takes?"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench import inside, sets
from bench.measure import Cost, Tools
from bench.report import Row, Table, Target
from bench.server import Server, running

RELEASES = (0, 10)  # Ten apart: a delta of some megabytes, as it is after a few months.


def run(tools: Tools) -> Table:
    """Measures one real archive of 12 MB against another that is the reference.

    Args:
        tools: The programs.

    Returns:
        Medians, each way of ours beside the bare parts.
    """
    rounds = tools.times(15)
    with running(tools.scratch) as server, tempfile.TemporaryDirectory(dir=tools.scratch) as directory:
        files = sets.zips(tools.data)
        costs, delta = asyncio.run(_Scene(server, Path(directory), files[RELEASES[0]], files[RELEASES[1]]).run(rounds))
    rows: list[Row] = [(name, _ms(cost.wall), _ms(cost.cpu)) for name, cost in costs.items()]
    above = _ms(costs["down: ours, archive=never"].wall - costs["down: plain GET of the delta"].wall)
    ratio = costs["up: ours, archive=never"].wall / costs["up: raw xdelta3 and PUT"].wall
    return Table(
        name="one_delta",
        title=f"One archive of 12 MB as a delta of {delta / 1e6:.1f} MB, warm, in process, medians of {rounds}",
        columns=("work", "wall ms", "CPU ms"),
        rows=tuple(rows),
        targets=(
            Target("down: above the plain GET of the delta", 100, above, "ms", below=True),
            Target("up: wall time, ours / raw xdelta3 and PUT", 1.3, ratio),
        ),
        notes="Raw xdelta3 is run with the flags that we give it; it does not prove that the delta works.",
    )


class _Scene:
    def __init__(self, server: Server, directory: Path, first: Path, second: Path) -> None:
        self._server = server
        self._home = directory
        self._first = first
        self._second = second
        self._bucket = server.make_bucket()

    async def run(self, rounds: int) -> tuple[dict[str, Cost], int]:
        """The costs, and the bytes of the delta that xdelta3 makes."""
        from aiobotocore.session import get_session

        async with AsyncExitStack() as stack:
            clients = {}
            for number, (name, options) in enumerate(_variants().items()):
                clients[name] = await self._prepared(stack, f"variant-{number}", options)
            raw = await stack.enter_async_context(get_session().create_client("s3", **inside.raw_options(self._server)))
            key = next(
                f"variant-{number}/second.zip.delta"
                for number, name in enumerate(clients)
                if name == "ours, archive=never"
            )
            head = await raw.head_object(Bucket=self._bucket, Key=key)
            encoder = inside.Encoder(self._home)
            # Asked of a client of its own: to write the flags down takes time.
            never = _variants()["ours, archive=never"]
            await self._prepared(stack, "flags", {**never, "xdelta3": str(encoder.program)})
            works: dict[str, inside.Work] = {}
            for number, (name, client) in enumerate(clients.items()):
                place = f"s3://{self._bucket}/variant-{number}"
                works[f"down: {name}"] = functools.partial(self._download, client, place)
                works[f"up: {name}"] = functools.partial(self._upload, client, place)
            works["down: plain GET of the delta"] = lambda turn: self._get(raw, key)
            works["up: raw xdelta3 and PUT"] = lambda turn: self._put(raw, encoder.encode, turn)
            costs = await inside.in_turns(works, rounds)
        return dict(sorted(costs.items())), int(head["ContentLength"])

    async def _prepared(self, stack: AsyncExitStack, place: str, options: Mapping[str, Any]) -> Any:
        """A client that has stored both files in a deltaspace of its own."""
        from deltaglider import create_async_client

        given = inside.client_options(self._server, self._home / place)
        client = await stack.enter_async_context(create_async_client(**given, **options))
        await client.upload(self._first, f"s3://{self._bucket}/{place}/first.zip")
        await client.upload(self._second, f"s3://{self._bucket}/{place}/second.zip")
        return client

    async def _download(self, client: Any, place: str, turn: int) -> None:
        await client.download(f"{place}/second.zip", self._home / "copy.zip")
        if turn == 0 and sets.digest(self._home / "copy.zip") != sets.digest(self._second):
            raise RuntimeError("it did not come back as it was")

    async def _upload(self, client: Any, place: str, turn: int) -> None:
        # Under a new name each time: what is stored already might be known to be.
        summary = await client.upload(self._second, f"{place}/again-{turn}.zip")
        if not summary.is_delta:
            raise RuntimeError("it was not stored as a delta")

    async def _get(self, raw: Any, key: str) -> None:
        answer = await raw.get_object(Bucket=self._bucket, Key=key)
        async with answer["Body"] as body:
            await body.read()

    async def _put(self, raw: Any, encode: Callable[[Path, Path, Path], None], turn: int) -> None:
        delta = self._home / "raw.delta"
        await asyncio.to_thread(encode, self._first, self._second, delta)
        put: Callable[..., Awaitable[object]] = raw.put_object
        await put(Bucket=self._bucket, Key=f"raw/again-{turn}.delta", Body=delta.read_bytes())


def _variants() -> dict[str, dict[str, Any]]:
    """The ways of ours; the one that makes plain deltas is there even before there is another."""
    known = sets.settings()
    never: dict[str, Any] = {"archive": "never"} if "archive" in known else {}
    found: dict[str, dict[str, Any]] = {"ours, archive=never": never}
    if "archive" in known:
        found["ours"] = {}
    if "codec" in known:
        found["ours, codec=zstd, archive=never"] = {"codec": "zstd", **never}
    return found


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
