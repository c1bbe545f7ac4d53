"""Hashes of local files: remembered while nothing about the file changed, read again when anything did."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deltaglider.cache import hashes
from deltaglider.cache.hashes import LocalHashes
from deltaglider.cache.notes import Notes
from deltaglider.errors import LocalFileNotFoundError
from deltaglider.files import Digests

DATA = b"content" * 1000
DIGESTS = Digests(len(DATA), hashlib.sha256(DATA).hexdigest(), hashlib.md5(DATA).hexdigest())


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalHashes]:
    notes = Notes(tmp_path / "cache", 1 << 20)
    yield LocalHashes(notes)
    notes.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file"
    made.write_bytes(DATA)
    return made


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this moment count as settled: their time of change cannot be set back, and tests do not wait."""
    monkeypatch.setattr(hashes, "SETTLED", -60.0)


def test_a_file_is_read_once(local: LocalHashes, path: Path, old: None) -> None:
    assert local.known([path]) == [None]
    read = local.read(path)
    assert read[0] == DIGESTS
    local.keep([read])
    assert local.known([path, path.with_name("none")]) == [DIGESTS, None]


def rewritten(path: Path) -> None:
    stamp = path.stat()
    path.write_bytes(DATA[::-1])
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # As careful tools do, and careless ones.


def grown(path: Path) -> None:
    path.write_bytes(DATA + b"x")


def replaced(path: Path) -> None:
    stamp = path.stat()
    other = path.with_name("other")
    other.write_bytes(DATA[::-1])
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(path)


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [rewritten, grown, replaced, touched])
def test_whatever_changed_is_read_again(
    local: LocalHashes, path: Path, old: None, change: Callable[[Path], None]
) -> None:
    local.keep([local.read(path)])
    time.sleep(0.02)  # More than the file system's clock ticks: its times are what is compared.
    change(path)
    assert local.known([path]) == [None]


def test_a_copy_is_another_file(local: LocalHashes, path: Path, old: None) -> None:
    local.keep([local.read(path)])
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    assert local.known([copy]) == [None]


def test_a_file_of_this_moment_is_not_remembered(local: LocalHashes, path: Path) -> None:
    read = local.read(path)
    assert read == (DIGESTS, None)
    local.keep([read])
    assert local.known([path]) == [None]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    local: LocalHashes, path: Path, old: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_change(path: Path) -> Digests:
        path.write_bytes(DATA + b"more")
        return DIGESTS

    monkeypatch.setattr(hashes, "digests_of", read_and_change)
    assert local.read(path) == (DIGESTS, None)


def test_a_file_that_is_gone(local: LocalHashes, path: Path) -> None:
    path.unlink()
    assert local.known([path]) == [None]
    with pytest.raises(LocalFileNotFoundError):
        local.read(path)
