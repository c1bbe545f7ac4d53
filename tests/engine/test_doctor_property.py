"""Whatever is damaged: after ``--repair`` all reads that read before, with the same bytes; and a second one is idle."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.materialise import materialise
from deltaglider.errors import DeltaGliderError
from deltaglider.layout.keys import parse_reference_key, trash_key
from tests.engine.clinic import diagnose, put_as_620, strip
from tests.engine.world import World, noise, revised, sha256, world_on
from tests.faults.scale import scaled
from tests.servers import DirectoryEndpoint

KEYS = ["p/a.zip", "p/b.zip", "p/v1/c.zip", "p/v2/c.zip", "q/a.zip", "q/b.zip", "z.zip", "p/note.txt"]
Damage = Callable[[World, random.Random], Awaitable[None]]


async def pick(world: World, chance: random.Random, *endings: str) -> str | None:
    keys = [key for key in await world.stored() if key.endswith(endings)]
    return chance.choice(keys) if keys else None


async def lose(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, "reference.bin")
    if key:
        await world.store.delete(world.bucket, key)


async def lose_delta(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, ".delta")
    if key:
        await world.store.delete(world.bucket, key)


async def change(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, "")
    if key and await world.body(key):
        await world.damage(key)


async def strip_some(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, ".delta")
    if key:
        names = list((await world.stored())[key].metadata)
        await strip(world, key, *chance.sample(names, min(len(names), chance.choice([0, 1, 3]))))


async def trash(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, "reference.bin")
    parsed = parse_reference_key(key or "")
    if key and parsed:
        copy = trash_key(parsed[0], parsed[1], f"{chance.random()}")
        await world.store.copy(world.bucket, key, world.bucket, copy)
        if chance.random() < 0.5:
            await world.store.delete(world.bucket, key)


async def move(world: World, chance: random.Random) -> None:
    whence, whither = chance.choice([("p/", "r/"), ("q/", "r/"), ("p/", "q/")])
    for key in await world.stored():
        if key.startswith(whence) and chance.random() < 0.7:
            target = whither + key.removeprefix(whence)
            if target not in await world.stored():
                await world.store.copy(world.bucket, key, world.bucket, target)


async def point_elsewhere(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, ".delta")
    other = await pick(world, chance, "")
    if key and other:
        metadata = {**(await world.stored())[key].metadata, "dg-ref-key": other}
        await world.put_raw(key, await world.body(key), metadata)


async def store_whole_beside(world: World, chance: random.Random) -> None:
    key = await pick(world, chance, ".delta")
    if key:
        logical = key.removesuffix(".delta")
        ctx = world.client(delta=False)
        delta, metadata = await world.body(key), (await world.stored())[key].metadata
        await world.put(ctx, logical, noise(chance.random(), 5000))
        year = chance.choice([2001, 2999])
        changed = {**metadata, "dg-created-at": f"{year}-01-01T00:00:00.000000Z"} if metadata else metadata
        await world.put_raw(key, delta, changed)


DAMAGES: list[Damage] = [
    lose,
    lose_delta,
    change,
    strip_some,
    trash,
    move,
    point_elsewhere,
    store_whole_beside,
]


async def fill(world: World, chance: random.Random) -> None:
    contents = [noise("one", 8000), noise("two", 8000)]
    ctx = world.client()
    for key in chance.sample(KEYS, 5):
        await world.put(ctx, key, revised(chance.choice(contents), chance.random()))
    for name in ("a.zip", "b.zip"):
        await put_as_620(world, ctx, "old/", name, revised(contents[0], name), contents[0])
    await world.put(world.client(delta=False), "spare/one.zip", contents[0])


async def readable(world: World, ctx: Context) -> dict[str, bytes]:
    """All that a client with nothing in its cache can read, by the keys that deltas and files have."""
    found: dict[str, bytes] = {}
    for stored_key in await world.stored():
        for key in {stored_key, stored_key.removesuffix(".delta")}:
            path = world.place()
            path.touch()
            try:
                await materialise(ctx, world.bucket, key, path)
            except DeltaGliderError:
                continue
            found[key] = path.read_bytes()
    return found


@pytest.mark.faults
async def test_nothing_that_read_before_is_lost(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    rounds, mended, wrong = scaled(6, 200), 0, 0
    for number in range(rounds):
        endpoint = DirectoryEndpoint(tmp_path / str(number) / "store")
        async with world_on(endpoint, endpoint.make_bucket(), tmp_path / str(number) / "home") as world:
            chance = random.Random(number)
            await fill(world, chance)
            for damage in chance.choices(DAMAGES, k=chance.randrange(1, 5)):
                await damage(world, chance)
            before, stored = await readable(world, world.client()), await world.stored()
            told = await diagnose(world.client(), world)
            first = await diagnose(world.client(), world, repair=True, older_than=0.0)
            after = await readable(world, world.client())
            for key, data in before.items():
                # Raw deltas become what they are deltas of; that is what repair is for.
                if data.startswith(b"\xd6\xc3\xc4"):
                    continue
                # The newer of two forms may have been unreadable, so that the older one was read, and be mended.
                newer = ("two_forms", key, "note") in told and stored[f"{key}.delta"].metadata.get("dg-file-sha256")
                assert after.get(key) == data or sha256(after[key]) == newer, (number, key, told, first)
            again = await diagnose(world.client(), world, repair=True, older_than=0.0)
            assert [one for one in again if one[2] == "mended"] == [], (number, first, again)
            mended += sum(state == "mended" for _, _, state in first)
            wrong += sum(state == "wrong" for _, _, state in first)
    assert mended
    record_property("figure", f"doctor: {rounds} buckets damaged at random, {mended} mended, {wrong} told, 0 lost")
