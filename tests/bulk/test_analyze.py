"""What delta storage would save: estimated from files that are really encoded, and honest about what that rests on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider.bulk.analyze import AnalyzeOptions, analyze
from deltaglider.bulk.migrate import migrate_tree
from deltaglider.bulk.options import BulkOptions
from deltaglider.engine.stats import stats
from deltaglider.errors import AccessDeniedError, BucketNotFoundError, InvalidInputError, LocalFileError
from deltaglider.layout.uri import S3Uri
from tests.bulk.world import write
from tests.engine.world import SIZE, World, noise, revised, world_on
from tests.faults.wrapper import fail
from tests.servers import DirectoryEndpoint

BASE = noise("base")
VERSIONS = {f"app/v{number}/app.zip": revised(BASE, number) for number in range(8)}
OTHERS = {"app/notes.txt": b"what is new", "lone/x.zip": noise("lone")}


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(directory, directory.make_bucket(), tmp_path / "home") as made:
        yield made


async def fill(world: World, files: dict[str, bytes]) -> S3Uri:
    for key, data in files.items():
        await world.put_raw(key, data)
    return S3Uri(world.bucket)


async def test_the_estimate_is_close_to_what_a_migration_makes_of_it(world: World) -> None:
    bucket = await fill(world, VERSIONS | OTHERS)
    before = await world.stored()
    ctx, store = world.scripted()

    found = await analyze(ctx, bucket)

    assert {call.operation for call in store.calls} <= {"list_objects", "head", "fetch"}
    assert await world.stored() == before
    size = sum(map(len, (VERSIONS | OTHERS).values()))
    assert (found.files, found.size, found.stored_now, found.skipped) == (10, size, size, 0)
    assert (found.candidates, found.sampled, found.sampled_size) == (9, 3, 3 * (SIZE + 15))
    assert [(space.deltaspace, space.files, space.candidates, space.sampled) for space in found.spaces] == [
        ("app/", 9, 8, 3),
        ("lone/", 1, 1, 0),
    ]
    assert found.stored_least <= found.stored <= found.stored_most
    await migrate_tree(ctx, bucket, bucket, BulkOptions())
    assert abs((await stats(ctx, world.bucket)).compressed_size - found.stored) < size / 100


async def test_of_what_is_migrated_already_the_rest_is_tried_against_the_reference_there_is(world: World) -> None:
    bucket = await fill(world, VERSIONS)
    ctx = world.client()
    await migrate_tree(ctx, S3Uri(world.bucket, "app/v0/"), S3Uri(world.bucket, "app/v0/"), BulkOptions())
    held = (await stats(ctx, world.bucket, use_cache=False)).compressed_size
    found = await analyze(ctx, bucket, AnalyzeOptions(sample=2))
    assert (found.files, found.candidates, found.sampled, found.stored_now) == (8, 7, 3, held)
    assert found.stored < 2 * SIZE


async def test_too_small_a_sample_promises_nothing(world: World) -> None:
    found = await analyze(world.client(), await fill(world, VERSIONS), AnalyzeOptions(sample=1))
    assert found.stored_least < SIZE + 100
    assert found.stored < SIZE + 8_000
    assert found.stored_most == found.size


async def test_files_that_do_not_resemble_each_other_are_not_promised_to(world: World) -> None:
    files = {f"app/{number}.zip": noise(number) for number in range(4)}
    found = await analyze(world.client(), await fill(world, files))
    assert found.sampled == 3
    assert found.stored_least == found.stored == found.stored_most == found.size
    assert found.savings_percent == 0


async def test_no_more_is_read_than_was_allowed_and_the_largest_go_first(world: World) -> None:
    small = {f"small/{number}.zip": revised(BASE, number)[: SIZE // 2] for number in range(6)}
    bucket = await fill(world, small | VERSIONS)
    ctx, store = world.scripted()
    found = await analyze(ctx, bucket, AnalyzeOptions(max_bytes=2 * SIZE + 1_000))
    assert [(space.deltaspace, space.sampled) for space in found.spaces] == [("app/", 1), ("small/", 0)]
    assert sum(call.operation == "fetch" for call in store.calls) == 2
    # What was learned of the one is all there is to go by for the other; its range says how little that is.
    assert found.spaces[1].stored < found.spaces[1].size / 2
    assert found.spaces[1].stored_most == found.spaces[1].size


async def test_a_directory_says_the_same_as_a_bucket(world: World) -> None:
    files = VERSIONS | OTHERS
    root = write(world.home / "dist", files)  # type: ignore[arg-type]
    here = await analyze(world.client(), root)
    there = await analyze(world.client(), await fill(world, files))
    assert (here.spaces, here.stored, here.sampled) == (there.spaces, there.stored, there.sampled)
    assert sorted(os.listdir(root)) == ["app", "lone"]


async def test_what_cannot_be_read_is_counted(world: World) -> None:
    bucket = await fill(world, VERSIONS)
    ctx, store = world.scripted()
    # After the reference.
    store.before("fetch", "app/*", nth=2, do=fail(AccessDeniedError("denied", status=403)))
    found = await analyze(ctx, bucket)
    assert (found.skipped, found.sampled) == (1, 2)


async def test_settings_decide_what_is_tried(world: World) -> None:
    bucket = await fill(world, VERSIONS)
    assert (await analyze(world.client(delta=False), bucket)).candidates == 0
    by_directory = await analyze(world.client(deltaspace="directory"), bucket)
    assert (len(by_directory.spaces), by_directory.stored) == (8, by_directory.size)


async def test_what_cannot_be(world: World) -> None:
    with pytest.raises(InvalidInputError):
        AnalyzeOptions(sample=0)
    with pytest.raises(BucketNotFoundError):
        await analyze(world.client(), S3Uri("no-such-bucket"))
    with pytest.raises(LocalFileError):
        await analyze(world.client(), world.home / "nowhere")
    empty = await analyze(world.client(), S3Uri(world.bucket))
    assert (empty.files, empty.stored, empty.savings_percent) == (0, 0, 0.0)
