"""Where a download goes: a path, a directory, or anything that takes bytes."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest

from deltaglider import AsyncDeltaGliderClient, IntegrityError
from deltaglider.errors import InvalidInputError, LocalFileError, NotFoundError
from tests.client.world import Either, noise, sha256

DATA = noise("target", 1_200_000)


@pytest.fixture
async def url(either: Either, bucket: str) -> str:
    """An object of more than one piece."""
    await either("upload", DATA, f"s3://{bucket}/v2/app.zip", delta=False)
    return f"s3://{bucket}/v2/app.zip"


@pytest.fixture
async def aurl(aclient: AsyncDeltaGliderClient, bucket: str) -> str:
    await aclient.upload(DATA, f"s3://{bucket}/app.zip", delta=False)
    return f"s3://{bucket}/app.zip"


@pytest.mark.parametrize("kind", [str, Path, anyio.Path])
async def test_a_path(kind: Any, either: Either, url: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "directories" / "out.zip"
    summary = await either("download", url, kind(target))
    assert target.read_bytes() == DATA
    assert (summary.path, summary.size, summary.sha256) == (str(target), len(DATA), sha256(DATA))
    assert summary.verified
    assert [path.name for path in target.parent.iterdir()] == ["out.zip"]


async def test_a_directory_takes_the_objects_own_name(either: Either, url: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for target in (tmp_path / "there", f"{tmp_path}/there/", f"{tmp_path}/made/"):
        summary = await either("download", url, target)
        assert summary.path == str(Path(target) / "app.zip")
        assert Path(summary.path).read_bytes() == DATA


async def test_here_is_a_directory_too(
    either: Either, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await either("download", url, ".")
    assert (tmp_path / "app.zip").read_bytes() == DATA


async def test_a_file_that_is_there_is_replaced(either: Either, url: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    await either("download", url, target)
    assert target.read_bytes() == DATA


async def test_another_file_system_than_that_of_temporary_files(either: Either, url: str) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        assert os.stat(directory).st_dev != os.stat(either.temporary).st_dev
        await either("download", url, Path(directory) / "out")
        assert (Path(directory) / "out").read_bytes() == DATA


async def test_a_device_is_written_to_and_stays(either: Either, url: str) -> None:
    before = os.stat(os.devnull)
    await either("download", url, os.devnull)
    after = os.stat(os.devnull)
    assert stat.S_ISCHR(after.st_mode)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


async def test_a_pipe_by_path(either: Either, url: str, tmp_path: Path) -> None:
    path, received = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()))
    reader.start()
    await either("download", url, path)
    reader.join()
    assert received == [DATA]
    assert stat.S_ISFIFO(path.stat().st_mode)


async def test_a_bytesio(either: Either, url: str) -> None:
    target = io.BytesIO(b"head")
    target.seek(0, io.SEEK_END)
    summary = await either("download", url, target)
    assert target.getvalue() == b"head" + DATA
    assert not target.closed
    assert (summary.path, summary.size, summary.verified) == (None, len(DATA), True)


@pytest.mark.parametrize("buffering", [-1, 0])
async def test_an_open_file(buffering: int, either: Either, url: str, tmp_path: Path) -> None:
    with open(tmp_path / "out", "wb", buffering=buffering) as target:
        target.write(b"head")
        await either("download", url, target)
        target.write(b"tail")
    assert (tmp_path / "out").read_bytes() == b"head" + DATA + b"tail"


class Reluctant(io.RawIOBase):
    """Takes a part of what it is given, as a raw file may."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.taken += bytes(data[:1_000])
        return min(len(data), 1_000)


async def test_a_target_that_takes_a_part_gets_the_rest(either: Either, url: str) -> None:
    target = Reluctant()
    await either("download", url, target)
    assert target.taken == DATA


class AsyncReluctant:
    def __init__(self) -> None:
        self.taken = bytearray()

    async def write(self, data: bytes) -> int:
        self.taken += data[:1_000]
        return min(len(data), 1_000)


class Plain:
    """The least of a target: says nothing."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        self.taken += data


class Promising:
    """No coroutine function, but gives something to await."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes) -> Any:
        async def later() -> None:
            self.taken += data

        return later()


@pytest.mark.parametrize("kind", [AsyncReluctant, Plain, Promising])
async def test_targets_of_other_kinds(kind: Any, either: Either, url: str) -> None:
    target = kind()
    await either("download", url, target)
    assert target.taken == DATA


async def test_an_aiofiles_file(aclient: AsyncDeltaGliderClient, aurl: str, tmp_path: Path) -> None:
    async with aiofiles.open(tmp_path / "out", "wb") as target:
        await aclient.download(aurl, target)
        assert not target.closed
    assert (tmp_path / "out").read_bytes() == DATA


async def test_an_anyio_file(aclient: AsyncDeltaGliderClient, aurl: str, tmp_path: Path) -> None:
    async with await anyio.open_file(tmp_path / "out", "wb") as target:
        await aclient.download(aurl, target)
    assert (tmp_path / "out").read_bytes() == DATA


async def test_a_stream_of_asyncio(aclient: AsyncDeltaGliderClient, aurl: str) -> None:
    """Its methods may only be called in its loop."""
    received: list[bytes] = []
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read())
        writer.close()
        ended.set()

    asyncio.get_running_loop().set_debug(True)  # It then tells of calls from other threads.
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await aclient.download(aurl, writer)
        writer.close()
        await writer.wait_closed()
        await ended.wait()
    assert received == [DATA]


async def test_a_target_that_takes_text_is_refused(either: Either, url: str, tmp_path: Path) -> None:
    for target in (io.StringIO(), open(tmp_path / "out", "w")):  # noqa: SIM115
        with target, pytest.raises(InvalidInputError, match=r"does not take bytes.*binary mode \('wb'\)"):
            await either("download", url, target)


async def test_an_async_target_that_takes_text_is_refused(
    aclient: AsyncDeltaGliderClient, aurl: str, tmp_path: Path
) -> None:
    async with aiofiles.open(tmp_path / "out", "w") as target:
        with pytest.raises(InvalidInputError, match="does not take bytes"):
            await aclient.download(aurl, target)


@pytest.mark.parametrize("target", [None, 7, b"bytes", object()])
async def test_what_takes_nothing_is_refused(target: Any, either: Either, url: str) -> None:
    with pytest.raises(InvalidInputError, match=f"cannot write to a {type(target).__name__}"):
        await either("download", url, target)


async def test_a_path_no_file_can_have(either: Either, url: str) -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        await either("download", url, "a\0b")


class Full:
    name = "/mnt/full"

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class NeverReady(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return 0


async def test_a_target_that_fails_is_named(either: Either, url: str) -> None:
    with pytest.raises(LocalFileError, match="/mnt/full: cannot be written: the disk is full"):
        await either("download", url, Full())


async def test_a_target_that_takes_nothing_is_an_error_and_no_endless_wait(either: Either, url: str) -> None:
    with pytest.raises(LocalFileError, match="takes no more"):
        await either("download", url, NeverReady())


async def test_a_target_gets_nothing_of_what_is_not_there(either: Either, bucket: str, tmp_path: Path) -> None:
    target = io.BytesIO()
    with pytest.raises(NotFoundError):
        await either("download", f"s3://{bucket}/missing", target)
    with pytest.raises(NotFoundError):
        await either("download", f"s3://{bucket}/missing", tmp_path / "out")
    assert target.getvalue() == b""
    assert not (tmp_path / "out").exists()


async def test_a_target_gets_nothing_of_what_is_damaged(either: Either, url: str, bucket: str, tmp_path: Path) -> None:
    """Its blob on the disk is changed behind everyone's back."""
    root = Path(either.client.settings.embedded_root or "")
    for blob in (root / "blobs").rglob("*"):
        if blob.is_file():
            content = bytearray(blob.read_bytes())
            content[len(content) // 2] ^= 0xFF
            blob.chmod(0o600)
            blob.write_bytes(content)
    # The cache still has the good reference; a client without it sees damage everywhere.
    target, out = io.BytesIO(), tmp_path / "out"
    out.write_bytes(b"precious")
    for place in (target, out):
        with pytest.raises(IntegrityError):
            await either("download", url, place)
    assert target.getvalue() == b""
    assert out.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".deltaglider")) == []
    assert not (await either("verify", url)).valid


async def test_a_stream_in_pieces(either: Either, url: str) -> None:
    pieces = await either("stream", url)
    assert b"".join(pieces) == DATA
    assert [len(piece) for piece in pieces] == [1 << 20, len(DATA) - (1 << 20)]
