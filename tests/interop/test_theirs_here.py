"""What the predecessor wrote reads here, in all its spellings, and can be added to and deleted."""

from __future__ import annotations

import subprocess

import pytest

from deltaglider.bulk.verify import verify_tree as verify_all
from deltaglider.engine.delete import delete
from deltaglider.engine.inspect import head
from deltaglider.engine.stats import stats
from deltaglider.layout.keys import STATISTICS
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.interop.predecessor import DIALECTS, Predecessor

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_deltas_and_whole_files_read_in_every_spelling(world: World, old: Predecessor, dialect: str) -> None:
    deltas = {"p/a.zip": V1, "p/b.zip": V2}
    old.upload("p/", {"a.zip": V1, "b.zip": V2, "note.txt": b"direct"})
    old.upload("p/", {"plain.zip": V3}, "--no-delta")
    assert {"p/a.zip.delta", "p/b.zip.delta", "p/note.txt", "p/plain.zip", "p/reference.bin"} == set(
        await world.stored()
    )
    old.respell(dialect)

    ctx = world.client()
    files = {**deltas, "p/note.txt": b"direct", "p/plain.zip": V3}
    assert await world.names(ctx) == sorted(files)
    for key, data in files.items():
        assert await world.get(ctx, key) == data
        info = await head(ctx, world.bucket, key)
        assert (info.size, info.is_delta, info.metadata) == (len(data), key in deltas, {})
        assert info.sha256 == ("" if key == "p/plain.zip" else sha256(data))
    assert all([result.valid async for result in verify_all(ctx, world.bucket, "")])
    stored = await world.stored()
    found = await stats(ctx, world.bucket)  # It keeps its figures in the bucket, which are no part of them.
    assert (found.object_count, found.delta_objects, found.reference_objects) == (4, 2, 1)
    assert found.compressed_size == sum(entry.size for entry in stored.values())

    # It can be added to: ours is a delta too, of a reference that theirs do not touch.
    assert (await world.put(ctx, "p/c.zip", V3)).operation == "create_delta"
    files["p/c.zip"] = V3
    assert reference_at("p/", V1) in await world.stored()
    assert old.read_all("p/") == files
    # And replaced.
    for key in ("p/a.zip", "p/note.txt"):
        await world.put(ctx, key, files[key] + b" again")
        files[key] += b" again"
    assert old.read_all("p/") == files
    # And deleted, with all that belongs to it.
    for key in files:
        await delete(ctx, world.bucket, key)
    assert not [key for key in await world.stored() if not key.startswith(STATISTICS)]


async def test_files_at_the_root_and_below_read_side_by_side(world: World, old: Predecessor) -> None:
    for place in ("", "p/", "p/q/", "p/v1.0/"):
        old.upload(place, {"a.zip": revised(V1, place), "b.zip": revised(V2, place)})
    ctx = world.client()
    for place in ("", "p/", "p/q/", "p/v1.0/"):
        assert await world.get(ctx, f"{place}a.zip") == revised(V1, place)
        assert await world.get(ctx, f"{place}b.zip") == revised(V2, place)
        assert (await world.put(ctx, f"{place}c.zip", revised(V3, place))).is_delta
    for place in ("p/", "p/q/", "", "p/v1.0/"):
        await delete(ctx, world.bucket, f"{place}a.zip")
        await delete(ctx, world.bucket, f"{place}b.zip")
    fresh = world.client()
    for place in ("", "p/", "p/q/", "p/v1.0/"):
        assert await world.get(fresh, f"{place}c.zip") == revised(V3, place)


async def test_packed_files_it_could_store_read_here(world: World, old: Predecessor) -> None:
    """It unpacks .gz, .bz2 and .xz by itself; what the packer's defaults made, it got back, and so do we."""
    packers = {"gz": ["gzip", "-nc"], "bz2": ["bzip2", "-c"], "xz": ["xz", "-c"]}
    text = ["\n".join(f"{number} line {number % 7}" for number in range(n, 20_000)).encode() for n in (0, 50)]
    for suffix, command in packers.items():
        files = {
            f"{number}.{suffix}": subprocess.run(command, input=data, capture_output=True, check=True).stdout
            for number, data in enumerate(text)
        }
        old.upload(f"{suffix}/", files)
        ctx = world.client()
        for name, data in files.items():
            assert await world.get(ctx, f"{suffix}/{name}") == data


async def test_what_it_stored_beside_an_older_form_is_the_newest(world: World, old: Predecessor) -> None:
    """It stores a delta and leaves the whole file of the same name there; it then reads the old one, we the new one."""
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1, delta=False)
    old.upload("p/", {"a.zip": V2})
    assert {"p/a.zip", "p/a.zip.delta"} <= set(await world.stored())
    assert await world.get(ctx, "p/a.zip") == V2
    assert await world.names(ctx) == ["p/a.zip"]
