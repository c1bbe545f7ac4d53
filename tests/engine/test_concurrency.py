"""Many first files at once: all of them readable, and no more references than need be."""

from __future__ import annotations

import json
import sys

import anyio
import pytest

from tests.engine.world import World, noise, revised

V1 = noise("v1")
FILES = {f"p/{number:02}.zip": revised(V1, number) for number in range(32)}

UPLOADER = """
import asyncio, json, sys
from pathlib import Path
import anyio
from deltaglider.client.assemble import assemble
from deltaglider.config import Settings
from deltaglider.engine.upload import upload

async def main():
    job = json.loads(sys.argv[1])
    ctx = assemble(Settings(**job["settings"]))
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        async with anyio.create_task_group() as group:
            for key, path in job["files"].items():
                group.start_soon(upload, ctx, Path(path), job["bucket"], key)
    finally:
        await ctx.store.aclose()
        ctx.spool.close()

asyncio.run(main())
"""


async def references(world: World) -> list[str]:
    return [key for key in await world.stored() if key.endswith("reference.bin")]


async def all_come_back(world: World) -> None:
    fresh = world.client()
    assert await world.names(fresh) == list(FILES)
    for key, data in FILES.items():
        assert await world.get(fresh, key) == data


@pytest.mark.endpoints("directory", "moto")
async def test_32_first_files_from_one_client_share_one_reference(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    async with anyio.create_task_group() as group:
        for key, data in FILES.items():
            group.start_soon(world.put, ctx, key, data)
    assert len(await references(world)) == 1
    await all_come_back(world)


@pytest.mark.endpoints("directory", "moto")
async def test_32_first_files_from_four_processes_have_at_most_four(any_world: World) -> None:
    world = any_world
    processes = []
    for number in range(4):
        keys = list(FILES)[number::4]
        home = world.home / f"process-{number}"
        settings = world.endpoint.client_kwargs(cache_dir=str(home / "cache"), temp_dir=str(home / "temporary"))
        job = {
            "settings": settings,
            "bucket": world.bucket,
            "files": {key: str(world.file(FILES[key])) for key in keys},
        }
        command = [sys.executable, "-c", UPLOADER, json.dumps(job)]
        processes.append(await anyio.open_process(command, stderr=None))
    for process in processes:
        assert process.stdout is not None
        assert (await process.stdout.receive()).strip() == b"ready"
    for process in processes:
        assert process.stdin is not None
        await process.stdin.send(b"go\n")
    assert [await process.wait() for process in processes] == [0, 0, 0, 0]
    for process in processes:
        await process.aclose()
    assert 1 <= len(await references(world)) <= 4
    await all_come_back(world)


async def test_first_files_of_many_deltaspaces_do_not_wait_for_each_other(world: World) -> None:
    ctx = world.client()
    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(world.put, ctx, f"thing-{number % 6}x/{number}.zip", revised(V1, number))
    assert len(await references(world)) == 6
    fresh = world.client()
    for number in range(12):
        assert await world.get(fresh, f"thing-{number % 6}x/{number}.zip") == revised(V1, number)


async def test_readers_of_one_object_share_one_fetch_of_its_reference(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    async with anyio.create_task_group() as group:
        for _ in range(16):
            group.start_soon(world.get, ctx, "p/a.zip")
    assert store.count("fetch", "*reference.bin") == 1
    assert store.count("fetch", "*.delta") == 16
