"""head, stats and doctor: what is there, what it costs, and whether this machine is fit."""

from __future__ import annotations

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.doctor import examine
from deltaglider.engine.inspect import head
from deltaglider.engine.stats import stats
from deltaglider.errors import BucketNotFoundError, NotFoundError
from deltaglider.models import BucketStats
from tests.engine.test_delete import as_by_620
from tests.engine.test_references import classic
from tests.engine.world import World, noise, revised, sha256

V1 = noise("v1")
V2 = revised(V1, "v2")


async def stored_bytes(world: World, prefix: str = "") -> int:
    return sum(found.size for key, found in (await world.stored()).items() if key.startswith(prefix))


@pytest.mark.endpoints("directory", "moto")
async def test_stats_count_all_that_is_stored(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    files = {"p/a.zip": V1, "p/b.zip": V2, "p/c.txt": b"text", "q/v1/a.zip": V1, "q/v2/a.zip": V2, "fw.delta": b"x"}
    for key, data in files.items():
        await world.put(ctx, key, data)
    total = sum(map(len, files.values()))
    found = await stats(ctx, world.bucket, use_cache=False)
    assert found == BucketStats(
        bucket=world.bucket,
        prefix="",
        object_count=6,
        total_size=total,
        compressed_size=await stored_bytes(world),
        delta_objects=4,
        direct_objects=2,
        reference_objects=2,
        reference_size=2 * len(V1),
    )
    assert found.space_saved == total - await stored_bytes(world)
    part = await stats(ctx, world.bucket, "q/v1/", use_cache=False)
    assert (part.object_count, part.total_size, part.reference_objects) == (1, len(V1), 0)
    assert part.compressed_size == await stored_bytes(world, "q/v1/")


async def test_stats_count_what_nobody_can_ask_for(world: World, ctx: Context) -> None:
    """References of earlier tools, copies in the trash, temporary objects, and a form another one outdates."""
    await as_by_620(world, "old/")
    await world.put_raw("reference.bin", V1, classic(V1))
    await world.put_raw(f"old/.deltaglider/trash/{sha256(V1)}/1/reference.bin", V1)
    await world.put_raw(".deltaglider/tmp/1_a.zip", b"temporary")
    await world.put(ctx, "p/a.zip", V1)
    await world.put_raw("p/a.zip", b"newer")
    world.age("p/a.zip", -60)
    found = await stats(ctx, world.bucket, use_cache=False)
    assert found.compressed_size == await stored_bytes(world)
    assert (found.object_count, found.delta_objects, found.direct_objects) == (3, 2, 1)
    assert (found.reference_objects, found.reference_size) == (3, 3 * len(V1))
    assert found.total_size == len(V1) + len(V2) + len(b"newer")


async def test_stats_of_nothing_and_of_what_is_not_there(world: World, ctx: Context) -> None:
    empty = await stats(ctx, world.bucket, use_cache=False)
    assert (empty.object_count, empty.total_size, empty.compressed_size, empty.savings_percent) == (0, 0, 0, 0.0)
    with pytest.raises(BucketNotFoundError):
        await stats(ctx, "no-such-bucket")


@pytest.mark.endpoints("directory", "moto")
async def test_a_head_of_a_missing_object_is_absent(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    with pytest.raises(NotFoundError, match=f"s3://{world.bucket}/p/a"):
        await head(ctx, world.bucket, "p/a")


@pytest.mark.endpoints("directory", "moto")
async def test_doctor_finds_all_well(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    checks = await examine(ctx, world.bucket)
    assert [(check.name, check.ok) for check in checks] == [
        ("archive-aware", True),
        ("xdelta3", True),
        ("zstd", True),
        ("cache", True),
        ("temporary files", True),
        ("store", True),
    ]
    assert "it makes the deltas" in checks[1].detail
    assert "it makes" not in checks[2].detail
    assert "1 references" in checks[3].detail
    assert all(check.ok for check in await examine(ctx))


async def test_doctor_says_what_is_wrong_and_goes_on(world: World) -> None:
    file = world.file(b"")
    ctx = world.client(xdelta3="no-such-program", temp_dir=file / "under a file")
    checks = await examine(ctx, "no-such-bucket")
    assert [(check.name, check.ok) for check in checks] == [
        ("archive-aware", False),
        ("xdelta3", False),
        ("zstd", True),
        ("cache", True),
        ("temporary files", False),
        ("store", False),
    ]
    assert "apt-get install xdelta3" in checks[0].detail
    assert "apt-get install xdelta3" in checks[1].detail
    assert str(file) in checks[4].detail
    assert "no-such-bucket" in checks[5].detail
