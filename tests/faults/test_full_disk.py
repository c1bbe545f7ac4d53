"""A disk that runs full under each of the places that are written: said, and nothing that was there is harmed.

Three ways to be full. ``injected``: this process can write no byte there. ``limit``: no file of the process, nor of
its children, may be larger (``ulimit -f``); this works everywhere. ``real``: a small file system of memory, in a mount
namespace of its own, where that is permitted; it is full for xdelta3 and SQLite, too.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import noise, revised
from tests.faults.kills import Driver, Ended, Play, Scene, Stage, driver
from tests.faults.scale import FULL as FULL_SCALE
from tests.servers import DirectoryEndpoint

pytestmark = pytest.mark.faults

SIZE = 200_000
FIRST = noise("first", SIZE)
OLD, NEW = revised(FIRST, "old"), revised(FIRST, "new")
LIMIT = 100_000

NAMESPACE = ["unshare", "--map-root-user", "--mount"]
MOUNT = ["sh", "-c", 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"']


def can_mount() -> bool:
    command = [*NAMESPACE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return bool(shutil.which("unshare")) and subprocess.call(command, stderr=subprocess.DEVNULL) == 0


REAL = can_mount()
WAYS = ["limit", *(["injected"] if FULL_SCALE or not REAL else []), *(["real"] if REAL else [])]


@dataclasses.dataclass(frozen=True)
class Disk:
    """A directory that runs full.

    Attributes:
        way: How.
        path: The directory, as the commands see it.
        commands: What runs them.
    """

    way: str
    path: Path
    commands: Driver

    @property
    def inside(self) -> Path:
        """The directory, as it is seen from here."""
        return Path(f"/proc/{self.commands.pid}/root{self.path}") if self.way == "real" else self.path

    def clear(self) -> None:
        for path in self.inside.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def fill(self, leaving: int) -> None:
        """Leaves some bytes free, where there is a file system to fill."""
        if self.way != "real":
            return
        found = os.statvfs(self.inside)
        (self.inside / "filler").write_bytes(bytes(max(0, found.f_bavail * found.f_bsize - leaving)))

    def run(self, play: Play, *arguments: str) -> Ended:
        options: dict[str, dict[str, Any]] = {
            "injected": {"full_directory": str(self.path)},
            "limit": {"file_size": LIMIT},
            "real": {},
        }
        return self.commands.run(play, *arguments, **options[self.way])

    def files(self) -> list[str]:
        """What lies there, without the filler."""
        return sorted(str(path.relative_to(self.inside)) for path in self.inside.rglob("*") if path.name != "filler")


@pytest.fixture(scope="module", params=WAYS)
def disks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    home = tmp_path_factory.mktemp("disk")
    small = home / "small"
    small.mkdir()
    prefix = [*NAMESPACE, *MOUNT, str(small)] if request.param == "real" else []
    with driver(home / "driver", prefix) as running:
        yield Disk(request.param, small, running)


@pytest.fixture
def disk(disks: Disk) -> Disk:
    disks.clear()
    return disks


SCENE = Scene(
    ("cp", "a.zip", "s3://BUCKET/p/a.zip"),
    {"p/a.zip": OLD, "p/b.zip": FIRST, "p/c.txt": [FIRST]},
    {"p/a.zip": NEW},
    {"a.zip": NEW, "there/a.zip": b"mine"},
)


@pytest.fixture
async def play(directory: DirectoryEndpoint, tmp_path: Path) -> Play:
    stage = Stage(directory, directory.make_bucket(), tmp_path / "stage", SCENE)
    stage.home.mkdir()
    await stage.set()
    return stage.play()


async def check_all_is_as_it_was(play: Play) -> None:
    store = play.endpoint.open_store()
    with contextlib.ExitStack() as stack:
        ctx = play.context(store, stranger=True)
        stack.callback(ctx.cache.close)
        stack.callback(ctx.spool.close)
        assert await play.read(ctx) == play.scene.objects
        assert await play.leftovers(store) == set()
    await store.aclose()
    assert play.files() == (dict(play.scene.files), [])


def check_message(ended: Ended, *words: str, code: int = 1) -> None:
    assert ended.code == code, ended
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err


SAID = {"injected": "disk is full", "limit": "too large", "real": "full"}


def named(disk: Disk, path: Path) -> str:
    """What the message must name; a limit of the process is met in other places first."""
    return str(path if disk.way != "limit" else path.parents[-2])


async def test_no_room_for_temporary_files(disk: Disk, play: Play) -> None:
    play = dataclasses.replace(play, settings={"DG_TEMP_DIR": str(disk.path)})
    disk.fill(leaving=0)  # The delta alone is written there, and is small: its proof goes through a pipe.
    up = disk.run(play, *play.command)
    if disk.way == "injected":  # Only xdelta3 writes there on the way up, and its disk is not full.
        assert up.code == 0
    else:
        check_message(
            up, named(disk, disk.path), SAID[disk.way], "DG_TEMP_DIR" if disk.way != "limit" else "raise the limit"
        )
        await check_all_is_as_it_was(play)
    assert disk.files() == []


async def test_no_room_for_a_delta_on_its_way_down(disk: Disk, play: Play) -> None:
    play = dataclasses.replace(play, settings={"DG_TEMP_DIR": str(disk.path), "DG_CACHE_DIR": str(play.here / "cache")})
    disk.fill(leaving=0)
    down = disk.run(play, "cp", f"s3://{play.bucket}/p/a.zip", "there/a.zip")
    if disk.way == "limit":  # The reference is what does not fit.
        check_message(down, SAID[disk.way])
    else:
        check_message(down, str(disk.path), "disk is full", "DG_TEMP_DIR")
    await check_all_is_as_it_was(play)
    assert disk.files() == []


@pytest.mark.parametrize("key", ["p/a.zip", "p/c.txt"])
async def test_no_room_for_a_download(disk: Disk, play: Play, key: str) -> None:
    target = disk.path / "target"
    (disk.inside / "target").write_bytes(b"old")
    disk.fill(leaving=LIMIT)
    down = disk.run(play, "cp", f"s3://{play.bucket}/{key}", str(target))
    if (disk.way, key) == ("injected", "p/a.zip"):  # xdelta3 writes it.
        assert down.code == 0
    else:
        check_message(down, "small/target " if disk.way != "limit" else "", SAID[disk.way])
        assert (disk.inside / "target").read_bytes() == b"old"
    assert disk.files() == ["target"]
    await check_all_is_as_it_was(play)


async def test_a_full_cache_is_done_without(disk: Disk, play: Play) -> None:
    play = dataclasses.replace(play, settings={"DG_CACHE_DIR": str(disk.path / "cache")})
    disk.fill(leaving=LIMIT)
    if disk.way == "limit":  # It holds for what takes the cache's place as well.
        check_message(disk.run(play, *play.command), "using a temporary one", SAID[disk.way])
        await check_all_is_as_it_was(play)
        return
    up = disk.run(play, *play.command)
    assert (up.code, up.out) == (0, f"upload: ./a.zip to s3://{play.bucket}/p/a.zip\n"), up
    assert up.err.count("using a temporary one") == 1
    down = disk.run(play, "cp", f"s3://{play.bucket}/p/a.zip", "there/a.zip")
    assert down.code == 0
    assert (play.here / "there/a.zip").read_bytes() == NEW
    assert play.temporary() == []
    assert [name for name in disk.files() if Path(name).parent.name == "in-use"] == []


@pytest.mark.parametrize("name", ["a.zip", "a.txt"])
async def test_no_room_in_the_embedded_store(disk: Disk, play: Play, name: str) -> None:
    shutil.copytree(play.here / "store", disk.inside / "store")
    (play.here / "a.zip").rename(play.here / name)
    # A file that is nothing like the reference, hence stored whole.
    (play.here / name).write_bytes(noise("unlike", SIZE))
    disk.fill(leaving=LIMIT)
    full = dataclasses.replace(play, settings={"DG_ENDPOINT_URL": (disk.path / "store").as_uri()})
    ended = disk.run(full, "cp", name, f"s3://{play.bucket}/p/{name}")
    check_message(ended, named(disk, disk.path / "store"), "full" if disk.way != "limit" else "")
    (play.here / name).write_bytes(NEW)
    (play.here / name).rename(play.here / "a.zip")
    # SQLite opens no file that lies in another mount namespace.
    shutil.rmtree(play.here / "store")
    shutil.copytree(disk.inside / "store", play.here / "store")
    await check_all_is_as_it_was(play)


async def test_no_room_for_a_page_of_the_index(disks: Disk, play: Play) -> None:
    objects = [f"{play.here}/many/{number}.txt" for number in range(40)]
    for path in objects:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(b"small")
    ended = disks.commands.run(play, "cp", "-r", "many", f"s3://{play.bucket}/many", full_index=True)
    shutil.rmtree(play.here / "many")
    failed = ended.err.splitlines()
    assert ended.code == 1
    assert failed
    for line in failed[:-1]:
        assert f"cannot write {play.here}/store/index.db: the disk is full" in line
    store = play.endpoint.open_store()
    keys = [entry.key async for page in store.list_objects(play.bucket, "many/") for entry in page]
    assert len(keys) == ended.out.count("upload: ")
    for key in keys:
        await store.delete(play.bucket, key)
    await store.aclose()
    await check_all_is_as_it_was(play)
