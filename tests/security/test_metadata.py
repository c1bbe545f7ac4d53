"""Metadata is whatever somebody wrote: it may make an object unreadable, not lead a reader elsewhere or fill a disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deltaglider.errors import DeltaCorruptError, DeltaGliderError, IntegrityError, LocalFileError
from tests.engine.test_download import delta_of_620
from tests.engine.test_references import classic
from tests.engine.world import World, noise, reference_at, revised, sha256, world_on
from tests.servers import DirectoryEndpoint

V1 = noise("v1")
V2 = revised(V1, 2)


@pytest.fixture
async def world(directory: DirectoryEndpoint, tmp_path: Path) -> AsyncIterator[World]:
    """With a reference, and two deltas against it."""
    async with world_on(directory, directory.make_bucket(), tmp_path / "world") as made:
        ctx = made.client()
        await made.put(ctx, "p/a.zip", V1)
        await made.put(ctx, "p/b.zip", V2)
        yield made


async def rewrite(world: World, key: str = "p/b.zip.delta", **changes: str) -> None:
    """Other metadata for a stored object."""
    found = await world.store.head(world.bucket, key)
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    await world.put_raw(key, await world.body(key), {**found.metadata, **changed})


@pytest.mark.parametrize(
    "form", ["s3://{bucket}/{key}", "{bucket}/{key}", "../{bucket}/{key}", "arn:aws:s3:::{bucket}/{key}"]
)
async def test_a_reference_is_never_looked_for_in_another_bucket(world: World, form: str) -> None:
    """The right bytes lie there; a reader whose rights are wider than the writer's must not fetch them."""
    other = world.endpoint.make_bucket()
    key = reference_at("p/", V1)
    await world.put_raw(key, V1, bucket=other)
    await world.store.delete(world.bucket, key)
    await rewrite(world, dg_ref_key=form.format(bucket=other, key=key))
    ctx, store = world.scripted()
    with pytest.raises(IntegrityError, match="is gone"):
        await world.get(ctx, "p/b.zip")
    assert {call.bucket for call in store.calls} == {world.bucket}


@pytest.mark.parametrize("chain", ["itself", "each other", "a delta of a delta"])
async def test_references_that_are_deltas_lead_no_further(world: World, chain: str) -> None:
    """A reference is bytes, never decoded itself: a chain has one link, a circle none."""
    key = reference_at("p/", V1)
    await world.store.delete(world.bucket, key)
    if chain == "itself":
        body = await world.body("p/b.zip.delta")
        await rewrite(world, dg_ref_key="p/b.zip.delta", dg_ref_sha256=sha256(body))
    elif chain == "each other":
        for mine, theirs in (("a", "b"), ("b", "a")):
            body = await world.body(f"p/{theirs}.zip.delta")
            await rewrite(world, f"p/{mine}.zip.delta", dg_ref_key=f"p/{theirs}.zip.delta", dg_ref_sha256=sha256(body))
    else:
        await rewrite(world, dg_ref_key="p/a.zip.delta")
    ctx, store = world.scripted()
    with pytest.raises(IntegrityError):
        await world.get(ctx, "p/b.zip")
    assert len([call for call in store.calls if call.operation == "fetch"]) < 10


async def test_a_reference_of_another_object_gives_nothing_of_it_away(world: World) -> None:
    """Bytes that a delta claims to rest on are compared with its hash before they are used."""
    await world.put_raw("secret.bin", noise("secret"))
    await rewrite(world, dg_ref_key="secret.bin", dg_ref_sha256="0" * 64)
    with pytest.raises(IntegrityError) as raised:
        await world.get(world.client(), "p/b.zip")
    assert sha256(noise("secret")) not in str(raised.value)


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ("0", DeltaCorruptError),
        ("1", DeltaCorruptError),
        (str(len(V2) - 1), DeltaCorruptError),
        (str(2**62), LocalFileError),
        ("9" * 19, LocalFileError),
    ],
)
async def test_a_recorded_size_that_lies_is_found_out(world: World, size: str, error: type[DeltaGliderError]) -> None:
    await rewrite(world, dg_file_size=size)
    with pytest.raises(error):
        await world.get(world.client(), "p/b.zip")


@pytest.mark.parametrize("size", ["-1", "1e9", "9" * 20, "", "٣", "0x10", " ", "30000\n1"])
async def test_a_recorded_size_that_is_none_is_no_size(world: World, size: str) -> None:
    await rewrite(world, dg_file_size=size)
    with pytest.raises(DeltaGliderError) as raised:
        await world.get(world.client(), "p/b.zip")
    assert not isinstance(raised.value, LocalFileError)
    assert (await world.names(world.client()))[0] == "p/a.zip"


async def test_a_hash_that_lies_is_found_out(world: World) -> None:
    await rewrite(world, dg_file_sha256=sha256(b"something else"))
    with pytest.raises(IntegrityError, match="not the recorded"):
        await world.get(world.client(), "p/b.zip")


@pytest.mark.parametrize("command", ["xdelta3 -e; touch evil", "$(touch evil)", "-D `touch evil`", "--help", "\x1b[2J"])
async def test_the_recorded_command_is_never_run(world: World, command: str, tmp_path: Path) -> None:
    await rewrite(world, dg_delta_cmd=command)
    assert await world.get(world.client(), "p/b.zip") == V2
    assert not list(tmp_path.rglob("evil*"))


async def test_a_packed_file_of_an_earlier_tool_reads_though_it_might_unpack_to_more_than_the_disk_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a file holds has no recorded size: the room there is limits it, and is no reason to refuse it."""
    lines = b"".join(b"line %d of %d\n" % (number % 70, number) for number in range(4_000))
    one, two = (
        subprocess.run(["gzip", "-1nc"], input=data, capture_output=True, check=True).stdout
        for data in (lines, lines + b"more")
    )
    files = [world.file(data, name) for data, name in ((one, "reference.bin"), (two, "b.tgz"))]
    delta = world.place("delta")
    subprocess.run(["xdelta3", "-e", "-f", "-9", "-s", *map(str, files), str(delta)], check=True)
    await world.put_raw("old/reference.bin", one, classic(one))
    metadata = delta_of_620(two, "b.tgz", "old/reference.bin", one, delta.stat().st_size)
    await world.put_raw("old/b.tgz.delta", delta.read_bytes(), metadata)
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 10**6, 10**6))
    assert await world.get(world.client(), "old/b.tgz") == two
