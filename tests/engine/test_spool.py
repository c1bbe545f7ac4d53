"""Temporary files: private, gone when they should be, and swept up after clients that were killed."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deltaglider.engine.spool import Spool
from deltaglider.errors import ClientStateError, LocalFileError


def ours(name: str) -> str:
    """A name such as a client gives its directory."""
    return f"deltaglider-{hashlib.md5(name.encode()).hexdigest()}"


def directories(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir())


def test_a_file_is_ours_alone_and_goes_with_its_context(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.file() as one, spool.file() as two:
        assert one != two
        for path in (one, two):
            assert path.read_bytes() == b""
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700
        assert directories(tmp_path) == [one.parent]
    assert not one.exists()
    assert not two.exists()
    spool.close()
    spool.close()
    assert directories(tmp_path) == []


def test_a_file_may_have_been_moved_away(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.file() as path:
        path.rename(tmp_path / "moved")
    assert (tmp_path / "moved").exists()
    spool.close()


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "not" / "yet")
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_the_parent_is_made(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "not" / "yet")
    with spool.file() as path:
        assert path.is_file()
    spool.close()


def test_a_closed_one_makes_no_files_and_waits_for_those_in_use(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.file() as path:
        spool.close()
        assert path.exists()
        with pytest.raises(ClientStateError), spool.file():
            pass
    assert directories(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(LocalFileError, match="DG_TEMP_DIR"), Spool(file / "below").file():
        pass


KILLED = """
import os, signal, sys
from pathlib import Path
from deltaglider.engine.spool import Spool

with Spool(Path(sys.argv[1])).file() as path:
    path.write_bytes(b"left")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_client_left_is_swept_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    living = Spool(tmp_path)
    with living.file() as mine:
        result = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
        assert result.returncode == -signal.SIGKILL
        (left,) = [path for path in directories(tmp_path) if path != mine.parent]
        assert any(path.read_bytes() == b"left" for path in left.iterdir() if path.name != ".lock")
        other = Spool(tmp_path)
        with other.file() as path:
            assert directories(tmp_path) == sorted([mine.parent, path.parent])
            assert mine.exists()
        other.close()
    living.close()


def test_only_what_is_surely_ours_is_swept(tmp_path: Path) -> None:
    """In a directory open to all, others may leave what looks like ours, to have it truncated or removed."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    trap = tmp_path / ours("trap")
    trap.mkdir()
    (trap / ".lock").symlink_to(precious)
    (trap / "file").touch()
    away = tmp_path / "away"
    away.mkdir()
    (away / ".lock").touch()
    (tmp_path / ours("link")).symlink_to(away)
    plain = tmp_path / ours("plain")
    plain.mkdir()
    (plain / "file").touch()
    named = tmp_path / "deltaglider-releases"
    named.mkdir()
    spool = Spool(tmp_path)
    with spool.file():
        assert precious.read_bytes() == b"precious"
        assert (trap / "file").exists()
        assert (away / ".lock").exists()
        assert (plain / "file").exists()
        assert named.is_dir()
    spool.close()


def test_directories_of_other_users_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = tmp_path / ours("strange")
    strange.mkdir()
    (strange / ".lock").touch()
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    spool = Spool(tmp_path)
    with spool.file():
        assert (strange / ".lock").exists()
    monkeypatch.undo()
    with Spool(tmp_path).file():
        assert not strange.exists()
    spool.close()


def test_a_directory_that_was_cleaned_away_is_made_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.file() as path:
        pass
    shutil.rmtree(path.parent)
    with spool.file() as again:
        assert again.is_file()
    spool.close()
    assert directories(tmp_path) == []


def test_what_was_killed_before_it_was_locked_is_swept(tmp_path: Path) -> None:
    (tmp_path / ours("dead")).mkdir()
    spool = Spool(tmp_path)
    with spool.file() as path:
        assert directories(tmp_path) == [path.parent]
    spool.close()


def test_a_directory_swept_before_it_was_locked_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, swept = Path.mkdir, []

    def mkdir(path: Path, *arguments: object, **options: object) -> None:
        real(path, *arguments, **options)  # type: ignore[arg-type]
        if path.parent == tmp_path and not swept:
            swept.append(path)
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", mkdir)
    spool = Spool(tmp_path)
    with spool.file() as path:
        assert directories(tmp_path) == [path.parent]
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert swept
    spool.close()
    assert directories(tmp_path) == []


def test_the_directory_of_a_client_that_nobody_closed_goes_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.file() as path:
        assert directories(tmp_path) == [path.parent]
    del spool
    gc.collect()
    assert directories(tmp_path) == []
