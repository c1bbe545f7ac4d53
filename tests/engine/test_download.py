"""Downloads: the original bytes, proven, whole, or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.inspect import head
from deltaglider.engine.verify import verify
from deltaglider.errors import (
    BucketNotFoundError,
    ChecksumMismatchError,
    DeltaCorruptError,
    IntegrityError,
    LocalFileError,
    MetadataLostError,
    NotFoundError,
    PreconditionFailedError,
    ReferenceCorruptError,
    ReferenceMissingError,
    StoreUnavailableError,
    UnknownFormatError,
)
from deltaglider.events import CacheUsed, CodecRan
from deltaglider.models import ObjectInfo
from tests.engine.test_delete import as_by_620, delta_of_620
from tests.engine.test_references import classic
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.faults.wrapper import fail

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")


async def refused(world: World, key: str, kind: type[Exception], *, match: str = ".") -> str:
    """Downloads over an existing file, which must stay as it is, and tells what the error says."""
    target = world.file(b"what was there", "target")
    with pytest.raises(kind, match=match) as caught:
        await download(world.client(), world.bucket, key, target)
    assert type(caught.value) is kind
    assert target.read_bytes() == b"what was there"
    assert os.listdir(target.parent) == ["target"]
    assert "\n" not in str(caught.value)
    assert f"s3://{world.bucket}/{key}" in str(caught.value)
    return str(caught.value)


@pytest.mark.endpoints("directory", "moto")
async def test_what_comes_back_is_what_went_up(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    files = {"p/a.zip": V1, "p/b.zip": V2, "p/c.txt": b"whole", "p/empty": b""}
    for key, data in files.items():
        await world.put(ctx, key, data)
    fresh = world.client()
    for key, data in files.items():
        assert await world.get(fresh, key) == data


async def test_a_cached_reference_is_not_counted_as_brought(world: World) -> None:
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1)
    summary = await world.put(ctx, "p/b.zip", V2)
    brought = await download(ctx, world.bucket, "p/b.zip", world.place())
    assert brought.fetched == summary.stored_size


async def test_it_tells_what_it_brought(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    summary = await world.put(world.client(), "p/b.zip", V2)
    events: list[Any] = []
    ctx = world.client(observer=events.append)
    target = world.place()
    brought = await download(ctx, world.bucket, "p/b.zip", target)
    assert (brought.size, brought.fetched, brought.sha256, brought.verified, brought.path) == (
        len(V2),
        summary.stored_size + len(V1),  # The reference was not cached here, so it came too.
        sha256(V2),
        True,
        str(target),
    )
    assert [event.hit for event in events if isinstance(event, CacheUsed)] == [False]
    assert [event.operation for event in events if isinstance(event, CodecRan)] == ["decode"]
    assert sum(event.count for event in events if hasattr(event, "count")) == summary.stored_size + len(V1)


async def test_a_file_of_another_tool_is_brought_as_it_is(world: World, ctx: Context) -> None:
    await world.put_raw("p/foreign.zip", V1, {"tool": "own", "note": "x"})
    target = world.place()
    brought = await download(ctx, world.bucket, "p/foreign.zip", target)
    assert target.read_bytes() == V1
    assert (brought.verified, brought.sha256) == (False, sha256(V1))


@pytest.mark.endpoints("directory", "moto")
async def test_absent_is_absent(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    for key in ("p/b.zip", "p/a.zip.delta", "p/", "p", reference_at("p/", V1), ".deltaglider/x"):
        await refused(world, key, NotFoundError)
        with pytest.raises(NotFoundError):
            await head(ctx, world.bucket, key)
    with pytest.raises(BucketNotFoundError):
        await download(ctx, "no-such-bucket", "p/a.zip", world.place())


async def test_the_error_for_a_deltas_own_key_says_what_to_ask_for(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    text = await refused(world, "p/a.zip.delta", NotFoundError)
    assert f"how s3://{world.bucket}/p/a.zip is stored: ask for that" in text


# What is damaged or gone.


async def test_damaged_bytes_of_a_whole_file_are_never_handed_out(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.txt", V1)
    await world.damage("p/a.txt")
    await refused(world, "p/a.txt", ChecksumMismatchError, match=sha256(V1))


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\xd6\xc3\xc4\x00", None])
async def test_a_damaged_delta_is_never_handed_out(world: World, ctx: Context, garbage: bytes | None) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.damage("p/b.zip.delta", garbage)
    await refused(world, "p/b.zip", DeltaCorruptError)


async def test_a_delta_of_another_file_is_never_handed_out(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.zip", V2[:-1] + b"?")
    await world.damage("p/b.zip.delta", await world.body("p/c.zip.delta"))
    await refused(world, "p/b.zip", ChecksumMismatchError)


async def test_a_delta_that_makes_more_than_is_recorded_is_stopped(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    bomb = bytes(50 << 20)
    await world.put(ctx, "p/b.zip", bomb)
    assert (await world.store.head(world.bucket, "p/b.zip.delta")).size < 10_000
    found = await world.store.head(world.bucket, "p/b.zip.delta")
    await world.put_raw("p/b.zip.delta", await world.body("p/b.zip.delta"), {**found.metadata, "dg-file-size": "100"})
    assert "100 bytes" in await refused(world, "p/b.zip", DeltaCorruptError)


async def test_a_missing_reference_is_said(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.store.delete(world.bucket, reference_at("p/", V1))
    assert reference_at("p/", V1) in await refused(world, "p/a.zip", ReferenceMissingError)


async def test_a_damaged_reference_is_said(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.damage(reference_at("p/", V1))
    assert reference_at("p/", V1) in await refused(world, "p/a.zip", ReferenceCorruptError)


async def test_a_reference_whose_body_the_store_lost_is_looked_for_elsewhere(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    store = world.clients[-1].store
    fresh, scripted = world.scripted()
    lost = scripted.before(
        "fetch", reference_at("p/", V1), do=fail(IntegrityError("the body is gone", uri=reference_at("p/", V1)))
    )
    with pytest.raises(ReferenceCorruptError):
        await download(fresh, world.bucket, "p/a.zip", world.place())
    await store.copy(
        world.bucket, reference_at("p/", V1), world.bucket, f"p/.deltaglider/trash/{sha256(V1)}/x/reference.bin"
    )
    assert await world.get(fresh, "p/a.zip") == V1
    assert lost.hits >= 2


@pytest.mark.parametrize("operation", ["head", "fetch", "list_objects"])
async def test_a_store_that_does_not_answer_is_never_taken_for_absence(world: World, operation: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.store.delete(world.bucket, reference_at("p/", V1))
    ctx, store = world.scripted()
    rule = store.before(operation, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await download(ctx, world.bucket, "p/a.zip", world.place())
    assert rule.hits


async def moved(world: World, *, to: str, references: bool = True) -> None:
    """Moves all of ``p/`` as other tools do: stored keys and metadata as they are."""
    for key, found in (await world.stored()).items():
        if references or not key.endswith("reference.bin"):
            await world.put_raw(to + key.removeprefix("p/"), await world.body(key), found.metadata)
        await world.store.delete(world.bucket, key)


@pytest.mark.parametrize("to", ["q/", "q/v1/", "", "deep/er/"])
async def test_a_moved_deltaspace_stays_readable_though_it_names_the_old_place(world: World, to: str) -> None:
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await moved(world, to=to)
    fresh = world.client()
    assert await world.get(fresh, f"{to}a.zip") == V1
    assert await world.get(fresh, f"{to}b.zip") == V2
    assert (await world.store.head(world.bucket, f"{to}a.zip.delta")).metadata["dg-ref-key"].startswith("p/")


@pytest.mark.parametrize("to", ["q/", "q/v1/", ""])
async def test_a_moved_classic_deltaspace_stays_readable_too(world: World, to: str) -> None:
    await as_by_620(world, "p/")
    await moved(world, to=to)
    assert await world.get(world.client(), f"{to}b.zip") == V2


@pytest.mark.parametrize("place", ["p/", "p/v1/"])
async def test_a_reference_in_the_trash_of_its_deltaspace_is_found(world: World, place: str) -> None:
    await world.put(world.client(), f"{place}a.zip", V1)
    key = reference_at("p/", V1)
    await world.put_raw(f"p/.deltaglider/trash/{sha256(V1)}/0123/reference.bin", V1)
    await world.store.delete(world.bucket, key)
    assert await world.get(world.client(), f"{place}a.zip") == V1


async def test_only_a_reference_with_the_right_bytes_is_believed(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.damage(reference_at("p/", V1))
    await world.put_raw("p/reference.bin", V2, classic(V2))
    await world.put_raw(f"p/.deltaglider/trash/{sha256(V1)}/0/reference.bin", V3)
    await refused(world, "p/a.zip", ReferenceCorruptError)
    await world.put_raw(f"p/.deltaglider/trash/{sha256(V1)}/1/reference.bin", V1)
    assert await world.get(world.client(), "p/a.zip") == V1


async def test_a_reference_put_back_while_it_is_looked_for_is_found(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    key = reference_at("p/", V1)
    metadata = (await world.store.head(world.bucket, key)).metadata
    await world.store.delete(world.bucket, key)
    ctx, store = world.scripted()
    store.after("list_objects", "*trash*", do=lambda call: world.put_raw(key, V1, metadata))
    assert await world.get(ctx, "p/a.zip") == V1


@pytest.mark.parametrize("reference_key", ["p/a.zip.delta", "p/a.zip", "", "../x", "/", "p/b.txt", "x" * 1024])
async def test_hostile_reference_keys_give_nothing_away(world: World, reference_key: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.txt", b"secret")
    found = await world.store.head(world.bucket, "p/a.zip.delta")
    sha = sha256(b"secret") if reference_key == "p/b.txt" else found.metadata["dg-ref-sha256"]
    metadata = {**found.metadata, "dg-ref-key": reference_key, "dg-ref-sha256": sha}
    await world.put_raw("p/a.zip.delta", await world.body("p/a.zip.delta"), metadata)
    if reference_key in ("", "p/b.txt"):
        with pytest.raises(IntegrityError):
            await world.get(world.client(), "p/a.zip")
    else:
        # Nothing but the recorded hash makes a reference; here the right one is beside the delta.
        assert await world.get(world.client(), "p/a.zip") == V1


# Metadata that was lost, and metadata of earlier tools.


def without(metadata: Any, *names: str) -> dict[str, str]:
    return {name: value for name, value in metadata.items() if name not in names}


@pytest.mark.parametrize(
    "lost",
    [
        None,
        ("dg-file-sha256",),
        ("dg-file-size",),
        ("dg-ref-key",),
        ("dg-ref-sha256",),
        ("dg-ref-sha256", "dg-note", "dg-ref-key"),
    ],
)
async def test_a_delta_that_lost_its_metadata_is_never_served_as_the_file(
    world: World, ctx: Context, lost: tuple[str, ...] | None
) -> None:
    await world.put(ctx, "p/a.zip", V1)
    delta, found = await world.body("p/a.zip.delta"), await world.store.head(world.bucket, "p/a.zip.delta")
    await world.put_raw("p/a.zip.delta", delta, {} if lost is None else without(found.metadata, *lost))
    text = await refused(world, "p/a.zip", MetadataLostError)
    assert "p/a.zip.delta" in text
    assert "upload the file again" in text
    with pytest.raises(MetadataLostError):
        await head(ctx, world.bucket, "p/a.zip")
    # Uploading it again, as the error advises, works: whole, beside the wreck.
    assert (await world.put(ctx, "p/a.zip", V1)).operation == "upload_direct"
    assert await world.get(ctx, "p/a.zip") == V1


async def test_an_unknown_codec_is_refused(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    found = await world.store.head(world.bucket, "p/a.zip.delta")
    await world.put_raw("p/a.zip.delta", await world.body("p/a.zip.delta"), {**found.metadata, "dg-codec": "bsdiff"})
    assert "Update deltaglider" in await refused(world, "p/a.zip", UnknownFormatError)


@pytest.mark.parametrize("delta", [True, False])
async def test_what_the_proxy_encrypted_is_told_apart_from_what_is_damaged(
    world: World, ctx: Context, delta: bool
) -> None:
    await world.put(ctx, "p/a.zip", V1, delta=delta)
    key = "p/a.zip.delta" if delta else "p/a.zip"
    found = await world.store.head(world.bucket, key)
    marks = {"dg-tool": "deltaglider_proxy/1.19.0", "user-dg-encrypted": "aes-256-gcm-v1"}
    await world.put_raw(key, noise("ciphertext"), {**found.metadata, **marks})
    told = await refused(world, "p/a.zip", UnknownFormatError)
    assert "aes-256-gcm-v1" in told
    assert "Fetch it through the proxy" in told


def spelled(metadata: dict[str, str], dialect: str) -> dict[str, str]:
    """The same metadata in one of the four spellings of earlier tools."""
    change: dict[str, Callable[[str], str]] = {
        "dg-": lambda name: name,
        "dg_": lambda name: name.replace("-", "_"),
        "bare_": lambda name: name.removeprefix("dg-").replace("-", "_"),
        "bare-": lambda name: name.removeprefix("dg-"),
    }
    return {change[dialect](name): value for name, value in metadata.items()}


@pytest.mark.parametrize("dialect", ["dg-", "dg_", "bare_", "bare-"])
@pytest.mark.parametrize("packed", [False, True])
async def test_what_earlier_tools_wrote_reads_in_every_spelling(world: World, dialect: str, packed: bool) -> None:
    one, two = V1, V2
    # gzip's own output, which its recompression reproduces: all that 6.2.0 could store of packed files.
    if packed:
        one, two = (
            subprocess.run(["gzip", "-nc"], input=data, capture_output=True, check=True).stdout for data in (V1, V2)
        )
    files = [world.file(data, name) for data, name in ((one, "reference.bin"), (two, "b.tgz"))]
    delta = world.place("delta")
    subprocess.run(["xdelta3", "-e", "-f", "-9", "-s", *map(str, files), str(delta)], check=True)
    data = delta.read_bytes()
    await world.put_raw("p/reference.bin", one, spelled(classic(one), dialect))
    metadata = delta_of_620(two, "b.tgz", "p/reference.bin", one, len(data))
    await world.put_raw("p/b.tgz.delta", data, spelled(metadata, dialect))
    whole = {**without(metadata, *[name for name in metadata if "ref" in name or "delta" in name])}
    whole |= {"dg-file-sha256": sha256(V3), "dg-file-size": str(len(V3)), "dg-compression": "none"}
    await world.put_raw("p/c.txt", V3, spelled(whole, dialect))

    ctx = world.client()
    assert await world.get(ctx, "p/b.tgz") == two
    assert await world.get(ctx, "p/c.txt") == V3
    assert await world.names(ctx) == ["p/b.tgz", "p/c.txt"]
    assert (await verify(ctx, world.bucket, "p/b.tgz")).valid
    # And it can be added to.
    await world.put(ctx, "p/d.zip", revised(one, "more"))
    assert await world.get(world.client(), "p/d.zip") == revised(one, "more")
    await world.damage("p/c.txt")
    await refused(world, "p/c.txt", ChecksumMismatchError)


# Where it goes.


async def test_the_target_is_a_directory(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    target = world.place()
    target.mkdir()
    with pytest.raises(LocalFileError, match=f"{target}: is a directory"):
        await download(ctx, world.bucket, "p/a.zip", target)
    assert os.listdir(target) == []


async def test_a_symbolic_link_is_replaced_and_not_followed(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    precious, target = world.file(b"precious"), world.place()
    target.symlink_to(precious)
    await download(ctx, world.bucket, "p/a.zip", target)
    assert precious.read_bytes() == b"precious"
    assert not target.is_symlink()
    assert target.read_bytes() == V1


async def test_a_dangling_link_is_replaced_too(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    target = world.place()
    target.symlink_to(target.parent / "nothing")
    await download(ctx, world.bucket, "p/a.zip", target)
    assert not target.is_symlink()
    assert os.listdir(target.parent) == ["target"]


async def test_a_pipe_gets_the_bytes_when_all_are_proven(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2)
    await world.damage("p/b.zip.delta")
    target = world.place()
    os.mkfifo(target)
    with subprocess.Popen(["cat", str(target)], stdout=subprocess.PIPE) as reader:
        with pytest.raises(IntegrityError):
            await download(ctx, world.bucket, "p/b.zip", target)
        await download(ctx, world.bucket, "p/a.zip", target)
        assert reader.stdout is not None
        assert reader.stdout.read() == V1
    assert stat.S_ISFIFO(target.stat().st_mode)
    await download(ctx, world.bucket, "p/a.zip", Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


async def test_directories_are_made_and_the_mode_is_the_umasks(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    target = world.place() / "new" / "a.zip"
    old = os.umask(0o027)
    try:
        await download(ctx, world.bucket, "p/a.zip", target)
    finally:
        os.umask(old)
    assert target.read_bytes() == V1
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


async def test_a_parent_that_is_a_file_is_said(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    target = world.file(b"file") / "a.zip"
    with pytest.raises(LocalFileError, match="cannot be written"):
        await download(ctx, world.bucket, "p/a.zip", target)


async def test_the_time_of_the_object_is_kept_on_request(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/c.txt", V1)
    for key, stored in (("p/a.zip", "p/a.zip.delta"), ("p/c.txt", "p/c.txt")):
        world.age(stored, 1_000_000)
        target = world.place()
        await download(ctx, world.bucket, key, target, keep_mtime=True)
        assert target.stat().st_mtime == (await world.store.head(world.bucket, stored)).last_modified.timestamp()


async def test_the_temporary_file_lies_beside_the_target_and_goes(world: World) -> None:
    await world.put(world.client(), "p/a.txt", V1)
    ctx, store = world.scripted()
    target, seen = world.place(), []
    store.after("fetch", do=lambda call: seen.extend(os.listdir(target.parent)))
    await download(ctx, world.bucket, "p/a.txt", target)
    (temporary,) = seen
    assert temporary.startswith(".deltaglider-")
    assert os.listdir(target.parent) == ["target"]


@pytest.mark.parametrize("key", ["p/a.txt", "p/a.zip"])
async def test_a_cancelled_download_leaves_nothing(world: World, key: str) -> None:
    await world.put(world.client(), key, V1)
    ctx, store = world.scripted()
    target = world.file(b"old", "target")
    with anyio.CancelScope() as scope:

        async def cancel(call: Any) -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        store.after("fetch", do=cancel)
        await download(ctx, world.bucket, key, target)
    assert scope.cancelled_caught
    assert os.listdir(target.parent) == ["target"]
    assert target.read_bytes() == b"old"


FILL_THE_DISK = """
import asyncio, os, resource, subprocess, sys
from pathlib import Path
from deltaglider.client.assemble import assemble
from deltaglider.config import Settings
from deltaglider.engine.download import download
from deltaglider.errors import LocalFileError

async def main(how, url, home, bucket, key, target):
    if how == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", os.path.dirname(target)], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    Path(target).write_bytes(b"old")
    ctx = assemble(Settings(endpoint_url=url, cache_dir=home + "/cache", temp_dir=home + "/temporary"))
    try:
        await download(ctx, bucket, key, Path(target))
    except LocalFileError as error:
        assert os.listdir(os.path.dirname(target)) == ["target"]
        assert Path(target).read_bytes() == b"old"
        print(error)
    else:
        sys.exit("it was not refused")
    finally:
        await ctx.store.aclose()
        ctx.spool.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("key", ["p/a.txt", "p/b.zip"])
async def test_a_full_disk_is_said_and_leaves_the_target_as_it_was(world: World, ctx: Context, key: str) -> None:
    """On a file system of 64 KiB, in a mount namespace of its own; where that is not permitted, files of 20 kB."""
    data = noise("v1", 300_000)
    await world.put(ctx, "p/a.zip", data)
    await world.put(ctx, key, revised(data, "v2"))
    namespace = ["unshare", "--map-root-user", "--mount"]
    permitted = shutil.which("unshare") and subprocess.call([*namespace, "true"], stderr=subprocess.DEVNULL) == 0
    if not permitted:
        key = "p/a.txt"
        await world.put(ctx, key, data)
    command = [*(namespace if permitted else []), sys.executable, "-c", FILL_THE_DISK]
    target = world.place()
    arguments = [world.endpoint.url, str(world.home / "other"), world.bucket, key, str(target)]
    result = await anyio.run_process([*command, "tmpfs" if permitted else "rlimit", *arguments])
    assert result.stdout.decode().startswith(f"{target}: ")
    # Whether a delta's file fits is asked before it is made.
    full = "the disk is too full" if key == "p/b.zip" else "the disk is full"
    assert (full if permitted else "the file is too large") in result.stdout.decode()


# Writers at work meanwhile.


@pytest.mark.parametrize("key", ["p/a.txt", "p/a.zip"])
async def test_an_object_overwritten_between_two_requests_is_one_of_the_two_and_no_mixture(
    world: World, key: str
) -> None:
    await world.put(world.client(), key, V1)
    ctx, store = world.scripted()
    rule = store.before("fetch", f"{key}*", nth=1, do=lambda call: world.put(world.client(), key, V2))
    assert await world.get(ctx, key) == V2
    assert rule.hits == 1


@pytest.mark.parametrize("first", ["delta", "whole"])
async def test_an_object_that_changes_its_form_between_two_requests_is_found_again(world: World, first: str) -> None:
    writer = world.client()
    await world.put(writer, "p/a.zip", V1, delta=first == "delta")
    ctx, store = world.scripted()
    store.before("fetch", "p/a.zip*", nth=1, do=lambda call: world.put(writer, "p/a.zip", V2, delta=first != "delta"))
    assert await world.get(ctx, "p/a.zip") == V2


async def test_an_object_deleted_between_two_requests_is_absent(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    for operation, pattern in (("fetch", "*.delta"), ("fetch", "*reference.bin")):
        ctx, store = world.scripted()
        store.before(operation, pattern, nth=1, do=lambda call: delete(world.client(), world.bucket, "p/a.zip"))
        with pytest.raises(NotFoundError):
            await download(ctx, world.bucket, "p/a.zip", world.place())
        await world.put(world.client(), "p/a.zip", V1)


@pytest.mark.parametrize("listed", [False, True])
async def test_an_object_deleted_and_stored_again_meanwhile_is_no_damage(world: World, listed: bool) -> None:
    """The same bytes again, so that the ETag does not tell; the reader looked for the reference in between."""
    writer = world.client()
    await world.put(writer, "p/a.zip", V1)
    ctx, store = world.scripted()
    info = (await world.entries(world.client()))[0] if listed else None
    assert info is None or isinstance(info, ObjectInfo)
    store.after("fetch", "*.delta", nth=1, do=lambda call: delete(writer, world.bucket, "p/a.zip"))
    store.before("head", "p/a.zip.delta", nth=1 if listed else 2, do=lambda call: world.put(writer, "p/a.zip", V1))
    target = world.place()
    await download(ctx, world.bucket, "p/a.zip", target, info=info)
    assert target.read_bytes() == V1


async def test_an_object_that_never_holds_still_is_given_up(world: World) -> None:
    writer = world.client()
    await world.put(writer, "p/a.txt", V1)
    ctx, store = world.scripted()
    store.before("fetch", do=lambda call: world.put(writer, "p/a.txt", noise(call.number)))
    with pytest.raises(PreconditionFailedError, match="changes as fast as it is read"):
        await download(ctx, world.bucket, "p/a.txt", world.place())


async def test_a_listing_saves_the_search_and_is_not_trusted(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    (info,) = await world.entries(ctx)
    assert isinstance(info, ObjectInfo)
    store.calls.clear()
    target = world.place()
    await download(ctx, world.bucket, "p/a.zip", target, info=info)
    assert target.read_bytes() == V1
    assert store.count("head") == 0
    # What was listed is long gone.
    await world.put(world.client(), "p/a.zip", V2, delta=False)
    await download(ctx, world.bucket, "p/a.zip", target, info=info)
    assert target.read_bytes() == V2


async def test_a_listing_that_is_outdated_gives_nothing_wrong_away(world: World) -> None:
    """What was listed has given way to something of ours, or of nobody knows whom."""
    ctx = world.client()
    await world.put(ctx, "p/reference.bin", V1)
    await world.put(ctx, "q/a.zip", V1)
    listed = await world.entries(ctx)
    await world.put_raw("p/reference.bin", V1, classic(V1))
    await world.put_raw("q/a.zip.delta", b"no delta")
    for info in listed:
        assert isinstance(info, ObjectInfo)
        with pytest.raises(NotFoundError):
            await download(ctx, world.bucket, info.key, world.place(), info=info)


@pytest.mark.parametrize("what", ["download", "upload"])
async def test_a_bucket_that_vanishes_is_said(world: World, what: str) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    gone = BucketNotFoundError("the bucket does not exist", uri=f"s3://{world.bucket}")
    store.before("fetch", "*reference.bin", do=fail(gone))
    with pytest.raises(BucketNotFoundError):
        await (world.get(ctx, "p/a.zip") if what == "download" else world.put(ctx, "p/b.zip", V2))
