"""The embedded store and several processes: at once, killed, forked, and out of space."""

from __future__ import annotations

import collections
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anyio import to_thread

from deltaglider.store.directory import DirectoryStore
from deltaglider.store.directory.embedded import Embedded
from tests.contract.tools import Box
from tests.store.workers import BUCKET, MIB, generation, is_whole

REPOSITORY = Path(__file__).parents[2]


def start(task: str, root: Path, argument: str = "", options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *options, "-m", "tests.store.workers", task, str(root), argument],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


def all_at_once(task: str, root: Path, count: int = 4) -> list[list[str]]:
    """Runs several of one kind, from the same moment on; what each of them printed."""
    begin = root.parent / "begin"
    begin.touch()
    processes = [start(task, root, f"process-{number}") for number in range(count)]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        begin.unlink()
        printed = [process.communicate(timeout=60)[0].splitlines() for process in processes]
        assert [process.returncode for process in processes] == [0] * count
        return printed
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def box(root: Path, tmp_path: Path) -> AsyncIterator[Box]:
    store = DirectoryStore(root)
    yield Box(store, BUCKET, tmp_path)
    await store.aclose()


def bodies(root: Path) -> list[Path]:
    return [path for path in (root / "blobs").rglob("*") if path.is_file()]


async def collect(root: Path) -> None:
    store = Embedded(root, 10)
    await to_thread.run_sync(store.collect_orphans, 0)
    store.index.close()


async def test_processes_make_one_store_together(box: Box, root: Path) -> None:
    printed = all_at_once("create", root)
    assert sum("made" in line for lines in printed for line in lines) == 1
    expected = {f"process-{p}/{n}": f"process-{p} {n}".encode() for p in range(4) for n in range(15)}
    assert set(await box.keys()) == set(expected)
    for key, body in expected.items():
        assert await box.read(key) == body
    assert len(bodies(root)) == len(expected)


async def test_of_racing_processes_one_wins_each_key(box: Box, root: Path) -> None:
    await box.store.create_bucket(BUCKET)
    printed = all_at_once("claim", root)
    winners = {line.split()[1]: f"process-{p}" for p, lines in enumerate(printed) for line in lines}
    assert sum(len(lines) for lines in printed) == len(winners) == 15
    for key, winner in winners.items():
        assert await box.read(key) == winner.encode()


async def test_no_update_of_racing_processes_is_lost(box: Box, root: Path) -> None:
    await box.store.create_bucket(BUCKET)
    await box.put("counter", b"0")
    all_at_once("count", root)
    assert await box.read("counter") == b"32"


async def test_what_another_process_replaces_is_read_whole(box: Box, root: Path) -> None:
    await box.store.create_bucket(BUCKET)
    await box.put("k", generation("k", 0, 20_000))
    writer = start("replace", root)
    reads = 0
    while writer.poll() is None or not reads:
        info, body = await box.fetch("k")
        assert is_whole("k", body)
        assert info.size == len(body) == 20_000
        reads += 1
    assert writer.communicate()[0] == ""
    assert writer.returncode == 0
    assert await box.read("k") == generation("k", 39, 20_000)
    assert len(bodies(root)) == 1


@pytest.mark.parametrize("acknowledged", [1, 6, 14])
async def test_a_killed_process_loses_nothing_it_was_told_is_done(box: Box, root: Path, acknowledged: int) -> None:
    await box.store.create_bucket(BUCKET)
    process = start("churn", root)
    assert process.stdout
    done = [process.stdout.readline().split() for _ in range(acknowledged)]
    process.kill()
    done += [line.split() for line in process.stdout.read().splitlines() if line.count(" ") == 2]
    process.communicate()
    last = {key: (what, int(number)) for what, key, number in done}
    present = await box.keys()
    for key, (what, number) in last.items():
        # One further step may be done without anyone having been told.
        if what == "put" and key in present:
            body = await box.read(key)
            assert is_whole(key, body)
            assert int(body.split(maxsplit=2)[1]) in (number, number + 4)
        elif what == "put":
            assert (key, done[-1][0]) == ("k3", "put")
    for key in present:
        assert is_whole(key, await box.read(key))
    await collect(root)
    assert len(bodies(root)) == len(present)


@pytest.mark.parametrize(("where", "survivor", "orphans"), [("sending", 1, 1), ("settled", 1, 1), ("committed", 2, 1)])
async def test_a_write_killed_at_any_point_is_done_or_not(
    box: Box, root: Path, where: str, survivor: int, orphans: int
) -> None:
    await box.store.create_bucket(BUCKET)
    await box.put("k", generation("k", 1, 2 * MIB), metadata={"generation": "1"})
    process = start("die", root, where)
    process.communicate(timeout=60)
    assert process.returncode == -9
    assert await box.read("k") == generation("k", survivor, (survivor + 1) * MIB)
    assert (await box.head("k")).metadata == ({"generation": "1"} if survivor == 1 else {})
    assert await box.keys() == ["k"]
    assert len(bodies(root)) == 1 + orphans
    await collect(root)
    assert len(bodies(root)) == 1
    await box.put("k", b"and on it goes")
    assert await box.read("k") == b"and on it goes"


async def test_a_full_disk_stops_writes_and_loses_nothing(box: Box, root: Path) -> None:
    await box.store.create_bucket(BUCKET)
    process = start("fill", root, str(256 * 1024))
    printed = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == 0
    counts = collections.Counter(line.split()[0] for line in printed)
    assert counts["full"] == 2
    assert counts["put"] > 3
    for line in printed:
        if line.startswith("full"):
            assert str(root) in line
            assert " StoreError s3://bucket/" in line
    assert "the disk is full. Free some space" in printed[-1]
    assert sorted(await box.keys()) == sorted(f"small {number}" for number in range(counts["put"]))
    assert await box.read("small 0") == b"x"
    await box.put("after", b"y")
    await collect(root)
    assert len(bodies(root)) == counts["put"] + 1


async def test_a_forked_child_uses_the_store_on(box: Box, root: Path) -> None:
    await box.store.create_bucket(BUCKET)
    process = start("fork", root, options=("-W", "ignore::DeprecationWarning"))
    assert process.communicate(timeout=60)[0] == "done\n"
    assert process.returncode == 0
    assert (await box.read("parent"), await box.read("child")) == (b"2", b"3")
