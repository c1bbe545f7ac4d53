"""Which form a file is stored in, under which keys, and with which metadata: exactly."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deltaglider import __version__
from deltaglider.engine.context import Context
from deltaglider.engine.inspect import head
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import upload
from deltaglider.errors import (
    BucketNotFoundError,
    InvalidInputError,
    LocalFileError,
    LocalFileNotFoundError,
    MetadataTooLargeError,
)
from deltaglider.events import CacheUsed, CodecRan
from deltaglider.models import UploadSummary
from tests.engine.world import SIZE, World, md5, noise, reference_at, revised, sha256

V1 = noise("v1")
V2 = revised(V1, "v2")


def near_now(text: str) -> bool:
    """Whether a recorded time is well written and of this minute."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    return abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)


async def test_the_first_file_is_a_reference_and_a_delta_against_itself(world: World, ctx: Context) -> None:
    summary = await world.put(ctx, "releases/app.zip", V1)

    stored = await world.stored()
    reference = reference_at("releases/", V1)
    assert list(stored) == [reference, "releases/app.zip.delta"]
    assert await world.body(reference) == V1
    delta = stored["releases/app.zip.delta"]
    assert delta.size < 200
    assert summary == UploadSummary(
        operation="create_reference",
        bucket=world.bucket,
        key="releases/app.zip",
        original_size=SIZE,
        stored_size=SIZE + delta.size,
        is_delta=False,
        delta_ratio=delta.size / SIZE,
        sha256=sha256(V1),
        etag=md5(V1),
    )
    assert await world.get(ctx, "releases/app.zip") == V1


async def test_the_second_file_is_a_delta_and_costs_only_that(world: World, ctx: Context) -> None:
    await world.put(ctx, "releases/app-1.zip", V1)
    summary = await world.put(ctx, "releases/app-2.zip", V2)

    stored = await world.stored()
    assert list(stored) == [reference_at("releases/", V1), "releases/app-1.zip.delta", "releases/app-2.zip.delta"]
    delta = stored["releases/app-2.zip.delta"]
    assert delta.size < 300
    assert summary == UploadSummary(
        operation="create_delta",
        bucket=world.bucket,
        key="releases/app-2.zip",
        original_size=len(V2),
        stored_size=delta.size,
        is_delta=True,
        delta_ratio=delta.size / len(V2),
        sha256=sha256(V2),
        etag=md5(V2),
    )
    assert await world.get(ctx, "releases/app-1.zip") == V1
    assert await world.get(ctx, "releases/app-2.zip") == V2


@pytest.mark.endpoints("directory", "moto")
async def test_the_metadata_of_each_form_is_what_the_format_says(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    await world.put(ctx, "p/a.zip", V1)
    await world.put(ctx, "p/b.zip", V2, metadata={"Team": "core"}, headers={"ContentType": "application/zip"})
    await world.put(ctx, "p/c.txt", b"text", metadata={"team": "docs"}, headers={"ContentType": "text/plain"})
    stored = await world.stored()
    reference = reference_at("p/", V1)
    metadata = {key: dict(entry.metadata) for key, entry in stored.items()}
    times = [entry.pop("dg-created-at") for entry in metadata.values()]
    assert all(map(near_now, times))

    tool = f"deltaglider/{__version__}"
    assert metadata == {
        reference: {
            "dg-tool": tool,
            "dg-source-name": "a.zip",
            "dg-original-name": "__reference__",
            "dg-file-sha256": sha256(V1),
            "dg-file-size": str(SIZE),
            "dg-md5": md5(V1),
            "dg-note": "reference",
        },
        "p/a.zip.delta": {
            "dg-tool": tool,
            "dg-original-name": "a.zip",
            "dg-file-sha256": sha256(V1),
            "dg-file-size": str(SIZE),
            "dg-md5": md5(V1),
            "dg-ref-key": reference,
            "dg-ref-sha256": sha256(V1),
            "dg-delta-size": str(stored["p/a.zip.delta"].size),
            "dg-delta-cmd": "xdelta3 -e -D -S djw",
            "dg-note": "delta",
        },
        "p/b.zip.delta": {
            "dg-tool": tool,
            "dg-original-name": "b.zip",
            "dg-file-sha256": sha256(V2),
            "dg-file-size": str(len(V2)),
            "dg-md5": md5(V2),
            "dg-ref-key": reference,
            "dg-ref-sha256": sha256(V1),
            "dg-delta-size": str(stored["p/b.zip.delta"].size),
            "dg-delta-cmd": "xdelta3 -e -D -S djw",
            "dg-note": "delta",
            "user-team": "core",
        },
        "p/c.txt": {
            "dg-tool": tool,
            "dg-original-name": "c.txt",
            "dg-file-sha256": sha256(b"text"),
            "dg-file-size": "4",
            "dg-md5": md5(b"text"),
            "dg-compression": "none",
            "dg-note": "passthrough",
            "team": "docs",
        },
    }
    assert stored["p/b.zip.delta"].headers["ContentType"] == "application/zip"
    assert stored["p/c.txt"].headers["ContentType"] == "text/plain"


HEADERS = {
    "ContentType": "application/x-firmware",
    "CacheControl": "max-age=60",
    "ContentDisposition": 'attachment; filename="x"',
    "ContentEncoding": "identity",
    "ContentLanguage": "de",
}


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("name", ["first.bin", "second.bin", "whole.txt"])
async def test_headers_and_metadata_come_back_whatever_the_form(any_world: World, name: str) -> None:
    world, ctx = any_world, any_world.client()
    if name == "second.bin":
        await world.put(ctx, "p/first.bin", V1)
    await world.put(ctx, f"p/{name}", V2, headers=HEADERS, metadata={"user-x": "1", "note": "mine", "Tool": "own"})
    info = await head(ctx, world.bucket, f"p/{name}")
    assert info.content_type == "application/x-firmware"
    assert {**info.headers, "ContentType": info.content_type} == HEADERS
    assert info.metadata == {"user-x": "1", "note": "mine", "tool": "own"}
    assert (info.size, info.sha256, info.is_delta) == (len(V2), sha256(V2), name != "whole.txt")
    assert info.etag == md5(V2)


async def test_a_guessed_content_type_gives_way_to_a_given_one(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.zip", V1, guess_content_type=True)
    await world.put(ctx, "b.txt", b"x", guess_content_type=True)
    await world.put(ctx, "c.txt", b"x", guess_content_type=True, headers={"ContentType": "text/markdown"})
    await world.put(ctx, "d.txt", b"x")
    types = [(await head(ctx, world.bucket, key)).content_type for key in ("a.zip", "b.txt", "c.txt")]
    assert types == ["application/zip", "text/plain", "text/markdown"]
    assert (await head(ctx, world.bucket, "d.txt")).content_type != "text/plain"


@pytest.mark.parametrize("headers", [{"ServerSideEncryption": "AES256", "StorageClass": "GLACIER", "ACL": "private"}])
async def test_a_reference_is_as_well_encrypted_as_what_needs_it_and_nothing_else(
    world: World, headers: dict[str, str]
) -> None:
    ctx, store = world.scripted()
    sent: dict[str, Any] = {}
    put = store.inner.put

    async def recording(bucket: str, key: str, source: Any, **options: Any) -> Any:
        sent[key] = options["headers"]
        return await put(bucket, key, source, **options)

    store.inner.put = recording
    await world.put(ctx, "a.zip", V1, headers=headers)
    assert sent == {reference_at("", V1): {"ServerSideEncryption": "AES256"}, "a.zip.delta": headers}


@pytest.mark.parametrize(
    ("key", "data", "options"),
    [
        ("p/readme.md", V1, {}),
        ("p/no-suffix", V1, {}),
        ("p/small.zip", noise("small", 4095), {}),
        ("p/empty.zip", b"", {}),
        ("p/one.zip", b"1", {}),
        ("p/told.zip", V1, {"delta": False}),
        ("p/reference.bin", V1, {}),
        ("p/fw.delta", V1, {}),
        ("p/.delta", V1, {}),
        ("p/.deltaglider", V1, {}),
        ("p/directory/", b"", {}),
        ("//odd//name.txt", b"x", {}),
        ("p/../name.txt", b"x", {}),
    ],
)
async def test_what_is_not_worth_a_delta_is_stored_whole_under_its_own_key(
    world: World, ctx: Context, key: str, data: bytes, options: dict[str, Any]
) -> None:
    summary = await world.put(ctx, key, data, **options)
    stored = await world.stored()
    assert list(stored) == [key]
    assert await world.body(key) == data
    assert summary == UploadSummary(
        operation="upload_direct",
        bucket=world.bucket,
        key=key,
        original_size=len(data),
        stored_size=len(data),
        is_delta=False,
        sha256=sha256(data),
        etag=md5(data),
    )
    assert await world.get(ctx, key) == data
    assert await world.names(ctx) == [key]


async def test_4096_bytes_are_enough_for_a_delta(world: World, ctx: Context) -> None:
    assert (await world.put(ctx, "a.zip", noise(1, 4096))).operation == "create_reference"


async def test_a_delta_over_the_ratio_is_thrown_away(world: World, ctx: Context) -> None:
    half = V1[: SIZE // 2] + noise("other", SIZE // 2)
    await world.put(ctx, "p/a.zip", V1)
    assert (await world.put(ctx, "p/b.zip", half, max_ratio=0.4)).operation == "upload_direct"
    assert (await world.put(ctx, "p/c.zip", half, max_ratio=0.6)).operation == "create_delta"
    assert (await world.put(ctx, "p/d.zip", noise("unrelated"))).operation == "upload_direct"
    stored = await world.stored()
    assert list(stored) == [reference_at("p/", V1), "p/a.zip.delta", "p/b.zip", "p/c.zip.delta", "p/d.zip"]
    assert [await world.get(ctx, f"p/{name}.zip") for name in "abcd"] == [V1, half, half, noise("unrelated")]


async def test_a_first_file_whose_delta_is_not_kept_leaves_no_reference(world: World, ctx: Context) -> None:
    # Even the delta of a file against itself is over this.
    assert (await world.put(ctx, "p/a.zip", V1, max_ratio=0.0001)).operation == "upload_direct"
    assert list(await world.stored()) == ["p/a.zip"]


async def test_settings_decide_where_options_are_silent(world: World) -> None:
    whole = world.client(delta=False)
    assert (await world.put(whole, "p/a.zip", V1)).operation == "upload_direct"
    assert (await world.put(whole, "p/b.zip", V1, delta=True)).operation == "create_reference"
    mine = world.client(delta_suffixes=(".model",), min_delta_size=10, max_ratio=1.0)
    assert (await world.put(mine, "q/a.model", noise(1, 1000))).operation == "create_reference"
    assert (await world.put(mine, "q/b.model", noise(1, 999))).operation == "create_delta"


async def test_metadata_that_leaves_no_room_for_a_deltas_means_whole(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    mine = {"comment": "x" * 1600}
    assert (await world.put(ctx, "p/b.zip", V2, metadata=mine)).operation == "upload_direct"
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta", "p/b.zip"]
    assert (await head(ctx, world.bucket, "p/b.zip")).metadata == mine


async def test_too_much_or_bad_metadata_is_refused_before_anything_is_sent(world: World) -> None:
    ctx, store = world.scripted()
    with pytest.raises(MetadataTooLargeError):
        await world.put(ctx, "p/a.zip", V1, metadata={"comment": "x" * 2048})
    for bad in ({"dg-note": "x"}, {"name": "ü"}, {"a b": "x"}, {"a": "line\nbreak"}, {"A": "1", "a": "2"}):
        with pytest.raises(InvalidInputError):
            await world.put(ctx, "p/a.zip", V1, metadata=bad)
        with pytest.raises(InvalidInputError):
            await world.put(ctx, "p/a.txt", V1, metadata=bad)
    assert store.count("put") == store.count("copy") == store.count("delete") == 0
    assert await world.stored() == {}


async def test_a_foreign_file_under_the_deltas_key_stays_what_it_is(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/x.zip.delta", b"mine")
    await world.put_raw("q/x.zip.delta", b"of another tool")
    for place in "pq":
        assert (await world.put(ctx, f"{place}/x.zip", V1)).operation == "upload_direct"
        assert await world.get(ctx, f"{place}/x.zip") == V1
    assert await world.get(ctx, "p/x.zip.delta") == b"mine"
    assert await world.get(ctx, "q/x.zip.delta") == b"of another tool"
    assert await world.names(ctx) == ["p/x.zip", "p/x.zip.delta", "q/x.zip", "q/x.zip.delta"]


NAMES = [
    "café/naïve №1.zip",
    "日本語/ファイル.zip",
    "emoji 🎉/🎉.zip",
    " leading and trailing /  .zip",
    "=?utf-8?b?eA==?=/=?utf-8?b?eA==?=.zip",
    "a%20b+c/d%2Fe.zip",
    "quote'\"/<&>.zip",
]


@pytest.mark.endpoints("directory", "moto")
async def test_names_of_any_script_are_kept(any_world: World) -> None:
    world, writer, reader = any_world, any_world.client(), any_world.client()
    for key in NAMES:
        directory = key[: key.rfind("/") + 1]
        assert (await world.put(writer, f"{directory}other.zip", V1)).operation == "create_reference"
        assert (await world.put(writer, key, V2)).operation == "create_delta"
        assert await world.get(reader, key) == V2
        info = await head(reader, world.bucket, key)
        assert (info.sha256, info.reference_key) == (sha256(V2), reference_at(directory, V1))
    stored = await world.stored()
    assert all(value.isascii() for entry in stored.values() for value in entry.metadata.values())
    assert set(await world.names(reader)) >= set(NAMES)


async def test_a_local_name_is_never_taken_for_an_option(
    world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (name, data) in enumerate((("-f.zip", V1), ("-dash.zip", V2))):
        path = world.file(data, name)
        monkeypatch.chdir(path.parent)
        await upload(ctx, path.relative_to(path.parent), world.bucket, f"p/{name}")
        assert await world.get(ctx, f"p/{name}") == data
        assert number == len([key for key in await world.stored() if key.endswith(".delta")]) - 1


async def test_bad_sources_are_named_and_nothing_is_stored(world: World, ctx: Context) -> None:
    directory = world.file(b"").parent
    fifo = directory / "fifo"
    os.mkfifo(fifo)
    for source, kind in (
        (directory / "missing.zip", LocalFileNotFoundError),
        (directory, LocalFileError),
        (fifo, LocalFileError),
    ):
        with pytest.raises(kind, match=re.escape(str(source))):
            await upload(ctx, source, world.bucket, "p/a.zip")
    assert await world.stored() == {}


@pytest.mark.endpoints("directory", "moto")
@pytest.mark.parametrize("key", ["p/a.zip", "p/a.txt"])
async def test_a_missing_bucket_is_named(any_world: World, key: str) -> None:
    ctx = any_world.client()
    with pytest.raises(BucketNotFoundError, match="no-such-bucket"):
        await upload(ctx, any_world.file(V1), "no-such-bucket", key)


@pytest.mark.parametrize("ratio", [0, -1, 1.01, float("nan")])
def test_a_ratio_that_means_nothing_is_refused(ratio: float) -> None:
    with pytest.raises(InvalidInputError, match="max_ratio"):
        UploadOptions(max_ratio=ratio)


async def test_an_upload_tells_what_it_does(world: World) -> None:
    events: list[Any] = []
    ctx = world.client(observer=events.append)
    await world.put(ctx, "p/a.zip", V1)
    events.clear()
    summary = await world.put(ctx, "p/b.zip", V2)
    assert [event.hit for event in events if isinstance(event, CacheUsed)] == [True]
    (ran,) = [event for event in events if isinstance(event, CodecRan)]
    assert (ran.operation, ran.reference_size, ran.original_size) == ("encode", SIZE, len(V2))
    assert ran.delta_size == summary.stored_size
    assert sum(event.count for event in events if hasattr(event, "count")) == summary.stored_size
