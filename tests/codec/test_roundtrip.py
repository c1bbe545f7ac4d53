"""What goes in comes out, byte for byte: also what xdelta3 would unpack and pack again if it were let."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from tests.codec.conftest import Roundtrip
from tests.codec.material import noise, text, write


def _gzip_program(level: str) -> Callable[[bytes], bytes]:
    return lambda content: subprocess.run(["gzip", "-c", level], input=content, check=True, capture_output=True).stdout


def _tar(content: bytes, mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("some/file.txt")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("deflated.txt"), content)
        archive.writestr(zipfile.ZipInfo("same.bin"), noise(30_000), zipfile.ZIP_STORED)
    return out.getvalue()


def _sqlite(content: bytes) -> bytes:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE line (number INTEGER PRIMARY KEY, words BLOB)")
        database.executemany("INSERT INTO line VALUES (?, ?)", enumerate(content.splitlines()))
        database.commit()
        return database.serialize()
    finally:
        database.close()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda content: content,
    "gzip -1": _gzip_program("-1"),
    "gzip -9": _gzip_program("-9"),
    "Python's gzip": lambda content: gzip.compress(content, mtime=1),
    "Python's tar.gz": lambda content: _tar(content, "w:gz"),
    "bz2 -1": lambda content: bz2.compress(content, 1),
    "bz2 -9": lambda content: bz2.compress(content, 9),
    "xz -0": lambda content: lzma.compress(content, preset=0),
    "xz -9e": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
    "tar": lambda content: _tar(content, "w"),
    "zip": _zip,
    "SQLite": _sqlite,
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
async def test_what_is_packed_comes_back_as_it_was(
    pack: Callable[[bytes], bytes], tmp_path: Path, roundtrip: Roundtrip
) -> None:
    reference = write(tmp_path / "v1", pack(text(3_000)))
    target = write(tmp_path / "v2", pack(text(3_000)[:60_000] + text(500, seed=2)))
    await roundtrip(reference, target)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
async def test_a_packed_file_and_a_plain_reference_do_not_mix(
    pack: Callable[[bytes], bytes], tmp_path: Path, roundtrip: Roundtrip
) -> None:
    plain, packed = write(tmp_path / "plain", text(2_000)), write(tmp_path / "packed", pack(text(2_000)))
    await roundtrip(plain, packed)
    await roundtrip(packed, plain)


async def test_a_broken_gzip_file_is_bytes_like_any_other(tmp_path: Path, roundtrip: Roundtrip) -> None:
    packed = gzip.compress(text(2_000), mtime=1)
    await roundtrip(write(tmp_path / "cut", packed[:-100]), write(tmp_path / "damaged", packed[:500] + b"?" * 100))


@pytest.mark.parametrize("reference", [b"", b"x", noise(100_000)], ids=["empty", "1 byte", "100 KB"])
@pytest.mark.parametrize("target", [b"", b"x", b"y", noise(100_000, 1)], ids=["empty", "same byte", "1 byte", "100 KB"])
async def test_the_smallest_files(reference: bytes, target: bytes, tmp_path: Path, roundtrip: Roundtrip) -> None:
    await roundtrip(write(tmp_path / "reference", reference), write(tmp_path / "target", target))


async def test_the_same_file_costs_next_to_nothing(reference: Path, roundtrip: Roundtrip) -> None:
    assert len(await roundtrip(reference, reference)) < 100


NAMES = [
    "-f",
    "-rf.zip",
    "--help",
    "-",
    "with space",
    "line\nbreak",
    "tab\tand\rreturn",
    "ünïcode-日本",
    "%s$(id)`id`;&*",
]


@pytest.mark.parametrize("name", NAMES)
async def test_no_file_name_is_taken_for_anything_else(
    name: str, tmp_path: Path, codec: Xdelta3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory in ("references", "targets", "deltas", "results"):
        (tmp_path / directory).mkdir()
    reference = write(tmp_path / "references" / name, noise(20_000))
    target = write(tmp_path / "targets" / name, noise(20_000)[5_000:])
    delta, result = tmp_path / "deltas" / name, tmp_path / "results" / name
    assert await codec.encode(reference, target, delta, limit=10_000)
    await codec.decode(reference, delta, result, size=15_000)
    assert result.read_bytes() == target.read_bytes()

    # Relative paths hold too, and mean the caller's directory, not the child's.
    monkeypatch.chdir(tmp_path / "results")
    result.unlink()
    await codec.decode(reference, delta, Path(name), size=15_000)
    assert result.read_bytes() == target.read_bytes()


async def test_a_name_that_is_no_utf8(tmp_path: Path, roundtrip: Roundtrip) -> None:
    reference = write(tmp_path / os.fsdecode(b"\xff\xfe.zip"), noise(20_000))
    target = write(tmp_path / os.fsdecode(b"\xff\xfd.zip"), noise(20_000)[5_000:])
    await roundtrip(reference, target)


async def test_what_is_there_already_is_overwritten(
    codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    delta, result = write(tmp_path / "d", noise(90_000, 7)), write(tmp_path / "o", noise(90_000, 8))
    assert await codec.encode(reference, target, delta, limit=10_000)
    await codec.decode(reference, delta, result, size=target.stat().st_size)
    assert result.read_bytes() == target.read_bytes()


async def test_a_delta_is_reproducible_and_tells_no_name(tmp_path: Path, roundtrip: Roundtrip) -> None:
    deltas = set()
    for name in ("first-secret-name", "second-secret-name"):
        directory = tmp_path / name
        directory.mkdir()
        reference = write(directory / f"{name}.old", noise(50_000))
        target = write(directory / f"{name}.new", noise(50_000)[10_000:])
        deltas.add(await roundtrip(reference, target))
    assert len(deltas) == 1
    assert b"secret-name" not in deltas.pop()


async def test_halves_that_changed_places_are_found_100_megabytes_away(codec: Xdelta3) -> None:
    half = 50 << 20
    content = noise(2 * half)
    with tempfile.TemporaryDirectory() as name:  # Pytest would keep 300 MB.
        directory = Path(name)
        reference = write(directory / "reference", content)
        target = write(directory / "target", content[half:] + content[:half])
        delta, result = directory / "delta", directory / "result"
        assert await codec.encode(reference, target, delta, limit=1 << 20)
        assert delta.stat().st_size < 10_000
        await codec.decode(reference, delta, result, size=2 * half)
        assert result.read_bytes() == target.read_bytes()
