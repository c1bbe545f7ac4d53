"""What syncs ask of the store, counted: one request a plain file, and the looks that are left are those needed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.bulk import BulkOptions, engine_verbs, sync_down, sync_up, upload_tree
from deltaglider.errors import AccessDeniedError
from deltaglider.events import Event, RequestSent
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BulkSummary
from tests.bulk.world import write
from tests.engine.test_references import classic
from tests.engine.world import World, noise, revised
from tests.faults.wrapper import ScriptedStore, fail

V1 = noise("v1")
PLAIN = {f"d{number % 3}/{number}.txt": f"file {number}" for number in range(12)} | {"empty.txt": ""}


class Requests:
    """An observer that counts."""

    def __init__(self) -> None:
        self.sent: list[RequestSent] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, RequestSent):
            self.sent.append(event)

    def counted(self) -> dict[str, int]:
        counted = Counter(sent.operation for sent in self.sent)
        self.sent.clear()
        return dict(counted)


async def up(world: World, source: Path, requests: Requests, **settings: object) -> BulkSummary:
    ctx = world.client(observer=requests, **settings)
    return await sync_up(engine_verbs(ctx), source, S3Uri(world.bucket, "p/"), BulkOptions())


@pytest.mark.endpoints("moto", "weed")
async def test_a_plain_file_costs_one_request_up_and_one_down(any_world: World, tmp_path: Path) -> None:
    world, requests = any_world, Requests()
    source = write(tmp_path / "src", PLAIN)
    large = noise("large", 600_000)
    (source / "large.dat").write_bytes(large)
    summary = await up(world, source, requests)
    assert (summary.done, summary.failed) == (14, 0)
    assert requests.counted() == {"ListObjectsV2": 1, "PutObject": 14}

    target, ctx = tmp_path / "target", world.client(observer=requests)
    await sync_down(engine_verbs(ctx), S3Uri(world.bucket, "p/"), target, BulkOptions())
    assert {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()} == {
        *PLAIN,
        "large.dat",
    }
    assert all((target / name).read_text() == text for name, text in PLAIN.items())
    assert (target / "large.dat").read_bytes() == large
    # A range of an object without bytes is refused, and asked for again without one.
    assert requests.counted() == {"ListObjectsV2": 1, "GetObject": 15}


@pytest.mark.endpoints("moto")
async def test_a_copy_of_a_tree_lists_the_beginning_of_its_target(any_world: World, tmp_path: Path) -> None:
    world, requests = any_world, Requests()
    source = write(tmp_path / "src", {f"{number:02}.txt": "new" for number in range(12)})
    ctx, place = world.client(observer=requests, page_size=4), S3Uri(world.bucket, "p/")

    async def copied(**options: Any) -> tuple[int, dict[str, int], set[str]]:
        summary = await upload_tree(engine_verbs(ctx), source, place, BulkOptions(**options))
        looked = {sent.key for sent in requests.sent if sent.operation == "HeadObject" and sent.key.endswith(".txt")}
        return summary.done, requests.counted(), looked

    assert await copied() == (12, {"ListObjectsV2": 1, "PutObject": 12}, set())
    # Now there are more than a page tells of; all that it tells of is there.
    names = {f"p/{number:02}.txt" for number in range(12)}
    assert await copied() == (12, {"ListObjectsV2": 1, "HeadObject": 24, "PutObject": 12}, names)
    # The page ends at "p/04.txt": it shows that there is no "p/02.txt", and of what follows it says nothing.
    for number in (2, 5, 6, 7, 8, 9, 10, 11):
        await world.store.delete(world.bucket, f"p/{number:02}.txt")
    await world.put_raw("p/a", b"")
    done, counted, looked = await copied()
    assert (done, counted["ListObjectsV2"], counted["PutObject"]) == (12, 1, 12)
    assert looked == names - {"p/02.txt"}
    # What may not be listed is looked at.
    await world.store.delete(world.bucket, "p/02.txt")
    refusing = ScriptedStore(ctx.store)
    refusing.before("list_objects", do=fail(AccessDeniedError("no", uri="s3://b/p/")))
    verbs = engine_verbs(dataclasses.replace(ctx, store=refusing))
    assert (await upload_tree(verbs, source, place)).done == 12
    assert refusing.count("head", "p/02.txt*") == 2


@pytest.mark.endpoints("moto")
async def test_looks_are_made_where_a_listing_does_not_tell(any_world: World, tmp_path: Path) -> None:
    world, requests = any_world, Requests()
    source = write(tmp_path / "src", {"a.txt": "new", "fw.delta": "mine", "reference.bin": "mine", "same.txt": "x"})
    (source / "app.zip").write_bytes(V1)
    await world.put_raw("p/same.txt", b"other")
    summary = await up(world, source, requests)
    assert (summary.done, summary.failed) == (5, 0)
    looks = {(sent.operation, sent.key) for sent in requests.sent if sent.operation == "HeadObject"}
    named = ("app.zip", "fw.delta", "reference.bin", "same.txt")
    assert {key for _, key in looks if "/.deltaglider/" not in key} == {
        f"p/{name}{suffix}" for name in named for suffix in ("", ".delta")
    }
    assert sum(sent.operation == "PutObject" and sent.key == "p/a.txt" for sent in requests.sent) == 1


@pytest.mark.endpoints("moto")
async def test_a_reference_that_listings_of_objects_leave_out_is_not_overwritten(
    any_world: World, tmp_path: Path
) -> None:
    world, requests = any_world, Requests()
    await world.put_raw("p/reference.bin", V1, classic(V1))
    source = write(tmp_path / "src", {"reference.bin": "mine"})
    summary = await up(world, source, requests)
    assert (summary.done, summary.failed) == (0, 1)
    assert await world.body("p/reference.bin") == V1


@pytest.mark.endpoints("moto")
async def test_listings_are_no_look_where_they_are_not_to_be_trusted(any_world: World, tmp_path: Path) -> None:
    world, requests = any_world, Requests()
    source = write(tmp_path / "src", {"a.txt": "new"})
    await up(world, source, requests, retire_references=False)
    assert requests.counted() == {"ListObjectsV2": 1, "HeadObject": 2, "PutObject": 1}


async def test_a_file_that_is_worth_a_delta_by_now_is_looked_for(world: World, tmp_path: Path) -> None:
    """It was too small when it was looked at, and there is a user's own file under its delta's key."""
    ctx, store = world.scripted()
    await world.put(ctx, "x.zip.delta", b"mine")
    store.calls.clear()
    source = tmp_path / "x.zip"
    source.write_bytes(b"small")
    verbs = engine_verbs(ctx)
    grown, summaries = revised(V1, "more"), []

    async def create() -> None:
        assert verbs.create is not None
        summaries.append(await verbs.create(source, S3Uri(world.bucket, "x.zip")))

    async with anyio.create_task_group() as group, ctx.flights.writing(world.bucket, "x.zip"):
        group.start_soon(create)
        await anyio.wait_all_tasks_blocked()  # It has looked at the file, and waits for its turn.
        source.write_bytes(grown)
    (summary,) = summaries
    assert store.count("head", "x.zip*") == 2
    assert (summary.operation, summary.original_size) == ("upload_direct", len(grown))
    assert await world.body("x.zip.delta") == b"mine"
    assert await world.body("x.zip") == grown
