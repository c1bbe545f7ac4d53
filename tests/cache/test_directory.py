"""The cache directory: private, swept after the dead, and no reason to fail."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from deltaglider.cache.references import ReferenceCache
from deltaglider.errors import LocalFileError
from deltaglider.files import local_errors
from tests.cache.world import Origin, content, file_of, in_use, kept, name_of


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_user_may_look(cache: ReferenceCache, home: Path) -> None:
    old = os.umask(0)
    try:
        origin = Origin(content(1))
        async with origin.use(cache) as (path, _):
            assert _mode(path) == 0o600
    finally:
        os.umask(old)
    found = [home, *home.rglob("*")]
    assert {_mode(path) for path in found if path.is_dir()} == {0o700}
    assert {_mode(path) for path in found if path.is_file()} == {0o600}
    assert file_of(home, origin.sha256) in found
    assert home / "locks" / origin.sha256[:2] in found


async def test_a_copy_of_a_readable_file_is_private_too(cache: ReferenceCache, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(content(1))
    source.chmod(0o644)
    await cache.add(name_of(content(1)), source)
    assert _mode(file_of(home, name_of(content(1)))) == 0o600


async def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """It may be anyone's, such as /tmp; what lies in it is private."""
    tmp_path.chmod(0o755)
    await Origin(content(1)).read(ReferenceCache(tmp_path, 1_000_000))
    assert _mode(tmp_path) == 0o755
    assert {_mode(path) for path in tmp_path.iterdir()} == {0o700}


async def test_directories_of_ours_that_others_could_read_are_closed(cache: ReferenceCache, home: Path) -> None:
    for name in ("references", "in-use"):
        (home / name).mkdir(parents=True)
        (home / name).chmod(0o777)
    await Origin(content(1)).read(cache)
    assert {_mode(path) for path in home.iterdir()} == {0o700}


async def test_nothing_is_made_before_it_is_needed(cache: ReferenceCache, home: Path) -> None:
    assert not home.parent.exists()
    cache.close()
    assert not home.parent.exists()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


@pytest.fixture
def unusable(tmp_path: Path) -> Path:
    """A place where no directory can be made, not even by root."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "cache"


async def test_an_unusable_directory_is_replaced_with_a_warning(
    unusable: Path, temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = ReferenceCache(unusable, 1_000_000)
    origin = Origin(content(1))
    assert await origin.read(cache) == (content(1), False)
    assert await origin.read(cache) == (content(1), True)
    (made,) = temporary.iterdir()
    assert cache.directory == made
    assert _mode(made) == 0o700
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert str(unusable) in warning.getMessage()
    cache.close()
    cache.close()
    assert list(temporary.iterdir()) == []


async def test_many_who_come_at_once_get_one_replacement(
    unusable: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tempfile.mkdtemp

    def slow(**keywords: str) -> str:
        time.sleep(0.05)
        return real(**keywords)

    monkeypatch.setattr(tempfile, "mkdtemp", slow)
    cache = ReferenceCache(unusable, 1_000_000)
    origin = Origin(content(1))
    await asyncio.gather(*(origin.read(cache) for _ in range(50)))
    assert origin.fetched == 1
    assert len(list(temporary.iterdir())) == 1
    cache.close()


async def test_a_directory_that_cannot_be_written_is_replaced(
    home: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so a file system that is mounted read-only has to be played."""
    real = Path.touch

    def touch(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        if home in path.parents:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        real(path, mode, exist_ok)

    monkeypatch.setattr(Path, "touch", touch)
    cache = ReferenceCache(home, 1_000_000)
    assert await Origin(content(1)).read(cache) == (content(1), False)
    assert temporary in cache.directory.parents
    cache.close()


async def test_no_place_at_all_is_an_error_of_ours(
    unusable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(LocalFileError, match="nowhere"):
        await Origin(content(1)).read(ReferenceCache(unusable, 1_000_000))


_LEAVE = """
import asyncio, os, sys
from pathlib import Path
from deltaglider.cache.references import ReferenceCache
from tests.cache.world import Origin, content

cache = ReferenceCache(Path(sys.argv[1]), 1_000_000)
asyncio.run(Origin(content(1)).read(cache))
if sys.argv[2] == "fork":
    child = os.fork()
    if not child:
        sys.exit()
    os.waitpid(child, 0)
    assert asyncio.run(Origin(content(1)).read(cache)) == (content(1), True), "the child removed it"
    os.kill(os.getpid(), 9)
"""


def _leave(unusable: Path, temporary: Path, how: str) -> int:
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "error,default::DeprecationWarning"}
    command = [sys.executable, "-c", _LEAVE, unusable, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr
    return done.returncode


def test_a_replacement_goes_with_the_process_that_never_closed_it(unusable: Path, temporary: Path) -> None:
    assert _leave(unusable, temporary, "exit") == 0
    assert list(temporary.iterdir()) == []


def test_a_forked_child_does_not_take_it_away(unusable: Path, temporary: Path) -> None:
    assert _leave(unusable, temporary, "fork") == -9
    assert len(list(temporary.iterdir())) == 1


async def test_a_directory_that_was_deleted_is_made_again(cache: ReferenceCache, home: Path) -> None:
    origin = Origin(content(1))
    await origin.read(cache)
    shutil.rmtree(home)
    assert await origin.read(cache) == (content(1), False)
    assert await origin.read(cache) == (content(1), True)
    shutil.rmtree(home / "in-use")
    assert await origin.read(cache) == (content(1), True)


async def test_a_directory_deleted_under_a_user_is_no_error(cache: ReferenceCache, home: Path) -> None:
    async with Origin(content(1)).use(cache):
        shutil.rmtree(home)
    assert await Origin(content(2)).read(cache) == (content(2), False)


async def test_a_file_system_without_hard_links(
    cache: ReferenceCache, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    origin = Origin(content(1))
    async with origin.use(cache) as (path, hit):
        assert (path.read_bytes(), hit) == (content(1), False)
        assert _mode(path) == 0o600
    assert await origin.read(cache) == (content(1), True)
    assert kept(home) == {origin.sha256}
    assert in_use(home) == []


_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from deltaglider.cache.references import ReferenceCache
from tests.cache.world import Origin, content

async def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    cache = ReferenceCache(Path(sys.argv[1]), 1_000_000)
    async with Origin(content(1)).use(cache):
        await Origin(content(2), during=die).read(cache)

asyncio.run(main())
"""


async def test_what_the_dead_left_is_swept_and_what_the_living_use_is_not(home: Path) -> None:
    async with Origin(content(3)).use(ReferenceCache(home, 1_000_000)) as (living, _):
        died = subprocess.run([sys.executable, "-c", _DIE, home], timeout=60, check=False)
        assert died.returncode == -signal.SIGKILL
        assert len(in_use(home)) == 3
        next_one = ReferenceCache(home, 1_000_000)
        assert await Origin(content(1)).read(next_one) == (content(1), True)
        assert in_use(home) == [living.name]
        assert living.read_bytes() == content(3)


async def test_a_full_cache_is_done_without(
    home: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk of the cache takes names and no bytes; what it holds is read from it as before."""
    cache = ReferenceCache(home, 1_000_000)
    await Origin(content(1)).read(cache)
    real = Path.write_bytes

    def write_bytes(path: Path, data: bytes) -> int:
        if home in path.parents:
            with local_errors(str(path), "cannot be written"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    origin = Origin(content(2))
    assert await Origin(content(1)).read(cache) == (content(1), True)
    async with Origin(content(1)).use(cache):
        assert await origin.read(cache) == (content(2), False)
        assert await Origin(content(1)).read(cache) == (content(1), True)
    assert await origin.read(cache) == (content(2), True)
    assert temporary in cache.directory.parents
    assert kept(home) == {name_of(content(1))}
    assert in_use(home) == []
    assert f"the cache directory {home} cannot be used" in caplog.text
    assert caplog.text.count("WARNING") == 1
    cache.close()
    assert list(temporary.iterdir()) == []
