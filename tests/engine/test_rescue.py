"""What earlier tools damaged: all that can be had comes back, and what cannot is told for what it is."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.rescue import Rescue, rescue, unpacked_name
from deltaglider.errors import (
    ChecksumMismatchError,
    DeltaCorruptError,
    LocalFileError,
    MetadataLostError,
    NotFoundError,
    ReferenceCorruptError,
    ReferenceMissingError,
)
from deltaglider.models import RescueSummary
from tests.codec.material import text, xdelta3
from tests.engine.clinic import put_reference_as_620, strip
from tests.engine.world import World, noise, revised, sha256

PLAIN = [text(1_000, 1), text(1_000, 1)[:20_000] + text(20, 2) + text(1_000, 1)[20_000:]]
# A time that nothing tells: decades before it was stored.
HOPELESS = gzip.compress(PLAIN[1], 6, mtime=77)
V1, V2 = noise(1), revised(noise(1), 2)


async def put_old(world: World, place: str, name: str, data: bytes, reference: bytes) -> None:
    """A delta as 6.2.0 makes it, without ``-D``, and its reference if there is none yet."""
    if f"{place}reference.bin" not in await world.stored():
        await put_reference_as_620(world, place, reference)
    delta = world.place("delta")
    xdelta3("-e", "-9", "-s", world.file(reference, "reference.bin"), world.file(data, name), delta)
    metadata = {
        "dg-tool": "deltaglider/6.2.0",
        "dg-original-name": name,
        "dg-file-sha256": sha256(data),
        "dg-file-size": str(len(data)),
        "dg-created-at": "2025-01-02T03:04:06.123456Z",
        "dg-ref-key": f"{place}reference.bin",
        "dg-ref-sha256": sha256(reference),
        "dg-delta-size": str(delta.stat().st_size),
        "dg-delta-cmd": f"xdelta3 -e -9 -s reference.bin {name} {name}.delta",
    }
    await world.put_raw(f"{place}{name}.delta", delta.read_bytes(), metadata)


async def saved(world: World, ctx: Context, key: str, name: str = "", **options: object) -> tuple[RescueSummary, Path]:
    target = world.place(name or key.rsplit("/", 1)[-1])
    summary = await rescue(ctx, Rescue(world.bucket, key, target, **options))  # type: ignore[arg-type]
    data = Path(summary.path).read_bytes()
    assert (summary.size, summary.sha256) == (len(data), sha256(data))
    assert [path.name for path in target.parent.iterdir()] == [Path(summary.path).name]
    return summary, target


@pytest.mark.parametrize("first", [gzip.compress(PLAIN[0], 3, mtime=77), PLAIN[0]], ids=["packed", "plain"])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("b.tgz", gzip.compress(PLAIN[1], 9, mtime=0)),
        ("b.tar.gz", gzip.compress(PLAIN[1], 1, mtime=1_735_787_046 - 3)),
        ("b.bz2", bz2.compress(PLAIN[1], 3)),
        ("b.xz", lzma.compress(PLAIN[1], preset=2)),
        ("b.tar", PLAIN[1]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_packed_files_read_again(world: World, ctx: Context, first: bytes, name: str, data: bytes) -> None:
    """D1: the first file from its reference, the others packed again as they were; for every verb."""
    await put_old(world, "p/", "a.tgz", first, first)
    await put_old(world, "p/", name, data, first)
    assert await world.get(ctx, "p/a.tgz") == first
    assert await world.get(ctx, f"p/{name}") == data
    summary, target = await saved(world, ctx, f"p/{name}")
    assert summary == RescueSummary(
        bucket=world.bucket,
        key=f"p/{name}",
        path=str(target),
        size=len(data),
        sha256=sha256(data),
        exact=True,
        expected_sha256=sha256(data),
        message="these are the bytes that were stored",
    )


async def test_how_it_was_packed_is_told(world: World, ctx: Context, caplog: pytest.LogCaptureFixture) -> None:
    await put_old(world, "p/", "b.tgz", gzip.compress(PLAIN[1], 9, mtime=0), PLAIN[0])
    with caplog.at_level(logging.INFO, "deltaglider.engine"):
        await world.get(ctx, "p/b.tgz")
    assert f"s3://{world.bucket}/p/b.tgz was packed again as it was: zlib -9, time 0" in caplog.text


async def test_what_the_file_held_under_a_name_that_says_so(
    world: World, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltaglider.codec import recompress

    monkeypatch.setattr(recompress, "ON_READ", recompress.Effort(1_000_000, 1_000_000))
    monkeypatch.setattr(recompress, "ON_RESCUE", recompress.Effort(1_000_000, 1_000_000))
    await put_old(world, "p/", "b.tgz", HOPELESS, PLAIN[0])
    with pytest.raises(
        ChecksumMismatchError, match=r"how it was packed \(gzip\).*deltaglider rescue s3://.*/p/b\.tgz'"
    ):
        await world.get(ctx, "p/b.tgz")
    summary, target = await saved(world, ctx, "p/b.tgz")
    assert Path(summary.path) == target.with_name("b.tgz.unpacked.tar")
    assert (summary.exact, summary.expected_sha256, summary.sha256) == (False, sha256(HOPELESS), sha256(PLAIN[1]))
    assert "lost how it was packed (gzip)" in summary.message
    assert not target.exists()
    again = Rescue(world.bucket, "p/b.tgz", target)
    with pytest.raises(LocalFileError, match=r"exists already\. Add --overwrite"):
        await rescue(ctx, again)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.tgz", "a.tgz.unpacked.tar"),
        ("a.TAR.GZ", "a.TAR.GZ.unpacked.tar"),
        ("a.gz", "a.gz.unpacked"),
        ("a.tar.xz", "a.tar.xz.unpacked.tar"),
        ("a.apk", "a.apk.unpacked"),
    ],
)
def test_names_of_content(name: str, expected: str) -> None:
    assert unpacked_name(name) == expected


async def test_a_sound_object_is_handed_out(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.zip", V1)
    await world.put(ctx, "b.zip", V2)
    await world.put_raw("c.txt", b"whole")
    for key, data, message in (
        ("a.zip", V1, "these are the bytes that were stored"),
        ("b.zip", V2, "these are the bytes that were stored"),
        ("c.txt", b"whole", "no SHA-256 is recorded to compare with"),
    ):
        summary, target = await saved(world, ctx, key)
        assert (target.read_bytes(), summary.exact, summary.message) == (data, True, message)


async def test_nothing_is_overwritten_unless_that_is_asked_for(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.zip", V1)
    target = world.file(b"mine")
    with pytest.raises(LocalFileError, match=r"exists already\. Add --overwrite, or name another target"):
        await rescue(ctx, Rescue(world.bucket, "a.zip", target))
    assert target.read_bytes() == b"mine"
    await rescue(ctx, Rescue(world.bucket, "a.zip", target, overwrite=True))
    assert target.read_bytes() == V1


async def test_what_is_not_there_is_told(world: World, ctx: Context) -> None:
    with pytest.raises(NotFoundError, match="no such object"):
        await rescue(ctx, Rescue(world.bucket, "none.zip", world.place()))
    with pytest.raises(LocalFileError, match="exists already"):
        await rescue(ctx, Rescue(world.bucket, "none.zip", world.file(b"")))


async def test_a_first_file_whose_delta_is_damaged_comes_from_its_reference(world: World, ctx: Context) -> None:
    await world.put(ctx, "a.zip", V1)
    await world.damage("a.zip.delta")
    with pytest.raises(DeltaCorruptError):
        await world.get(ctx, "a.zip")
    assert (await saved(world, ctx, "a.zip"))[0].sha256 == sha256(V1)


async def test_a_reference_that_is_gone_is_given_by_hand(world: World, ctx: Context) -> None:
    """D3, D7: the reference was deleted; somebody still has the first file."""
    await put_old(world, "p/", "b.zip", V2, V1)
    await world.store.delete(world.bucket, "p/reference.bin")
    asked = Rescue(world.bucket, "p/b.zip", world.place())
    with pytest.raises(ReferenceMissingError, match=r"is gone.*with --reference FILE"):
        await rescue(ctx, asked)
    summary, target = await saved(world, ctx, "p/b.zip", reference=world.file(V1))
    assert (target.read_bytes(), summary.exact) == (V2, True)
    with pytest.raises(ReferenceCorruptError, match="is not the reference, whose SHA-256 is"):
        await saved(world, ctx, "p/b.zip", reference=world.file(noise("another")))


async def test_a_reference_that_another_upload_overwrote(world: World, ctx: Context) -> None:
    """D2, D6: what is stored in its place does not serve, and 6.2.0 may even have recorded that one's SHA-256."""
    await put_old(world, "p/", "b.zip", V2, V1)
    other = noise("the other first file")
    await put_reference_as_620(world, "p/", other)
    asked = Rescue(world.bucket, "p/b.zip", world.place())
    with pytest.raises(ReferenceCorruptError, match="--reference FILE"):
        await rescue(ctx, asked)
    found = await world.store.head(world.bucket, "p/b.zip.delta")
    wrong = {**found.metadata, "dg-ref-sha256": sha256(other)}
    await world.put_raw("p/b.zip.delta", await world.body("p/b.zip.delta"), wrong)
    with pytest.raises(DeltaCorruptError):
        await rescue(world.client(), asked)
    # The result proves itself.
    summary, target = await saved(world, ctx, "p/b.zip", reference=world.file(V1))
    assert (target.read_bytes(), summary.exact) == (V2, True)


@pytest.mark.parametrize("key", ["p/b.zip", "p/b.zip.delta"])
@pytest.mark.parametrize("ours", [True, False])
async def test_a_delta_without_metadata(world: World, ctx: Context, key: str, ours: bool) -> None:
    if ours:
        await world.put(ctx, "p/a.zip", V1)
        await world.put(ctx, "p/b.zip", V2)
    else:
        await put_old(world, "p/", "b.zip", V2, V1)
    await strip(world, "p/b.zip.delta")
    with pytest.raises(MetadataLostError):
        await world.get(ctx, "p/b.zip")
    target = world.place("b.zip")
    summary = await rescue(ctx, Rescue(world.bucket, key, target))
    assert target.read_bytes() == V2
    assert (summary.exact, summary.expected_sha256) == (False, "")
    assert summary.message.startswith("this is probably b.zip: its SHA-256 is not recorded any more")


async def test_a_delta_that_was_stored_as_a_file(world: World, ctx: Context) -> None:
    """D14c: 6.2.0 copied the stored bytes, as a file of their own."""
    await put_old(world, "p/", "b.zip", V2, V1)
    delta = await world.body("p/b.zip.delta")
    metadata = {
        "dg-tool": "deltaglider/6.2.0",
        "dg-original-name": "b.zip.delta",
        "dg-file-sha256": sha256(delta),
        "dg-file-size": str(len(delta)),
        "dg-created-at": "2025-01-02T03:04:06.123456",
        "dg-compression": "none",
    }
    await world.put_raw("c/b.zip.delta", delta, metadata)
    asked = Rescue(world.bucket, "c/b.zip", world.place("b.zip"))
    with pytest.raises(MetadataLostError, match=r"no reference of its deltaspaces.*--reference FILE"):
        await rescue(ctx, asked)
    with pytest.raises(MetadataLostError, match="no reference but another than"):
        await saved(world, ctx, "c/b.zip", reference=world.file(noise("another")))
    summary, target = await saved(world, ctx, "c/b.zip", reference=world.file(V1))
    assert (target.read_bytes(), summary.exact) == (V2, False)
    await put_reference_as_620(world, "c/", V1)
    assert (await saved(world, ctx, "c/b.zip"))[1].read_bytes() == V2


async def test_a_packed_file_of_a_delta_without_metadata(world: World, ctx: Context) -> None:
    await put_old(world, "p/", "b.tgz", HOPELESS, gzip.compress(PLAIN[0]))
    await strip(world, "p/b.tgz.delta")
    summary, target = await saved(world, ctx, "p/b.tgz")
    assert Path(summary.path) == target.with_name("b.tgz.unpacked.tar")
    assert Path(summary.path).read_bytes() == PLAIN[1]
    assert "b.tgz held, unpacked" in summary.message


async def test_a_delta_that_keeps_its_sha256_is_proven(world: World, ctx: Context) -> None:
    await put_old(world, "p/", "b.zip", V2, V1)
    await strip(world, "p/b.zip.delta", "dg-ref-sha256", "dg-ref-key")
    summary, target = await saved(world, ctx, "p/b.zip")
    assert (target.read_bytes(), summary.exact, summary.expected_sha256) == (V2, True, sha256(V2))


async def test_a_delta_of_a_moved_deltaspace_reads(world: World, ctx: Context) -> None:
    """D14e: the recorded key of the reference is absolute, and leads where nothing is any more."""
    files = {"a.tgz": gzip.compress(PLAIN[0], 9, mtime=0), "b.tgz": gzip.compress(PLAIN[1], 9, mtime=0)}
    for name, data in files.items():
        await put_old(world, "p/", name, data, files["a.tgz"])
    for key in await world.stored():
        await world.store.copy(world.bucket, key, world.bucket, "q/" + key.removeprefix("p/"))
        await world.store.delete(world.bucket, key)
    for name, data in files.items():
        assert await world.get(world.client(), f"q/{name}") == data
        assert (await saved(world, ctx, f"q/{name}"))[0].sha256 == sha256(data)
