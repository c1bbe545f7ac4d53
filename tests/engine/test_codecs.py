"""Objects of another codec than xdelta3: stored, read, copied, moved, looked at, and refused where it is missing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from deltaglider.codec.family import Codecs
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.estimate import estimate
from deltaglider.engine.inspect import head
from deltaglider.engine.move import move_across
from deltaglider.engine.rescue import Rescue, rescue
from deltaglider.engine.verify import check, verify
from deltaglider.errors import CodecMissingError, UnknownFormatError
from tests.engine.world import World, noise, revised

V1 = noise("v1")
V2, V3 = revised(V1, 2), revised(V1, 3)
FRAME, VCDIFF = b"\x28\xb5\x2f\xfd", b"\xd6\xc3\xc4\x00"


@pytest.fixture
def fast(world: World) -> Context:
    """A client that makes deltas with zstd."""
    return world.client(codec="zstd")


@pytest.mark.endpoints("directory", "moto")
async def test_it_is_stored_and_every_client_reads_it(any_world: World) -> None:
    world = any_world
    ctx = world.client(codec="zstd")
    for name, data in (("a", V1), ("b", V2)):
        summary = await world.put(ctx, f"p/{name}.zip", data)
        assert summary.delta_ratio < 0.1
        stored = await world.store.head(world.bucket, f"p/{name}.zip.delta")
        assert stored.metadata["dg-codec"] == "zstd"
        assert stored.metadata["dg-delta-cmd"] == "zstd -3 --long --patch-from"
        assert (await world.body(f"p/{name}.zip.delta")).startswith(FRAME)
        assert await world.get(world.client(), f"p/{name}.zip") == data
        assert (await head(ctx, world.bucket, f"p/{name}.zip")).size == len(data)


async def test_both_kinds_share_a_reference(world: World, fast: Context) -> None:
    slow = world.client()
    await world.put(slow, "p/a.zip", V1)
    await world.put(fast, "p/b.zip", V2)
    await world.put(slow, "p/c.zip", V3)
    starts = {name: (await world.body(f"p/{name}.zip.delta"))[:4] for name in "abc"}
    assert starts == {"a": VCDIFF, "b": FRAME, "c": VCDIFF}
    assert len([key for key in await world.stored() if key.endswith("reference.bin")]) == 1
    for name, data in (("a", V1), ("b", V2), ("c", V3)):
        assert await world.get(world.client(), f"p/{name}.zip") == data


async def test_an_overwrite_with_another_codec_leaves_nothing_of_the_first(world: World, fast: Context) -> None:
    slow = world.client()
    await world.put(fast, "p/a.zip", V1)
    await world.put(slow, "p/a.zip", V2)
    stored = await world.store.head(world.bucket, "p/a.zip.delta")
    assert "dg-codec" not in stored.metadata
    assert await world.get(world.client(), "p/a.zip") == V2


async def test_a_copy_inside_the_store_carries_the_codec_on(world: World, fast: Context) -> None:
    await world.put(fast, "p/a.zip", V1)
    await world.put(fast, "p/b.zip", V2)
    before = await world.body("p/b.zip.delta")
    await copy(world.client(), world.bucket, "p/b.zip", world.bucket, "q/c.zip")
    stored = await world.store.head(world.bucket, "q/c.zip.delta")
    assert (stored.metadata["dg-codec"], await world.body("q/c.zip.delta")) == ("zstd", before)
    assert await world.get(world.client(), "q/c.zip") == V2
    await move_across(world.client(), world.bucket, "q/c.zip", world.bucket, "r/d.zip")
    assert await world.get(world.client(), "r/d.zip") == V2


async def test_it_is_proven_looked_at_and_rescued(world: World, fast: Context, tmp_path: Path) -> None:
    await world.put(fast, "p/a.zip", V1)
    ctx = world.client()
    assert (await verify(ctx, world.bucket, "p/a.zip")).state == "proven"
    assert (await check(ctx, world.bucket, "p/a.zip")).state == "checked"
    target = tmp_path / "rescued"
    summary = await rescue(ctx, Rescue(world.bucket, "p/a.zip", target))
    assert (summary.exact, target.read_bytes()) == (True, V1)


async def test_an_estimate_is_of_the_codec_that_would_write(world: World, fast: Context) -> None:
    await world.put(fast, "p/a.zip", V1)
    found = await estimate(fast, world.file(V2), world.bucket, "p/b.zip", sample=len(V2))
    stored = (await world.put(fast, "p/b.zip", V2)).stored_size
    assert found.estimated_compressed_size == stored


@pytest.mark.parametrize("codec", ["zstd", "archive-of-tomorrow"])
async def test_a_reader_that_lacks_the_codec_says_so(codec: str, world: World, fast: Context, tmp_path: Path) -> None:
    """A client of before, in short."""
    await world.put(fast, "p/a.zip", V1)
    stored = await world.store.head(world.bucket, "p/a.zip.delta")
    await world.put_raw("p/a.zip.delta", await world.body("p/a.zip.delta"), {**stored.metadata, "dg-codec": codec})
    old = dataclasses.replace(world.client(), codecs=Codecs(Xdelta3()))
    with pytest.raises(UnknownFormatError, match=rf"p/a\.zip.*'{codec}'.*Update deltaglider"):
        await world.get(old, "p/a.zip")
    assert (await check(old, world.bucket, "p/a.zip")).state == "failed"
    assert (await verify(old, world.bucket, "p/a.zip")).state == "failed"
    with pytest.raises(UnknownFormatError, match=codec):
        await rescue(old, Rescue(world.bucket, "p/a.zip", tmp_path / "rescued"))


async def test_a_python_without_zstd_says_so_and_reads_the_rest(
    world: World, fast: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = world.client()
    await world.put(slow, "p/a.zip", V1)
    await world.put(fast, "p/b.zip", V2)
    monkeypatch.setitem(sys.modules, "compression" if sys.version_info >= (3, 14) else "backports", None)
    with pytest.raises(CodecMissingError, match="zstd"):
        await world.get(slow, "p/b.zip")
    assert await world.get(slow, "p/a.zip") == V1


async def test_where_xdelta3_is_not_installed_files_are_stored_all_the_same(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    monkeypatch.setenv("PATH", str(tmp_path))
    ctx = world.client()
    assert (await world.put(ctx, "p/b.zip", V2)).operation == "create_delta"
    assert await world.get(ctx, "p/b.zip") == V2
    with pytest.raises(CodecMissingError, match="'xdelta3' is not installed"):
        await world.get(ctx, "p/a.zip")


async def test_unrelated_files_are_stored_whole_and_nothing_is_left_of_the_attempt(world: World) -> None:
    ctx, other = world.client(), noise("other", 200_000)
    await world.put(ctx, "p/a.zip", noise("large", 200_000))
    assert (await world.put(ctx, "p/b.zip", other)).operation == "upload_direct"
    assert "p/b.zip" in await world.stored()
    assert await world.get(world.client(), "p/b.zip") == other
