"""Bytes in and out of objects, those stored as deltas above all."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback

from deltaglider.errors import ChecksumMismatchError, PreconditionFailedError
from deltaglider.events import BytesMoved
from deltaglider.fs import DeltaGliderFileSystem
from deltaglider.store.base import ObjectStore
from tests.client.world import leftovers, noise, sha256
from tests.servers import Endpoint

FIRST = noise("fs")
SECOND = FIRST[:10_000] + b"changed" + FIRST[10_000:]


@pytest.fixture
def path(fs: DeltaGliderFileSystem, bucket: str) -> str:
    """An object that is stored as a delta."""
    fs.pipe(f"{bucket}/v1/app.zip", FIRST)
    fs.pipe(f"{bucket}/v2/app.zip", SECOND)
    assert fs.info(f"{bucket}/v2/app.zip")["is_delta"]
    return f"{bucket}/v2/app.zip"


@pytest.fixture
def whole(fs: DeltaGliderFileSystem, bucket: str) -> str:
    """An object that is stored as it is."""
    fs.pipe(f"{bucket}/notes.txt", SECOND)
    assert not fs.info(f"{bucket}/notes.txt")["is_delta"]
    return f"{bucket}/notes.txt"


@pytest.fixture(params=["path", "whole"])
def either(request: pytest.FixtureRequest) -> str:
    chosen: str = request.getfixturevalue(request.param)
    return chosen


def test_bytes_come_back(fs: DeltaGliderFileSystem, either: str) -> None:
    assert fs.cat(either) == SECOND
    for start, end in [(0, 10), (9_990, 10_020), (-5, None), (5, -5), (20_000, None), (29_000, 10**9), (10**9, None)]:
        assert fs.cat_file(either, start, end) == SECOND[start:end], (start, end)
    assert fs.cat_ranges([either, either], [0, 7], [3, 9]) == [SECOND[:3], SECOND[7:9]]
    assert fs.head(either, 4) == SECOND[:4]
    assert fs.tail(either, 4) == SECOND[-4:]
    assert fs.read_block(either, 3, 4) == SECOND[3:7]


def test_an_open_file_is_read_anywhere(fs: DeltaGliderFileSystem, either: str) -> None:
    with fs.open(f"dg://{either}", "rb", block_size=1000, cache_type="readahead") as file:
        assert file.read(5) == SECOND[:5]
        assert file.seek(-5, io.SEEK_END) == len(SECOND) - 5
        assert file.read() == SECOND[-5:]
        assert file.seek(9_999)
        assert file.read(100) == SECOND[9_999:10_099]
        copy = pickle.loads(pickle.dumps(file))
        assert copy.read(10) == SECOND[10_099:10_109]
        copy.fs.close()
        copy.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_a_delta_is_decoded_once_while_a_file_is_open(endpoint: Endpoint, path: str, tmp_path: Path) -> None:
    moved: list[Any] = []
    options = endpoint.client_kwargs(cache_dir=str(tmp_path / "cache"), cache_size=0, temp_dir=str(tmp_path))
    fs = DeltaGliderFileSystem(**options, observer=moved.append, skip_instance_cache=True)
    with fs.open(path, "rb", cache_type="none") as file:
        assert not [event for event in moved if isinstance(event, BytesMoved)]
        assert file.read(10) == SECOND[:10]
        before = sum(event.count for event in moved if isinstance(event, BytesMoved))
        assert before > 0
        file.seek(-10, io.SEEK_END)
        assert file.read() == SECOND[-10:]
        assert sum(event.count for event in moved if isinstance(event, BytesMoved)) == before
    fs.close()
    assert [path for path in leftovers(tmp_path / "cache") if "locks" not in path] == []


def test_a_second_ranged_read_decodes_nothing(endpoint: Endpoint, path: str, tmp_path: Path) -> None:
    moved: list[Any] = []
    options = endpoint.client_kwargs(cache_dir=str(tmp_path / "cache"))
    fs = DeltaGliderFileSystem(**options, observer=moved.append, skip_instance_cache=True)
    assert fs.cat_file(path, -10) == SECOND[-10:]
    moved.clear()
    assert fs.cat_file(path, 5, 10) == SECOND[5:10]
    assert not [event for event in moved if isinstance(event, BytesMoved)]
    fs.close()


def test_the_first_file_has_the_bytes_of_its_reference(endpoint: Endpoint, path: str, tmp_path: Path) -> None:
    fs = DeltaGliderFileSystem(**endpoint.client_kwargs(cache_dir=str(tmp_path / "cache")), skip_instance_cache=True)
    first = path.replace("v2", "v1")
    assert fs.info(first)["is_delta"]
    assert fs.cat_file(first, 5, 10) == FIRST[5:10]
    fs.close()


def test_locks_of_the_cache_that_two_files_share(endpoint: Endpoint, path: str, tmp_path: Path) -> None:
    # One lock stands for all files whose SHA-256 begin alike: who decodes one must not wait for itself.
    changes = (FIRST[:10_000] + bytes([number, extra]) + FIRST[10_000:] for number in range(256) for extra in range(9))
    alike = next(data for data in changes if sha256(data)[:2] == sha256(FIRST)[:2])
    fs = DeltaGliderFileSystem(**endpoint.client_kwargs(cache_dir=str(tmp_path / "cache")), skip_instance_cache=True)
    fs.pipe(path, alike)
    fs.close()
    fs = DeltaGliderFileSystem(**endpoint.client_kwargs(cache_dir=str(tmp_path / "cold")), skip_instance_cache=True)
    assert fs.cat_file(path, 9_999, 10_002) == alike[9_999:10_002]
    fs.close()


def test_what_is_replaced_is_never_half_read(fs: DeltaGliderFileSystem, whole: str, path: str) -> None:
    with fs.open(whole, "rb", cache_type="none") as file, fs.open(path, "rb", cache_type="none") as delta:
        assert (file.read(10), delta.read(10)) == (SECOND[:10], SECOND[:10])
        fs.pipe({whole: b"new", path: b"new"})
        with pytest.raises(PreconditionFailedError):
            file.read(10)
        assert delta.read() == SECOND[10:]
    assert fs.cat([whole, path]) == {whole: b"new", path: b"new"}


async def test_damage_is_told_of_at_the_last_byte(
    fs: DeltaGliderFileSystem, store: ObjectStore, bucket: str, whole: str
) -> None:
    recorded = await store.head(bucket, "notes.txt")
    wrong = SECOND[:-1] + b"?"
    await store.put(bucket, "notes.txt", wrong, sha256=sha256(wrong), metadata=recorded.metadata)

    with fs.open(whole, "rb", cache_type="none") as file:
        assert file.read(len(SECOND) - 1) == SECOND[:-1]
        with pytest.raises(ChecksumMismatchError):
            file.read(1)
    with pytest.raises(ChecksumMismatchError):
        fs.cat(whole)


def test_text_and_lines(fs: DeltaGliderFileSystem, bucket: str) -> None:
    with fs.open(f"{bucket}/a.txt", "w", encoding="utf-8") as file:
        file.write("einß\nzwei\n")
    assert fs.read_text(f"{bucket}/a.txt", encoding="utf-8") == "einß\nzwei\n"
    assert fs.info(f"{bucket}/a.txt")["ContentType"] == "text/plain"
    with fs.open(f"{bucket}/a.txt.gz", "wt", compression="infer") as file:
        file.write("packed")
    assert fs.cat(f"{bucket}/a.txt.gz")[:2] == b"\x1f\x8b"
    with fs.open(f"{bucket}/a.txt.gz", "rt", compression="infer") as file:
        assert file.read() == "packed"


def test_what_is_written_is_stored_at_the_end(fs: DeltaGliderFileSystem, bucket: str, path: str) -> None:
    target = f"{bucket}/v3/app.zip"
    with fs.open(target, "wb", metadata={"who": "me"}) as file:
        assert file.write(SECOND) == len(SECOND)
        assert file.tell() == len(SECOND)
        file.flush()
        assert not fs.exists(target)
    info = fs.info(target)
    assert (info["size"], info["is_delta"], info["metadata"]) == (len(SECOND), True, {"who": "me"})
    with pytest.raises(ValueError, match="closed"):
        file.write(b"more")
    with fs.open(f"{bucket}/z.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", SECOND)
    with fs.open(f"{bucket}/z.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("a") == SECOND
    with pytest.raises(TypeError, match="nonsense"):
        fs.open(target, "wb", nonsense=1)
    with pytest.raises(NotImplementedError):
        fs.open(target, "r+b")


def test_what_is_incomplete_is_no_object(fs: DeltaGliderFileSystem, bucket: str, tmp_path: Path) -> None:
    def fail() -> None:
        with fs.open(f"{bucket}/a", "wb") as file:
            file.write(b"half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert fs.ls(bucket) == []


def test_append_and_create(fs: DeltaGliderFileSystem, either: str, bucket: str) -> None:
    with fs.open(either, "ab") as file:
        assert file.tell() == len(SECOND)
        file.write(b"end")
    assert fs.cat(either) == SECOND + b"end"
    with fs.open(f"{bucket}/new", "ab") as file:
        file.write(b"begin")
    assert fs.cat(f"{bucket}/new") == b"begin"

    with fs.open(f"{bucket}/once", "xb") as file:
        fs.pipe(f"{bucket}/once", b"faster")
        file.write(b"slower")
        with pytest.raises(FileExistsError):
            file.close()
    assert fs.cat(f"{bucket}/once") == b"faster"


def test_transactions(fs: DeltaGliderFileSystem, bucket: str) -> None:
    with fs.transaction:
        for name in "ab":
            with fs.open(f"{bucket}/{name}", "wb") as file:
                file.write(name.encode())
        assert fs.ls(bucket) == []
    assert fs.cat(fs.ls(bucket, detail=False)) == {f"{bucket}/a": b"a", f"{bucket}/b": b"b"}

    def fail() -> None:
        with fs.transaction:
            with fs.open(f"{bucket}/c", "wb") as file:
                file.write(b"c")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert not fs.exists(f"{bucket}/c")


def test_files_up_and_down(fs: DeltaGliderFileSystem, bucket: str, path: str, tmp_path: Path) -> None:
    told: list[int] = []

    class Watch(Callback):
        def relative_update(self, inc: int = 1) -> None:
            told.append(inc)

    (tmp_path / "up.zip").write_bytes(SECOND)
    fs.put_file(tmp_path / "up.zip", f"{bucket}/v4/app.zip", callback=Watch(), tags={"a": "b"})
    fs.get_file(f"dg://{bucket}/v4/app.zip", tmp_path / "down.zip", callback=Watch())
    assert (tmp_path / "down.zip").read_bytes() == SECOND
    assert told == [len(SECOND)] * 2
    with pytest.raises(FileExistsError):
        fs.put_file(tmp_path / "up.zip", f"{bucket}/v4/app.zip", mode="create")
    with pytest.raises(FileNotFoundError):
        fs.get_file(f"{bucket}/nothing", tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        fs.get_file(path, tmp_path)
    assert not (tmp_path / "nothing").exists()

    fs.get(bucket, str(tmp_path / "all"), recursive=True)
    assert (tmp_path / "all" / "v2" / "app.zip").read_bytes() == SECOND


def test_copy_and_move(fs: DeltaGliderFileSystem, bucket: str, path: str) -> None:
    fs.copy(path, f"{bucket}/v5/app.zip")
    fs.mv(f"{bucket}/v5/app.zip", f"{bucket}/v6/app.zip")
    assert fs.cat(f"{bucket}/v6/app.zip") == SECOND
    assert fs.info(f"{bucket}/v6/app.zip")["is_delta"]
    assert not fs.exists(f"{bucket}/v5/app.zip")


def test_urls_and_chains(endpoint: Endpoint, path: str, tmp_path: Path) -> None:
    with fsspec.open(f"dg://{path}", "rb", **endpoint.client_kwargs()) as file:
        assert file.read() == SECOND
    chained = fsspec.open(
        f"filecache::dg://{path}", dg=endpoint.client_kwargs(), filecache={"cache_storage": str(tmp_path / "kept")}
    )
    with chained as file:
        assert file.read() == SECOND
    files = fsspec.open_files(f"dg://{path[:-10]}*/app.zip", **endpoint.client_kwargs())
    assert len(files) == 2
    # The one that fsspec remembers for these options.
    DeltaGliderFileSystem(**endpoint.client_kwargs()).close()
