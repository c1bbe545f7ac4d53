"""Uploads that go wrong: files that change under them, caches that fail, programs that are missing."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import upload
from deltaglider.errors import (
    ChecksumMismatchError,
    CodecFailedError,
    CodecMissingError,
    DeltaGliderError,
    LocalFileError,
    StoreUnavailableError,
)
from tests.engine.world import SIZE, World, noise, reference_at, revised, sha256
from tests.faults.wrapper import Gate, fail

V1 = noise("v1")
V2 = revised(V1, "v2")
LARGE = noise("large", 300_000)
"""Too large to be kept in memory while it is stored."""


def replace(path: Path) -> None:
    path.write_bytes(noise("other", path.stat().st_size))


def touch_one_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def shorten(path: Path) -> None:
    os.truncate(path, 10_000)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(noise("more", 50_000))


def remove(path: Path) -> None:
    path.unlink()


CHANGES = [replace, touch_one_byte, shorten, empty, lengthen, remove]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("key", "when"),
    [
        ("p/a.txt", ("before", "put", "p/a.txt")),
        ("p/a.zip", ("before", "put", "*reference.bin")),
        ("p/a.zip", ("after", "put", "*reference.bin")),
        ("q/b.zip", ("after", "list_objects", "*references/")),
        ("q/b.zip", ("before", "fetch", "*reference.bin")),
    ],
)
async def test_a_file_that_changes_while_it_is_uploaded_is_an_error_and_nothing_is_stored(
    world: World, key: str, when: tuple[str, str, str], change: Callable[[Path], None]
) -> None:
    await world.put(world.client(), "q/a.zip", V1)
    before = await world.stored()
    ctx, store = world.scripted()
    path = world.file(V2 if key.endswith(".zip") else LARGE)
    moment, operation, pattern = when
    rule = getattr(store, moment)(operation, pattern, nth=1, do=lambda call: change(path))
    # The ratio is 1 so that a delta against other bytes is not given up as too large before it is found wrong.
    with pytest.raises((LocalFileError, ChecksumMismatchError)) as caught:
        await upload(ctx, path, world.bucket, key, options=UploadOptions(max_ratio=1.0))
    assert rule.hits == 1
    assert "changed" in str(caught.value) or "no such file" in str(caught.value)
    assert str(path) in str(caught.value)
    assert await world.stored() == before


@pytest.mark.parametrize("change", CHANGES)
async def test_a_small_plain_file_that_changes_after_it_was_read_is_stored_as_it_was(
    world: World, change: Callable[[Path], None]
) -> None:
    ctx, store = world.scripted()
    path = world.file(V2)
    store.before("put", "p/a.txt", do=lambda call: change(path))
    summary = await upload(ctx, path, world.bucket, "p/a.txt")
    assert (summary.sha256, summary.original_size) == (sha256(V2), len(V2))
    assert await world.get(world.client(), "p/a.txt") == V2


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_changes_after_its_delta_was_made_is_stored_as_it_was(
    world: World, change: Callable[[Path], None]
) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    path = world.file(V2)
    store.before("put", "*.delta", do=lambda call: change(path))
    await upload(ctx, path, world.bucket, "p/b.zip")
    assert await world.get(world.client(), "p/b.zip") == V2


@pytest.mark.parametrize("kind", ["error", "lost answer", "cancelled", "cancelled late"])
@pytest.mark.parametrize("pattern", ["*reference.bin", "*.delta"])
async def test_a_first_upload_that_ends_midway_leaves_no_reference_that_nothing_needs(
    world: World, kind: str, pattern: str
) -> None:
    ctx, store = world.scripted()
    down = StoreUnavailableError("down", uri="s3://b/k")
    with anyio.CancelScope() as scope:

        async def cancel(call: Any) -> None:
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        step = fail(down) if kind in ("error", "lost answer") else cancel
        rule = (store.after if kind in ("lost answer", "cancelled late") else store.before)(
            "put", pattern, nth=1, do=step
        )
        try:
            await world.put(ctx, "p/a.zip", V1)
        except StoreUnavailableError:
            assert not kind.startswith("cancelled")
    assert scope.cancelled_caught == kind.startswith("cancelled")
    assert rule.hits == 1
    stored = list(await world.stored())
    if pattern == "*.delta" and kind in ("lost answer", "cancelled late"):
        assert stored == [reference_at("p/", V1), "p/a.zip.delta"]
        assert await world.get(world.client(), "p/a.zip") == V1
    else:
        assert stored == []
    # And the client is as good as new.
    assert (await world.put(ctx, "p/b.zip", V2)).is_delta == bool(stored)
    assert await world.get(ctx, "p/b.zip") == V2


async def test_cancelled_while_the_codec_runs_it_leaves_nothing(world: World) -> None:
    started = anyio.Event()

    class Slow:
        async def encode(self, *arguments: Any, **options: Any) -> None:
            started.set()
            await anyio.sleep_forever()
            raise AssertionError

    ctx = dataclasses.replace(world.client(), codecs=Slow())  # type: ignore[arg-type]
    async with anyio.create_task_group() as group:
        group.start_soon(world.put, ctx, "p/a.zip", V1)
        await started.wait()
        assert list(await world.stored()) == [reference_at("p/", V1)]
        group.cancel_scope.cancel()
    assert await world.stored() == {}
    assert world.leftovers() == []


async def test_a_reference_another_upload_began_to_use_survives_the_failure_of_its_maker(world: World) -> None:
    """The maker fails after the second one chose its reference; the second one puts it back."""
    ctx, store = world.scripted()
    gate = Gate()
    store.before("put", "p/a.zip.delta", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    store.before("put", "p/b.zip.delta", do=gate)

    async def first() -> None:
        with pytest.raises(StoreUnavailableError):
            await world.put(ctx, "p/a.zip", V1)
        gate.open()

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        while not store.count("put", "*reference.bin"):
            await anyio.sleep(0.001)
        summary = await world.put(ctx, "p/b.zip", V2)
    assert summary.operation == "create_delta"
    assert list(await world.stored()) == [reference_at("p/", V1), "p/b.zip.delta"]
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_a_missing_xdelta3_is_said_with_the_remedy_and_nothing_is_stored(world: World) -> None:
    ctx = world.client(xdelta3="no-such-program")
    with pytest.raises(CodecMissingError, match="apt-get install xdelta3"):
        await world.put(ctx, "p/a.zip", V1)
    assert await world.stored() == {}
    assert (await world.put(ctx, "p/a.zip", V1, delta=False)).operation == "upload_direct"


async def test_an_xdelta3_that_fails_is_said_and_nothing_is_stored(world: World) -> None:
    program = world.file(b"#!/bin/sh\necho 'xdelta3: out of luck' >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(CodecFailedError, match="out of luck"):
        await world.put(world.client(xdelta3=str(program)), "p/a.zip", V1)
    assert await world.stored() == {}


@pytest.mark.parametrize("lie", ["garbage", "another file"])
async def test_an_xdelta3_that_makes_wrong_deltas_is_found_out(world: World, lie: str) -> None:
    """Each delta is decoded before it is stored."""
    other = world.file(noise("other"))
    commands = {
        "garbage": 'for last; do :; done; case "$1" in -e) echo garbage > "$last";; *) exec xdelta3 "$@";; esac',
        "another file": f'for last; do :; done; case "$1" in -d) cat {other} > "$last";; *) exec xdelta3 "$@";; esac',
    }
    program = world.file(f"#!/bin/sh\n{commands[lie]}\n".encode())
    program.chmod(0o755)
    with pytest.raises(CodecFailedError, match="does not give the file back"):
        await world.put(world.client(xdelta3=str(program)), "p/a.zip", V1)
    assert await world.stored() == {}


async def test_a_plain_delta_that_does_not_come_back_is_not_made_twice(world: World) -> None:
    """Only one of another format is followed by a plain one."""
    other, runs = world.file(noise("other")), world.file(b"")
    script = f'echo "$1" >> {runs}; for last; do :; done; [ "$1" = -e ] && exec xdelta3 "$@"; cat {other} > "$last"'
    program = world.file(f"#!/bin/sh\n{script}\n".encode())
    program.chmod(0o755)
    with pytest.raises(CodecFailedError, match="does not give the file back"):
        await world.put(world.client(xdelta3=str(program)), "p/a.zip", V1)
    assert runs.read_text().split() == ["-e", "-d"]


@pytest.mark.parametrize("first", [True, False])
async def test_a_cache_that_keeps_nothing_is_no_obstacle(world: World, first: bool) -> None:
    if not first:
        await world.put(world.client(), "p/a.zip", V1)
    ctx = world.client(cache_size=0)
    await world.put(ctx, "p/b.zip", V2)
    await world.put(ctx, "p/c.zip", revised(V1, "v3"))
    assert await world.get(ctx, "p/b.zip") == V2
    assert await world.get(ctx, "p/c.zip") == revised(V1, "v3")


async def test_a_cache_that_cannot_be_written_does_not_fail_the_first_upload(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ctx = world.client()

    async def full(sha256: str, source: Path) -> None:
        raise LocalFileError("the cache cannot be written: the disk is full", uri="cache")

    monkeypatch.setattr(ctx.cache, "add", full)
    with caplog.at_level(logging.WARNING, "deltaglider"):
        assert (await world.put(ctx, "p/a.zip", V1)).operation == "create_reference"
    assert "could not be cached" in caplog.text
    assert await world.get(ctx, "p/a.zip") == V1


async def test_a_damaged_cache_is_repaired(world: World) -> None:
    ctx = world.client()
    await world.put(ctx, "p/a.zip", V1)
    for path in (ctx.cache.directory / "references").rglob("*"):
        if path.is_file():
            path.write_bytes(noise("damaged", SIZE))
    await world.put(ctx, "p/b.zip", V2)
    assert await world.get(ctx, "p/a.zip") == V1
    assert await world.get(world.client(), "p/b.zip") == V2


async def test_errors_are_one_line_with_the_object_named(world: World) -> None:
    ctx, store = world.scripted()
    store.before("head", "p/a.zip", do=fail(StoreUnavailableError("no answer", uri="s3://b/p/a.zip", remedy="Wait")))
    with pytest.raises(DeltaGliderError) as caught:
        await world.put(ctx, "p/a.zip", V1)
    assert str(caught.value) == "s3://b/p/a.zip: no answer. Wait"
    assert not isinstance(caught.value, ExceptionGroup)
