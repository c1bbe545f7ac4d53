"""Lost, damaged and needless references: found, and mended without losing anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from tests.engine.clinic import OTHER, V1, V2, V3, diagnose, look, mend, put_as_620, put_reference_as_620, strip
from tests.engine.world import World, reference_at, sha256
from tests.faults.wrapper import Call
from tests.servers import S3Endpoint

REFERENCE = reference_at("p/", V1)
TRASH = f"p/.deltaglider/trash/{sha256(V1)}/left/reference.bin"


@pytest.fixture
async def filled(world: World, ctx: Context) -> World:
    """Two versions in a deltaspace."""
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    return world


async def assert_sound(world: World, files: dict[str, bytes]) -> None:
    """All is well, and all reads from the store itself."""
    fresh = world.client()
    assert {key: await world.get(fresh, key) for key in files} == files
    assert await diagnose(world.client(), world) == []


async def test_a_sound_bucket(filled: World, ctx: Context) -> None:
    await filled.put(ctx, "p/note.txt", b"note")
    await filled.put(ctx, "q/v1/c.zip", OTHER)
    await put_as_620(filled, ctx, "old/", "a.zip", V2, V1)
    before = await filled.stored()
    for asked in ({}, {"quick": True}, {"repair": True}, {"repair": True, "quick": True}):
        assert await diagnose(filled.client(), filled, **asked) == []
    assert await filled.stored() == before


async def test_a_bucket_with_nothing_in_it(world: World, ctx: Context) -> None:
    assert await diagnose(ctx, world, repair=True) == []


async def from_trash(world: World) -> dict[str, object]:
    await world.put_raw(TRASH, V1, (await world.store.head(world.bucket, REFERENCE)).metadata)
    return {}


async def from_a_whole_object(world: World) -> dict[str, object]:
    await world.put(world.client(delta=False), "elsewhere/copy.zip", V1)
    return {}


async def from_another_deltaspace(world: World) -> dict[str, object]:
    await world.put(world.client(), "q/a.zip", V1)
    return {}


async def from_a_delta_elsewhere(world: World) -> dict[str, object]:
    await world.put(world.client(), "q/a.zip", V3)
    await world.put(world.client(), "q/b.zip", V1)
    return {}


async def from_a_file(world: World) -> dict[str, object]:
    return {"sources": (world.file(V1),)}


async def from_a_directory(world: World) -> dict[str, object]:
    world.file(OTHER)
    path = world.file(V1)
    (path.parent / "another").write_bytes(V3)
    return {"sources": (path.parent.parent,)}


SOURCES: list[Callable[[World], Awaitable[dict[str, object]]]] = [
    from_trash,
    from_a_whole_object,
    from_another_deltaspace,
    from_a_delta_elsewhere,
    from_a_file,
    from_a_directory,
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
async def test_a_lost_reference_is_put_back(
    filled: World, source: Callable[[World], Awaitable[dict[str, object]]]
) -> None:
    asked = await source(filled)
    await filled.store.delete(filled.bucket, REFERENCE)
    wrong = [("reference_missing", f"p/{name}.zip.delta", "wrong") for name in "ab"]
    for quick in (True, False):
        found = await diagnose(filled.client(), filled, quick=quick)
        assert [one for one in found if one[0] == "reference_missing"] == wrong
    found = await mend(filled, older_than=0.0, **asked)
    assert [one for one in found if one[0] == "reference_missing"] == [(c, k, "mended") for c, k, _ in wrong]
    assert await filled.body(REFERENCE) == V1
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_lost_reference_is_put_back_from_the_cache(filled: World, ctx: Context) -> None:
    await filled.store.delete(filled.bucket, REFERENCE)
    found = await diagnose(ctx, filled, repair=True)
    assert found == [("reference_missing", f"p/{name}.zip.delta", "mended") for name in "ab"]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_reference_that_is_nowhere(filled: World) -> None:
    await filled.store.delete(filled.bucket, REFERENCE)
    before = await filled.stored()
    found = await mend(filled, sources=(filled.file(V3), filled.file(OTHER)))
    assert found == [("reference_missing", f"p/{name}.zip.delta", "wrong") for name in "ab"]
    assert await filled.stored() == before
    (finding, _) = await look(filled.client(), filled)
    assert sha256(V1) in finding.message
    assert "--from" in finding.remedy


@pytest.mark.parametrize("source", [from_trash, from_a_file], ids=lambda source: source.__name__)
async def test_a_damaged_reference_is_replaced(
    filled: World, source: Callable[[World], Awaitable[dict[str, object]]]
) -> None:
    asked = await source(filled)
    await filled.damage(REFERENCE)
    found = await diagnose(filled.client(), filled)
    assert ("reference_damaged", REFERENCE, "wrong") in found
    assert ("reference_changed", "p/a.zip.delta", "wrong") in found
    assert await filled.body(REFERENCE) != V1
    # A quick look believes names.
    assert not [one for one in await diagnose(filled.client(), filled, quick=True) if one[2] == "wrong"]
    found = await mend(filled, older_than=0.0, **asked)
    assert ("reference_damaged", REFERENCE, "mended") in found
    assert "wrong" not in [state for _, _, state in found]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_damaged_reference_that_is_nowhere_else(filled: World) -> None:
    await filled.damage(REFERENCE)
    before = await filled.stored()
    found = await mend(filled)
    assert sorted(found) == [
        ("reference_changed", "p/a.zip.delta", "wrong"),
        ("reference_changed", "p/b.zip.delta", "wrong"),
        ("reference_damaged", REFERENCE, "wrong"),
    ]
    assert await filled.stored() == before


async def test_a_copy_that_is_damaged_too_is_not_taken(filled: World) -> None:
    await filled.put_raw(TRASH, OTHER, (await filled.store.head(filled.bucket, REFERENCE)).metadata)
    await filled.store.delete(filled.bucket, REFERENCE)
    found = await mend(filled)
    assert ("reference_missing", "p/a.zip.delta", "wrong") in found
    assert REFERENCE not in await filled.stored()


@pytest.mark.endpoints("moto")
async def test_a_reference_in_an_archive(any_world: World) -> None:
    world, bucket = any_world, any_world.bucket
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    assert isinstance(world.endpoint, S3Endpoint)
    source = {"Bucket": bucket, "Key": REFERENCE}
    world.endpoint.client().copy_object(Bucket=bucket, Key=REFERENCE, CopySource=source, StorageClass="DEEP_ARCHIVE")
    for asked in ({}, {"quick": True}, {"repair": True, "older_than": 0.0}):
        assert await diagnose(world.client(), world, **asked) == [("reference_frozen", REFERENCE, "wrong")]
    assert (await world.store.head(bucket, REFERENCE)).storage_class == "DEEP_ARCHIVE"


# --- references of earlier tools


async def test_a_classic_reference_is_put_back_where_it_was(world: World, ctx: Context) -> None:
    await put_as_620(world, ctx, "p/", "a.zip", V1, V1)
    await put_as_620(world, ctx, "p/", "b.zip", V2, V1)
    before = (await world.stored())["p/b.zip.delta"]
    await world.store.delete(world.bucket, "p/reference.bin")  # What its sync --delete does (D4), and its races (D3).
    found = await mend(world, sources=(world.file(V1),))
    assert found == [("reference_missing", f"p/{name}.zip.delta", "mended") for name in "ab"]
    assert (await world.stored())["p/b.zip.delta"] == before
    assert (await world.store.head(world.bucket, "p/reference.bin")).metadata["dg-file-sha256"] == sha256(V1)
    await assert_sound(world, {"p/a.zip": V1, "p/b.zip": V2})


async def test_two_first_uploads_of_the_predecessor(world: World, ctx: Context) -> None:
    # D2: both stored a reference, the second one's is left, and the first one's delta needs its own.
    await put_as_620(world, ctx, "p/", "a.zip", V2, V1)
    await put_reference_as_620(world, "p/", OTHER)
    await put_as_620(world, ctx, "p/", "b.zip", OTHER, OTHER)
    for quick in (False, True):
        found = await diagnose(world.client(), world, quick=quick)
        assert found == [("reference_changed", "p/a.zip.delta", "wrong")]
    found = await mend(world, sources=(world.file(V1),))
    assert found == [("reference_changed", "p/a.zip.delta", "mended")]
    metadata = (await world.store.head(world.bucket, "p/a.zip.delta")).metadata
    assert metadata["dg-ref-key"] == REFERENCE
    assert metadata["dg-delta-cmd"] == "xdelta3 -e -9 -s reference.bin a.zip a.zip.delta"
    assert await world.body("p/reference.bin") == OTHER
    await assert_sound(world, {"p/a.zip": V2, "p/b.zip": OTHER})


async def test_a_file_of_the_users_in_place_of_a_classic_reference(world: World, ctx: Context) -> None:
    # D6: "cp reference.bin s3://b/p/" overwrote it.
    await put_as_620(world, ctx, "p/", "a.zip", V2, V1)
    await world.put_raw("p/reference.bin", b"mine", {})
    found = await mend(world, sources=(world.file(V1),))
    assert found == [("reference_changed", "p/a.zip.delta", "mended")]
    await assert_sound(world, {"p/a.zip": V2, "p/reference.bin": b"mine"})


async def test_a_damaged_classic_reference(world: World, ctx: Context) -> None:
    await put_as_620(world, ctx, "p/", "a.zip", V2, V1)
    await world.damage("p/reference.bin")
    found = await mend(world, sources=(world.file(V1),))
    assert found == [
        ("reference_damaged", "p/a.zip.delta", "mended"),
        ("reference_damaged", "p/reference.bin", "mended"),
    ]
    assert await world.body("p/reference.bin") == V1
    assert len(await world.stored()) == 2
    await assert_sound(world, {"p/a.zip": V2})


async def test_a_classic_reference_without_metadata(world: World, ctx: Context) -> None:
    await put_as_620(world, ctx, "p/", "a.zip", V2, V1)
    await strip(world, "p/reference.bin")
    assert await diagnose(world.client(), world) == [("metadata_lost", "p/reference.bin", "wrong")]
    assert await mend(world) == [("metadata_lost", "p/reference.bin", "mended")]
    assert await world.names(ctx) == ["p/a.zip"]
    await assert_sound(world, {"p/a.zip": V2})


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("left", [True, False])
async def test_a_deltaspace_moved_with_a_plain_copy(world: World, ctx: Context, ours: bool, left: bool) -> None:
    # D14e: the deltas name the reference by its absolute key.
    if ours:
        await world.put(ctx, "p/a.zip", V1)
        await world.put(ctx, "p/b.zip", V2)
    else:
        await put_as_620(world, ctx, "p/", "a.zip", V1, V1)
        await put_as_620(world, ctx, "p/", "b.zip", V2, V1)
    for key in await world.stored():
        await world.store.copy(world.bucket, key, world.bucket, "q/" + key.removeprefix("p/"))
        if not left:
            await world.store.delete(world.bucket, key)
    # While the old place is there all reads well everywhere, but goes with it.
    state = "note" if left else "wrong"
    for quick in (True, False):
        found = await diagnose(world.client(), world, quick=quick)
        assert [one for one in found if one[0] == "reference_elsewhere"] == [
            ("reference_elsewhere", f"q/{name}.zip.delta", state) for name in "ab"
        ]
    await mend(world)
    place = reference_at("q/", V1) if ours else "q/reference.bin"
    for name in "ab":
        assert (await world.store.head(world.bucket, f"q/{name}.zip.delta")).metadata["dg-ref-key"] == place
    await assert_sound(world, {"q/a.zip": V1, "q/b.zip": V2})


async def test_deltas_copied_without_their_reference_get_one(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.store.copy(world.bucket, "p/b.zip.delta", world.bucket, "q/b.zip.delta")
    assert await mend(world) == [("reference_elsewhere", "q/b.zip.delta", "mended")]
    for name in "ab":
        await delete(ctx, world.bucket, f"p/{name}.zip")
    await assert_sound(world, {"q/b.zip": V2})


@pytest.mark.parametrize("named", ["s3://another/p/reference.bin", "p/a.zip.delta", "p/b.zip.delta"])
async def test_a_reference_that_cannot_be_one(filled: World, named: str) -> None:
    found = await filled.store.head(filled.bucket, "p/b.zip.delta")
    changed = {**found.metadata, "dg-ref-key": named}
    await filled.put_raw("p/b.zip.delta", await filled.body("p/b.zip.delta"), changed)
    assert await diagnose(filled.client(), filled) == [("reference_foreign", "p/b.zip.delta", "wrong")]
    assert await mend(filled) == [("reference_foreign", "p/b.zip.delta", "mended")]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


# --- references that nothing needs


async def test_a_reference_without_deltas(filled: World, ctx: Context) -> None:
    await put_reference_as_620(filled, "q/", V3)
    for name in "ab":
        await filled.store.delete(filled.bucket, f"p/{name}.zip.delta")
    # A young classic one may belong to an upload of the predecessor, which does not look again after storing.
    assert sorted(await mend(filled)) == [
        ("reference_unused", REFERENCE, "mended"),
        ("reference_unused", "q/reference.bin", "note"),
    ]
    assert await diagnose(filled.client(), filled, repair=True, older_than=0.0) == [
        ("reference_unused", "q/reference.bin", "mended")
    ]
    assert await filled.stored() == {}


async def second_reference(world: World, *, used: bool = False) -> str:
    """Another reference in the same deltaspace, as racing first uploads leave it."""
    key = reference_at("p/", OTHER)
    await world.put(world.client(), "x/o.zip", OTHER)
    await world.store.copy(world.bucket, reference_at("x/", OTHER), world.bucket, key)
    if used:
        await world.store.copy(world.bucket, "x/o.zip.delta", world.bucket, "p/o.zip.delta")
    await delete(world.client(), world.bucket, "x/o.zip")
    return key


async def test_a_spare_reference_is_folded(filled: World) -> None:
    key = await second_reference(filled)
    for quick in (True, False):
        assert await diagnose(filled.client(), filled, quick=quick) == [("reference_spare", key, "note")]
    # What a delta stored as a file needs, only a look at all bytes can tell.
    assert await mend(filled, quick=True) == [("reference_spare", key, "note")]
    assert await mend(filled) == [("reference_spare", key, "mended")]
    assert sorted(await filled.stored()) == [REFERENCE, "p/a.zip.delta", "p/b.zip.delta"]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_several_references_that_are_all_needed(filled: World) -> None:
    key = await second_reference(filled, used=True)
    await mend(filled)
    assert {REFERENCE, key} < (await filled.stored()).keys()
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2, "p/o.zip": OTHER})


async def test_a_delta_that_appears_while_a_spare_reference_goes(filled: World) -> None:
    key = await second_reference(filled, used=True)
    delta, metadata = await filled.body("p/o.zip.delta"), (await filled.stored())["p/o.zip.delta"].metadata
    await filled.store.delete(filled.bucket, "p/o.zip.delta")
    ctx, store = filled.scripted()

    async def upload(call: Call) -> None:
        await filled.put_raw("p/o.zip.delta", delta, {**metadata, "dg-ref-key": key})

    store.after("delete", key, nth=1, do=upload)
    assert await diagnose(ctx, filled, repair=True) == [("reference_spare", key, "note")]
    assert not [key for key in await filled.stored() if "/trash/" in key]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2, "p/o.zip": OTHER})


async def test_what_a_delta_outside_the_prefix_needs_is_kept(filled: World) -> None:
    await filled.store.copy(filled.bucket, "p/b.zip.delta", filled.bucket, "q/b.zip.delta")
    for name in "ab":
        await filled.store.delete(filled.bucket, f"p/{name}.zip.delta")
    assert await mend(filled, "p/") == [("reference_unused", REFERENCE, "note")]
    assert await filled.get(filled.client(), "q/b.zip") == V2


async def test_what_a_delta_without_metadata_may_need_is_kept(filled: World) -> None:
    await filled.put_raw("q/copy.bin", await filled.body("p/b.zip.delta"))
    for name in "ab":
        await filled.store.delete(filled.bucket, f"p/{name}.zip.delta")
    assert sorted(await mend(filled)) == [
        ("raw_delta", "q/copy.bin", "note"),
        ("reference_unused", REFERENCE, "note"),
    ]
    await filled.store.delete(filled.bucket, "q/copy.bin")
    assert await mend(filled) == [("reference_unused", REFERENCE, "mended")]


async def test_settings_may_keep_references(filled: World) -> None:
    for name in "ab":
        await filled.store.delete(filled.bucket, f"p/{name}.zip.delta")
    ctx = filled.client(retire_references=False)
    assert await diagnose(ctx, filled, repair=True) == [("reference_unused", REFERENCE, "note")]
    assert REFERENCE in await filled.stored()


async def test_a_users_own_delta_file_keeps_no_reference(filled: World, ctx: Context) -> None:
    for name in "ab":
        await filled.store.delete(filled.bucket, f"p/{name}.zip.delta")
    await filled.put_raw("p/firmware.delta", b"no delta of ours")
    assert await mend(filled) == [("reference_unused", REFERENCE, "mended")]
    assert sorted(await filled.stored()) == ["p/firmware.delta"]
