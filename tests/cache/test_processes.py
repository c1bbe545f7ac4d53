"""Several processes with one cache directory."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from deltaglider.cache.references import ReferenceCache
from tests.cache.world import Origin, content, in_use, kept, name_of

_WORK = """
import asyncio, os, sys
from pathlib import Path
import anyio
from deltaglider.cache.references import ReferenceCache
from tests.cache.world import URI, content, name_of

home, log, locks = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if locks == "without":
    import filelock
    def acquire(*_, **__):
        raise OSError(95, "no locks here")
    filelock.FileLock.acquire = acquire


async def fetch(path):
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\\n")
    await anyio.sleep(0.3)
    path.write_bytes(content(1))


async def main():
    cache = ReferenceCache(home, 1_000_000)
    print("ready", flush=True)
    sys.stdin.readline()

    async def ask():
        async with cache.use(name_of(content(1)), fetch, uri=URI) as (path, hit):
            assert path.read_bytes() == content(1)
            return hit

    hits = await asyncio.gather(*(ask() for _ in range(25)))
    print(hits.count(False), flush=True)


asyncio.run(main())
"""


def _race(home: Path, log: Path, locks: str) -> list[int]:
    """Four processes, 25 tasks each, begin at once; how often each one fetched."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, home, log, locks], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        results = [child.communicate(timeout=60)[0] for child in children]
        assert [child.returncode for child in children] == [0] * 4
        return list(map(int, results))
    finally:
        for child in children:
            child.kill()
            child.communicate()


def test_four_processes_share_one_fetch(home: Path, tmp_path: Path) -> None:
    assert sorted(_race(home, tmp_path / "log", "with")) == [0, 0, 0, 1]
    assert len((tmp_path / "log").read_text().splitlines()) == 1
    assert kept(home) == {name_of(content(1))}
    assert in_use(home) == []


def test_without_locks_each_process_fetches_once_at_most(home: Path, tmp_path: Path) -> None:
    counts = _race(home, tmp_path / "log", "without")
    assert max(counts) == 1
    fetchers = (tmp_path / "log").read_text().splitlines()
    assert len(set(fetchers)) == len(fetchers) == sum(counts)
    assert kept(home) == {name_of(content(1))}
    assert in_use(home) == []


_HOLD = """
import filelock, sys, time
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(600)
"""


async def test_the_lock_of_a_process_that_died_is_free(home: Path) -> None:
    sha256 = name_of(content(1))
    (home / "locks").mkdir(parents=True)
    command = [sys.executable, "-c", _HOLD, home / "locks" / sha256[:2]]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.communicate()
    assert await Origin(content(1)).read(ReferenceCache(home, 1_000_000)) == (content(1), False)


async def test_a_lock_that_is_held_too_long_is_passed_by(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltaglider.cache import references

    sha256 = name_of(content(1))
    (home / "locks").mkdir(parents=True)
    monkeypatch.setattr(references, "_LOCK_WAIT", 0.2)
    with filelock.FileLock(home / "locks" / sha256[:2]):
        assert await Origin(content(1)).read(ReferenceCache(home, 1_000_000)) == (content(1), False)


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)), NotImplementedError()])
async def test_a_file_system_without_locks(error: Exception, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def acquire(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    cache = ReferenceCache(home, 1_000_000)
    origin = Origin(content(1))
    assert await origin.read(cache) == (content(1), False)
    assert await origin.read(cache) == (content(1), True)
