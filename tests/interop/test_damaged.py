"""What 6.2.0 stored and cannot give back itself: reads here, or is rescued."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from deltaglider.engine.rescue import Rescue, rescue
from deltaglider.errors import MetadataLostError, ReferenceCorruptError, ReferenceMissingError
from tests.engine.world import World, noise, revised, sha256
from tests.interop.predecessor import Predecessor

V1 = noise("v1")
V2 = revised(V1, "v2")
OTHER = noise("another thing")


def run(*command: str, cwd: Path, content: bytes = b"") -> bytes:
    quiet = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(command, cwd=cwd, env=quiet, input=content, check=True, capture_output=True).stdout


def sources(place: Path, version: int) -> Path:
    """A directory of sources."""
    tree = place / f"app-{version}"
    tree.mkdir(parents=True)
    for number in range(20):
        lines = b"".join(b"%d %d %d\n" % (number, line, line * 7919 % 1009) for line in range(300))
        (tree / f"file{number}.py").write_bytes(lines + b"version %d\n" % (version if number == 3 else 0))
    return tree


def packages(place: Path, version: int) -> dict[str, bytes]:
    """The same content, as the usual programs pack it."""
    tree = sources(place, version)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    run("git", "init", "-q", cwd=tree)
    run("git", "add", ".", cwd=tree)
    run(*git, "commit", "-q", "-m", "version", cwd=tree)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.add(tree, tree.name, filter=lambda member: None if ".git" in member.name else member)
    with tarfile.open(place / f"python-{version}.tar.gz", "w:gz") as archive:
        archive.add(tree / "file3.py", "file3.py")
    (place / f"gzip-{version}.tar").write_bytes(plain.getvalue())
    run("gzip", f"gzip-{version}.tar", cwd=place)
    return {
        f"archive-{version}.tar.gz": run("git", "archive", "--format=tar.gz", "HEAD", cwd=tree),
        f"python-{version}.tar.gz": (place / f"python-{version}.tar.gz").read_bytes(),
        f"gzip-{version}.tar.gz": (place / f"gzip-{version}.tar.gz").read_bytes(),
        f"fast-{version}.tgz": run("gzip", "-1", "-n", "-c", cwd=place, content=plain.getvalue()),
        f"best-{version}.tgz": run("gzip", "-9", "-n", "-c", cwd=place, content=plain.getvalue()),
        f"bzip2-{version}.tar.bz2": run("bzip2", "-1", "-c", cwd=place, content=plain.getvalue()),
        f"xz-{version}.tar.xz": run("xz", "-0", "-c", cwd=place, content=plain.getvalue()),
        f"plain-{version}.tar": plain.getvalue(),
    }


@pytest.mark.parametrize("first", ["archive-1.tar.gz", "plain-1.tar", "xz-1.tar.xz"])
async def test_d1_packed_files_come_back_byte_for_byte(
    world: World, old: Predecessor, tmp_path: Path, first: str
) -> None:
    one, two = packages(tmp_path, 1), packages(tmp_path, 2)
    old.upload("p/", {first: one[first]})
    old.run("cp", "-r", str(old.directory(two)), old.url("p/"))
    back = old.run("cp", old.url("p/best-2.tgz"), str(old.directory() / "back"), check=False)
    assert back.returncode == 1
    assert "mismatch" in back.stdout + back.stderr
    ctx = world.client()
    for name, data in {first: one[first], **two}.items():
        assert await world.get(ctx, f"p/{name}") == data, name


async def test_d1_of_what_no_way_gives_the_content_is_rescued(world: World, old: Predecessor, tmp_path: Path) -> None:
    content = packages(tmp_path, 1)["plain-1.tar"]
    half = len(content) // 2
    parts = [run("gzip", "-n", "-c", cwd=tmp_path, content=part) for part in (content[:half], content[half:])]
    old.upload("p/", {"a.tar": content[:half], "b.tgz": b"".join(parts)})
    target = world.place("b.tgz")
    summary = await rescue(world.client(), Rescue(world.bucket, "p/b.tgz", target))
    assert (summary.exact, summary.expected_sha256) == (False, sha256(b"".join(parts)))
    assert Path(summary.path) == target.with_name("b.tgz.unpacked.tar")
    assert Path(summary.path).read_bytes() == content


async def saved(world: World, key: str, reference: bytes | None = None) -> tuple[bytes, bool]:
    target = world.place()
    given = world.file(reference) if reference is not None else None
    summary = await rescue(world.client(), Rescue(world.bucket, key, target, given))
    return target.read_bytes(), summary.exact


async def test_d2_the_loser_of_two_first_uploads(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "a2.zip": V2})
    deltas = {key: (await world.body(key), found.metadata) for key, found in (await world.stored()).items()}
    for key in deltas:
        await world.store.delete(world.bucket, key)
    old.upload("p/", {"b.zip": OTHER})
    for key in ("p/a.zip.delta", "p/a2.zip.delta"):
        await world.put_raw(key, *deltas[key])
    assert await world.get(world.client(), "p/b.zip") == OTHER
    with pytest.raises(ReferenceCorruptError, match="--reference FILE"):
        await saved(world, "p/a2.zip")
    assert await saved(world, "p/a2.zip", V1) == (V2, True)
    assert await saved(world, "p/a.zip", V1) == (V1, True)


async def test_d3_a_reference_that_is_gone(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    old.run("rm", old.url("p/reference.bin"))
    with pytest.raises(ReferenceMissingError, match="--reference FILE"):
        await saved(world, "p/b.zip")
    assert await saved(world, "p/b.zip", V1) == (V2, True)


async def test_d10_the_newer_form_is_read(world: World, old: Predecessor) -> None:
    old.upload("p/", {"b.zip": V1})
    old.upload("p/", {"b.zip": V2}, "--no-delta")
    old.upload("p/", {"b.zip": OTHER})
    assert old.read("p/b.zip") == V2
    assert await world.get(world.client(), "p/b.zip") == OTHER
    assert await saved(world, "p/b.zip") == (OTHER, True)


async def test_d14c_a_delta_stored_as_a_file(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    old.run("cp", old.url("p/b.zip.delta"), old.url("c/x"))
    (stray,) = [key for key in await world.stored() if key.startswith("c/")]
    with pytest.raises(MetadataLostError):
        await saved(world, stray)
    assert await saved(world, stray, V1) == (V2, False)


async def test_d14e_a_deltaspace_moved_with_a_plain_copy(world: World, old: Predecessor, tmp_path: Path) -> None:
    files = {name: data for name, data in packages(tmp_path, 1).items() if name.endswith(".tgz")}
    old.upload("p/", files)
    for key in await world.stored():
        await world.store.copy(world.bucket, key, world.bucket, "q/" + key.removeprefix("p/"))
        await world.store.delete(world.bucket, key)
    for name, data in files.items():
        assert await world.get(world.client(), f"q/{name}") == data


async def test_d21_a_dropped_directory(world: World, old: Predecessor) -> None:
    place = old.directory({"f.zip": V1})
    old.run("cp", str(place / "f.zip"), old.url("dir/"))
    assert await saved(world, "f.zip") == (V1, True)
