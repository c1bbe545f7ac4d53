"""Verifying a prefix: all of it, once, in order; what fails stops nothing; what was proven need not be read again."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider.bulk import verify as module
from deltaglider.bulk.verify import VerifyOptions, verify_tree
from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.errors import (
    BucketNotFoundError,
    CodecMissingError,
    CodecTimeoutError,
    InvalidInputError,
    LocalFileError,
    StoreUnavailableError,
)
from deltaglider.models import VerifyResult
from tests.engine.test_verify import damaged
from tests.engine.world import World, noise, reference_at, revised, world_on
from tests.faults.wrapper import ScriptedStore, fail
from tests.servers import DirectoryEndpoint

V1 = noise("v1")


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(directory, directory.make_bucket(), tmp_path / "world") as made:
        yield made


async def verified(ctx: Context, world: World, prefix: str = "", **options: Any) -> list[VerifyResult]:
    return [result async for result in verify_tree(ctx, world.bucket, prefix, VerifyOptions(**options))]


def states(results: list[VerifyResult]) -> dict[str, str]:
    return {result.key: result.state for result in results}


def fetched(store: ScriptedStore) -> list[str]:
    return sorted(call.key for call in store.calls if call.operation == "fetch")


async def versions(world: World, count: int, place: str = "p") -> dict[str, bytes]:
    """Some versions of a file: a reference and as many deltas."""
    ctx = world.client()
    files = {f"{place}/v{number:02}.zip": revised(V1, number) for number in range(count)}
    for key, data in files.items():
        await world.put(ctx, key, data)
    return files


async def test_damage_is_told_and_stops_nothing(world: World) -> None:
    await damaged(world, world.client())
    results = await verified(world.client(), world)
    assert states(results) == {
        "p/a.zip": "proven",
        "p/b.zip": "failed",
        "p/c.txt": "failed",
        "q/lost.zip.delta": "read",  # All that can be said of it: a file of nobody knows what.
        "q/no-reference.zip": "failed",
    }
    assert [result.valid for result in results] == [True, False, False, True, False]


async def test_a_prefix_is_taken_as_it_is_and_what_goes_is_passed_over(world: World) -> None:
    for key in ("p/a.zip", "p/b.zip", "p2/a.zip", "q/a.zip"):
        await world.put(world.client(), key, revised(V1, key))
    ctx, store = world.scripted()
    store.before("fetch", "p/b.zip.delta", do=lambda call: delete(world.client(), world.bucket, "p/b.zip"))
    assert [result.key for result in await verified(ctx, world, "p")] == ["p/a.zip", "p2/a.zip"]


async def test_more_than_a_batch_misses_nothing(world: World) -> None:
    ctx = world.client(max_concurrent_objects=1)
    keys = [f"{number:02}.txt" for number in range(19)]
    for key in keys:
        await world.put(ctx, key, key.encode())
    results = await verified(ctx, world)
    assert [result.key for result in results if result.state == "proven"] == keys


async def test_each_reference_is_read_once_and_from_the_store(world: World) -> None:
    files = await versions(world, 12)
    ctx, store = world.scripted()
    assert await world.get(ctx, "p/v00.zip") == files["p/v00.zip"]
    store.calls.clear()
    results = await verified(ctx, world)
    first = reference_at("p/", files["p/v00.zip"])
    assert fetched(store) == sorted([first, *(f"{key}.delta" for key in files)])
    assert {result.reference_key for result in results} == {first}


async def test_what_only_this_machine_remembers_proves_nothing(world: World) -> None:
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.store.delete(world.bucket, reference_at("p/", V1))
    assert await world.get(ctx, "p/a.zip") == V1
    assert states(await verified(ctx, world)) == {"p/a.zip": "failed"}


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("down", uri="s3://b/k"),
        LocalFileError("the disk is too full", uri="/tmp"),
        CodecTimeoutError("it took too long"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_cannot_be_read_is_neither_sound_nor_damaged(world: World, error: Exception) -> None:
    files = await versions(world, 3)
    ctx, store = world.scripted()
    store.before("fetch", "p/v01.zip.delta", do=fail(error))
    results = await verified(ctx, world)
    assert states(results) == {"p/v00.zip": "proven", "p/v01.zip": "unread", "p/v02.zip": "proven"}
    assert (results[1].valid, results[1].size) == (False, len(files["p/v01.zip"]))
    assert str(error) in results[1].message


@pytest.mark.parametrize("error", [CodecMissingError("not there"), BucketNotFoundError("gone", uri="s3://b")])
async def test_what_holds_for_all_of_them_ends_it(world: World, error: Exception) -> None:
    await versions(world, 2)
    ctx, store = world.scripted()
    store.before("fetch", do=fail(error))
    with pytest.raises(type(error)):
        await verified(ctx, world)


async def test_a_listing_that_fails_is_an_error(world: World) -> None:
    ctx, store = world.scripted()
    store.before("list_objects", do=fail(StoreUnavailableError("down", uri="s3://b")))
    with pytest.raises(StoreUnavailableError):
        await verified(ctx, world)


# A quick look.


async def test_a_quick_look_reads_no_bytes_and_each_reference_is_looked_for_once(world: World) -> None:
    files = await versions(world, 12)
    await world.put(world.client(), "p/notes.txt", b"notes")
    await world.put_raw("p/zz", b"foreign")
    ctx, store = world.scripted(max_concurrent_objects=1)
    results = await verified(ctx, world, quick=True)
    assert states(results) == dict.fromkeys([*sorted([*files, "p/notes.txt"]), "p/zz"], "checked")
    assert {call.operation for call in store.calls} == {"head", "list_objects"}
    heads = [call.key for call in store.calls if call.operation == "head"]
    assert sorted(heads) == sorted(
        [*(f"{key}.delta" for key in files), "p/notes.txt", "p/zz", reference_at("p/", files["p/v00.zip"])]
    )


async def test_a_quick_look_sees_what_metadata_and_sizes_tell(world: World) -> None:
    await damaged(world, world.client())
    await world.damage("p/b.zip.delta", b"short")
    await world.damage("p/c.txt", b"short")
    assert states(await verified(world.client(), world, quick=True)) == {
        "p/a.zip": "checked",
        "p/b.zip": "failed",
        "p/c.txt": "failed",
        "q/lost.zip.delta": "checked",
        "q/no-reference.zip": "failed",
    }


async def test_a_reference_that_could_not_be_looked_for_is_looked_for_again(world: World) -> None:
    files = await versions(world, 9)
    ctx, store = world.scripted(max_concurrent_objects=1)
    store.before("head", "*/reference.bin", nth=1, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    results = await verified(ctx, world, quick=True)
    assert [result.state for result in results] == ["unread"] * 8 + ["checked"]
    assert "cannot be looked for" in results[0].message
    assert len(results) == len(files)


# The record.


async def test_an_interrupted_run_goes_on_without_reading_again(world: World, tmp_path: Path) -> None:
    files = await versions(world, 20)
    record = tmp_path / "record"
    ctx = world.client(max_concurrent_objects=1)
    run = verify_tree(ctx, world.bucket, "", VerifyOptions(record=record))
    async with contextlib.aclosing(run) as results:
        async for result in results:
            if result.key == "p/v10.zip":
                break
    ctx, store = world.scripted(max_concurrent_objects=1)
    results_again = await verified(ctx, world, record=record, resume=True)
    # Proven: the two batches that were begun.
    keys = list(files)
    assert states(results_again) == {**dict.fromkeys(keys[:16], "earlier"), **dict.fromkeys(keys[16:], "proven")}
    assert all(result.valid for result in results_again)
    assert fetched(store) == sorted([reference_at("p/", files[keys[0]]), *(f"{key}.delta" for key in keys[16:])])
    # That one came to its end: the next one begins anew.
    assert set(states(await verified(world.client(), world, record=record, resume=True)).values()) == {"proven"}


async def test_a_run_that_a_failure_ended_goes_on(world: World) -> None:
    await versions(world, 20)
    ctx, store = world.scripted(max_concurrent_objects=1)
    rule = store.before("head", "p/v18.zip.delta", do=fail(StoreUnavailableError("down", uri="s3://b")))
    pages = 5
    original = store.list_objects
    store.list_objects = lambda *args, **options: original(*args, **{**options, "page_size": pages})  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        await verified(ctx, world)
    assert rule.hits == 1
    results = await verified(world_again(world, ctx), world, resume=True)
    found = [result.state for result in results]
    assert found == ["earlier"] * 8 + ["proven"] * 12


def world_again(world: World, ctx: Context) -> Context:
    """Another client with the same cache directory."""
    return world.client(cache_dir=ctx.settings.cache_dir)


async def test_what_was_proven_lately_is_passed_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    await versions(world, 3)
    ctx = world.client()
    assert set(states(await verified(ctx, world, older_than=3600.0)).values()) == {"proven"}
    now[0] += 3000
    await world.put(ctx, "p/v01.zip", revised(V1, "another"))
    results = await verified(ctx, world, older_than=3600.0)
    assert states(results) == {"p/v00.zip": "earlier", "p/v01.zip": "proven", "p/v02.zip": "earlier"}
    assert results[0].message == "its bytes were proven at 1970-01-12 13:46 UTC"
    now[0] += 1000
    # Those of the first run are too old, though the second one met them.
    assert states(await verified(ctx, world, older_than=3600.0)) == {
        "p/v00.zip": "proven",
        "p/v01.zip": "earlier",
        "p/v02.zip": "proven",
    }
    # Without a word about ages all are read.
    assert set(states(await verified(ctx, world)).values()) == {"proven"}


async def test_what_is_passed_over_is_still_looked_at(world: World) -> None:
    """A reference that went meanwhile takes its deltas with it, whatever was proven before."""
    files = await versions(world, 3)
    ctx = world.client()
    await verified(ctx, world)
    reference = reference_at("p/", files["p/v00.zip"])
    stored = await world.store.head(world.bucket, reference)
    await world.store.delete(world.bucket, reference)
    assert set(states(await verified(ctx, world, older_than=3600.0)).values()) == {"failed"}
    # And the failure counts: put back, they are read again.
    await world.put_raw(reference, files["p/v00.zip"], stored.metadata)
    assert set(states(await verified(ctx, world, older_than=3600.0)).values()) == {"proven"}


async def test_what_could_not_be_read_stays_as_proven_as_it_was(world: World) -> None:
    await versions(world, 2)
    ctx = world.client()
    await verified(ctx, world)
    scripted, store = world.scripted()
    store.before("fetch", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    scripted = dataclasses.replace(scripted, cache=ctx.cache)
    assert set(states(await verified(scripted, world)).values()) == {"unread"}
    assert set(states(await verified(ctx, world, older_than=3600.0)).values()) == {"earlier"}


async def test_each_place_has_a_record_of_its_own(world: World) -> None:
    await versions(world, 2)
    await versions(world, 2, "q")
    ctx = world.client()
    await verified(ctx, world, "p/")
    assert set(states(await verified(ctx, world, "q/", older_than=3600.0)).values()) == {"proven"}
    assert set(states(await verified(ctx, world, "p/", older_than=3600.0)).values()) == {"earlier"}
    assert len(list((ctx.settings.cache_dir / "verified").glob("*.jsonl"))) == 2


async def test_a_record_that_nobody_asked_for_is_no_reason_to_fail(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await versions(world, 2)
    ctx = world.client()
    ctx.settings.cache_dir.mkdir(exist_ok=True)
    (ctx.settings.cache_dir / "verified").write_bytes(b"in the way")
    with caplog.at_level(logging.WARNING, "deltaglider"):
        assert set(states(await verified(ctx, world)).values()) == {"proven"}
    assert "is not recorded" in caplog.text
    with pytest.raises(LocalFileError, match="record of the verification"):
        await verified(ctx, world, resume=True)
    with pytest.raises(LocalFileError, match="record of the verification"):
        await verified(ctx, world, record=ctx.settings.cache_dir / "verified" / "record")


@pytest.mark.parametrize(
    "options",
    [
        {"quick": True, "resume": True},
        {"quick": True, "older_than": 1.0},
        {"quick": True, "record": Path("x")},
        {"older_than": -1.0},
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        VerifyOptions(**options)
