"""Which of many new files is begun first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from deltaglider.bulk.leaders import leaders_first
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.plan import Unchanged
from deltaglider.bulk.run import Job, Jobs
from deltaglider.bulk.trees import sync_up, upload_tree
from deltaglider.bulk.verbs import engine_verbs
from deltaglider.engine.options import UploadOptions
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Outcome
from tests.engine.world import World, noise, reference_at, revised, world_on
from tests.faults.wrapper import wait
from tests.servers import DirectoryEndpoint

BASE = noise("leaders")
VERSIONS = {f"app-1.{number}.zip": revised(BASE, number) for number in range(8, 13)}


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(directory, directory.make_bucket(), tmp_path / "home") as made:
        yield made


async def never(planned: Outcome) -> Outcome:
    raise AssertionError


def job(name: str, deltaspace: str | None = "", size: int = 10) -> Job:
    return Job(Outcome("upload", "planned", name, f"s3://b/{name}", size), never, deltaspace)


async def order(
    *jobs: Job | Outcome | Unchanged, window: int = 1000, seconds: float = 60, pause: float = 0
) -> list[str]:
    async def drawn() -> Jobs:
        for each in jobs:
            yield each
            await anyio.sleep(pause)

    found = [each async for each in leaders_first(drawn(), window=window, seconds=seconds)]
    return [each.planned.source if isinstance(each, Job) else type(each).__name__ for each in found]


async def test_the_middle_goes_before_the_others_of_its_deltaspace() -> None:
    found = await order(*(job(f"{number}.zip") for number in range(5)))
    assert found == ["2.zip", "0.zip", "1.zip", "3.zip", "4.zip"]


async def test_deltaspaces_are_led_each_by_its_own_and_the_rest_stays_in_its_order() -> None:
    a, b = ([job(f"{space}{number}.zip", space) for number in range(3)] for space in ("a/", "b/"))
    found = await order(*a, job("note", None), Unchanged(), *b, Outcome("upload", "skipped", "x"), job("a/9.zip", "a/"))
    assert found == [
        *("a/2.zip", "a/0.zip", "a/1.zip", "note", "Unchanged"),
        *("b/1.zip", "b/0.zip", "b/2.zip", "Outcome", "a/9.zip"),
    ]


async def test_what_becomes_no_delta_waits_for_nothing() -> None:
    jobs = leaders_first(_endless(job("plain", None)))
    with anyio.fail_after(10):
        assert isinstance(await anext(jobs), Job)
    await jobs.aclose()


async def test_no_more_than_a_window_is_held() -> None:
    drawn = 0

    async def many() -> Jobs:
        nonlocal drawn
        while True:
            drawn += 1
            yield job(f"{drawn}.zip")

    jobs = leaders_first(many(), window=7)
    first = await anext(jobs)
    assert isinstance(first, Job)
    assert (first.planned.source, drawn) == ("4.zip", 7)
    await jobs.aclose()


async def test_what_comes_slowly_is_not_waited_for() -> None:
    assert await order(*(job(f"{number}.zip") for number in range(3)), seconds=0, pause=0.01) == [
        "0.zip",
        "1.zip",
        "2.zip",
    ]


async def _endless(first: Job) -> Jobs:
    yield first
    await anyio.sleep_forever()


@pytest.mark.parametrize("verb", [upload_tree, sync_up])
async def test_the_version_in_the_middle_becomes_the_reference(world: World, verb) -> None:  # type: ignore[no-untyped-def]
    root = world.home / "dist"
    root.mkdir()
    for name, data in VERSIONS.items():
        (root / name).write_bytes(data)
    ctx = world.client(max_concurrent_objects=5)
    await verb(engine_verbs(ctx), root, S3Uri(world.bucket, ""), BulkOptions())
    stored = await world.stored()
    assert [key for key in stored if "/references/" in key] == [reference_at("", VERSIONS["app-1.10.zip"])]
    for name, data in VERSIONS.items():
        assert await world.get(ctx, name) == data


async def test_whose_look_is_slow_leads_none_the_less(world: World) -> None:
    """The first that is begun becomes the reference, not the first whose file is read."""
    root = world.home / "dist"
    root.mkdir()
    for name, data in VERSIONS.items():
        (root / name).write_bytes(data)
    ctx, store = world.scripted(max_concurrent_objects=5)
    store.before("head", "app-1.10.zip*", do=wait(0.2))
    await upload_tree(engine_verbs(ctx), root, S3Uri(world.bucket, ""), BulkOptions(move=True))
    stored = await world.stored()
    assert [key for key in stored if "/references/" in key] == [reference_at("", VERSIONS["app-1.10.zip"])]


async def test_where_no_deltas_are_wanted_the_order_stays(world: World) -> None:
    verbs = engine_verbs(world.client(), options=UploadOptions(delta=False))
    assert verbs.deltaspace(S3Uri(world.bucket, "a/v1/b.zip"), 1_000_000) is None
    verbs = engine_verbs(world.client())
    assert verbs.deltaspace(S3Uri(world.bucket, "a/v1/b.zip"), 1_000_000) == "a/"
    assert verbs.deltaspace(S3Uri(world.bucket, "a/v1/b.txt"), 1_000_000) is None
