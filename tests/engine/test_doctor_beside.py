"""The doctor mends while others write: nothing that was acknowledged is lost, nothing deleted comes back."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio
import pytest

from deltaglider.engine.delete import delete
from deltaglider.errors import NotFoundError
from tests.engine.clinic import diagnose
from tests.engine.world import World, noise, revised
from tests.faults.scale import scaled

KEYS = ["p/a.zip", "p/b.zip", "p/v1/c.zip", "q/a.zip"]
CONTENTS = [noise("one", 6000), noise("two", 6000)]


@pytest.mark.faults
async def test_mending_beside_writers(world: World, record_property: Callable[[str, object], None]) -> None:
    rounds, mended = scaled(3, 60), 0
    for number in range(rounds):
        expected: dict[str, bytes | None] = {}
        done = anyio.Event()

        async def write(key: str, number: int = number, expected: dict[str, bytes | None] = expected) -> None:
            chance, ctx = random.Random(f"{number}{key}"), world.client()
            for _ in range(6):
                # What is no delta, then a delta, then nothing: references come and go, and forms change.
                kind = chance.random()
                if kind < 0.35:
                    await delete(ctx, world.bucket, key)
                    expected[key] = None
                else:
                    data = revised(chance.choice(CONTENTS), chance.random())
                    await world.put(ctx, key, data, delta=kind < 0.85)
                    expected[key] = data

        async def mend(done: anyio.Event = done) -> None:
            nonlocal mended
            while not done.is_set():
                found = await diagnose(world.client(), world, repair=True)
                mended += sum(state == "mended" for _, _, state in found)

        async with anyio.create_task_group() as outer:
            outer.start_soon(mend)
            async with anyio.create_task_group() as inner:
                for key in KEYS:
                    inner.start_soon(write, key)
            done.set()
        fresh = world.client()
        for key, data in expected.items():
            if data is None:
                with pytest.raises(NotFoundError):
                    await world.get(fresh, key)
            else:
                assert await world.get(fresh, key) == data, (number, key)
        await diagnose(world.client(), world, repair=True, older_than=0.0)
        assert await diagnose(world.client(), world) == []
    record_property("figure", f"doctor --repair beside 4 writers: {rounds} rounds, {mended} mended, 0 lost")
