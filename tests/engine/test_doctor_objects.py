"""Deltas that lost their metadata, forms that were left, bytes that changed: found, and mended where that is proven."""

from __future__ import annotations

import gzip
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.doctor.survey import has_whole
from deltaglider.engine.inspect import head
from deltaglider.errors import AccessDeniedError, LocalFileError, StoreUnavailableError
from deltaglider.layout.keys import sort_key, without_delta
from tests.engine.clinic import OTHER, V1, V2, V3, diagnose, encoded, look, mend, put_as_620, strip
from tests.engine.test_doctor_references import REFERENCE, assert_sound
from tests.engine.world import World, noise, revised, sha256
from tests.faults.wrapper import Call, fail


@pytest.fixture
async def filled(world: World, ctx: Context) -> World:
    """Two versions in a deltaspace."""
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2, metadata={"team": "core"}, headers={"ContentType": "application/zip"})
    return world


# --- metadata


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("dg-ref-key",),
        ("dg-ref-sha256",),
        ("dg-file-size",),
        ("dg-file-sha256",),
        ("dg-file-sha256", "dg-file-size", "dg-ref-key", "dg-ref-sha256", "dg-created-at"),
        ("dg-ref-key", "dg-delta-cmd"),
    ],
)
async def test_a_delta_without_the_metadata_to_read_it(filled: World, names: tuple[str, ...]) -> None:
    before = await head(filled.client(), filled.bucket, "p/b.zip")
    await strip(filled, "p/b.zip.delta", *names)
    assert await diagnose(filled.client(), filled) == [("metadata_lost", "p/b.zip.delta", "wrong")]
    quick = await diagnose(filled.client(), filled, quick=True)
    assert quick == [("metadata_lost", "p/b.zip.delta", "wrong")]
    assert await mend(filled) == [("metadata_lost", "p/b.zip.delta", "mended")]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})
    after = await head(filled.client(), filled.bucket, "p/b.zip")
    assert (after.size, after.etag, after.sha256) == (before.size, before.etag, sha256(V2))
    assert after.content_type == "application/zip"
    assert after.metadata == ({"team": "core"} if names else {})
    stored = await filled.store.head(filled.bucket, "p/b.zip.delta")
    assert stored.metadata["dg-ref-key"] == REFERENCE
    assert stored.metadata["dg-original-name"] == "b.zip"


@pytest.mark.parametrize("name", ["dg-original-name", "dg-tool", "dg-created-at", "dg-delta-size"])
async def test_metadata_that_the_predecessor_misses(filled: World, name: str) -> None:
    before = (await filled.store.head(filled.bucket, "p/b.zip.delta")).metadata
    await strip(filled, "p/b.zip.delta", name)
    for quick in (True, False):
        found = await diagnose(filled.client(), filled, quick=quick)
        assert found == [("metadata_partial", "p/b.zip.delta", "wrong")]
    assert await mend(filled) == [("metadata_partial", "p/b.zip.delta", "mended")]
    after = (await filled.store.head(filled.bucket, "p/b.zip.delta")).metadata
    assert after.keys() == before.keys()
    assert {key: value for key, value in after.items() if key != name} == {
        key: value for key, value in before.items() if key != name
    }
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_whole_deltaspace_without_metadata(world: World, ctx: Context) -> None:
    # As tools leave it that copy bytes alone.
    await put_as_620(world, ctx, "p/", "a.zip", V1, V1)
    await put_as_620(world, ctx, "p/", "b.zip", V2, V1)
    for key in await world.stored():
        await strip(world, key)
    assert await mend(world) == [
        ("metadata_lost", "p/a.zip.delta", "mended"),
        ("metadata_lost", "p/b.zip.delta", "mended"),
        ("metadata_lost", "p/reference.bin", "mended"),
    ]
    await assert_sound(world, {"p/a.zip": V1, "p/b.zip": V2})
    assert await world.names(ctx) == ["p/a.zip", "p/b.zip"]


async def test_of_several_references_the_right_one_is_found(filled: World) -> None:
    await filled.put(filled.client(), "q/o.zip", OTHER)
    for key in list(await filled.stored()):
        if key.startswith("q/"):
            await filled.store.copy(filled.bucket, key, filled.bucket, "p/" + key.removeprefix("q/"))
    await mend(filled)
    for name in ("a", "b", "o"):
        await strip(filled, f"p/{name}.zip.delta")
    found = await mend(filled)
    assert found == [("metadata_lost", f"p/{name}.zip.delta", "mended") for name in ("a", "b", "o")]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2, "p/o.zip": OTHER, "q/o.zip": OTHER})


async def test_a_delta_without_metadata_whose_reference_is_in_the_trash(filled: World) -> None:
    await strip(filled, "p/b.zip.delta")
    await filled.store.delete(filled.bucket, "p/a.zip.delta")
    trash = f"p/.deltaglider/trash/{sha256(V1)}/left/reference.bin"
    await filled.store.copy(filled.bucket, REFERENCE, filled.bucket, trash)
    await filled.store.delete(filled.bucket, REFERENCE)
    found = await mend(filled, older_than=0.0)
    assert sorted(found) == [("metadata_lost", "p/b.zip.delta", "mended"), ("trash", trash, "mended")]
    await assert_sound(filled, {"p/b.zip": V2})


@pytest.mark.parametrize("target", [V3, revised(OTHER, "mine")], ids=["needs no reference", "needs another one"])
async def test_a_delta_that_nothing_explains_is_left_alone(filled: World, ctx: Context, target: bytes) -> None:
    foreign = await encoded(filled, ctx, OTHER, target)
    await filled.put_raw("p/mine.delta", foreign)
    before = await filled.stored()
    assert await mend(filled) == [("metadata_lost", "p/mine.delta", "wrong")]
    assert await filled.stored() == before
    # One that is recorded to be this very file is its user's business.
    await filled.store.delete(filled.bucket, "p/mine.delta")
    await filled.put(ctx, "p/mine.delta", foreign)
    assert await mend(filled) == [("raw_delta", "p/mine.delta", "note")]
    assert await filled.get(ctx, "p/mine.delta") == foreign


@pytest.mark.parametrize(
    ("made_of", "key", "expected"),
    [
        ("b.zip", "p/c.zip.delta", ("raw_delta", "p/c.zip.delta", "note")),
        ("b.zip", "p/b-of-a.delta", ("raw_delta", "p/b-of-a.delta", "note")),
        ("c.zip", "p/c.zip.delta", ("metadata_lost", "p/c.zip.delta", "mended")),
    ],
)
async def test_a_patch_of_the_users_is_no_lost_delta(
    filled: World, made_of: str, key: str, expected: tuple[str, str, str]
) -> None:
    # Made by hand against the very file that is the reference here; xdelta3 notes the names of both.
    reference, target, patch = filled.file(V1, "a.zip"), filled.file(V3, made_of), filled.place("patch")
    subprocess.run(["xdelta3", "-e", "-D", "-s", reference, target, patch], check=True)
    await filled.put_raw(key, patch.read_bytes())
    assert await mend(filled) == [expected]
    if expected[2] == "note":
        assert await filled.get(filled.client(), key) == patch.read_bytes()


async def test_a_delta_without_checksums_proves_nothing(filled: World, ctx: Context) -> None:
    # Its one window is written by hand, without the checksum: "run 4 times x".
    await filled.put_raw("p/c.zip.delta", bytes.fromhex("d6c3c4000000070400010200780004"))
    assert await mend(filled) == [("metadata_lost", "p/c.zip.delta", "wrong")]


async def test_a_frame_that_lies(filled: World) -> None:
    # Its one window promises 2 to the 48 bytes.
    bomb = bytes.fromhex("d6c3c400000509000e" + "c08080808080" + "00" + "000000000000000000")
    await filled.put_raw("p/c.zip.delta", bomb[: 4 + 1 + 3 + 1 + 14])
    assert await mend(filled) == [("metadata_lost", "p/c.zip.delta", "wrong")]


async def test_one_object_that_cannot_be_had_stops_nothing(filled: World) -> None:
    await filled.put_raw("p/note.txt", b"a note")
    for error in (
        AccessDeniedError("the store says no", uri="s3://b/p", status=403),
        StoreUnavailableError("its disk is gone", uri="s3://b/p", status=500),
        LocalFileError("the disk is full", uri="there"),
    ):
        for operation in ("head", "fetch"):
            ctx, store = filled.scripted()
            store.before(operation, "p/b.zip.delta", do=fail(error))
            assert await diagnose(ctx, filled) == [("not_examined", "p/b.zip.delta", "wrong")]
    # What it needs is not known, so that nothing is removed that it may need.
    for key in ("p/a.zip.delta", "p/b.zip.delta"):
        await filled.store.copy(filled.bucket, key, filled.bucket, key.replace("p/", "q/"))
        await filled.store.delete(filled.bucket, key)
    ctx, store = filled.scripted()
    store.before("head", "q/*.delta", do=fail(AccessDeniedError("the store says no", uri="s3://b/q", status=403)))
    for prefix in ("", "p/"):
        found = await diagnose(ctx, filled, prefix, repair=True)
        assert ("reference_unused", REFERENCE, "note") in found
    assert await filled.get(filled.client(), "q/b.zip") == V2
    ctx, store = filled.scripted()
    store.before("head", "q/b.zip.delta", do=fail(StoreUnavailableError("no connection")))
    with pytest.raises(StoreUnavailableError):
        await diagnose(ctx, filled)


async def test_what_is_only_the_beginning_of_a_delta(filled: World) -> None:
    whole = await filled.body("p/b.zip.delta")
    for size in (3, 4, 5, 10, len(whole) - 1):
        await filled.put_raw("p/c.zip.delta", whole[:size])
        assert await mend(filled) == [("metadata_lost", "p/c.zip.delta", "wrong")]


async def test_a_whole_object_of_the_same_name_is_not_hidden(filled: World) -> None:
    await strip(filled, "p/b.zip.delta")
    await filled.put_raw("p/b.zip", V3)
    assert await mend(filled) == [("metadata_lost", "p/b.zip.delta", "wrong")]
    assert await filled.get(filled.client(), "p/b.zip") == V3


async def test_a_delta_copied_as_a_file(world: World, ctx: Context) -> None:
    # D14c: "cp s3://b/p/a.zip.delta s3://b/c/" stored the delta itself, described as a file.
    await put_as_620(world, ctx, "p/", "a.zip", V2, V1)
    data = await world.body("p/a.zip.delta")
    await world.put_raw(
        "c/a.zip.delta",
        data,
        {
            "dg-tool": "deltaglider/6.2.0",
            "dg-original-name": "a.zip.delta",
            "dg-file-sha256": sha256(data),
            "dg-file-size": str(len(data)),
            "dg-created-at": "2025-01-02T03:04:06.123456",
            "dg-compression": "none",
        },
    )
    await world.put_raw("c/other-name", data)
    assert sorted(await diagnose(world.client(), world)) == [
        ("raw_delta", "c/a.zip.delta", "wrong"),
        ("raw_delta", "c/other-name", "note"),
    ]
    assert sorted(await mend(world)) == [
        ("raw_delta", "c/a.zip.delta", "mended"),
        ("raw_delta", "c/other-name", "note"),
    ]
    await world.store.delete(world.bucket, "c/other-name")
    # It does not depend on where it was copied from.
    await delete(ctx, world.bucket, "p/a.zip")
    await assert_sound(world, {"c/a.zip": V2})


# --- both forms


async def both_forms(world: World, *, newer: str, described: bool = True) -> None:
    ctx = world.client()
    await world.put(ctx, "p/b.zip", V2)
    delta, metadata = await world.body("p/b.zip.delta"), (await world.stored())["p/b.zip.delta"].metadata
    await world.put(ctx, "p/b.zip", V3, delta=False)
    if not described:
        await strip(world, "p/b.zip")
    created = "2999-01-01T00:00:00.000000Z" if newer == "delta" else "2001-01-01T00:00:00.000000Z"
    await world.put_raw("p/b.zip.delta", delta, {**metadata, "dg-created-at": created})


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("newer", ["delta", "whole"])
async def test_the_older_of_both_forms_goes(filled: World, newer: str, described: bool) -> None:
    # D10 and D11: the predecessor left the other form where it was.
    await both_forms(filled, newer=newer, described=described)
    expected = V2 if newer == "delta" else V3
    assert await filled.get(filled.client(), "p/b.zip") == expected
    assert await diagnose(filled.client(), filled, quick=True) == [("two_forms", "p/b.zip", "note")]
    assert await mend(filled) == [("two_forms", "p/b.zip", "mended")]
    left = [key for key in await filled.stored() if key.startswith("p/b.zip")]
    assert left == (["p/b.zip.delta"] if newer == "delta" else ["p/b.zip"])
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": expected})


async def test_the_older_form_stays_while_the_newer_is_not_proven(filled: World) -> None:
    await both_forms(filled, newer="delta")
    await filled.damage("p/b.zip.delta")
    before = await filled.stored()
    found = await mend(filled)
    assert found == [("two_forms", "p/b.zip", "note"), ("delta_damaged", "p/b.zip.delta", "wrong")]
    assert await filled.stored() == before
    await filled.store.delete(filled.bucket, "p/b.zip.delta")
    assert await filled.get(filled.client(), "p/b.zip") == V3


async def test_a_third_version_that_comes_meanwhile_stays(filled: World) -> None:
    await both_forms(filled, newer="delta")
    ctx, store = filled.scripted()

    async def overwrite(call: Call) -> None:
        await filled.put(filled.client(), "p/b.zip", OTHER, delta=False)

    store.before("delete", "p/b.zip", nth=1, do=overwrite)
    assert await diagnose(ctx, filled, repair=True) == [("two_forms", "p/b.zip", "note")]
    assert await filled.get(filled.client(), "p/b.zip") == OTHER


@given(st.lists(st.text("a.-d", max_size=6).flatmap(lambda key: st.sampled_from([key, f"{key}.delta"])), unique=True))
def test_both_forms_are_seen_in_the_order_of_the_listing(keys: list[str]) -> None:
    above: list[str] = []
    listing = sorted((key for key in keys if key), key=sort_key)
    assert [key for key in listing if has_whole(above, key)] == [
        key for key in listing if without_delta(key) and without_delta(key) in listing
    ]


# --- bytes


async def test_damaged_bytes_are_told(filled: World, ctx: Context) -> None:
    await filled.put(ctx, "p/note.txt", b"a note")
    await filled.damage("p/note.txt")
    await filled.damage("p/b.zip.delta")
    before = await filled.stored()
    assert await diagnose(filled.client(), filled, quick=True) == []
    assert await mend(filled) == [
        ("delta_damaged", "p/b.zip.delta", "wrong"),
        ("object_damaged", "p/note.txt", "wrong"),
    ]
    assert await filled.stored() == before
    findings = await look(filled.client(), filled)
    assert "deltaglider rescue" in findings[0].remedy
    assert "(delta_corrupt)" in findings[0].message or "(checksum_mismatch)" in findings[0].message
    assert "(checksum_mismatch)" in findings[1].message


async def test_objects_of_other_tools_have_nothing_to_compare(world: World, ctx: Context) -> None:
    await world.put_raw("theirs.zip", V1)
    await world.put_raw("dir/", b"")
    await world.put_raw("empty", b"")
    assert await diagnose(ctx, world, repair=True) == []


async def test_a_size_that_lies(filled: World) -> None:
    found = await filled.store.head(filled.bucket, "p/b.zip.delta")
    for size in ("1", str(10**18)):
        await filled.put_raw(
            "p/b.zip.delta", await filled.body("p/b.zip.delta"), {**found.metadata, "dg-file-size": size}
        )
        ((code, key, state),) = await mend(filled)
        assert (key, state) == ("p/b.zip.delta", "wrong")
        assert code in ("delta_damaged", "not_examined")


async def test_an_object_deleted_under_the_look(filled: World) -> None:
    for operation in ("head", "fetch"):
        ctx, store = filled.scripted()
        store.before(operation, "p/b.zip.delta", nth=1, do=lambda call: filled.store.delete(filled.bucket, call.key))
        assert await diagnose(ctx, filled, repair=True) == []
        await filled.put(filled.client(), "p/b.zip", V2)


async def test_a_deltaspace_that_goes_under_the_look(filled: World) -> None:
    ctx, store = filled.scripted()

    async def vanish(call: Call) -> None:
        for name in "ab":
            await delete(filled.client(), filled.bucket, f"p/{name}.zip")

    store.after("head", "p/a.zip.delta", nth=1, do=vanish)
    assert "wrong" not in [state for _, _, state in await diagnose(ctx, filled)]


async def test_a_gz_delta_of_the_predecessor_is_read_as_reading_does(world: World, ctx: Context) -> None:
    text = b"".join(b"%d lines of text\n" % number for number in range(5000))
    first, second = gzip.compress(text, 9, mtime=1), gzip.compress(text + b"more", 9, mtime=2)
    await put_as_620(world, ctx, "p/", "a.tgz", second, first)
    assert await diagnose(world.client(), world) == []


async def test_a_prefix_is_not_its_beginning(filled: World, ctx: Context) -> None:
    await filled.put(ctx, "p2/a.zip", V1)
    await filled.store.delete(filled.bucket, reference := "p2" + REFERENCE.removeprefix("p"))
    assert await diagnose(filled.client(), filled, "p/") == []
    assert await diagnose(filled.client(), filled, "p2/") == [("reference_missing", "p2/a.zip.delta", "wrong")]
    # The bytes may come from anywhere in the bucket.
    assert await mend(filled, "p2/") == [("reference_missing", "p2/a.zip.delta", "mended")]
    assert reference in await filled.stored()


async def test_a_prefix_below_the_reference(world: World, ctx: Context) -> None:
    await world.put(ctx, "r/v1/a.zip", V1)
    await world.put(ctx, "r/v2/a.zip", V2)
    assert await diagnose(world.client(), world, "r/v2/", repair=True) == []
    (key,) = [key for key in await world.stored() if key.endswith("reference.bin")]
    await world.store.delete(world.bucket, key)
    assert await diagnose(world.client(), world, "r/v2/") == [("reference_missing", "r/v2/a.zip.delta", "wrong")]
    found = await mend(world, "r/v2/", sources=(world.file(V1),))
    assert found == [("reference_missing", "r/v2/a.zip.delta", "mended")]
    await assert_sound(world, {"r/v1/a.zip": V1, "r/v2/a.zip": V2})


async def test_many_deltas_at_once(world: World, ctx: Context) -> None:
    versions = {f"p/{number:02}.zip": revised(V1, number) for number in range(20)}
    for key, data in versions.items():
        await world.put(ctx, key, data)
    (reference,) = [key for key in await world.stored() if key.endswith("reference.bin")]
    data = await world.body(reference)
    await world.store.delete(world.bucket, reference)
    found = await mend(world, sources=(world.file(data),))
    assert found == [("reference_missing", f"{key}.delta", "mended") for key in versions]
    await assert_sound(world, versions)


async def test_the_users_metadata_outlive_a_repair(world: World, ctx: Context) -> None:
    data = noise("with a note")
    await put_as_620(world, ctx, "p/", "a.zip", data, V1, **{"user-note": "theirs", "dg-md5": "2d" * 16})
    for key in await world.stored():
        await world.store.copy(world.bucket, key, world.bucket, "q/" + key.removeprefix("p/"))
        await world.store.delete(world.bucket, key)
    await mend(world)
    metadata = (await world.store.head(world.bucket, "q/a.zip.delta")).metadata
    assert metadata["user-note"] == "theirs"
    assert metadata["dg-md5"] == "2d" * 16
    assert metadata["dg-ref-key"] == "q/reference.bin"
