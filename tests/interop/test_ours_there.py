"""What we write reads in the predecessor, and what it does in the same bucket leaves all of ours readable."""

from __future__ import annotations

import os
import time

import pytest

from deltaglider.client.aio import AsyncDeltaGliderClient
from deltaglider.engine.delete import delete
from tests.archive.material import Member, content, zipped
from tests.codec.test_headers import release as tar_release
from tests.engine.world import World, noise, revised
from tests.interop.predecessor import Predecessor

V1 = noise("v1")


def version(number: int) -> bytes:
    return revised(V1, number)


OURS = {
    "root.zip": V1,
    "other.zip": version(1),
    "releases/v1.0.0/app.zip": version(2),
    "releases/v2.0.0/app.zip": version(3),
    "releases/v2.0.0/readme.txt": b"whole",
    "p/a.zip": version(4),
    "p/b.jar": version(5),
    "p/unrelated.zip": noise("unrelated"),
    "p/sub/c.zip": version(6),
    "p2/d.zip": version(7),
}


async def ours(world: World, **options: object) -> None:
    ctx = world.client(archive="never")  # It reads no others.
    for key, data in OURS.items():
        await world.put(ctx, key, data, **options)


async def all_of_ours_read(world: World, *, but: tuple[str, ...] = ()) -> None:
    ctx = world.client()
    for key, data in OURS.items():
        if key not in but:
            assert await world.get(ctx, key) == data


async def test_it_reads_all_that_we_write(world: World, old: Predecessor) -> None:
    await ours(world, metadata={"team": "core"}, headers={"ContentType": "application/x-mine"})
    for prefix in ("releases/", "p2/"):
        assert old.read_all(prefix) == {key: data for key, data in OURS.items() if key.startswith(prefix)}
    # Its prefixes are mere strings: p/ takes in p2/.
    read = old.read_all("p/")
    assert read.pop("p/2/d.zip") == OURS["p2/d.zip"]
    assert read == {key: data for key, data in OURS.items() if key.startswith("p/")}
    assert old.read("root.zip") == OURS["root.zip"]
    assert old.read("other.zip") == OURS["other.zip"]
    assert '"valid": true' in old.run("verify", old.url("releases/v2.0.0/app.zip.delta")).stdout


ZIPS = [zipped(Member(b"a.txt", content(20_000, change=change))) for change in (0, 1)]


TARS = [tar_release(number) for number in (1, 2)]


@pytest.mark.parametrize(
    ("settings", "files", "codec"),
    [({}, ZIPS, "archive"), ({"codec": "zstd"}, ZIPS, "archive"), ({}, TARS, "headers")],
    ids=["xdelta3 inside", "zstd inside", "headers"],
)
async def test_it_fails_cleanly_on_deltas_of_archives_and_harms_nothing(
    world: World, old: Predecessor, settings: dict[str, str], files: list[bytes], codec: str
) -> None:
    """Whichever of its commands reads one ends with an error, and leaves no file of that name."""
    ctx = world.client(**settings)
    await world.put(ctx, "p/1.zip", files[0])
    await world.put(ctx, "p/2.zip", files[1])
    assert (await world.store.head(world.bucket, "p/2.zip.delta")).metadata["dg-codec"] == codec
    before = {key: await world.body(key) for key in await world.stored()}
    here = old.directory()
    for command in (
        ("cp", old.url("p/2.zip"), str(here / "2.zip")),
        ("cp", "-r", old.url("p/"), str(here)),
        ("sync", old.url("p/"), str(here)),
        ("verify", old.url("p/2.zip.delta")),
    ):
        ran = old.run(*command, check=False)
        assert ran.returncode == 1, command
        assert "not a VCDIFF input" in ran.stderr, command
        assert not (here / "2.zip").exists(), command
    assert {key: await world.body(key) for key in await world.stored()} == before
    assert await world.get(world.client(), "p/2.zip") == files[1]


async def test_it_reads_archives_that_were_written_without_such_deltas(world: World, old: Predecessor) -> None:
    """Also one that had such a delta before, once it is uploaded again."""
    for settings in ({}, {"archive": "never"}):
        ctx = world.client(**settings)
        await world.put(ctx, "p/1.zip", ZIPS[0])
        await world.put(ctx, "p/2.zip", ZIPS[1])
    assert "dg-codec" not in (await world.store.head(world.bucket, "p/2.zip.delta")).metadata
    assert old.read_all("p/") == {"p/1.zip": ZIPS[0], "p/2.zip": ZIPS[1]}
    assert old.read("p/2.zip") == ZIPS[1]
    assert '"valid": true' in old.run("verify", old.url("p/2.zip.delta")).stdout


@pytest.mark.parametrize("name", ["café.zip", "with space.zip", "a+b%20c.zip", "-dash.zip", "日本語.zip"])
async def test_it_reads_names_of_any_script(world: World, old: Predecessor, name: str) -> None:
    ctx = world.client()
    await world.put(ctx, "p/first.zip", V1)
    await world.put(ctx, f"p/{name}", version(1))
    assert old.read_all("p/") == {"p/first.zip": V1, f"p/{name}": version(1)}


async def test_its_uploads_beside_ours_leave_ours_alone(world: World, old: Predecessor) -> None:
    await ours(world)
    theirs = {place: {"t1.zip": version(20), "t2.zip": version(21)} for place in ("", "p/", "releases/v2.0.0/")}
    for place, files in theirs.items():
        old.upload(place, files)
    await all_of_ours_read(world)
    ctx = world.client()
    for place, files in theirs.items():
        for name, data in files.items():
            assert await world.get(ctx, f"{place}{name}") == data
    expected = sorted([*OURS, *(f"{place}{name}" for place, files in theirs.items() for name in files)])
    assert await world.names(ctx) == expected  # Its reference.bin is not among them.
    assert "p/reference.bin" in await world.stored()


async def test_its_upload_over_ours_is_the_newest(world: World, old: Predecessor) -> None:
    await ours(world)
    old.upload("p/", {"a.zip": version(30)})
    old.upload("releases/v2.0.0/", {"readme.txt": b"theirs"})
    ctx = world.client()
    assert await world.get(ctx, "p/a.zip") == version(30)
    assert await world.get(ctx, "releases/v2.0.0/readme.txt") == b"theirs"
    await all_of_ours_read(world, but=("p/a.zip", "releases/v2.0.0/readme.txt"))


async def test_its_deletes_leave_the_rest_of_ours_readable(world: World, old: Predecessor) -> None:
    await ours(world)
    for key in ("root.zip", "releases/v1.0.0/app.zip", "p/a.zip"):
        old.run("rm", old.url(key))
    old.run("rm", "-r", old.url("p2/"))
    old.run("rm", "-r", old.url("p/sub/"))
    gone = ("root.zip", "releases/v1.0.0/app.zip", "p/a.zip", "p2/d.zip", "p/sub/c.zip")
    await all_of_ours_read(world, but=gone)
    ctx = world.client()
    assert await world.names(ctx) == sorted(set(OURS) - set(gone))
    # And what is left can be added to.
    for place in ("", "releases/v3/", "p/", "p2/", "p/sub/"):
        await world.put(ctx, f"{place}new.zip", version(40))
        assert await world.get(world.client(), f"{place}new.zip") == version(40)
    left = ("releases/v2.0.0/app.zip", "releases/v2.0.0/readme.txt")
    assert old.read_all("releases/v2.0.0/") == {key: OURS[key] for key in left}


async def test_its_deletes_of_its_own_leave_all_of_ours_readable(world: World, old: Predecessor) -> None:
    await ours(world)
    for place in ("", "p/", "theirs/"):
        old.upload(place, {"t1.zip": version(20), "t2.zip": version(21)})
    # New ones of ours, in a directory with a reference of its: they must not hang on that.
    ctx = world.client()
    await world.put(ctx, "theirs/mine.zip", version(22))
    for place in ("", "p/"):
        old.run("rm", old.url(f"{place}t1.zip"))
        old.run("rm", old.url(f"{place}t2.zip"))
    old.run("rm", old.url("theirs/t1.zip"))
    old.run("rm", old.url("theirs/t2.zip"))
    await all_of_ours_read(world)
    assert await world.get(world.client(), "theirs/mine.zip") == version(22)
    # Even if somebody removes its reference by hand.
    old.run("rm", old.url("theirs/reference.bin"), check=False)
    assert await world.get(world.client(), "theirs/mine.zip") == version(22)


@pytest.mark.parametrize("prefix", ["", "p/", "releases/"])
async def test_its_sync_with_delete_leaves_ours_readable(world: World, old: Predecessor, prefix: str) -> None:
    await ours(world)
    mine = {key.removeprefix(prefix): data for key, data in OURS.items() if key.startswith(prefix)}
    place = old.directory(mine)
    # Older than what is stored, or it would upload them all again.
    for path in place.rglob("*"):
        os.utime(path, (time.time() - 3600,) * 2)
    url = old.url(prefix).rstrip("/") + ("/" if not prefix else "")
    old.run("sync", "--delete", str(place), url)
    # At the root it removes a reference.bin of its own, if there is one; here a second run has nothing to do.
    old.run("sync", "--delete", str(place), url)
    # Its prefix is a mere string: p takes p2/ along, which it then finds missing on this side.
    beyond = tuple(key for key in OURS if prefix == "p/" and key.startswith("p2/"))
    await all_of_ours_read(world, but=beyond)

    gone = next(name for name in mine if name.endswith(".zip"))
    (place / gone).unlink()
    old.run("sync", "--delete", str(place), url)
    await all_of_ours_read(world, but=(*beyond, prefix + gone))
    assert prefix + gone not in await world.names(world.client())


async def test_its_sync_of_a_root_with_references_of_its_own_leaves_ours_readable(
    world: World, old: Predecessor
) -> None:
    """There it deletes its own reference.bin, and with it all of its files; ours made after them must stay."""
    old.upload("", {"t1.zip": version(20), "t2.zip": version(21)})
    await ours(world)
    place = old.directory({**OURS, "t1.zip": version(20), "t2.zip": version(21)})
    for path in place.rglob("*"):
        os.utime(path, (time.time() - 3600,) * 2)
    old.run("sync", "--delete", str(place), old.url())
    assert "reference.bin" not in await world.stored()
    await all_of_ours_read(world)


async def test_our_deletes_and_syncs_leave_its_files_readable(world: World, old: Predecessor) -> None:
    theirs = {"t1.zip": version(20), "t2.zip": version(21), "note.txt": b"direct"}
    for place in ("p/", "releases/v1.0.0/"):
        old.upload(place, theirs)
    await ours(world)
    ctx = world.client()
    for key in OURS:
        await delete(ctx, world.bucket, key)
    for place in ("p/", "releases/v1.0.0/"):
        assert old.read_all(place) == {f"{place}{name}": data for name, data in theirs.items()}

    # A sync with delete, of a directory that has what is there and one file more, removes nothing of theirs.
    source = old.directory({**theirs, "mine.zip": version(22)})
    async with AsyncDeltaGliderClient(ctx.settings) as client:
        await client.sync(str(source), f"s3://{world.bucket}/p", delete=True)
    assert old.read_all("p/") == {**{f"p/{name}": data for name, data in theirs.items()}, "p/mine.zip": version(22)}
    assert "p/reference.bin" in await world.stored()
    # And with one of theirs gone, only that one is deleted.
    (source / "t1.zip").unlink()
    async with AsyncDeltaGliderClient(ctx.settings) as client:
        await client.sync(str(source), f"s3://{world.bucket}/p", delete=True)
    expected = {"p/t2.zip": version(21), "p/note.txt": b"direct", "p/mine.zip": version(22)}
    assert old.read_all("p/") == expected
    fresh = world.client()
    assert {key: await world.get(fresh, key) for key in expected} == expected


async def test_it_fails_cleanly_on_what_zstd_made_and_harms_nothing(world: World, old: Predecessor) -> None:
    """It knows no codec but xdelta3: it says so, writes no file, and reads the rest."""
    await world.put(world.client(), "z/a.zip", V1)
    await world.put(world.client(codec="zstd"), "z/b.zip", version(1))
    assert (await world.store.head(world.bucket, "z/b.zip.delta")).metadata["dg-codec"] == "zstd"
    target = old.directory() / "b.zip"
    ran = old.run("cp", old.url("z/b.zip"), str(target), check=False)
    assert ran.returncode == 1
    assert "xdelta3" in ran.stderr
    assert not target.exists()
    assert old.read("z/a.zip") == V1
    old.upload("z/", {"c.zip": version(2)})
    assert old.read("z/c.zip") == version(2)
    for name, data in (("a", V1), ("b", version(1)), ("c", version(2))):
        assert await world.get(world.client(), f"z/{name}.zip") == data
