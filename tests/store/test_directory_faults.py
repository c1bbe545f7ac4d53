"""What is wrong with an embedded store's directory is said in one line that names the path; nothing is made worse."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deltaglider.errors import (
    AccessDeniedError,
    IntegrityError,
    LocalFileError,
    NotFoundError,
    NotSupportedError,
    StoreError,
    StoreUnavailableError,
)
from deltaglider.store.directory import DirectoryStore, index
from tests.contract.tools import Box, noise, sha256

Attempt = Callable[[Box], Awaitable[object]]

READS: dict[str, Attempt] = {
    "head": lambda box: box.head("k"),
    "open": lambda box: box.read("k"),
    "fetch": lambda box: box.fetch("k"),
    "list_objects": lambda box: box.keys(),
    "list_buckets": lambda box: box.store.list_buckets(),
    "bucket_exists": lambda box: box.store.bucket_exists("bucket"),
}
WRITES: dict[str, Attempt] = {
    "put": lambda box: box.put("k", b"new"),
    "copy": lambda box: box.store.copy("bucket", "k", "bucket", "k2"),
    "delete": lambda box: box.store.delete("bucket", "k"),
    "delete_many": lambda box: box.store.delete_many("bucket", ["k"]),
    "create_bucket": lambda box: box.store.create_bucket("bucket2"),
    "delete_bucket": lambda box: box.store.delete_bucket("bucket2"),
}
any_operation = pytest.mark.parametrize("attempt", [*READS.values(), *WRITES.values()], ids=[*READS, *WRITES])
any_write = pytest.mark.parametrize("attempt", WRITES.values(), ids=WRITES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def box(root: Path, tmp_path: Path) -> AsyncIterator[Box]:
    """A store that holds one object and is open nowhere."""
    store = DirectoryStore(root)
    box = Box(store, "bucket", tmp_path)
    await store.create_bucket("bucket")
    await box.put("k", b"old")
    await store.aclose()
    fresh = DirectoryStore(root, timeout=0.3)
    yield Box(fresh, "bucket", tmp_path)
    await fresh.aclose()


def body_file(root: Path) -> Path:
    (path,) = (path for path in (root / "blobs").rglob("*") if path.is_file())
    return path


def change_index(root: Path, statement: str) -> None:
    connection = sqlite3.connect(root / "index.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


@any_operation
async def test_a_newer_format_is_left_alone(box: Box, root: Path, attempt: Attempt) -> None:
    change_index(root, "PRAGMA user_version = 3")
    before = (root / "index.db").read_bytes()
    with pytest.raises(StoreError, match=re.escape(f"{root}/index.db")) as caught:
        await attempt(box)
    assert "format 3" in str(caught.value)
    assert str(caught.value).endswith("Upgrade deltaglider")
    assert (root / "index.db").read_bytes() == before


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "index.db")
    other.execute("CREATE TABLE mine (x)")
    other.close()
    before = (tmp_path / "index.db").read_bytes()
    store = DirectoryStore(tmp_path)
    for attempt in (store.list_buckets(), store.create_bucket("bucket")):
        with pytest.raises(StoreError, match="another program"):
            await attempt
    await store.aclose()
    assert (tmp_path / "index.db").read_bytes() == before


async def test_an_index_that_another_process_is_making_is_no_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.db").touch()
    other = sqlite3.connect(tmp_path / "index.db", isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = WAL")
    stamp = index._stamp

    def stamp_before_it_is_made(connection: sqlite3.Connection) -> tuple[int, int]:
        found = stamp(connection)
        monkeypatch.undo()
        index._build(other)
        return found

    monkeypatch.setattr(index, "_stamp", stamp_before_it_is_made)
    store = DirectoryStore(tmp_path)
    await store.create_bucket("bucket")
    assert [bucket.name for bucket in await store.list_buckets()] == ["bucket"]
    await store.aclose()
    other.close()


@any_operation
async def test_an_index_that_is_none_is_named(box: Box, root: Path, attempt: Attempt) -> None:
    (root / "index.db").write_bytes(noise(10_000))
    with pytest.raises(StoreError, match=re.escape(f"the index {root}/index.db is damaged")) as caught:
        await attempt(box)
    assert not isinstance(caught.value, NotFoundError)
    assert (root / "index.db").read_bytes() == noise(10_000)
    assert body_file(root).read_bytes() == b"old"


async def test_damaged_pages_of_an_index_are_no_absence(box: Box, root: Path) -> None:
    size = (root / "index.db").stat().st_size
    with (root / "index.db").open("r+b") as file:
        file.seek(4096)
        file.write(noise(size - 4096))
    with pytest.raises(StoreError, match="damaged") as caught:
        await box.head("k")
    assert not isinstance(caught.value, NotFoundError)


async def test_an_index_that_nobody_finished_making_is_made(tmp_path: Path) -> None:
    (tmp_path / "index.db").touch()
    store = DirectoryStore(tmp_path)
    assert await store.list_buckets() == []
    await store.create_bucket("bucket")
    assert await store.bucket_exists("bucket")
    await store.aclose()


async def test_a_file_where_the_directory_should_be_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"mine")
    store = DirectoryStore(path)
    for attempt in (store.list_buckets(), store.head("bucket", "k"), store.create_bucket("bucket")):
        with pytest.raises(StoreError, match=re.escape(str(path))) as caught:
            await attempt
        assert not isinstance(caught.value, NotFoundError)
    await store.aclose()
    assert path.read_bytes() == b"mine"


async def test_a_body_that_is_gone_is_no_absence(box: Box, root: Path) -> None:
    path = body_file(root)
    path.unlink()
    for attempt in (box.read("k"), box.fetch("k"), box.store.copy("bucket", "k", "bucket", "k2")):
        with pytest.raises(IntegrityError, match=re.escape(str(path))) as caught:
            await attempt
        assert "s3://bucket/k" in str(caught.value)
    assert (await box.head("k")).size == 3
    await box.store.delete("bucket", "k")
    assert await box.keys() == []


@pytest.mark.parametrize("content", [b"", b"ol", b"older"])
async def test_a_body_of_another_size_is_not_handed_out(box: Box, root: Path, content: bytes) -> None:
    path = body_file(root)
    path.write_bytes(content)
    for attempt in (box.read("k"), box.fetch("k")):
        with pytest.raises(IntegrityError, match=re.escape(str(path))):
            await attempt


@any_write
async def test_a_locked_index_is_waited_for_and_then_named(box: Box, root: Path, attempt: Attempt) -> None:
    other = sqlite3.connect(root / "index.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreUnavailableError, match=re.escape(f"{root}/index.db locked")):
            await attempt(box)
        assert await box.read("k") == b"old"
    finally:
        other.close()
    assert await box.keys() == ["k"]
    await box.put("k", b"new")
    assert await box.read("k") == b"new"


async def test_a_target_that_is_full_is_a_local_error(box: Box) -> None:
    with pytest.raises(LocalFileError, match="/dev/full: cannot be written: the disk is full"):
        await box.store.fetch("bucket", "k", Path("/dev/full"))


async def test_an_unreadable_source_is_a_local_error(box: Box, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match=re.escape(str(tmp_path))) as caught:
        await box.store.put("bucket", "k", tmp_path, sha256=sha256(b""), metadata={})
    assert "directory" in str(caught.value)
    assert await box.read("k") == b"old"


async def test_an_old_sqlite_is_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(NotSupportedError, match="needs SQLite"):
        await box.keys()


@contextmanager
def nobody() -> Iterator[None]:
    """Without the privileges that let root pass over the modes of files."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that any user may enter."""
    with tempfile.TemporaryDirectory(prefix="dg-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def test_a_root_that_may_not_be_made_is_named(reachable: Path) -> None:
    reachable.chmod(0o555)
    store = DirectoryStore(reachable / "store")
    with nobody(), pytest.raises(AccessDeniedError, match=re.escape(f"{reachable}/store")):
        await store.create_bucket("bucket")
    reachable.chmod(0o755)


@any_operation
async def test_a_root_that_may_not_be_entered_is_no_absence(reachable: Path, attempt: Attempt) -> None:
    store = DirectoryStore(reachable / "store")
    await store.create_bucket("bucket")
    await store.aclose()
    (reachable / "store").chmod(0)
    (reachable / "out").mkdir()
    (reachable / "out").chmod(0o777)
    with nobody(), pytest.raises(AccessDeniedError, match=re.escape(f"{reachable}/store")):
        await attempt(Box(store, "bucket", reachable / "out"))
    (reachable / "store").chmod(0o700)


@any_write
async def test_a_root_that_may_only_be_read_is_not_written(reachable: Path, attempt: Attempt) -> None:
    root = reachable / "store"
    store = DirectoryStore(root)
    box = Box(store, "bucket", reachable)
    await store.create_bucket("bucket")
    await box.put("k", b"old")
    await store.aclose()
    paths = [root, *root.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with nobody(), pytest.raises(AccessDeniedError, match=re.escape(str(root))):
        await attempt(box)
    for path in paths:
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert await box.read("k") == b"old"
    await store.aclose()
