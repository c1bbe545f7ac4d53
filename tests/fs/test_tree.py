"""Directories that are none: listings, and what is deleted with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deltaglider import create_client
from deltaglider.errors import StoreUnavailableError
from deltaglider.fs import DeltaGliderFileSystem
from tests.client.world import noise
from tests.servers import Endpoint

FIRST = noise("tree")


@pytest.fixture
def tree(fs: DeltaGliderFileSystem, bucket: str) -> str:
    names = ["a.txt", "d/one.zip", "d/two.zip", "d/e/three.zip", "d2/x"]
    fs.pipe({f"{bucket}/{name}": FIRST for name in names})
    return bucket


def below(tree: str, found: Any) -> list[str]:
    return [name.removeprefix(f"{tree}/") for name in found]


def test_listings(fs: DeltaGliderFileSystem, tree: str) -> None:
    assert [(info["name"], info["type"], info["size"]) for info in fs.ls(f"dg://{tree}/")] == [
        (f"{tree}/a.txt", "file", len(FIRST)),
        (f"{tree}/d", "directory", 0),
        (f"{tree}/d2", "directory", 0),
    ]
    assert below(tree, fs.ls(f"{tree}/d", detail=False)) == ["d/e", "d/one.zip", "d/two.zip"]
    assert below(tree, fs.ls(f"{tree}/a.txt", detail=False)) == ["a.txt"]
    assert tree in fs.ls("", detail=False)
    with pytest.raises(FileNotFoundError):
        fs.ls(f"{tree}/nothing")
    with pytest.raises(FileNotFoundError):
        fs.ls("no-such-bucket-anywhere")


def test_finding(fs: DeltaGliderFileSystem, tree: str) -> None:
    assert below(tree, fs.find(tree)) == ["a.txt", "d/e/three.zip", "d/one.zip", "d/two.zip", "d2/x"]
    assert below(tree, fs.find(f"{tree}/d", maxdepth=1)) == ["d/one.zip", "d/two.zip"]
    assert below(tree, fs.find(f"{tree}/d", withdirs=True)) == ["d", "d/e", "d/e/three.zip", "d/one.zip", "d/two.zip"]
    assert below(tree, fs.find(f"{tree}/d", prefix="o")) == ["d/one.zip"]
    assert below(tree, fs.find(f"{tree}/a.txt")) == ["a.txt"]
    assert fs.find(f"{tree}/nothing") == fs.find("no-such-bucket-anywhere") == []
    assert fs.find(tree, detail=True)[f"{tree}/d/e/three.zip"]["size"] == len(FIRST)
    assert f"{tree}/d/one.zip" in fs.find("", prefix=tree)
    with pytest.raises(ValueError, match="maxdepth"):
        fs.find(tree, maxdepth=0)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["a.txt", "d", "d2"]),
        ("d/*.zip", ["d/one.zip", "d/two.zip"]),
        ("**/*.zip", ["d/e/three.zip", "d/one.zip", "d/two.zip"]),
        ("d*/", ["d", "d2"]),
        ("d/o*", ["d/one.zip"]),
        ("z*", []),
    ],
)
def test_globs(pattern: str, expected: list[str], fs: DeltaGliderFileSystem, tree: str) -> None:
    assert [name.rstrip("/") for name in below(tree, fs.glob(f"{tree}/{pattern}"))] == expected


def test_walks_and_sizes(fs: DeltaGliderFileSystem, tree: str) -> None:
    assert list(fs.walk(f"{tree}/d")) == [
        (f"{tree}/d", ["e"], ["one.zip", "two.zip"]),
        (f"{tree}/d/e", [], ["three.zip"]),
    ]
    assert fs.du(tree) == 5 * len(FIRST)
    assert fs.isdir(f"{tree}/d")
    assert not fs.isdir(f"{tree}/a.txt")
    assert fs.isfile(f"{tree}/a.txt")
    assert not fs.isfile(f"{tree}/a")
    assert fs.isdir(tree)
    assert fs.isdir("")
    assert not fs.exists(f"{tree}/.deltaglider")


def test_markers_of_directories(fs: DeltaGliderFileSystem, endpoint: Endpoint, tree: str) -> None:
    with create_client(**endpoint.client_kwargs()) as client:
        client.put_object(Bucket=tree, Key="d/", Body=b"")
        client.put_object(Bucket=tree, Key="empty/", Body=b"")
    assert below(tree, fs.ls(f"{tree}/d", detail=False)) == ["d/e", "d/one.zip", "d/two.zip"]
    assert below(tree, fs.find(f"{tree}/d", maxdepth=1)) == ["d/one.zip", "d/two.zip"]
    assert fs.ls(f"{tree}/empty") == []
    assert fs.isdir(f"{tree}/empty")
    assert f"{tree}/empty" in fs.find(tree, withdirs=True)
    assert fs.find(f"{tree}/empty") == []
    with pytest.raises(OSError, match="not empty"):
        fs.rmdir(f"{tree}/d")
    fs.rmdir(f"{tree}/empty")
    assert not fs.exists(f"{tree}/empty")
    fs.rm(f"{tree}/d", recursive=True)
    assert below(tree, fs.find(tree, withdirs=True)) == [tree, "a.txt", "d2", "d2/x"]


def test_nothing_is_remembered(fs: DeltaGliderFileSystem, endpoint: Endpoint, tree: str) -> None:
    assert not fs.exists(f"{tree}/new")
    assert len(fs.find(tree)) == 5
    with create_client(**endpoint.client_kwargs()) as client:
        client.put_object(Bucket=tree, Key="new", Body=b"other")
        assert fs.cat(f"{tree}/new") == b"other"
        assert len(fs.find(tree)) == 6
        client.put_object(Bucket=tree, Key="new", Body=b"others")
        assert fs.size(f"{tree}/new") == 6


def test_deleting(fs: DeltaGliderFileSystem, tree: str) -> None:
    with pytest.raises(FileNotFoundError):
        fs.rm(f"{tree}/nothing")
    with pytest.raises(FileNotFoundError):
        fs.rm(f"{tree}/nothing", recursive=True)
    fs.rm([f"{tree}/d/one.zip", f"{tree}/d/two.zip"])
    assert below(tree, fs.find(tree)) == ["a.txt", "d/e/three.zip", "d2/x"]
    fs.rm(f"{tree}/d", recursive=True)
    assert below(tree, fs.find(tree)) == ["a.txt", "d2/x"]
    fs.rm(f"{tree}/*", recursive=True, maxdepth=1)
    assert below(tree, fs.find(tree)) == ["d2/x"]
    with pytest.raises(ValueError, match="all buckets"):
        fs.rm("", recursive=True)
    fs.rm(tree, recursive=True)
    assert not fs.exists(tree)


def test_buckets(fs: DeltaGliderFileSystem, bucket: str) -> None:
    other = f"{bucket}-2"
    fs.mkdir(other)
    assert fs.ls(other) == []
    fs.makedirs(other, exist_ok=True)
    fs.makedirs(f"{other}/deep/er")
    assert not fs.exists(f"{other}/deep")
    fs.makedirs(f"{bucket}-3", exist_ok=True)
    fs.rmdir(f"{bucket}-3")
    fs.rmdir(other)
    assert not fs.exists(other)
    with pytest.raises(IsADirectoryError):
        fs.cat_file(bucket)


def test_times_and_fingerprints(fs: DeltaGliderFileSystem, tree: str) -> None:
    one, two = f"{tree}/d/one.zip", f"{tree}/d/two.zip"
    assert abs(fs.modified(one) - datetime.now(UTC)) < timedelta(minutes=10)
    assert fs.created(one) == fs.modified(one)
    assert fs.info(one)["mtime"] == fs.modified(one).timestamp()
    with pytest.raises(IsADirectoryError):
        fs.modified(f"{tree}/d")
    before = fs.ukey(one), fs.checksum(one)
    assert before == (fs.ukey(two), fs.checksum(two)), "the content is the same, whichever way it is stored"
    fs.pipe(one, FIRST[:-1])
    assert fs.ukey(one) != before[0]
    assert fs.checksum(one) != before[1]
    assert fs.ukey(f"{tree}/d") != fs.ukey(tree)


def test_touch(fs: DeltaGliderFileSystem, tree: str) -> None:
    fs.touch(f"{tree}/new", truncate=False)
    assert fs.size(f"{tree}/new") == 0
    with pytest.raises(NotImplementedError):
        fs.touch(f"{tree}/a.txt", truncate=False)
    fs.touch(f"{tree}/a.txt")
    assert fs.cat(f"{tree}/a.txt") == b""


@pytest.mark.endpoints("moto")
def test_signed_urls(fs: DeltaGliderFileSystem, tree: str) -> None:
    import urllib.request

    with urllib.request.urlopen(fs.sign(f"{tree}/d/two.zip", expiration=60)) as answer:
        assert answer.read() == FIRST


def test_a_store_that_does_not_answer_is_not_empty() -> None:
    fs = DeltaGliderFileSystem(
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        region_name="us-east-1",
        max_attempts=1,
        skip_instance_cache=True,
    )
    for ask in (fs.exists, fs.isdir, fs.isfile, fs.find, fs.ls, fs.glob, lambda path: list(fs.walk(path))):
        with pytest.raises(StoreUnavailableError):
            ask("bucket/path")
    fs.close()
