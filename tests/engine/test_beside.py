"""A download that was killed leaves a file in its directory; the next one there removes it, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deltaglider.bulk.walk import walk_tree
from deltaglider.engine.beside import _swept, beside, is_part, sweep

KILLED = """
import os, signal, sys
from pathlib import Path
from deltaglider.engine.beside import beside

with beside(Path(sys.argv[1])) as path:
    path.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

NAME = ".deltaglider-0123456789abcdef.part"


@pytest.fixture(autouse=True)
def _forget() -> None:
    _swept.clear()


def killed(target: Path) -> Path:
    """What a download leaves that is killed in the middle."""
    before = set(target.parent.iterdir())
    done = subprocess.run([sys.executable, "-c", KILLED, target], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = set(target.parent.iterdir()) - before
    assert left.read_bytes() == b"half"
    return left


def test_what_was_left_goes_and_what_is_on_its_way_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"old")
    with beside(target) as living:
        left = killed(target)
        sweep(str(tmp_path))
        assert not left.exists()
        living.write_bytes(b"new")
        living.replace(target)
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_only_what_is_surely_ours_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / NAME).symlink_to(precious)
    (tmp_path / ".deltaglider-0123456789abcde0.part").mkdir()
    os.mkfifo(tmp_path / ".deltaglider-0123456789abcde1.part")
    for name in (".deltaglider-mine.part", "deltaglider-0123456789abcdef.part", f"{NAME}.zip"):
        (tmp_path / name).touch()
    before = sorted(tmp_path.iterdir())
    sweep(str(tmp_path))
    assert sorted(tmp_path.iterdir()) == before
    others = tmp_path / ".deltaglider-0123456789abcde2.part"
    others.touch()
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    _swept.clear()
    sweep(str(tmp_path))
    assert others.exists()
    monkeypatch.undo()
    _swept.clear()
    sweep(str(tmp_path))
    assert not others.exists()
    assert precious.read_bytes() == b"precious"


def test_one_that_is_taken_for_abandoned_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, removed = os.open, []

    def opened(path: object, flags: int, mode: int = 0o777) -> int:
        descriptor = real(path, flags, mode)  # type: ignore[call-overload]
        if flags & os.O_EXCL and not removed:
            removed.append(path)
            os.unlink(path)  # type: ignore[arg-type]
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with beside(tmp_path / "target") as path:
        assert path not in removed
        assert list(tmp_path.iterdir()) == [path]
    assert len(removed) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_listed_is_no_reason_to_fail(tmp_path: Path) -> None:
    sweep(str(tmp_path / "nowhere"))


def test_it_is_nothing_that_a_sync_sends_or_deletes(tmp_path: Path) -> None:
    with beside(tmp_path / "target") as path:
        assert is_part(path.name)
        (tmp_path / ".deltaglider-mine.part").touch()
        for links in ("follow", "skip", "inside"):
            assert [entry.name for entry in walk_tree(tmp_path, links=links)] == [".deltaglider-mine.part"]
