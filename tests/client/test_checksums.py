"""Checksums that S3 is to keep: those that cannot be made here are refused before anything is read or sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient, InvalidInputError

HEADERS = {"ChecksumAlgorithm": "CRC64NVME"}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of two files, where awscrt is not installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    for name in ("a.txt", "b.txt"):
        (tmp_path / "d" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "d" / name).write_bytes(name.encode())
    return tmp_path / "d"


async def test_uploads_are_refused(aclient: AsyncDeltaGliderClient, bucket: str, files: Path) -> None:
    url = f"s3://{bucket}/p/"
    for work in (
        aclient.upload(files / "a.txt", url, headers=HEADERS),
        aclient.upload_directory(files, url, headers=HEADERS),
        aclient.transfer([files / "a.txt", files / "b.txt"], url, headers=HEADERS),
        aclient.sync(files, url, headers=HEADERS),
    ):
        with pytest.raises(InvalidInputError, match=r"CRC64NVME needs .* Install deltaglider\[crt\]"):
            await work
    assert [page async for page in aclient.list(url)] == []


async def test_copies_are_not(aclient: AsyncDeltaGliderClient, bucket: str, files: Path) -> None:
    url = f"s3://{bucket}"
    await aclient.upload(files / "a.txt", f"{url}/a.txt", headers={"ChecksumAlgorithm": "SHA512"})
    await aclient.copy(f"{url}/a.txt", f"{url}/b.txt", headers=HEADERS)
    assert (await aclient.head(f"{url}/b.txt")).size == 5
