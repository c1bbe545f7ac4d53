"""Reading and writing at a place, with the system's own calls and without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deltaglider.descriptors import PLAIN, read_at, write_at

pytestmark = pytest.mark.parametrize("at_once", [True, False])
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "f").write_bytes(CONTENT)
    opened = os.open(tmp_path / "f", os.O_RDWR | PLAIN)
    yield opened
    os.close(opened)


def test_bytes_are_read_where_they_stand(descriptor: int, at_once: bool) -> None:
    buffer = bytearray(10)
    assert read_at(descriptor, memoryview(buffer), 200, at_once=at_once) == 10
    assert buffer == CONTENT[200:210]
    assert read_at(descriptor, memoryview(buffer), 1020, at_once=at_once) == 4
    assert buffer[:4] == CONTENT[1020:]
    assert read_at(descriptor, memoryview(buffer), 5000, at_once=at_once) == 0


def test_bytes_are_written_where_they_belong(descriptor: int, at_once: bool, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        pieces = [memoryview(bytes([number]) * 64) for number in range(16)]
        for written in threads.map(
            lambda number: write_at(descriptor, pieces[number], number * 64, at_once=at_once), reversed(range(16))
        ):
            assert written == 64
    assert (tmp_path / "f").read_bytes() == b"".join(pieces)


def test_a_pipe_is_refused(at_once: bool) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError):
            read_at(reading, memoryview(bytearray(1)), 0, at_once=at_once)
        with pytest.raises(OSError):
            write_at(writing, memoryview(b"x"), 0, at_once=at_once)
    finally:
        os.close(reading)
        os.close(writing)
