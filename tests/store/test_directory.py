"""What is particular to the embedded store: its files, their modes, orphans, cancellation, several stores at once."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from deltaglider.errors import BucketNotFoundError, IntegrityError, InvalidInputError, StoreError
from deltaglider.store.directory import DirectoryStore, embedded
from deltaglider.store.directory.embedded import ORPHAN_AGE, Embedded
from tests.contract.tools import Box, meanwhile, noise

MIB = 1 << 20


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    store = DirectoryStore(tmp_path / "a root, with #odd? %41 characters")
    await store.create_bucket("bucket")
    yield Box(store, "bucket", tmp_path)
    await store.aclose()


@pytest.fixture
def root(box: Box, tmp_path: Path) -> Path:
    return tmp_path / "a root, with #odd? %41 characters"


def bodies(root: Path) -> list[str]:
    """The names of all files with bodies, complete or not."""
    return sorted(path.name for path in (root / "blobs").rglob("*") if path.is_file())


async def in_worker(work: object, *arguments: object) -> None:
    """Runs what is meant for worker threads."""
    await to_thread.run_sync(lambda: work(*arguments))  # type: ignore[operator]


async def test_looking_makes_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    assert await store.list_buckets() == []
    assert not await store.bucket_exists("bucket")
    box = Box(store, "bucket", tmp_path)
    for attempt in (box.head, box.read, box.put, box.keys):
        with pytest.raises(BucketNotFoundError):
            await attempt("k")
    with pytest.raises(BucketNotFoundError):
        await store.delete("bucket", "k")
    await store.aclose()
    assert list(tmp_path.iterdir()) == []


async def test_the_files_are_for_their_owner_alone(box: Box, root: Path) -> None:
    await box.put("k", b"body")
    paths = [root, *root.rglob("*")]
    assert {"index.db", "index.db-wal", "index.db-shm", "blobs", "new"} <= {path.name for path in paths}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


async def test_each_object_has_one_file(box: Box, root: Path) -> None:
    await box.put_many(["a", "b", "c"])
    await box.put("a", b"again")
    await box.store.copy("bucket", "a", "bucket", "b")
    await box.store.copy("bucket", "a", "bucket", "d")
    assert len(bodies(root)) == 4
    await box.store.delete("bucket", "a")
    await box.store.delete_many("bucket", ["b", "d", "absent"])
    assert len(bodies(root)) == 1
    assert await box.read("c") == b"c"


async def test_a_copy_works_where_there_are_no_hard_links(
    box: Box, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    await box.put("k", noise(2 * MIB + 1))
    monkeypatch.setattr("os.link", refuse)
    await box.store.copy("bucket", "k", "bucket", "k2")
    assert await box.read("k2") == noise(2 * MIB + 1)
    assert len(bodies(root)) == 2


async def test_commits_are_on_the_disk(box: Box) -> None:
    def pragmas(connection: sqlite3.Connection) -> tuple[object, object]:
        return (
            connection.execute("PRAGMA journal_mode").fetchone()[0],
            connection.execute("PRAGMA synchronous").fetchone()[0],
        )

    assert isinstance(box.store, DirectoryStore)
    assert await to_thread.run_sync(box.store._embedded.index.read, pragmas) == ("wal", 2)


async def test_closing_leaves_no_journal_and_the_store_can_go_on(box: Box, root: Path) -> None:
    await box.put("k", b"x")
    await box.store.aclose()
    assert not (root / "index.db-wal").exists()
    assert await box.read("k") == b"x"
    assert not (root / "index.db-wal").exists()


async def test_closing_when_cancelled_still_closes(box: Box, root: Path) -> None:
    await box.put("k", b"x")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await box.store.aclose()
    assert not (root / "index.db-wal").exists()


@pytest.mark.parametrize("how", ["scope", "task"])
async def test_a_cancelled_write_leaves_no_file(box: Box, root: Path, how: str) -> None:
    started = asyncio.Event()
    counts: list[int] = []

    def moved(count: int) -> None:
        counts.append(count)
        started.set()

    async def put() -> None:
        await box.put("k", noise(32 * MIB), moved=moved)

    if how == "task":
        task = asyncio.create_task(put())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(put)
            await started.wait()
            group.cancel_scope.cancel()
    assert sum(counts) < 32 * MIB
    assert bodies(root) == []
    assert await box.keys() == []


async def test_a_change_waiting_for_another_can_be_cancelled(box: Box, root: Path) -> None:
    await box.put("k", b"x")
    patient = DirectoryStore(root, timeout=30)
    other = sqlite3.connect(root / "index.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        for change in (patient.delete("bucket", "k"), patient.create_bucket("bucket2")):
            task = asyncio.create_task(change)
            await asyncio.sleep(0.3)
            assert await box.keys() == ["k"]  # Readers need not wait.
            assert not task.done()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=10)
            assert done, "it waits on although it was cancelled"
            assert task.cancelled()
    finally:
        other.close()
    await patient.aclose()
    assert await box.keys() == ["k"]
    await box.store.delete("bucket", "k")


async def test_a_body_stays_where_it_is_not_known_whether_the_index_has_it(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(box.store, DirectoryStore)
    index = box.store._embedded.index
    await box.put("k", b"old")
    write = index.write

    def write_and_fail(change: object) -> None:
        write(change)  # type: ignore[arg-type]
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(index, "write", write_and_fail)
    with pytest.raises(StoreError, match="disk I/O error"):
        await box.put("k", b"new")
    monkeypatch.undo()
    assert await box.read("k") == b"new"


async def test_readers_see_each_body_whole_while_it_is_replaced(box: Box) -> None:
    await box.put("k", bytes(1000))
    done = False

    async def write() -> None:
        nonlocal done
        for number in range(60):
            await box.put("k", bytes([number]) * 1000)
        done = True

    async def read() -> None:
        while not done:
            body = await box.read("k")
            assert body == body[:1] * 1000
            _, fetched = await box.fetch("k")
            assert fetched == fetched[:1] * 1000

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        for _ in range(3):
            group.start_soon(read)


async def test_a_body_replaced_between_look_up_and_opening_is_looked_up_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.put("k", b"old")
    assert isinstance(box.store, DirectoryStore)
    blobs = box.store._embedded.blobs
    opened: list[str] = []
    original = blobs.open

    async def replace() -> None:
        other = DirectoryStore(box.store._root)
        await Box(other, "bucket", box.tmp_path).put("k", b"new")
        await other.aclose()

    def open_late(name: str) -> object:
        opened.append(name)
        if len(opened) == 1:
            meanwhile(lambda: asyncio.run(replace()))
        return original(name)

    monkeypatch.setattr(blobs, "open", open_late)
    assert await box.read("k") == b"new"
    assert len(set(opened)) == 2


async def test_a_store_made_anew_in_the_same_place_is_seen(box: Box, root: Path) -> None:
    await box.put("k", b"old")
    await box.store.aclose()
    open_store = DirectoryStore(root)
    old = Box(open_store, "bucket", box.tmp_path)
    assert await old.read("k") == b"old"
    shutil.rmtree(root)
    assert await open_store.list_buckets() == []
    other = DirectoryStore(root)
    await other.create_bucket("bucket")
    await old.put("k", b"new")
    assert await Box(other, "bucket", box.tmp_path).read("k") == b"new"
    await other.aclose()
    await open_store.aclose()


async def test_a_store_works_under_one_loop_after_another(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    box = Box(store, "bucket", tmp_path)

    async def first() -> None:
        await store.create_bucket("bucket")
        await box.put("k", b"x")

    async def second() -> None:
        assert await box.read("k") == b"x"
        await store.aclose()

    for work in (first, second):
        meanwhile(lambda work=work: asyncio.run(work()))


def orphan(root: Path, shard: str = "ab") -> str:
    name = shard + "0" * 30
    (root / "blobs" / shard).mkdir(exist_ok=True)
    (root / "blobs" / shard / name).write_bytes(b"orphan")
    return name


async def test_orphans_are_collected_and_nothing_else(box: Box, root: Path) -> None:
    await box.put_many(["a", "b"])
    living = bodies(root)
    orphan(root)
    (root / "blobs" / "new" / ("f" * 32)).write_bytes(b"unfinished")
    notes = [root / "blobs" / directory / "notes of the owner" for directory in ("ab", "new")]
    for note in notes:
        note.write_bytes(b"")
    store = Embedded(root, 10)
    await in_worker(store.collect_orphans, ORPHAN_AGE)
    assert len(bodies(root)) == len(living) + 4
    await in_worker(store.collect_orphans, 0)
    assert bodies(root) == sorted([*living, *(note.name for note in notes)])
    store.index.close()
    assert [await box.read("a"), await box.read("b")] == [b"a", b"b"]


async def test_the_first_write_of_the_day_collects(box: Box, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await box.put("a", b"1")
    name = orphan(root)
    await box.put("a", b"2")
    assert name in bodies(root)
    # As if a day had passed since: the age of a file cannot be set.
    monkeypatch.setattr(embedded, "ORPHAN_AGE", 0)
    store = DirectoryStore(root)
    await Box(store, "bucket", box.tmp_path).put("b", b"3")
    await store.aclose()
    assert name not in bodies(root)
    assert [await box.read("a"), await box.read("b")] == [b"2", b"3"]


async def test_a_living_writer_is_left_alone_and_a_forgotten_one_fails(box: Box, root: Path) -> None:
    await box.put("k", b"old")
    cleaner = Embedded(root, 10)

    async def put_while_collecting(age: float) -> None:
        collected: list[int] = []

        def moved(count: int) -> None:
            if not collected:
                collected.append(count)
                meanwhile(lambda: asyncio.run(in_worker(cleaner.collect_orphans, age)))

        await box.put("k", noise(2 * MIB), moved=moved)

    with pytest.raises(StoreError, match="Try again"):
        await put_while_collecting(0)
    assert await box.read("k") == b"old"
    await put_while_collecting(ORPHAN_AGE)
    assert await box.read("k") == noise(2 * MIB)
    cleaner.index.close()


async def test_a_body_collected_before_it_was_entered_is_not_entered(
    box: Box, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.put("k", b"old")
    assert isinstance(box.store, DirectoryStore)
    store = box.store._embedded
    cleaner = Embedded(root, 10)
    write = store.index.write

    def write_late(change: object) -> object:
        meanwhile(lambda: asyncio.run(in_worker(cleaner.collect_orphans, 0)))
        return write(change)  # type: ignore[arg-type]

    monkeypatch.setattr(store.index, "write", write_late)
    with pytest.raises(StoreError, match="Try again"):
        await box.put("k", b"new")
    assert await box.read("k") == b"old"
    cleaner.index.close()


async def test_a_body_entered_since_it_was_found_is_not_collected(
    box: Box, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.put("k", b"x")
    cleaner = Embedded(root, 10)
    # As if the look into the directory had come just before the entry into the index.
    monkeypatch.setattr(cleaner.blobs, "strangers", lambda shard, known, age: sorted(known))
    await in_worker(cleaner.collect_orphans, 0)
    cleaner.index.close()
    assert await box.read("k") == b"x"


async def test_delete_many_tells_which_keys_cannot_be_and_deletes_the_rest(box: Box) -> None:
    await box.put_many(["a", "b"])
    impossible = ["", "lone surrogate \udc80", "x" * 1025]
    failures = await box.store.delete_many("bucket", ["a", *impossible, "b"])
    assert [failure.key for failure in failures] == impossible
    assert all(isinstance(failure.error, InvalidInputError) for failure in failures)
    assert await box.keys() == []


async def test_a_body_cut_short_while_it_is_open_does_not_end_quietly(box: Box, root: Path) -> None:
    await box.put("k", noise(3 * MIB))
    (path,) = (path for path in (root / "blobs").rglob("*") if path.is_file())
    async with box.store.open("bucket", "k") as body:
        pieces = aiter(body)
        assert await anext(pieces) == noise(3 * MIB)[:MIB]
        os.truncate(path, MIB)
        with pytest.raises(IntegrityError, match="s3://bucket/k"):
            await anext(pieces)
