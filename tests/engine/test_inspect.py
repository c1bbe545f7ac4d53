"""verify, stats and doctor: what is there, whether it reads, what it costs, and whether this machine is fit."""

from __future__ import annotations

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.doctor import examine
from deltaglider.engine.inspect import head, stats, verify, verify_all
from deltaglider.errors import BucketNotFoundError, NotFoundError, StoreUnavailableError
from deltaglider.models import BucketStats, VerifyResult
from tests.engine.test_delete import as_by_620
from tests.engine.test_references import classic
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")


@pytest.mark.endpoints("directory", "moto")
async def test_verify_reads_back_and_compares(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.txt", V2)
    await world.put_raw("p/c", b"foreign")
    for key, data in (("p/a.zip", V1), ("p/b.txt", V2)):
        expected = VerifyResult(
            world.bucket, key, True, sha256(data), sha256(data), "its bytes are as recorded", len(data)
        )
        assert await verify(ctx, world.bucket, key) == expected
    foreign = await verify(ctx, world.bucket, "p/c")
    assert (foreign.valid, foreign.expected_sha256, foreign.actual_sha256) == (True, "", sha256(b"foreign"))
    with pytest.raises(NotFoundError):
        await verify(ctx, world.bucket, "p/d")


async def test_damage_is_a_result_and_not_an_error(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.txt", V1)
    # Another reference than that of p/: by its content, it would be found in the cache.
    await world.put(ctx, "q/lost.zip", noise("q"))
    await world.put(ctx, "q/no-reference.zip", revised(noise("q"), 2))
    await world.damage("p/b.zip.delta")
    await world.damage("p/c.txt")
    await world.store.delete(world.bucket, reference_at("q/", noise("q")))
    await world.put_raw("q/lost.zip.delta", await world.body("q/lost.zip.delta"))
    fresh = world.client()
    for key, data in (("p/b.zip", V2), ("p/c.txt", V1), ("q/no-reference.zip", revised(noise("q"), 2))):
        result = await verify(fresh, world.bucket, key)
        assert (result.valid, result.expected_sha256, result.actual_sha256, result.size) == (
            False,
            sha256(data),
            "",
            len(data),
        )
        assert key in result.message
    lost = await verify(fresh, world.bucket, "q/lost.zip")
    assert (lost.valid, lost.expected_sha256) == (False, "")
    assert "metadata is gone" in lost.message

    results = [result async for result in verify_all(fresh, world.bucket, "")]
    assert [(result.key, result.valid) for result in results] == [
        ("p/a.zip", True),
        ("p/b.zip", False),
        ("p/c.txt", False),
        ("q/lost.zip.delta", True),  # All that can be said of it: a file of nobody knows what.
        ("q/no-reference.zip", False),
    ]


async def test_verifying_a_prefix_takes_it_as_it_is_and_passes_over_what_goes(world: World) -> None:
    for key in ("p/a.zip", "p/b.zip", "p2/a.zip", "q/a.zip"):
        await world.put(world.client(), key, revised(V1, key))
    ctx, store = world.scripted()
    store.before("fetch", "p/b.zip.delta", do=lambda call: delete(world.client(), world.bucket, "p/b.zip"))
    assert [result.key async for result in verify_all(ctx, world.bucket, "p")] == ["p/a.zip", "p2/a.zip"]


async def test_verifying_more_than_a_batch_misses_nothing(world: World) -> None:
    ctx = world.client(max_concurrent_objects=1)
    keys = [f"{number:02}.txt" for number in range(19)]
    for key in keys:
        await world.put(ctx, key, key.encode())
    assert [result.key async for result in verify_all(ctx, world.bucket, "") if result.valid] == keys


async def test_a_store_that_fails_proves_nothing(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("fetch", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await verify(ctx, world.bucket, "p/a.zip")
    with pytest.raises(StoreUnavailableError):
        async for _ in verify_all(ctx, world.bucket, ""):
            pass


async def stored_bytes(world: World, prefix: str = "") -> int:
    return sum(found.size for key, found in (await world.stored()).items() if key.startswith(prefix))


@pytest.mark.endpoints("directory", "moto")
async def test_stats_count_all_that_is_stored(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    files = {"p/a.zip": V1, "p/b.zip": V2, "p/c.txt": b"text", "q/v1/a.zip": V1, "q/v2/a.zip": V2, "fw.delta": b"x"}
    for key, data in files.items():
        await world.put(ctx, key, data)
    total = sum(map(len, files.values()))
    found = await stats(ctx, world.bucket)
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
    part = await stats(ctx, world.bucket, "q/v1/")
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
    found = await stats(ctx, world.bucket)
    assert found.compressed_size == await stored_bytes(world)
    assert (found.object_count, found.delta_objects, found.direct_objects) == (3, 2, 1)
    assert (found.reference_objects, found.reference_size) == (3, 3 * len(V1))
    assert found.total_size == len(V1) + len(V2) + len(b"newer")


async def test_stats_of_nothing_and_of_what_is_not_there(world: World, ctx: Context) -> None:
    empty = await stats(ctx, world.bucket)
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
        ("xdelta3", True),
        ("cache", True),
        ("temporary files", True),
        ("store", True),
    ]
    assert "1 references" in checks[1].detail
    assert all(check.ok for check in await examine(ctx))


async def test_doctor_says_what_is_wrong_and_goes_on(world: World) -> None:
    file = world.file(b"")
    ctx = world.client(xdelta3="no-such-program", temp_dir=file / "under a file")
    checks = await examine(ctx, "no-such-bucket")
    assert [(check.name, check.ok) for check in checks] == [
        ("xdelta3", False),
        ("cache", True),
        ("temporary files", False),
        ("store", False),
    ]
    assert "apt-get install xdelta3" in checks[0].detail
    assert str(file) in checks[2].detail
    assert "no-such-bucket" in checks[3].detail
