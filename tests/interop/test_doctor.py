"""A bucket that 6.2.0 wrote and damaged: the doctor names the damage, and brings back what can be had back."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.engine.clinic import diagnose, mend
from tests.engine.world import World, noise, revised
from tests.interop.predecessor import Predecessor

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")
OTHER = noise("another thing")


async def reads(world: World, old: Predecessor | None, files: dict[str, bytes]) -> None:
    """Both tools read the files, and the doctor has nothing more to say."""
    ctx = world.client()
    for key, data in files.items():
        assert await world.get(ctx, key) == data
        if old is not None:
            assert old.read(key) == data
    assert await diagnose(world.client(), world) == []


async def keep(world: World) -> dict[str, tuple[bytes, dict[str, str]]]:
    """All that is stored, to be put back later: as if it had been stored at the same time."""
    return {key: (await world.body(key), dict(found.metadata)) for key, found in (await world.stored()).items()}


async def test_d1_deltas_of_gz_files(world: World, old: Predecessor) -> None:
    text = b"".join(b"line %d of a text\n" % number for number in range(5000))
    first = gzip.compress(text, 1, mtime=1)
    second = gzip.compress(text + b"one more", 1, mtime=2)
    old.upload("p/", {"a.tgz": first, "b.tgz": second})
    assert old.run("cp", old.url("p/b.tgz"), str(old.directory() / "back"), check=False).returncode == 1
    found = await mend(world)
    # What can be packed again as it was reads here; of all else the doctor says whose turn it is.
    for code, key, state in found:
        assert (code, state) == ("delta_damaged", "wrong")
        assert key in ("p/a.tgz.delta", "p/b.tgz.delta")
    damaged = {key.removesuffix(".delta") for _, key, _ in found}
    for key, data in {"p/a.tgz": first, "p/b.tgz": second}.items():
        if key not in damaged:
            assert await world.get(world.client(), key) == data


async def test_d2_two_first_uploads(world: World, old: Predecessor, tmp_path: Path) -> None:
    old.upload("p/", {"a.zip": V1})
    winner = await keep(world)
    for key in winner:
        await world.store.delete(world.bucket, key)
    old.upload("p/", {"b.zip": OTHER})
    data, metadata = winner["p/a.zip.delta"]
    await world.put_raw("p/a.zip.delta", data, metadata)
    assert old.run("cp", old.url("p/a.zip"), str(old.directory() / "back"), check=False).returncode == 1
    assert await diagnose(world.client(), world) == [("reference_changed", "p/a.zip.delta", "wrong")]
    (tmp_path / "the first file").write_bytes(V1)
    assert await mend(world, sources=(tmp_path,)) == [("reference_changed", "p/a.zip.delta", "mended")]
    await reads(world, old, {"p/a.zip": V1, "p/b.zip": OTHER})


async def test_d3_and_d4_a_reference_that_was_deleted(world: World, old: Predecessor, tmp_path: Path) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    old.run("rm", old.url("p/reference.bin"))
    assert old.run("cp", old.url("p/b.zip"), str(old.directory() / "back"), check=False).returncode == 1
    lost = [("reference_missing", f"p/{name}.zip.delta", "wrong") for name in "ab"]
    assert await diagnose(world.client(), world) == lost
    (tmp_path / "a.zip").write_bytes(V1)
    found = await mend(world, sources=(tmp_path / "a.zip",))
    assert found == [(code, key, "mended") for code, key, _ in lost]
    await reads(world, old, {"p/a.zip": V1, "p/b.zip": V2})


async def test_d6_a_file_over_the_reference(world: World, old: Predecessor, tmp_path: Path) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    mine = old.directory({"reference.bin": b"a file of the user's"})
    old.run("cp", "--no-delta", str(mine / "reference.bin"), old.url("p/reference.bin"))
    (tmp_path / "a.zip").write_bytes(V1)
    found = await mend(world, sources=(tmp_path / "a.zip",))
    assert found == [("reference_changed", f"p/{name}.zip.delta", "mended") for name in "ab"]
    await reads(world, old, {"p/a.zip": V1, "p/b.zip": V2})
    assert await world.body("p/reference.bin") == b"a file of the user's"


async def test_d10_both_forms(world: World, old: Predecessor) -> None:
    old.upload("p/", {"base.zip": V1})
    old.upload("p/", {"x.zip": V2}, "--no-delta")
    old.upload("p/", {"x.zip": V3})
    assert {"p/x.zip", "p/x.zip.delta"} < (await world.stored()).keys()
    assert old.read("p/x.zip") == V2  # The older one.
    assert await world.get(world.client(), "p/x.zip") == V3
    assert await diagnose(world.client(), world) == [("two_forms", "p/x.zip", "note")]
    assert await mend(world) == [("two_forms", "p/x.zip", "mended")]
    assert "p/x.zip" not in await world.stored()
    await reads(world, old, {"p/base.zip": V1, "p/x.zip": V3})


async def test_d14c_a_delta_copied_as_a_file(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    old.run("cp", old.url("p/b.zip.delta"), old.url("c/x"))
    assert "c/b.zip.delta" in await world.stored()
    assert old.read("c/b.zip").startswith(b"\xd6\xc3\xc4")
    assert await diagnose(world.client(), world) == [("raw_delta", "c/b.zip.delta", "wrong")]
    assert await mend(world) == [("raw_delta", "c/b.zip.delta", "mended")]
    await reads(world, old, {"p/a.zip": V1, "p/b.zip": V2, "c/b.zip": V2})


async def test_d14d_a_reference_that_was_left_alone(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1})
    await world.store.delete(world.bucket, "p/a.zip.delta")
    assert await mend(world, older_than=0.0) == [("reference_unused", "p/reference.bin", "mended")]
    assert await world.stored() == {}


async def test_d14e_a_deltaspace_moved_with_a_plain_copy(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    for key, (data, metadata) in (await keep(world)).items():
        await world.put_raw("q/" + key.removeprefix("p/"), data, metadata)
        await world.store.delete(world.bucket, key)
    assert old.run("cp", old.url("q/b.zip"), str(old.directory() / "back"), check=False).returncode == 1
    found = await mend(world)
    assert found == [("reference_elsewhere", f"q/{name}.zip.delta", "mended") for name in "ab"]
    await reads(world, old, {"q/a.zip": V1, "q/b.zip": V2})


async def test_d21_a_slash_that_was_dropped_is_no_damage(world: World, old: Predecessor) -> None:
    place = old.directory({"f.zip": V1})
    old.run("cp", str(place / "f.zip"), old.url("dir/"))
    assert sorted(await world.stored()) == ["f.zip.delta", "reference.bin"]
    await reads(world, old, {"f.zip": V1})


async def test_metadata_that_were_lost(world: World, old: Predecessor) -> None:
    old.upload("p/", {"a.zip": V1, "b.zip": V2})
    for key, (data, _) in (await keep(world)).items():
        await world.put_raw(key, data)
    found = await mend(world)
    assert found == [
        ("metadata_lost", "p/a.zip.delta", "mended"),
        ("metadata_lost", "p/b.zip.delta", "mended"),
        ("metadata_lost", "p/reference.bin", "mended"),
    ]
    await reads(world, old, {"p/a.zip": V1, "p/b.zip": V2})
    # The predecessor adds to what was mended.
    old.upload("p/", {"c.zip": V3})
    await reads(world, old, {"p/c.zip": V3})
