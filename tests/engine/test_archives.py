"""Deltas of what archives hold, in a bucket: each verb works on them, and what may fail falls back."""

from __future__ import annotations

import io
import mmap
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_async_client
from deltaglider.codec.archive import ArchiveCodec
from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.inspect import head
from deltaglider.engine.move import move_across
from deltaglider.engine.upload import upload
from deltaglider.engine.verify import verify
from deltaglider.errors import LocalFileError, MetadataLostError
from tests.archive.material import Member, content, gzipped, noise, zipped
from tests.codec.test_aligned import program
from tests.codec.test_headers import release as tar_release
from tests.codec.test_headers import tar_of
from tests.engine.clinic import diagnose, mend, strip
from tests.engine.world import World

pytestmark = pytest.mark.endpoints("directory", "moto")


def release(number: int) -> bytes:
    members = [Member(b"%d.txt" % each, content(300, each) + noise(1_500, each)) for each in range(number, number + 6)]
    return zipped(*members, Member(b"data.gz", gzipped(content(500, number))))


V1, V2, V3 = (release(number) for number in (1, 2, 3))


async def store(world: World, ctx: Context) -> None:
    for name, data in (("a", V1), ("b", V2)):
        await world.put(ctx, f"p/{name}.whl", data)


async def codec_of(world: World, key: str) -> str:
    return (await world.store.head(world.bucket, key)).metadata.get("dg-codec", "")


async def test_it_is_stored_small_and_each_way_of_reading_gives_it_back(any_world: World) -> None:
    world = any_world
    await store(world, world.client())

    assert await codec_of(world, "p/b.whl.delta") == "archive"
    assert len(await world.body("p/b.whl.delta")) < len(V2) / 4
    ctx = world.client()
    assert await world.get(ctx, "p/b.whl") == V2
    assert (await head(ctx, world.bucket, "p/b.whl")).size == len(V2)
    assert (await verify(ctx, world.bucket, "p/b.whl")).state == "proven"
    settings = world.endpoint.settings(cache_dir=world.home / "own cache", temp_dir=world.home / "own files")
    async with create_async_client(settings=settings) as client:
        answer = await client.get_object(Bucket=world.bucket, Key="p/b.whl", Range="bytes=100-8999")
        assert await answer["Body"].read() == V2[100:9000]
        figures = await client.get_bucket_stats(world.bucket, mode="detailed")
        assert (figures.object_count, figures.total_size) == (2, len(V1) + len(V2))


async def test_tars_are_stored_by_what_changed_in_them(any_world: World) -> None:
    world = any_world
    releases = [tar_release(number) for number in (1, 2)]
    for number, data in enumerate(releases):
        await world.put(world.client(), f"p/{number}.tar", data)
        await world.put(world.client(), f"q/{number}.tar.gz", gzipped(data))

    assert await codec_of(world, "p/1.tar.delta") == "headers"
    assert await codec_of(world, "q/1.tar.gz.delta") == "archive"
    for key in ("p/1.tar", "q/1.tar.gz"):
        assert len(await world.body(f"{key}.delta")) < 200 * 10
    ctx = world.client(archive="never")
    assert await world.get(ctx, "p/1.tar") == releases[1]
    assert await world.get(ctx, "q/1.tar.gz") == gzipped(releases[1])
    assert (await verify(ctx, world.bucket, "p/1.tar")).state == "proven"
    await world.put(ctx, "p/plain.tar", tar_release(3))
    assert await codec_of(world, "p/plain.tar.delta") == ""


@pytest.mark.endpoints("moto")
async def test_a_url_leads_to_the_file(any_world: World) -> None:
    world = any_world
    await store(world, world.client())
    settings = world.endpoint.settings(cache_dir=world.home / "own cache", temp_dir=world.home / "own files")

    async with create_async_client(settings=settings) as client:
        place = await client.rehydrate_for_download(world.bucket, "p/b.whl")

    assert place is not None
    assert await world.body(place) == V2


async def test_it_is_copied_and_moved_and_deleted(any_world: World) -> None:
    world = any_world
    await store(world, world.client())
    before = await world.body("p/b.whl.delta")

    await copy(world.client(), world.bucket, "p/b.whl", world.bucket, "q/c.whl")
    assert await codec_of(world, "q/c.whl.delta") == "archive"
    assert await world.body("q/c.whl.delta") == before
    await move_across(world.client(), world.bucket, "q/c.whl", world.bucket, "r/d.whl")
    assert await world.get(world.client(), "r/d.whl") == V2
    await world.put(world.client(), "p/b.whl", V3)
    assert await world.get(world.client(), "p/b.whl") == V3


async def test_never_makes_plain_deltas_and_reads_the_others(any_world: World) -> None:
    world = any_world
    await store(world, world.client())
    ctx = world.client(archive="never", max_ratio=1.0)

    await world.put(ctx, "p/c.whl", V3)

    assert await codec_of(world, "p/c.whl.delta") == ""
    assert await world.get(ctx, "p/b.whl") == V2


async def test_never_does_not_keep_the_delta_of_the_same_bytes(world: World) -> None:
    await store(world, world.client())

    await world.put(world.client(archive="never", max_ratio=1.0), "p/b.whl", V2)

    assert await codec_of(world, "p/b.whl.delta") == ""


async def test_where_there_is_no_room_to_prove_it_a_plain_one_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other uploads may have filled the disk since it was made."""

    async def fill(*_: object, **__: object) -> str:
        raise LocalFileError("the disk is too full", uri="/tmp")

    monkeypatch.setattr(ArchiveCodec, "prove", fill)
    await store(world, world.client(max_ratio=1.0))

    assert await codec_of(world, "p/b.whl.delta") == ""
    assert await world.get(world.client(), "p/b.whl") == V2


async def test_one_that_lost_its_metadata_is_no_file_and_is_found_out(any_world: World) -> None:
    world = any_world
    await store(world, world.client())
    await strip(world, "p/b.whl.delta")

    with pytest.raises(MetadataLostError):
        await world.get(world.client(), "p/b.whl")
    assert [(code, name) for code, name, _ in await diagnose(world.client(), world)] == [
        ("metadata_lost", "p/b.whl.delta")
    ]
    await mend(world)

    assert await codec_of(world, "p/b.whl.delta") == "archive"
    assert await world.get(world.client(), "p/b.whl") == V2


async def test_one_of_headers_that_lost_its_metadata_is_found_out_too(any_world: World) -> None:
    world = any_world
    releases = [tar_release(number) for number in (1, 2)]
    for number, data in enumerate(releases):
        await world.put(world.client(), f"p/{number}.tar", data)
    await strip(world, "p/1.tar.delta")

    with pytest.raises(MetadataLostError):
        await world.get(world.client(), "p/1.tar")
    assert [(code, name) for code, name, _ in await diagnose(world.client(), world)] == [
        ("metadata_lost", "p/1.tar.delta")
    ]
    await mend(world)

    assert await codec_of(world, "p/1.tar.delta") == "headers"
    assert await world.get(world.client(), "p/1.tar") == releases[1]


async def test_what_does_not_come_back_is_stored_plainly(
    any_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong between the search and the proof: here the delta is damaged in between."""
    world = any_world
    ctx = world.client(max_ratio=1.0)
    prove = ArchiveCodec.prove

    async def damage_first(self: ArchiveCodec, reference: Path, delta: Path, shortcuts: object, *, size: int) -> str:
        content = delta.read_bytes()
        delta.write_bytes(content[:-20] + bytes(20))
        return await prove(self, reference, delta, shortcuts, size=size)

    monkeypatch.setattr(ArchiveCodec, "prove", damage_first)
    await store(world, ctx)

    assert await codec_of(world, "p/b.whl.delta") == ""
    assert await world.get(world.client(), "p/b.whl") == V2
    assert "is of no use" in caplog.text


def _zip_of(*contents: bytes, method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for number, each in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"{number}.so"), each, method)
    return out.getvalue()


KINDS = {
    "lib.so": program,
    "few.tar": lambda shift: tar_of([program(shift)]),
    "many.tar": lambda shift: tar_of([program(shift), *(noise(900, number) for number in range(12))]),
    "stored.zip": lambda shift: _zip_of(program(shift), method=zipfile.ZIP_STORED),
    "packed.zip": lambda shift: _zip_of(program(shift), b"text" * 100, method=zipfile.ZIP_DEFLATED),
    "one.gz": lambda shift: gzipped(program(shift)),
    "disk.img": lambda shift: noise(90_000, 1) + program(shift) + noise(90_000, 2),
}


@pytest.mark.endpoints("directory")
@pytest.mark.parametrize("settings", [{}, {"codec": "zstd"}, {"archive": "never"}], ids=["auto", "zstd", "plain"])
@pytest.mark.parametrize("name", KINDS)
async def test_programs_come_back_whatever_they_lie_in_and_no_file_of_the_user_is_mapped(
    any_world: World, name: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cuts a mapped file short ends the process; and a file that is mapped counts as memory."""
    mapped: list[str] = []

    class Watched(mmap.mmap):
        def __new__(cls, number: int, *arguments: Any, **options: Any) -> Watched:
            if number >= 0 and sys.platform == "linux":
                mapped.append(str(Path(f"/proc/self/fd/{number}").readlink()))
            return super().__new__(cls, number, *arguments, **options)

    world = any_world
    ctx = world.client(**settings)
    one, other = (KINDS[name](shift) for shift in (0, 0x1240))
    first, second = world.file(one), world.file(other)
    monkeypatch.setattr(mmap, "mmap", Watched)
    await upload(ctx, first, world.bucket, f"v1/{name}")
    summary = await upload(ctx, second, world.bucket, f"v2/{name}")
    monkeypatch.undo()
    assert not {str(first), str(second)} & set(mapped)
    assert await world.get(world.client(), f"v2/{name}") == other
    is_packed = name in {"packed.zip", "one.gz"}
    assert summary.is_delta == (not is_packed or settings.get("archive") != "never")
    if summary.is_delta:
        assert await codec_of(world, f"v2/{name}.delta") in {"", "archive", "headers", "zstd"}
