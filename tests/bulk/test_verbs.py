"""Bulk work on the real engine, over the embedded store: what the little verbs of ``world`` stand for."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider.bulk import (
    BulkOptions,
    copy_tree,
    delete_tree,
    download_tree,
    engine_verbs,
    sync_across,
    sync_down,
    sync_up,
    upload_tree,
)
from deltaglider.cache.notes import Notes
from deltaglider.cache.references import ReferenceCache
from deltaglider.codec.family import Codecs
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.spool import Spool
from deltaglider.errors import BucketNotFoundError
from deltaglider.events import BytesMoved, Event, ItemFinished
from deltaglider.layout.uri import S3Uri
from deltaglider.store.directory import DirectoryStore
from tests.bulk.world import later, write

P = S3Uri("bkt", "p")
DELETE = BulkOptions(delete=True)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
async def ctx(tmp_path: Path, events: list[Event]) -> AsyncIterator[Context]:
    settings = Settings(cache_dir=tmp_path / "cache", temp_dir=tmp_path / "temp", max_concurrent_objects=4)
    store = DirectoryStore(tmp_path / "store")
    spool = Spool(settings.temp_dir)
    cache = ReferenceCache(settings.cache_dir, settings.cache_size)
    notes = Notes(settings.cache_dir, settings.notes_size)
    await store.create_bucket("bkt")
    try:
        yield Context(settings, store, Codecs(Xdelta3()), cache, spool, notes, observer=events.append)
    finally:
        await store.aclose()
        notes.close()
        spool.close()


@pytest.fixture
def src(tmp_path: Path) -> Path:
    """Four versions of one thing, and two files that are not worth a delta."""
    content = bytearray(random.Random(1).randbytes(60_000))
    files: dict[str, str | bytes] = {"readme.txt": "hello", "empty.zip": ""}
    for version in range(4):
        content[version * 1000] ^= 1
        files[f"v{version}/app.zip"] = bytes(content)
    return write(tmp_path / "src", files, later(-60))


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def stored(ctx: Context) -> list[str]:
    return [entry.key async for page in ctx.store.list_objects("bkt") for entry in page]


async def test_a_tree_goes_up_as_deltas_and_comes_back_byte_for_byte(
    ctx: Context, src: Path, tmp_path: Path, events: list[Event]
) -> None:
    summary = await upload_tree(engine_verbs(ctx), src, P)
    assert (summary.done, summary.failed, summary.size) == (6, 0, 240_005)
    assert summary.stored < 80_000
    keys = await stored(ctx)
    assert {"p/v0/app.zip.delta", "p/v3/app.zip.delta", "p/readme.txt", "p/empty.zip"} <= set(keys)
    assert sum(key.endswith("/reference.bin") for key in keys) == 1
    assert sum(isinstance(event, ItemFinished) for event in events) == 6
    assert any(isinstance(event, BytesMoved) for event in events)

    summary = await download_tree(engine_verbs(ctx), P, tmp_path / "out")
    assert (summary.done, summary.failed, summary.size) == (6, 0, 240_005)
    assert contents(tmp_path / "out") == contents(src)


async def test_syncs_come_to_rest_both_ways(ctx: Context, src: Path, tmp_path: Path) -> None:
    assert (await sync_up(engine_verbs(ctx), src, P, DELETE)).done == 6
    assert (await sync_up(engine_verbs(ctx), src, P, DELETE)).unchanged == 6
    assert (await sync_down(engine_verbs(ctx), P, tmp_path / "out", DELETE)).done == 6
    for options in (DELETE, BulkOptions(exact_timestamps=True), BulkOptions(size_only=True)):
        summary = await sync_down(engine_verbs(ctx), P, tmp_path / "out", options)
        assert (summary.unchanged, summary.done, summary.failed) == (6, 0, 0)
    assert (await sync_up(engine_verbs(ctx), tmp_path / "out", P, DELETE)).unchanged == 6


async def test_deletes_retire_references_once_nothing_needs_them(ctx: Context, src: Path) -> None:
    await upload_tree(engine_verbs(ctx), src, P)
    for version in (0, 1, 2):
        (src / f"v{version}/app.zip").unlink()
    summary = await sync_up(engine_verbs(ctx), src, P, DELETE)
    assert (summary.deleted, summary.failed) == (3, 0)
    keys = await stored(ctx)
    assert "p/v3/app.zip.delta" in keys
    assert any(key.endswith("/reference.bin") for key in keys)

    summary = await delete_tree(engine_verbs(ctx), P)
    assert (summary.deleted, summary.failed) == (3, 0)
    assert await stored(ctx) == []


async def test_a_tree_is_copied_and_kept_in_sync(ctx: Context, src: Path, tmp_path: Path) -> None:
    await upload_tree(engine_verbs(ctx), src, P)
    assert (await copy_tree(engine_verbs(ctx), P, S3Uri("bkt", "q"))).done == 6
    assert (await sync_across(engine_verbs(ctx), P, S3Uri("bkt", "q"), DELETE)).unchanged == 6
    await delete_tree(engine_verbs(ctx), P)
    await download_tree(engine_verbs(ctx), S3Uri("bkt", "q"), tmp_path / "out")
    assert contents(tmp_path / "out") == contents(src)


async def test_options_of_uploads_reach_the_engine(ctx: Context, src: Path) -> None:
    options = UploadOptions(delta=False, metadata={"team": "core"}, headers={"CacheControl": "no-store"})
    await upload_tree(engine_verbs(ctx, options=options), src, P)
    assert set(await stored(ctx)) == {f"p/{name}" for name in contents(src)}
    found = await ctx.store.head("bkt", "p/v0/app.zip")
    assert (found.metadata["team"], found.headers["CacheControl"]) == ("core", "no-store")


async def test_a_download_gets_the_time_of_its_object(ctx: Context, src: Path, tmp_path: Path) -> None:
    await upload_tree(engine_verbs(ctx), src, P)
    await download_tree(engine_verbs(ctx), P, tmp_path / "out")
    stored_at = (await ctx.store.head("bkt", "p/v0/app.zip.delta")).last_modified.timestamp()
    assert int((tmp_path / "out/v0/app.zip").stat().st_mtime) == int(stored_at)


async def test_a_missing_bucket_is_an_error_of_the_listing_and_of_each_upload(
    ctx: Context, src: Path, tmp_path: Path
) -> None:
    nowhere = S3Uri("missing-bucket", "p")
    with pytest.raises(BucketNotFoundError, match="missing-bucket"):
        await sync_up(engine_verbs(ctx), src, nowhere)
    with pytest.raises(BucketNotFoundError, match="missing-bucket"):
        await download_tree(engine_verbs(ctx), nowhere, tmp_path / "out")
    summary = await upload_tree(engine_verbs(ctx), src, nowhere)
    assert (summary.done, summary.failed) == (0, 6)
    assert {type(failure.error) for failure in summary.failures} == {BucketNotFoundError}


async def test_nothing_is_left_behind(ctx: Context, src: Path, tmp_path: Path) -> None:
    await upload_tree(engine_verbs(ctx), src, P)
    await sync_down(engine_verbs(ctx), P, tmp_path / "out", DELETE)
    assert set(contents(tmp_path / "out")) == set(contents(src))
    left = [path for path in (tmp_path / "temp").rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == []
