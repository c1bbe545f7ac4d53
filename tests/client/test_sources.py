"""Whatever bytes can be read of is a source, and none is closed, consumed twice or read from the wrong place."""

from __future__ import annotations

import array
import asyncio
import io
import mmap
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiofiles
import anyio
import pytest

from deltaglider.errors import InvalidInputError, LocalFileError, LocalFileNotFoundError
from tests.client.world import Either, leftovers, noise, sha256

DATA = noise("source", 1_200_000)  # More than one piece of 1 MiB.


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.zip"
    path.write_bytes(DATA)
    return path


async def _stored(either: Either, bucket: str, source: Any, *, key: str = "stored.txt") -> bytes:
    """What a source is stored as."""
    summary = await either("upload", source, f"s3://{bucket}/{key}")
    assert (summary.bucket, summary.key) == (bucket, key)
    target = io.BytesIO()
    await either("download", f"s3://{bucket}/{key}", target)
    assert summary.sha256 == sha256(target.getvalue())
    assert summary.original_size == len(target.getvalue())
    return target.getvalue()


PIECES = [DATA[:1], DATA[1:1], DATA[1:700_000], DATA[700_000:]]


class Unsized:
    """An iterable that is no iterator."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(PIECES)


class ReadableOnly:
    """The least of a file object, which gives less than it is asked for."""

    def __init__(self) -> None:
        self._file = io.BytesIO(DATA)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 300_000))


async def _agenerator() -> AsyncIterator[bytes]:
    for piece in PIECES:
        await anyio.sleep(0)
        yield piece


def _reused() -> Iterator[bytearray]:
    """A buffer that is filled again for each piece."""
    buffer = bytearray()
    for piece in PIECES:
        buffer[:] = piece
        yield buffer


IN_MEMORY: dict[str, Callable[[], Any]] = {
    "bytes": lambda: DATA,
    "bytearray": lambda: bytearray(DATA),
    "memoryview": lambda: memoryview(DATA),
    "memoryview in steps": lambda: memoryview(b"".join(bytes([byte, 0]) for byte in DATA))[::2],
    "memoryview of numbers": lambda: memoryview(array.array("I", DATA)),
    "BytesIO": lambda: io.BytesIO(DATA),
    "least of a file": ReadableOnly,
    "list": lambda: PIECES,
    "tuple of others": lambda: (bytearray(PIECES[0]), memoryview(PIECES[2]), PIECES[3]),
    "generator": lambda: (piece for piece in PIECES),
    "generator with one buffer": _reused,
    "iterable": Unsized,
    "async generator": _agenerator,
}


@pytest.mark.parametrize("make", IN_MEMORY.values(), ids=IN_MEMORY.keys())
async def test_bytes_in_memory(make: Callable[[], Any], either: Either, bucket: str) -> None:
    assert await _stored(either, bucket, make()) == DATA


async def test_a_path(either: Either, bucket: str, file: Path) -> None:
    assert await _stored(either, bucket, file) == DATA
    assert await _stored(either, bucket, str(file)) == DATA


async def test_a_path_of_another_kind(either: Either, bucket: str, file: Path) -> None:
    assert await _stored(either, bucket, anyio.Path(file)) == DATA


@pytest.mark.parametrize("buffering", [-1, 0])
async def test_an_open_file_is_read_from_where_it_stands(
    buffering: int, either: Either, bucket: str, file: Path
) -> None:
    with file.open("rb", buffering=buffering) as opened:
        opened.seek(1_000)
        assert await _stored(either, bucket, opened) == DATA[1_000:]
        assert not opened.closed
        assert opened.tell() == len(DATA)
        assert await _stored(either, bucket, opened) == b""


async def test_a_bytesio_is_read_from_where_it_stands(either: Either, bucket: str) -> None:
    source = io.BytesIO(DATA)
    source.read(77)
    assert await _stored(either, bucket, source) == DATA[77:]
    assert not source.closed


async def test_files_in_memory_or_on_disk(either: Either, bucket: str) -> None:
    for kind in (tempfile.TemporaryFile, tempfile.SpooledTemporaryFile):
        with kind() as source:
            source.write(DATA)
            source.seek(5)
            assert await _stored(either, bucket, source) == DATA[5:]


async def test_a_memory_map(either: Either, bucket: str, file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert await _stored(either, bucket, mapped) == DATA


async def test_a_pipe(either: Either, bucket: str) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as source, open(writer, "wb") as sink:

        def write() -> None:
            sink.write(DATA)
            sink.close()

        thread = threading.Thread(target=write)
        thread.start()
        assert await _stored(either, bucket, source) == DATA
        thread.join()


async def test_an_aiofiles_file(aclient: Any, bucket: str, file: Path, temporary: Path) -> None:
    async with aiofiles.open(file, "rb") as source:
        await source.seek(9)
        assert await _stored(Either(aclient, temporary), bucket, source) == DATA[9:]
        assert not source.closed


async def test_an_anyio_file(aclient: Any, bucket: str, file: Path, temporary: Path) -> None:
    async with await anyio.open_file(file, "rb") as source:
        await source.seek(9)
        assert await _stored(Either(aclient, temporary), bucket, source) == DATA[9:]
        assert not source.wrapped.closed


@pytest.mark.parametrize(
    "nothing", [b"", io.BytesIO, list, lambda: iter([b"", b""])], ids=["bytes", "file", "list", "iterator"]
)
async def test_nothing_is_stored_as_an_empty_object(nothing: Any, either: Either, bucket: str) -> None:
    assert await _stored(either, bucket, nothing() if callable(nothing) else nothing) == b""


async def test_the_second_version_of_a_stream_is_a_delta(either: Either, bucket: str) -> None:
    await either("upload", io.BytesIO(DATA), f"s3://{bucket}/v1/app.zip")
    summary = await either("upload", iter([DATA[5_000:], DATA[:5_000]]), f"s3://{bucket}/v2/app.zip")
    assert summary.is_delta
    assert summary.stored_size < 1_000


NO_BYTES: dict[str, Callable[[], Any]] = {
    "text": lambda: io.StringIO("text"),
    "no text": lambda: io.StringIO(""),
    "pieces of text": lambda: ["text"],
    "numbers": lambda: [1, 2],
    "a mapping": lambda: {"a": b"b"},
    "a number": lambda: 7,
    "None": lambda: None,
    "an object": object,
}


@pytest.mark.parametrize("make", NO_BYTES.values(), ids=NO_BYTES.keys())
async def test_what_gives_no_bytes_is_refused(make: Callable[[], Any], either: Either, bucket: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        await either("upload", make(), f"s3://{bucket}/k.zip")
    assert raised.value.remedy
    assert await either("list", f"s3://{bucket}") == []


async def test_a_file_in_text_mode_is_refused_with_the_cure(either: Either, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("words")
    with path.open() as source, pytest.raises(InvalidInputError, match=r"gives str, not bytes.*binary mode \('rb'\)"):
        await either("upload", source, f"s3://{bucket}/k.zip")


async def test_an_aiofiles_file_in_text_mode_is_refused(aclient: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("words")
    async with aiofiles.open(tmp_path / "text") as source:
        with pytest.raises(InvalidInputError, match="gives str, not bytes"):
            await aclient.upload(source, f"s3://{bucket}/k.zip")


async def test_a_stream_that_does_not_block_is_not_cut_short(either: Either, bucket: str) -> None:
    """It has nothing at present, which is not its end."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.send(b"the first part")
        with left.makefile("rb", buffering=0) as source, pytest.raises(InvalidInputError, match="NoneType"):
            await either("upload", source, f"s3://{bucket}/k.zip")


class Unlucky(Exception):
    pass


def _fails_on_the_way() -> Iterator[bytes]:
    yield DATA
    raise Unlucky


async def _afails_on_the_way() -> AsyncIterator[bytes]:
    yield DATA
    raise Unlucky


def _fails_with_an_oserror() -> Iterator[bytes]:
    yield DATA
    raise ConnectionResetError("theirs")


@pytest.mark.parametrize(
    ("make", "error"),
    [(_fails_on_the_way, Unlucky), (_afails_on_the_way, Unlucky), (_fails_with_an_oserror, ConnectionResetError)],
)
async def test_what_an_iterator_raises_goes_through_and_nothing_is_stored(
    make: Callable[[], Any], error: type[Exception], either: Either, bucket: str
) -> None:
    with pytest.raises(error) as raised:
        await either("upload", make(), f"s3://{bucket}/k.zip")
    assert type(raised.value) is error
    assert await either("list", f"s3://{bucket}") == []


class Broken(io.RawIOBase):
    name = "/dev/broken"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise OSError(5, "Input/output error")


async def test_a_file_that_cannot_be_read_is_named(either: Either, bucket: str) -> None:
    with pytest.raises(LocalFileError, match="/dev/broken: cannot be read: Input/output error"):
        await either("upload", Broken(), f"s3://{bucket}/k.zip")


async def test_a_missing_file(either: Either, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(LocalFileNotFoundError) as raised:
        await either("upload", tmp_path / "missing.zip", f"s3://{bucket}/k.zip")
    assert isinstance(raised.value, FileNotFoundError)
    assert raised.value.uri == str(tmp_path / "missing.zip")


async def test_a_directory(either: Either, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="directory"):
        await either("upload", tmp_path, f"s3://{bucket}/k.zip")


@pytest.mark.parametrize("path", ["a\0b", Path("a\0b")])
async def test_a_path_no_file_can_have(path: Any, either: Either, bucket: str) -> None:
    with pytest.raises(InvalidInputError, match="NUL"):
        await either("upload", path, f"s3://{bucket}/k.zip")


async def test_a_source_that_never_ends_ends_with_its_caller(aclient: Any, bucket: str, temporary: Path) -> None:
    drawn = 0

    def endless() -> Iterator[bytes]:
        nonlocal drawn
        while True:
            drawn += 1
            yield b"more" * 1000

    upload = asyncio.ensure_future(aclient.upload(endless(), f"s3://{bucket}/k.zip"))
    while not drawn:
        await asyncio.sleep(0.001)
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    count = drawn
    await anyio.sleep(0.05)
    assert drawn == count
    assert leftovers(temporary) == []
