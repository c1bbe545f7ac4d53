"""Plain objects into delta storage: kept whole in content and description, run again at will, safe among writers."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deltaglider.bulk.filters import Filters
from deltaglider.bulk.migrate import _differs, migrate_tree
from deltaglider.bulk.options import BulkOptions
from deltaglider.engine.context import Context
from deltaglider.engine.inspect import head
from deltaglider.engine.stats import stats
from deltaglider.engine.upload import UploadOptions
from deltaglider.errors import AccessDeniedError, StoreUnavailableError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import MigrationSummary, Outcome
from deltaglider.tasks import together
from tests.bulk.world import NOON, remote
from tests.engine.world import SIZE, World, noise, reference_at, revised, world_on
from tests.faults.wrapper import Call, dawdle, fail, wait
from tests.servers import DirectoryEndpoint, Endpoint

BASE = noise("base")
FILES = {f"app/v{number}/app.zip": revised(BASE, number) if number else BASE for number in range(6)}
MIDDLE = FILES["app/v3/app.zip"]
NOTES = {"app/v1/notes.txt": b"what is new", "app/empty.zip": b""}


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(directory, directory.make_bucket(), tmp_path / "home") as made:
        yield made


@pytest.fixture
async def any_world(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(endpoint, endpoint.make_bucket(), tmp_path / "home") as made:
        yield made


async def fill(world: World, files: dict[str, bytes]) -> None:
    for number, (key, data) in enumerate(files.items()):
        headers = {"ContentType": "application/x-release", "CacheControl": f"max-age={number}"}
        await world.put_raw(key, data, {"team": f"core-{number}"}, headers)


async def run(
    world: World,
    ctx: Context,
    target: str | None = None,
    *,
    prefix: str = "app/",
    options: BulkOptions | None = None,
    outcomes: list[Outcome] | None = None,
) -> MigrationSummary:
    source = S3Uri(world.bucket, prefix)
    there = source if target is None else S3Uri(target, "")
    report = (outcomes if outcomes is not None else []).append
    return await migrate_tree(ctx, source, there, options or BulkOptions(), report=report)


async def check(world: World, ctx: Context, bucket: str, files: dict[str, bytes]) -> None:
    """All is there, byte for byte, and described as it was."""
    for number, (key, data) in enumerate(files.items()):
        name = key if bucket == world.bucket else key.removeprefix("app/")
        assert await world.get(ctx, name, bucket) == data
        info = await head(ctx, bucket, name)
        assert dict(info.metadata) == {"team": f"core-{number}"}
        assert (info.content_type, info.headers["CacheControl"]) == ("application/x-release", f"max-age={number}")


@pytest.mark.endpoints("directory", "moto")
async def test_another_bucket_gets_deltas_and_the_source_stays(any_world: World) -> None:
    world, ctx, files = any_world, any_world.client(), FILES | NOTES
    await fill(world, files)
    before = await world.stored()
    target = world.endpoint.make_bucket()

    summary = await run(world, ctx, target)

    assert (summary.done, summary.failed, summary.skipped, summary.unchanged) == (len(files), 0, 0, 0)
    await check(world, ctx, target, files)
    assert await world.stored() == before
    stored = await world.stored(target)
    assert reference_at("", MIDDLE) in stored
    assert [key for key in stored if key.endswith(".delta")] == [f"v{number}/app.zip.delta" for number in range(6)]
    assert summary.figures == await stats(ctx, target)
    assert summary.figures is not None
    assert summary.figures.compressed_size == sum(one.size for one in stored.values())
    assert (summary.size - summary.stored, summary.size) == (
        summary.figures.space_saved,
        summary.figures.total_size,
    )
    assert summary.figures.savings_percent > 75


async def test_the_version_in_the_middle_becomes_the_reference_however_slow_it_is(world: World) -> None:
    await fill(world, FILES)
    ctx, store = world.scripted(max_concurrent_objects=6)
    store.before("fetch", "app/v3/app.zip", do=wait(0.2))
    target = world.endpoint.make_bucket()

    await run(world, ctx, target)

    references = [key for key in await world.stored(target) if "/references/" in key]
    assert references == [reference_at("", MIDDLE)]


async def test_an_interrupted_migration_does_only_what_is_missing(world: World) -> None:
    files = FILES | NOTES
    await fill(world, files)
    target = world.endpoint.make_bucket()
    ctx, store = world.scripted()
    store.before("put", "v[34]/*", do=fail(StoreUnavailableError("down")))
    first = await run(world, ctx, target)
    assert (first.done, first.failed) == (len(files) - 2, 2)

    outcomes: list[Outcome] = []
    second = await run(world, world.client(), target, outcomes=outcomes)

    assert (second.done, second.failed, second.unchanged) == (2, 0, len(files) - 2)
    assert {outcome.target for outcome in outcomes} == {f"s3://{target}/v3/app.zip", f"s3://{target}/v4/app.zip"}
    await check(world, ctx, target, files)
    third = await run(world, world.client(), target)
    assert (third.done, third.unchanged) == (0, len(files))
    assert third.figures == second.figures


async def test_what_changed_in_the_source_is_migrated_again(world: World) -> None:
    await fill(world, FILES)
    target = world.endpoint.make_bucket()
    ctx = world.client()
    await run(world, ctx, target)
    other = revised(FILES["app/v3/app.zip"][:-15], "as long as before")
    assert len(other) == len(FILES["app/v3/app.zip"])
    await world.put_raw("app/v3/app.zip", other)

    outcomes: list[Outcome] = []
    await run(world, ctx, target, outcomes=outcomes)

    assert [outcome.source for outcome in outcomes] == [f"s3://{world.bucket}/app/v3/app.zip"]
    assert await world.get(ctx, "v3/app.zip", target) == other


@pytest.mark.endpoints("directory", "moto", "weed")
async def test_objects_become_deltas_where_they_lie(any_world: World) -> None:
    world, ctx, files = any_world, any_world.client(), FILES | NOTES
    await fill(world, files)
    times = {key: stored.last_modified for key, stored in (await world.stored()).items()}

    summary = await run(world, ctx)

    assert (summary.done, summary.failed, summary.skipped, summary.unchanged) == (len(FILES), 0, 0, len(NOTES))
    await check(world, ctx, world.bucket, files)
    stored = await world.stored()
    whole = sorted(key for key in stored if "/references/" not in key and not key.endswith(".delta"))
    assert whole == sorted(NOTES)
    assert reference_at("app/", MIDDLE) in stored
    for key in FILES:
        created = stored[f"{key}.delta"].metadata["dg-created-at"]
        assert created.startswith(f"{times[key]:%Y-%m-%dT%H:%M:%S}")
    assert summary.figures == await stats(ctx, world.bucket, "app/")
    again = await run(world, world.client())
    assert (again.done, again.unchanged, again.figures) == (0, len(files), summary.figures)


async def test_a_dry_run_is_dry(world: World) -> None:
    await fill(world, FILES | NOTES)
    before = await world.stored()
    target = world.endpoint.make_bucket()
    for place in (target, None):
        outcomes: list[Outcome] = []
        ctx, store = world.scripted()
        summary = await run(world, ctx, place, options=BulkOptions(dryrun=True), outcomes=outcomes)
        assert {outcome.status for outcome in outcomes} == {"planned"}
        assert len(outcomes) == len(FILES) + (len(NOTES) if place else 0)
        assert (summary.done, summary.figures) == (0, None)
        assert {call.operation for call in store.calls} <= {"list_objects", "head"}
    assert await world.stored() == before
    assert await world.stored(target) == {}


async def test_filters_choose(world: World) -> None:
    await fill(world, FILES | NOTES)
    target = world.endpoint.make_bucket()
    options = BulkOptions(filters=Filters.of(("exclude", "*"), ("include", "*.txt")))
    await run(world, world.client(), target, options=options)
    assert list(await world.stored(target)) == ["v1/notes.txt"]


async def test_what_no_delta_is_worth_keeping_of_stays_as_it_is(world: World) -> None:
    files = {"app/a1.zip": BASE, "app/b.zip": noise("another thing"), "app/a2.zip": revised(BASE, 1)}
    await fill(world, files)
    before = (await world.stored())["app/b.zip"]
    outcomes: list[Outcome] = []
    summary = await run(world, world.client(), outcomes=outcomes)
    assert {(outcome.source.rpartition("/")[2], outcome.status) for outcome in outcomes} == {
        ("a1.zip", "done"),
        ("b.zip", "unchanged"),
        ("a2.zip", "done"),
    }
    assert (summary.done, summary.unchanged) == (2, 1)
    assert (await world.stored())["app/b.zip"] == before
    await check(world, world.client(), world.bucket, files)


async def test_what_stays_whole_is_tried_once_on_a_machine(world: World) -> None:
    files = {"app/a.zip": BASE, "app/b.zip": noise("another thing")}
    await fill(world, files)
    ctx, store = world.scripted()
    await run(world, ctx)
    fetched = [call.key for call in store.calls if call.operation == "fetch"]
    again = await run(world, ctx)
    assert (again.done, again.unchanged) == (0, 2)
    assert [call.key for call in store.calls if call.operation == "fetch"] == fetched

    await world.put_raw("app/b.zip", revised(BASE, "now it resembles"))
    assert (await run(world, ctx)).done == 1


async def test_what_stays_whole_is_tried_again_with_another_ratio(world: World) -> None:
    await fill(world, {"app/a.zip": BASE, "app/b.zip": BASE[: SIZE // 5] + noise("the rest", SIZE * 4 // 5)})
    ctx = world.client(max_ratio=0.5)
    assert (await run(world, ctx)).unchanged == 1
    assert (await run(world, ctx)).done == 0
    storing = UploadOptions(max_ratio=0.95)
    place = S3Uri(world.bucket, "app/")
    assert (await migrate_tree(ctx, place, place, BulkOptions(), storing=storing)).done == 1


@pytest.mark.endpoints("directory", "moto")
async def test_tags_are_kept(any_world: World) -> None:
    world, ctx, files = any_world, any_world.client(), {"app/a.zip": BASE, "app/b.zip": FILES["app/v1/app.zip"]}
    await fill(world, files | NOTES)
    tags = {key: {"of": key.rpartition("/")[2], "with": "a + b = c"} for key in files | NOTES}
    for key, theirs in tags.items():
        await world.store.set_tags(world.bucket, key, theirs)
    target = world.endpoint.make_bucket()
    await run(world, ctx, target)
    await run(world, ctx)
    for key, theirs in tags.items():
        stored = f"{key}.delta" if key in files else key
        assert await world.store.tags(world.bucket, stored) == theirs
        assert await world.store.tags(target, stored.removeprefix("app/")) == theirs


@pytest.mark.parametrize("operation", ["put", "delete"])
async def test_whoever_dies_in_the_middle_leaves_all_readable_and_the_next_run_finishes(
    world: World, operation: str
) -> None:
    await fill(world, FILES)
    ctx, store = world.scripted()
    if operation == "put":  # Stored, and its answer lost.
        store.after("put", "*.delta", nth=3, do=fail(StoreUnavailableError("cut")))
    else:
        store.before("delete", "app/v[23]/app.zip", do=fail(StoreUnavailableError("cut")))
    first = await run(world, ctx)
    assert first.failed
    await check(world, world.client(), world.bucket, FILES)

    second = await run(world, world.client())

    assert (second.failed, second.done) == (0, first.failed)
    assert not FILES.keys() & (await world.stored()).keys()
    await check(world, world.client(), world.bucket, FILES)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("form", ["whole", "delta"])
async def test_who_writes_an_object_meanwhile_wins(world: World, moment: str, form: str) -> None:
    await fill(world, FILES)
    newer = revised(BASE, "a newer version") if form == "delta" else b"a newer version"
    other, (ctx, store) = world.client(), world.scripted()

    async def write(call: Call) -> None:
        await world.put(other, "app/v3/app.zip", newer)

    getattr(store, moment)("put", "app/v3/app.zip.delta", nth=1, do=write)

    outcomes: list[Outcome] = []
    await run(world, ctx, outcomes=outcomes)

    assert await world.get(world.client(), "app/v3/app.zip") == newer
    await check(world, world.client(), world.bucket, {key: data for key, data in FILES.items() if "v0" in key})
    if moment == "before":  # Else it was migrated, and then overwritten.
        assert [outcome.status for outcome in outcomes if "v3/" in outcome.source] == ["skipped"]
    assert {"app/v3/app.zip", "app/v3/app.zip.delta"} & (await world.stored()).keys() == {
        "app/v3/app.zip" if form == "whole" else "app/v3/app.zip.delta"
    }


async def test_who_overwrites_with_another_tool_within_the_same_second_wins(world: World) -> None:
    await fill(world, FILES)
    ctx, store = world.scripted()

    async def write(call: Call) -> None:
        await world.put_raw("app/v3/app.zip", b"by another tool")

    store.after("put", "app/v3/app.zip.delta", nth=1, do=write)
    summary = await run(world, ctx)
    assert summary.skipped == 1
    assert await world.get(world.client(), "app/v3/app.zip") == b"by another tool"
    assert "app/v3/app.zip.delta" not in await world.stored()


async def test_what_is_deleted_meanwhile_stays_deleted(world: World) -> None:
    await fill(world, FILES)
    ctx, store = world.scripted()
    store.before("put", "*/references/*", do=lambda call: store.inner.delete(world.bucket, "app/v3/app.zip"))
    summary = await run(world, ctx)
    assert (summary.skipped, summary.done) == (1, len(FILES) - 1)
    assert not [key for key in await world.stored() if key.startswith("app/v3/")]
    for key in set(FILES) - {"app/v3/app.zip"}:
        assert await world.get(world.client(), key) == FILES[key]


class Unconditional:
    """A store that ignores conditions, as some do."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def put(self, *arguments: Any, if_none_match: bool = False, **options: Any) -> Any:
        return await self._store.put(*arguments, **options)

    async def delete(self, bucket: str, key: str, *, if_match: str | None = None) -> None:
        await self._store.delete(bucket, key)


@pytest.mark.parametrize("conditions", [True, False])
async def test_two_migrations_at_once_lose_nothing(world: World, conditions: bool) -> None:
    await fill(world, FILES)
    clients = []
    for seed in range(2):
        ctx, store = world.scripted()
        for operation in ("head", "put", "delete", "fetch"):
            store.before(operation, do=dawdle(seed))
        clients.append(ctx if conditions else dataclasses.replace(ctx, store=Unconditional(store)))  # type: ignore[arg-type]

    summaries = await together(*(partial(run, world, ctx) for ctx in clients))

    assert [summary.failed for summary in summaries] == [0, 0]
    await check(world, world.client(), world.bucket, FILES)
    last = await run(world, world.client())
    assert (last.failed, last.skipped) == (0, 0)
    assert not FILES.keys() & (await world.stored()).keys()
    await check(world, world.client(), world.bucket, FILES)


async def test_an_object_that_cannot_be_read_stops_nothing(world: World) -> None:
    await fill(world, FILES)
    ctx, store = world.scripted()
    store.before("fetch", "app/v2/app.zip", do=fail(AccessDeniedError("denied", status=403)))
    target = world.endpoint.make_bucket()
    summary = await run(world, ctx, target)
    assert (summary.done, summary.failed) == (len(FILES) - 1, 1)
    assert [failure.source for failure in summary.failures] == [f"s3://{world.bucket}/app/v2/app.zip"]


def test_what_counts_as_the_same() -> None:
    def differs(source: dict[str, object], target: dict[str, object]) -> bool:
        here, there = remote("a"), remote("a")
        return _differs(
            dataclasses.replace(here, info=dataclasses.replace(here.info, **source)),  # type: ignore[arg-type]
            dataclasses.replace(there, info=dataclasses.replace(there.info, **target)),  # type: ignore[arg-type]
        )

    one, two = "1" * 32, "2" * 32
    later = NOON + timedelta(hours=1)
    assert differs({"size": 3}, {"size": 4})
    assert not differs({"etag": one}, {"etag": one})
    assert differs({"etag": one}, {"etag": two, "last_modified": later})
    assert not differs({"sha256": "a", "etag": one}, {"sha256": "a", "etag": two})
    assert differs({"sha256": "a", "etag": one}, {"sha256": "b", "etag": one})
    assert not differs({"etag": f"{one}-2"}, {"etag": two, "last_modified": later})
    assert differs({"etag": f"{one}-2", "last_modified": later}, {"etag": two})
