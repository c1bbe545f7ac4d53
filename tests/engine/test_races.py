"""Races: uploads, deletes, copies and reads at once, in an order made by chance, many times over.

Afterwards every object that was stored and not deleted reads back, as one of the versions that could be the last. While
it goes on, readers see one of the versions too, and never a broken one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.client.assemble import assemble
from deltaglider.codec.family import Codecs
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.listing import list_objects
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.retire import retire
from deltaglider.engine.upload import upload
from deltaglider.errors import NotFoundError, PreconditionFailedError
from deltaglider.models import ObjectInfo
from tests.engine.world import noise
from tests.faults.memory import MemoryStore, PlainCodec
from tests.faults.wrapper import ScriptedStore, dawdle

BUCKET = "bucket"
Work = Callable[[Context], Coroutine[Any, Any, object]]


@dataclasses.dataclass
class Deed:
    """Something done to one key: when it began and ended, and what it left; ``None`` for nothing."""

    key: str
    begun: int
    left: bytes | None
    ended: int | None = None


class Arena:
    """Several clients of one store in memory, each dawdling in its own way."""

    def __init__(self, home: Path, seed: int, *, clients: int = 3) -> None:
        self.home = home
        self.store = MemoryStore(BUCKET)
        self.clock = itertools.count()
        self.deeds: list[Deed] = []
        self.before: dict[str, bytes | None] = {}
        self.names = itertools.count()
        self.clients = [self.client(seed * 10 + number) for number in range(clients)]

    def client(self, seed: int | None = None) -> Context:
        home = self.home / str(next(self.names))
        settings = Settings(cache_dir=home / "cache", temp_dir=home / "temporary", min_delta_size=1)
        store = ScriptedStore(self.store)
        if seed is not None:
            store.before("*", do=dawdle(seed, 8))
            store.after("*", do=dawdle(seed + 1_000_000, 8))
        return dataclasses.replace(assemble(settings), store=store, codecs=Codecs(PlainCodec()))

    def file(self, data: bytes) -> Path:
        path = self.home / f"file-{next(self.names)}"
        path.write_bytes(data)
        return path

    async def put(self, ctx: Context, key: str, data: bytes, *, delta: bool = True) -> None:
        deed = self.begin(key, data)
        await upload(ctx, self.file(data), BUCKET, key, options=UploadOptions(delta=delta))
        deed.ended = next(self.clock)

    async def remove(self, ctx: Context, key: str) -> None:
        deed = self.begin(key, None)
        await delete(ctx, BUCKET, key)
        deed.ended = next(self.clock)

    async def copy(self, ctx: Context, key: str, to: str) -> None:
        """Copies an object that does not change meanwhile."""
        deed = self.begin(to, self.before[key])
        await copy(ctx, BUCKET, key, BUCKET, to)
        deed.ended = next(self.clock)

    def begin(self, key: str, data: bytes | None) -> Deed:
        self.deeds.append(Deed(key, next(self.clock), data))
        return self.deeds[-1]

    async def get(self, ctx: Context, key: str) -> bytes | None:
        target = self.home / f"target-{next(self.names)}"
        try:
            await download(ctx, BUCKET, key, target)
        except NotFoundError:
            return None
        return target.read_bytes()

    async def look(self, ctx: Context, key: str) -> None:
        """Reads while others write: any version that was there, or will be, will do; a broken one will not."""
        with contextlib.suppress(PreconditionFailedError):  # It changed more often than a reader tries.
            found = await self.get(ctx, key)
            assert found in {self.before.get(key), *(deed.left for deed in self.deeds if deed.key == key)}

    async def settle(self) -> None:
        """Looks at every key when all is quiet, with a client that knows nothing."""
        fresh = self.client()
        found: dict[str, bytes | None] = {}
        for key in {*self.before, *(deed.key for deed in self.deeds)}:
            found[key] = await self.get(fresh, key)
            assert found[key] in self.possible(key), f"{key} is {found[key]!r:.20}"
        listed = [entry async for entry in list_objects(fresh, BUCKET)]
        present = {key: data for key, data in found.items() if data is not None}
        assert [entry.key for entry in listed if isinstance(entry, ObjectInfo)] == sorted(present)
        assert [entry.size for entry in listed if isinstance(entry, ObjectInfo)] == [
            len(present[key]) for key in sorted(present)
        ]
        self.before, self.deeds = found, []

    def possible(self, key: str) -> set[bytes | None]:
        """What the last deed may have left: those of which no other began after their end."""
        deeds = [deed for deed in self.deeds if deed.key == key]
        assert all(deed.ended is not None for deed in deeds)
        latest = max((deed.begun for deed in deeds), default=0)
        return {deed.left for deed in deeds if (deed.ended or 0) > latest} or {self.before.get(key)}

    async def at_once(self, *works: Work) -> None:
        async with anyio.create_task_group() as group:
            for number, work in enumerate(works):
                group.start_soon(work, self.clients[number % len(self.clients)])

    def close(self) -> None:
        for number in range(next(self.names)):
            place = self.home / str(number) / "temporary"
            assert [path for path in place.rglob("*") if path.is_file() and path.name != ".lock"] == []


def content(round_: int, number: int) -> bytes:
    return b"%d.%d " % (round_, number) + noise((round_, number), 40)


@pytest.mark.parametrize("seed", range(3))
async def test_an_upload_and_the_delete_of_the_last_delta(tmp_path: Path, seed: int) -> None:
    arena = Arena(tmp_path, seed, clients=2)
    for round_ in range(25):
        first, second = content(round_, 1), content(round_, 2)
        await arena.put(arena.clients[0], "p/a.zip", first)
        await arena.settle()
        await arena.at_once(
            lambda ctx: arena.remove(ctx, "p/a.zip"),
            lambda ctx, data=second: arena.put(ctx, "p/b.zip", data),  # type: ignore[misc]
            lambda ctx: arena.look(ctx, "p/a.zip"),
            lambda ctx: arena.look(ctx, "p/b.zip"),
        )
        await arena.settle()
        assert arena.before["p/b.zip"] == second
        await arena.remove(arena.clients[0], "p/b.zip")
        await arena.settle()
        # Quiet: nothing is left, no reference and no copy of one.
        assert list(arena.store.buckets[BUCKET]) == []
    arena.close()


@pytest.mark.parametrize("seed", range(3))
async def test_two_writers_of_one_key_in_different_forms(tmp_path: Path, seed: int) -> None:
    arena = Arena(tmp_path, seed)
    for round_ in range(25):
        one, two = content(round_, 1), content(round_, 2)
        await arena.at_once(
            lambda ctx, data=one: arena.put(ctx, "p/a.zip", data, delta=True),  # type: ignore[misc]
            lambda ctx, data=two: arena.put(ctx, "p/a.zip", data, delta=False),  # type: ignore[misc]
            lambda ctx: arena.look(ctx, "p/a.zip"),
        )
        await arena.settle()
        assert arena.before["p/a.zip"] is not None
    arena.close()


@pytest.mark.parametrize("seed", range(6))
async def test_everything_at_once(tmp_path: Path, seed: int) -> None:
    arena = Arena(tmp_path, seed)
    chance = random.Random(seed)
    keys = ["p/a.zip", "p/b.zip", "p/v1/c.zip", "q/v2/a.zip", "q/b.zip"]
    for round_ in range(20):
        # Copies are of objects that hold still in this round.
        still = chance.choice(keys)
        works: list[Work] = []
        for number in range(chance.randint(3, 6)):
            key = chance.choice([key for key in keys if key != still])
            kind = chance.choice(["put", "put", "whole", "remove", "copy", "look", "retire"])
            if kind in ("put", "whole"):
                # Often the same bytes again: then ETags cannot tell two generations apart.
                data = content(chance.choice([0, round_]), number)
                works.append(lambda ctx, k=key, d=data, w=kind: arena.put(ctx, k, d, delta=w == "put"))  # type: ignore[misc]
            elif kind == "remove":
                works.append(lambda ctx, k=key: arena.remove(ctx, k))  # type: ignore[misc]
            elif kind == "copy" and arena.before.get(still) is not None:
                works.append(lambda ctx, k=key, s=still: arena.copy(ctx, s, k))  # type: ignore[misc]
            elif kind == "retire":
                works.append(lambda ctx, k=key: retire(ctx, BUCKET, k[:2]))  # type: ignore[misc]
            else:
                works.append(lambda ctx, k=key: arena.look(ctx, k))  # type: ignore[misc]
        seen = chance.choice(keys)
        works.append(lambda ctx, k=seen: arena.look(ctx, k))  # type: ignore[misc]
        await arena.at_once(*works)
        await arena.settle()
    for key in keys:
        await arena.remove(arena.clients[0], key)
    await arena.settle()
    assert [key for key in arena.store.buckets[BUCKET] if "/trash/" not in key] == []
    arena.close()
