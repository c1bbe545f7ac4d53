"""What broken-off work leaves: told, and removed once it is old, unless something needs it."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from tests.engine.clinic import V1, V2, V3, diagnose, look, mend
from tests.engine.test_doctor_references import REFERENCE, TRASH, assert_sound
from tests.engine.world import World, noise, sha256
from tests.servers import DirectoryEndpoint, S3Endpoint

DAYS = 2 * 86400


@pytest.fixture
async def filled(world: World, ctx: Context) -> World:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    return world


async def test_a_copy_in_the_trash(filled: World) -> None:
    await filled.store.copy(filled.bucket, REFERENCE, filled.bucket, TRASH)
    # Young: its deleter may be at work.
    assert await mend(filled) == [("trash", TRASH, "note")]
    filled.age(TRASH, DAYS)
    assert await diagnose(filled.client(), filled) == [("trash", TRASH, "note")]
    other = TRASH.replace("p/", "gone/")
    await filled.put_raw(other := other.replace(sha256(V1), sha256(V3)), V3)
    filled.age(other, DAYS)
    assert await mend(filled, quick=True) == [("trash", other, "note"), ("trash", TRASH, "mended")]
    assert await mend(filled) == [("trash", other, "mended")]
    await filled.store.copy(filled.bucket, REFERENCE, filled.bucket, TRASH)
    filled.age(TRASH, DAYS)
    assert await mend(filled) == [("trash", TRASH, "mended")]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_copy_in_the_trash_that_is_needed(filled: World) -> None:
    await filled.store.copy(filled.bucket, REFERENCE, filled.bucket, TRASH)
    await filled.store.delete(filled.bucket, REFERENCE)
    filled.age(TRASH, DAYS)
    findings = await look(filled.client(), filled)
    assert [finding.code for finding in findings] == ["reference_missing", "reference_missing", "trash"]
    assert "trash" in findings[0].remedy
    assert "needs its bytes" in findings[2].remedy
    found = await mend(filled)
    assert [(code, state) for code, _, state in found] == [
        ("reference_missing", "mended"),
        ("reference_missing", "mended"),
        ("trash", "mended"),
    ]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


async def test_a_copy_in_the_trash_that_another_prefix_needs(filled: World) -> None:
    await filled.store.copy(filled.bucket, REFERENCE, filled.bucket, TRASH)
    await filled.store.copy(filled.bucket, "p/b.zip.delta", filled.bucket, "q/b.zip.delta")
    for key in (REFERENCE, "p/a.zip.delta", "p/b.zip.delta"):
        await filled.store.delete(filled.bucket, key)
    assert await mend(filled, "p/", older_than=0.0) == [("trash", TRASH, "note")]
    found = await mend(filled, older_than=0.0)
    assert ("reference_missing", "q/b.zip.delta", "mended") in found
    await assert_sound(filled, {"q/b.zip": V2})


async def test_temporary_objects(world: World, ctx: Context) -> None:
    # As the predecessor makes them for presigned URLs, and never removes them (D20).
    expired, kept, bare = (f".deltaglider/tmp/{uuid.uuid4().hex}_{name}.zip" for name in ("expired", "kept", "bare"))
    await world.put_raw(expired, V1, {"dg-expires-at": "2025-01-02T03:04:05.678901", "dg-rehydrated": "true"})
    await world.put_raw(kept, V1, {"dg-expires-at": "2999-01-02T03:04:05.678901", "dg-rehydrated": "true"})
    await world.put_raw(bare, V1)
    notes = sorted(("temporary_object", key, "note") for key in (expired, kept, bare))
    assert sorted(await diagnose(ctx, world)) == notes
    # What is recorded counts; of what nothing is recorded, the age.
    assert sorted(await mend(world)) == sorted(
        [
            ("temporary_object", expired, "mended"),
            ("temporary_object", kept, "note"),
            ("temporary_object", bare, "note"),
        ]
    )
    for key in (kept, bare):
        world.age(key, DAYS)
    remedies = {finding.uri.rsplit("_")[-1]: finding.remedy for finding in await look(ctx, world)}
    assert remedies == {"kept.zip": "A URL may lead to it", "bare.zip": "--repair removes it"}
    assert sorted(await mend(world)) == sorted(
        [("temporary_object", kept, "note"), ("temporary_object", bare, "mended")]
    )
    assert list(await world.stored()) == [kept]


async def test_other_things_of_ours_are_left_alone(world: World, ctx: Context) -> None:
    for key in (".deltaglider/stats_quick.json", ".deltaglider/config.db", "_dgp/locks/reference/0.json"):
        await world.put_raw(key, b"{}")
    before = await world.stored()
    assert await mend(world, older_than=0.0) == []
    assert await world.stored() == before


async def test_files_of_the_embedded_store_that_no_object_names(filled: World) -> None:
    assert isinstance(filled.endpoint, DirectoryEndpoint)
    blobs = filled.endpoint.root / "blobs"
    shard = next(path for path in blobs.iterdir() if path.name != "new")
    orphans = [shard / (shard.name + uuid.uuid4().hex[2:]), blobs / "new" / uuid.uuid4().hex]
    for orphan in orphans:
        orphan.write_bytes(b"left by a writer that died")
    assert await diagnose(filled.client(), filled, repair=True) == []  # Young.
    for asked, there in (({}, True), ({"repair": True}, False)):
        (finding,) = await look(filled.client(), filled, older_than=0.0, **asked)
        assert (finding.code, finding.severity, finding.repaired) == ("local_leftover", "note", not there)
        assert finding.message.startswith("2 files in ")
        assert [orphan.exists() for orphan in orphans] == [there, there]
    await assert_sound(filled, {"p/a.zip": V1, "p/b.zip": V2})


@pytest.mark.endpoints("weed")
async def test_a_server_from_end_to_end(any_world: World, tmp_path: Path) -> None:
    world = any_world
    assert isinstance(world.endpoint, S3Endpoint)
    ctx, server, bucket = world.client(), world.endpoint.client(), world.bucket
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2, metadata={"team": "core"})
    await world.put(ctx, "q/c.zip", noise("another"))
    for key in ("p/big.bin", "p2/big.bin"):
        begun = server.create_multipart_upload(Bucket=bucket, Key=key)
        server.upload_part(Bucket=bucket, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=os.urandom(100))
    # Without a reference, without metadata, in both forms.
    await world.store.delete(bucket, REFERENCE)
    data = await world.body("q/c.zip.delta")
    await world.put_raw("q/c.zip.delta", data)
    await world.put_raw("q/d.txt.delta", data, (await world.store.head(bucket, "p/b.zip.delta")).metadata)
    young = await diagnose(world.client(), world, "p/")
    assert ("unfinished_upload", "p/big.bin", "note") in young
    found = await mend_on_server(world, tmp_path)
    assert ("reference_missing", "p/a.zip.delta", "mended") in found
    assert ("reference_missing", "p/b.zip.delta", "mended") in found
    assert ("metadata_lost", "q/c.zip.delta", "mended") in found
    assert ("unfinished_upload", "p/big.bin", "mended") in found
    assert ("unfinished_upload", "p2/big.bin", "mended") in found
    assert not server.list_multipart_uploads(Bucket=bucket).get("Uploads")
    fresh = world.client()
    assert await world.get(fresh, "p/a.zip") == V1
    assert await world.get(fresh, "p/b.zip") == V2
    assert await world.get(fresh, "q/c.zip") == noise("another")


async def mend_on_server(world: World, tmp_path: Path) -> list[tuple[str, str, str]]:
    source = tmp_path / "old download.zip"
    source.write_bytes(V1)
    return await diagnose(world.client(), world, repair=True, older_than=0.0, sources=(source,))
