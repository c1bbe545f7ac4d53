"""Deleting all of a place: plain objects many a request, and nothing that this could bring back or take by mistake."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from deltaglider.bulk import BulkOptions, Filters, Verbs, delete_tree, engine_verbs
from deltaglider.engine import plain
from deltaglider.engine.context import Context
from deltaglider.engine.upload import upload
from deltaglider.errors import AccessDeniedError, StoreUnavailableError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BulkSummary, ObjectInfo, Outcome
from deltaglider.store.deletions import DeleteFailure
from tests.engine.asked import Asked
from tests.engine.test_references import classic
from tests.engine.world import World, noise, revised
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")


async def clear(world: World, ctx: Context, prefix: str = "", **options: Any) -> BulkSummary:
    return await delete_tree(engine_verbs(ctx), S3Uri(world.bucket, prefix), BulkOptions(**options))


@pytest.mark.endpoints("directory", "moto")
async def test_plain_objects_go_with_one_request(any_world: World, record_property: Any) -> None:
    world = any_world
    for number in range(25):
        await world.put_raw(f"p/{number:02}.txt", b"x")
    await world.put_raw("p/dir/", b"")
    await world.put(world.client(), "p/ours.txt", b"whole")
    await world.put_raw("other", b"x")
    asked = Asked(world)
    summary = await clear(world, asked.ctx, "p/")
    assert (summary.done, summary.deleted, summary.failed) == (27, 27, 0)
    assert list(await world.stored()) == ["other"]
    assert asked.requests() == {"list_objects": 1, "delete_many": 1}
    record_property("figure", "rm --recursive of 27 plain objects: 1 LIST, 1 DeleteObjects")


@pytest.mark.endpoints("directory", "moto")
async def test_what_may_be_more_than_plain_goes_the_long_way(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/fw.delta", b"mine")
    await world.put(ctx, "p/reference.bin", b"mine, too")
    await world.put(ctx, "p/notes.txt", b"notes")
    await world.put_raw("old/reference.bin", V1, classic(V1))
    asked = Asked(world)
    summary = await clear(world, asked.ctx, "p/")
    assert (summary.done, summary.failed) == (5, 0)
    assert list(await world.stored()) == ["old/reference.bin"]
    requests = asked.requests()
    assert (requests["delete_many"], requests["head"] >= 4 * 2) == (1, True)


@pytest.mark.parametrize("newer", ["whole", "delta"])
async def test_an_older_form_does_not_come_back(world: World, newer: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put_raw("p/a.zip", b"of another tool")
    world.age("p/a.zip", -60 if newer == "whole" else 60)
    asked = Asked(world)
    order: list[str] = []
    asked.store.before("delete", do=lambda call: order.append(call.key))
    assert (await clear(world, asked.ctx)).done == 1
    assert await world.stored() == {}
    assert "delete_many" not in asked.requests()
    forms = [key for key in order if key.startswith("p/a.zip")]
    assert forms == (["p/a.zip.delta", "p/a.zip"] if newer == "whole" else ["p/a.zip", "p/a.zip.delta"])


async def test_what_is_stored_as_a_delta_meanwhile_stays(world: World) -> None:
    await world.put_raw("p/a.zip", V1)
    await world.put_raw("p/b.zip", V1)
    asked, writer = Asked(world), world.client()
    path = world.file(V2)
    # Listed whole, and stored anew as a delta before the delete is sent: as if that had come first.
    asked.store.before("delete_many", do=lambda call: upload(writer, path, world.bucket, "p/a.zip"))
    assert (await clear(world, asked.ctx)).failed == 0
    assert await world.names(world.client()) == ["p/a.zip"]
    assert await world.get(world.client(), "p/a.zip") == V2


async def test_a_delta_that_replaces_a_whole_form_while_that_is_deleted_is_readable(world: World) -> None:
    await world.put_raw("p/a.zip", V1)
    asked = Asked(world)
    writer, store = world.scripted()
    objects = plain.PlainObjects(asked.ctx)
    listed = [info async for info in objects.list_objects(world.bucket, "p/") if isinstance(info, ObjectInfo)]
    assert [objects.has(info) for info in listed] == [True]
    # Between the writer's delta and its look at the whole form, that is deleted.
    store.after("put", "p/a.zip.delta", do=lambda call: objects.delete(listed))
    await upload(writer, world.file(V2), world.bucket, "p/a.zip")
    assert await world.get(world.client(), "p/a.zip") == V2


async def test_each_failure_is_its_own(world: World) -> None:
    for name in ("a", "b", "c"):
        await world.put_raw(f"p/{name}", b"x")
    asked = Asked(world)
    denied = AccessDeniedError("it is locked", uri=f"s3://{world.bucket}/p/b")

    class Locked:
        def __getattr__(self, name: str) -> Any:
            return getattr(asked.store, name)

        async def delete_many(self, bucket: str, keys: Any) -> list[DeleteFailure]:
            kept = [key for key in keys if key != "p/b"]
            return [*await asked.store.delete_many(bucket, kept), DeleteFailure("p/b", denied)]

    outcomes: list[Outcome] = []
    ctx = dataclasses.replace(asked.ctx, store=Locked())  # type: ignore[arg-type]
    verbs: Verbs = engine_verbs(ctx)
    summary = await delete_tree(verbs, S3Uri(world.bucket, "p/"), report=outcomes.append)
    assert (summary.done, summary.failed) == (2, 1)
    assert [(outcome.source[-3:], outcome.status) for outcome in outcomes] == [
        ("p/a", "done"),
        ("p/b", "failed"),
        ("p/c", "done"),
    ]
    assert outcomes[1].error is denied
    assert list(await world.stored()) == ["p/b"]


async def test_a_request_that_fails_fails_its_objects_and_no_others(world: World) -> None:
    await world.put_raw("p/a", b"x")
    await world.put_raw("p/b", b"x")
    await world.put(world.client(), "p/c.zip", V1)
    asked = Asked(world)
    asked.store.before("delete_many", do=fail(StoreUnavailableError("down", uri=f"s3://{world.bucket}")))
    summary = await clear(world, asked.ctx)
    assert (summary.done, summary.failed) == (1, 2)
    assert await world.names(world.client()) == ["p/a", "p/b"]


async def test_filters_and_dry_runs_hold_for_plain_objects(world: World) -> None:
    for name in ("a.txt", "b.bin", "c.txt"):
        await world.put_raw(f"p/{name}", b"x")
    asked = Asked(world)
    assert (await clear(world, asked.ctx, dryrun=True)).done == 0
    assert asked.requests() == {"list_objects": 1}
    assert (await clear(world, asked.ctx, "p/", filters=Filters.of(("exclude", "*.bin")))).done == 2
    assert list(await world.stored()) == ["p/b.bin"]


async def test_very_many_doubles_send_all_the_long_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_MOST_DOUBLES", 1)
    await world.put(world.client(), "a.zip", V1)
    await world.put_raw("a.zip", b"of another tool")
    await world.put_raw("b.txt", b"x")
    asked = Asked(world)
    assert (await clear(world, asked.ctx)).done == 2
    assert "delete_many" not in asked.requests()
    assert await world.stored() == {}
