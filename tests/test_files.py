"""Local files: hashed in one pass, copied, and with errors in our words."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from hypothesis import given
from hypothesis import strategies as st

from deltaglider import LocalFileError, NotFoundError
from deltaglider.errors import LocalFileNotFoundError
from deltaglider.files import (
    CHUNK,
    Digests,
    Hashing,
    copy_file,
    digests_of,
    free_space,
    local_errors,
    rest_of,
    sha256_of,
    speaking_of,
    stop_if_cancelled,
)

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7]


def _bytes(size: int) -> bytes:
    return hashlib.shake_128(str(size).encode()).digest(size)


@pytest.fixture(params=SIZES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(_bytes(request.param))
    return path


def test_hashes(file: Path) -> None:
    data = file.read_bytes()
    digests = digests_of(file)
    assert digests.size == len(data)
    assert digests.sha256 == hashlib.sha256(data).hexdigest() == sha256_of(file)
    assert digests.md5 == hashlib.md5(data).hexdigest()


def test_a_copy(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.write_bytes(b"longer than some of them")
    copy_file(file, target)
    assert target.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("read", [digests_of, sha256_of, lambda path: copy_file(path, path.with_name("copy"))])
def test_what_cannot_be_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(LocalFileNotFoundError, match="missing: no such file or directory"):
        read(tmp_path / "missing")
    with pytest.raises(LocalFileError, match="directory"):
        read(tmp_path)


@pytest.mark.parametrize("work", [digests_of, sha256_of, lambda path: copy_file(path, Path(os.devnull))])
async def test_it_ends_when_nobody_wants_it_any_more(work: Callable[[Path], object]) -> None:
    """/dev/zero has no end."""
    with anyio.move_on_after(0.05) as scope:
        await to_thread.run_sync(work, Path("/dev/zero"))
    assert scope.cancelled_caught


def test_outside_a_worker_thread_nobody_can_cancel() -> None:
    stop_if_cancelled()


@given(data=st.binary(max_size=100), counts=st.lists(st.integers(1, 30)))
def test_the_rest_of_a_write(data: bytes, counts: list[int]) -> None:
    written, rest = b"", data
    for count in counts:
        if not rest:
            break
        written += rest[:count]
        rest = rest_of(rest, min(count, len(rest)))
    assert written + rest == data


@pytest.mark.parametrize("answer", [None, 5, 6, "all"])
def test_an_answer_that_means_all(answer: object) -> None:
    assert rest_of(b"12345", answer) == b""


def test_an_answer_that_means_nothing() -> None:
    with pytest.raises(BlockingIOError):
        rest_of(b"12345", 0)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "cannot be written: the disk is full. Free some space"),
        (errno.EDQUOT, "cannot be written: the disk is full. Free some space"),
        (errno.EACCES, "cannot be written: permission denied. Check its owner and mode"),
        (errno.EPERM, "cannot be written: permission denied. Check its owner and mode"),
        (errno.ENOENT, "no such file or directory. Check the path"),
        (errno.EIO, "cannot be written: Input/output error"),
    ],
)
def test_errors_in_our_words(number: int, text: str) -> None:
    cause = OSError(number, os.strerror(number))
    with pytest.raises(LocalFileError) as raised, local_errors("/a/path", "cannot be written"):
        raise cause
    assert str(raised.value) == f"/a/path: {text}"
    assert raised.value.__cause__ is cause
    assert isinstance(raised.value, FileNotFoundError) == (number == errno.ENOENT)


def test_the_callers_remedy_goes_first() -> None:
    for number in (errno.ENOSPC, errno.EACCES, errno.ENOENT, errno.EIO):
        with pytest.raises(LocalFileError, match="Do this"), local_errors("/a/path", "is bad", "Do this"):
            raise OSError(number, os.strerror(number))


def test_an_error_without_a_text() -> None:
    with pytest.raises(LocalFileError, match="is bad: told so"), local_errors("/a/path", "is bad"):
        raise OSError("told so")


@pytest.mark.parametrize("error", [NotFoundError("gone", uri="s3://b/k"), LocalFileError("x"), ValueError("y")])
def test_other_errors_are_left_alone(error: Exception) -> None:
    """Some of ours are an OSError too."""
    with pytest.raises(type(error)) as raised, local_errors("/a/path", "is bad"):
        raise error
    assert raised.value is error


def test_free_space(tmp_path: Path) -> None:
    assert 0 < free_space(tmp_path) < 2**60
    assert free_space(tmp_path / "nowhere") > 10**19 // 2


def test_a_limit_on_the_size_of_files_is_named() -> None:
    with pytest.raises(LocalFileError) as caught, local_errors("here/file", "cannot be written"):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    assert str(caught.value) == (
        "here/file: cannot be written: the file is too large for its file system or for the limit of this process "
        "(ulimit -f). Use another disk, or raise the limit"
    )


def test_errors_of_a_temporary_file_speak_of_what_it_stands_for() -> None:
    temporary = Path("here/.part")
    for uri in (temporary, temporary.parent):
        with (
            pytest.raises(LocalFileError) as caught,
            speaking_of("here/file", instead_of=temporary, remedy="Choose another"),
        ):
            raise LocalFileError("the disk is full", uri=str(uri), remedy="Free some space")
        assert str(caught.value) == "here/file: the disk is full. Choose another"
    other = LocalFileError("the disk is full", uri="elsewhere/file")
    with pytest.raises(LocalFileError) as caught, speaking_of("here/file", instead_of=temporary, remedy=""):
        raise other
    assert caught.value is other


def test_hashing_takes_what_comes_in_order_and_reads_the_rest(tmp_path: Path) -> None:
    data = random.Random(7).randbytes(3_000_000)
    path = tmp_path / "file"
    path.write_bytes(data)
    parts = [(at, data[at : at + 500_000]) for at in range(0, len(data), 500_000)]
    shuffled = parts[::-1]
    for order, in_order in ((parts, len(data)), (shuffled, 500_000), (parts[:2] + shuffled, 1_500_000)):
        hashing = Hashing()
        for at, part in order:
            hashing.take(part, at)
        assert hashing.position == in_order
        hashing.follow(path, 1_200_000)
        assert hashing.position == max(in_order, 1_200_000)
        found = hashing.finish(path, len(data))
        assert found == Digests(len(data), hashlib.sha256(data).hexdigest(), "")
