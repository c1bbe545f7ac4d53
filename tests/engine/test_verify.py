"""Verifying one object: by its bytes, as the store has them, or by what is recorded."""

from __future__ import annotations

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.verify import afresh, check, verify
from deltaglider.errors import NotFoundError, StoreUnavailableError
from deltaglider.models import VerifyResult
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
    references = {"p/a.zip": reference_at("p/", V1), "p/b.txt": None}
    for key, data in (("p/a.zip", V1), ("p/b.txt", V2)):
        assert await verify(ctx, world.bucket, key) == VerifyResult(
            world.bucket,
            key,
            True,
            sha256(data),
            sha256(data),
            "its bytes are as recorded",
            len(data),
            "proven",
            references[key],
        )
    foreign = await verify(ctx, world.bucket, "p/c")
    assert (foreign.valid, foreign.state, foreign.expected_sha256) == (True, "read", "")
    assert foreign.actual_sha256 == sha256(b"foreign")
    with pytest.raises(NotFoundError):
        await verify(ctx, world.bucket, "p/d")


async def test_damage_is_a_result_and_not_an_error(world: World, ctx: Context) -> None:
    await damaged(world, ctx)
    with afresh(ctx) as fresh:
        for key, data in DAMAGED.items():
            result = await verify(fresh, world.bucket, key)
            assert (result.valid, result.state) == (False, "failed")
            assert (result.expected_sha256, result.actual_sha256, result.size) == (sha256(data), "", len(data))
            assert key in result.message
        lost = await verify(fresh, world.bucket, "q/lost.zip")
    assert (lost.valid, lost.expected_sha256) == (False, "")
    assert "metadata is gone" in lost.message


DAMAGED = {"p/b.zip": V2, "p/c.txt": V1, "q/no-reference.zip": revised(noise("q"), 2)}


async def damaged(world: World, ctx: Context) -> None:
    """A sound object, and one with each kind of damage."""
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.txt", V1)
    await world.put(ctx, "q/lost.zip", noise("q"))
    await world.put(ctx, "q/no-reference.zip", revised(noise("q"), 2))
    await world.damage("p/b.zip.delta")
    await world.damage("p/c.txt")
    await world.store.delete(world.bucket, reference_at("q/", noise("q")))
    await world.put_raw("q/lost.zip.delta", await world.body("q/lost.zip.delta"))


async def test_what_only_this_machine_remembers_proves_nothing(world: World, ctx: Context) -> None:
    """A download here would work: the reference is in the cache. Nowhere else would it."""
    await world.put(ctx, "p/a.zip", V1)
    await world.store.delete(world.bucket, reference_at("p/", V1))
    assert await world.get(ctx, "p/a.zip") == V1
    with afresh(ctx) as cold:
        result = await verify(cold, world.bucket, "p/a.zip")
        assert cold.cache.directory != ctx.cache.directory
    assert (result.valid, result.state) == (False, "failed")
    assert "is gone" in result.message
    assert not cold.cache.directory.exists()
    assert ctx.cache.usage() == (1, len(V1))


@pytest.mark.endpoints("directory", "moto")
async def test_a_check_reads_no_bytes(any_world: World) -> None:
    world = any_world
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.txt", V2)
    await world.put_raw("p/c", b"foreign")
    ctx, store = world.scripted()
    results = [await check(ctx, world.bucket, key) for key in ("p/a.zip", "p/b.txt", "p/c")]
    assert [(result.valid, result.state, result.size) for result in results] == [
        (True, "checked", len(V1)),
        (True, "checked", len(V2)),
        (True, "checked", 7),
    ]
    assert [result.expected_sha256 for result in results] == [sha256(V1), sha256(V2), ""]
    assert results[0].reference_key == reference_at("p/", V1)
    assert "no hash is recorded" in results[2].message
    assert {call.operation for call in store.calls} <= {"head", "list_objects"}
    with pytest.raises(NotFoundError):
        await check(ctx, world.bucket, "p/d")


async def test_a_check_sees_what_metadata_and_sizes_tell(world: World, ctx: Context) -> None:
    await damaged(world, ctx)
    await world.damage("p/b.zip.delta", b"short")
    await world.damage("p/c.txt", b"short")
    expected = {
        "p/a.zip": (True, ""),
        "p/b.zip": (False, r"p/b.zip.delta has 5 bytes, not the recorded "),
        "p/c.txt": (False, f"p/c.txt has 5 bytes, not the recorded {len(V1)}"),
        "q/no-reference.zip": (False, "its reference is gone"),
        "q/lost.zip": (False, "metadata is gone"),
    }
    for key, (valid, words) in expected.items():
        result = await check(ctx, world.bucket, key)
        assert (result.valid, result.state) == (valid, "checked" if valid else "failed")
        assert words in result.message
        assert valid or f"s3://{world.bucket}/{key}" in result.message


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        ("none", "checked", "complete"),
        ("other", "failed", "is recorded to have SHA-256"),
        ("short", "failed", f"has 3 bytes, not the recorded {len(V1)}"),
        ("stripped", "checked", "complete"),  # Its name says what it holds.
        ("moved to the trash", "checked", "complete"),
        ("gone", "failed", "is gone"),
    ],
)
async def test_a_check_looks_at_the_reference(world: World, ctx: Context, change: str, state: str, words: str) -> None:
    await world.put(ctx, "p/a.zip", V1)
    key = reference_at("p/", V1)
    metadata = dict((await world.store.head(world.bucket, key)).metadata)
    if change == "other":
        await world.put_raw(key, V2, {**metadata, "dg-file-sha256": sha256(V2)})
    elif change == "short":
        await world.damage(key, b"abc")
    elif change == "stripped":
        await world.put_raw(key, V1)
    elif change != "none":
        await world.store.delete(world.bucket, key)
    if change == "moved to the trash":
        await world.put_raw(f"p/.deltaglider/trash/{sha256(V1)}/1/reference.bin", V1, metadata)
    result = await check(ctx, world.bucket, "p/a.zip")
    assert result.state == state
    assert words in result.message


async def test_a_check_cannot_tell_what_a_classic_reference_without_metadata_holds(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    key = reference_at("p/", V1)
    found = await world.store.head(world.bucket, "p/a.zip.delta")
    metadata = {**found.metadata, "dg-ref-key": "p/reference.bin"}
    await world.put_raw("p/a.zip.delta", await world.body("p/a.zip.delta"), metadata)
    await world.store.delete(world.bucket, key)
    await world.put_raw("p/reference.bin", V1, classic(V1))
    assert (await check(ctx, world.bucket, "p/a.zip")).state == "checked"
    await world.put_raw("p/reference.bin", V1)
    result = await check(ctx, world.bucket, "p/a.zip")
    assert (result.valid, result.state) == (False, "unread")
    assert "only reading it can tell" in result.message
    with afresh(ctx) as cold:
        assert (await verify(cold, world.bucket, "p/a.zip")).state == "proven"


async def test_a_store_that_fails_proves_nothing(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    store.before("fetch", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await verify(ctx, world.bucket, "p/a.zip")
