"""What is written beside the user's files is the user's alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider import create_client


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(root: Path) -> dict[str, int]:
    """Of all that lies below a directory, and of it."""
    return {str(path.relative_to(root.parent)): stat.S_IMODE(path.lstat().st_mode) for path in (root, *root.rglob("*"))}


def test_the_cache_and_temporary_files_are_private(umask: int, tmp_path: Path) -> None:
    url, cache, temporary = (tmp_path / "store").as_uri(), tmp_path / "cache", tmp_path / "tmp"
    with create_client(url, cache_dir=cache, temp_dir=temporary) as client:
        client.make_bucket("bucket")
        for number in range(2):
            client.upload(os.urandom(10) + bytes(10_000), f"s3://bucket/v{number}/a.zip")
        assert all(result.valid for result in client.verify_directory("s3://bucket/"))
        during: dict[str, int] = {}
        for _ in client.stream("s3://bucket/v1/a.zip"):
            during |= modes(temporary)
    found = {**during, **modes(cache)}
    assert any("references" in name for name in found)
    assert any("verified" in name for name in found)
    for name, mode in found.items():
        # What others may at most do with a directory of ours is look at the names in its parent.
        assert mode & 0o077 == 0 or name in ("cache", "tmp"), (name, oct(mode))
    assert modes(cache)["cache"] == 0o700


def test_a_download_has_the_mode_the_user_chose(umask: int, tmp_path: Path) -> None:
    url = (tmp_path / "store").as_uri()
    with create_client(url, cache_dir=tmp_path / "cache", temp_dir=tmp_path / "tmp") as client:
        client.make_bucket("bucket")
        client.upload(bytes(10_000), "s3://bucket/a.zip")
        client.download("s3://bucket/a.zip", tmp_path / "out" / "a.zip")
    assert stat.S_IMODE((tmp_path / "out" / "a.zip").stat().st_mode) == 0o666 & ~umask


def test_the_embedded_store_is_not_wider_than_the_umask(umask: int, tmp_path: Path) -> None:
    with create_client((tmp_path / "store").as_uri(), cache_dir=tmp_path / "cache") as client:
        client.make_bucket("bucket")
        client.upload(bytes(10_000), "s3://bucket/a.zip")
    assert all(mode & umask == 0 for mode in modes(tmp_path / "store").values())
