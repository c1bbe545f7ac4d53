"""A process that takes part in races; run as ``python -m tests.faults.racer HOME``, by ``tests/faults/crew.py``.

It reads one line of JSON for each start: the store's settings, and a list of deeds to be done at once, each after a
delay of its own. It answers with one line: what became of each. It keeps a client for each store it was told of.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from deltaglider import AsyncDeltaGliderClient, create_async_client
from deltaglider.errors import DeltaGliderError, NotFoundError
from deltaglider.models import ObjectInfo, Outcome


def content(name: str, size: int) -> bytes:
    """A file: ``family/version``. Versions of a family have all but a few bytes in common; ``alone`` ones, nothing."""
    family, _, version = name.partition("/")
    mark = hashlib.sha256(name.encode()).digest()
    if family == "alone":
        return random.Random(version).randbytes(size)
    body = bytearray(random.Random(family).randbytes(size))
    body[100 : 100 + len(mark)] = mark
    return bytes(body)


class Racer:
    """What the process does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clients: dict[str, AsyncDeltaGliderClient] = {}

    def client(self, settings: dict[str, Any], *, fresh: bool = False) -> AsyncDeltaGliderClient:
        name = json.dumps(settings, sort_keys=True)
        if name not in self.clients or fresh:
            place = self.home / uuid.uuid4().hex
            made = create_async_client(cache_dir=place / "cache", temp_dir=place / "temporary", **settings)
            if fresh:
                return made
            self.clients[name] = made
        return self.clients[name]

    async def start(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        client = self.client(order["settings"], fresh=order["fresh"])
        begin = order["begin"]
        try:
            return await asyncio.gather(*(self.do(client, deed, begin) for deed in order["deeds"]))
        finally:
            if order["fresh"]:
                await client.aclose()

    async def do(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], begin: float) -> dict[str, Any]:
        work = getattr(self, deed["do"])
        source = self.prepare(deed)
        await asyncio.sleep(max(0.0, begin + deed["delay"] - time.monotonic()))
        begun = time.monotonic()
        try:
            found = await work(client, deed, source)
        except DeltaGliderError as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        return {**found, "begun": begun, "ended": time.monotonic()}

    def prepare(self, deed: dict[str, Any]) -> Path:
        place = self.home / "work" / uuid.uuid4().hex
        place.mkdir(parents=True)
        for name, body in deed.get("files", {}).items():
            (place / name).write_bytes(content(body, deed["size"]))
        return place

    async def upload(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], source: Path) -> dict[str, Any]:
        (name,) = deed["files"]
        await client.upload(source / name, deed["url"], delta=deed.get("delta"))
        return {}

    async def delete(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], source: Path) -> dict[str, Any]:
        await client.delete(deed["url"])
        return {}

    async def sync(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], source: Path) -> dict[str, Any]:
        outcomes: list[Outcome] = []
        await client.sync(source, deed["url"], delete=True, force=True, report=outcomes.append)
        failed = [str(outcome.error) for outcome in outcomes if outcome.status == "failed"]
        deleted = [outcome.source for outcome in outcomes if outcome.action == "delete" and outcome.status == "done"]
        return {"deleted": deleted, **({"error": "; ".join(failed)} if failed else {})}

    async def read(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], source: Path) -> dict[str, Any]:
        """Reads a number of times; tells the SHA-256 of each, ``null`` for none."""
        seen: list[str | None] = []
        for _ in range(deed.get("times", 1)):
            target = source / "target"
            try:
                await client.download(deed["url"], target)
            except NotFoundError:
                seen.append(None)
                continue
            seen.append(hashlib.sha256(target.read_bytes()).hexdigest())
            target.unlink()
        return {"seen": seen}

    async def list(self, client: AsyncDeltaGliderClient, deed: dict[str, Any], source: Path) -> dict[str, Any]:
        return {"keys": [entry.key async for entry in client.list(deed["url"]) if isinstance(entry, ObjectInfo)]}


async def main(home: Path) -> None:
    racer = Racer(home)
    print(json.dumps("ready"), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await racer.start(json.loads(line))), flush=True)
    for client in racer.clients.values():
        await client.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
