"""What is different on Windows, with the switch set by hand: no test here needs that system, nor proves it.

``tests/architecture/test_windows.py`` looks for calls that it does not have; names of files are in ``tests/bulk``.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from deltaglider.cli.screen import is_closed
from deltaglider.cli.streams import _wait
from deltaglider.files import settle, settle_names
from deltaglider.values import UnfitError, local_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///C:/stores/a%20b", "C:/stores/a b"),
        ("file:///d:/x", "d:/x"),
        ("file://localhost/C:/x", "C:/x"),
        ("file:/C:/x", "C:/x"),
    ],
)
def test_the_embedded_store_has_a_drive(url: str, path: str) -> None:
    assert local_path(url, windows=True) == Path(path)


@pytest.mark.parametrize("url", ["file:///stores", "file:///C:", "file:C:x", "file://host/C:/x", "file:///C:/a%00"])
def test_a_path_without_a_drive_is_not_absolute(url: str) -> None:
    with pytest.raises(UnfitError):
        local_path(url, windows=True)


def test_elsewhere_a_colon_is_a_letter() -> None:
    assert local_path("file:///C:/x", windows=False) == Path("/C:/x")


def test_a_file_is_settled_by_what_may_write_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"content")
    modes: list[int] = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        import fcntl

        modes.append(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE)
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    settle(path, windows=True)
    assert modes == [os.O_RDWR]  # One file, and no directory.
    settle(path, windows=False)
    assert modes == [os.O_RDWR, os.O_RDONLY, os.O_RDONLY]
    assert path.read_bytes() == b"content"


def test_directories_are_not_opened(tmp_path: Path) -> None:
    settle_names(tmp_path / "nosuch", windows=True)
    with pytest.raises(FileNotFoundError):
        settle_names(tmp_path / "nosuch", windows=False)


def test_pipes_are_not_asked() -> None:
    _wait(-1, writing=False, windows=True)
    with pytest.raises(ValueError):
        _wait(-1, writing=False, windows=False)


def test_a_reader_that_left_is_known_by_another_error() -> None:
    assert is_closed(BrokenPipeError(), windows=True)
    assert is_closed(BrokenPipeError(), windows=False)
    assert is_closed(OSError(errno.EINVAL, "Invalid argument"), windows=True)
    assert not is_closed(OSError(errno.EINVAL, "Invalid argument"), windows=False)
    assert not is_closed(OSError(errno.ENOSPC, "No space left on device"), windows=True)
