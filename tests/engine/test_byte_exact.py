"""Byte for byte: every kind of file, as the first of its deltaspace, as the second one, and as both."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.engine.context import Context
from tests.engine.world import World, noise, sha256


def text(version: int) -> bytes:
    """Something that packs: 200 KB of lines, some of them another's in each version."""
    chance = random.Random(1)
    lines = [f"{number:06} {chance.getrandbits(64):x} some words that repeat\n" for number in range(5_000)]
    for number in range(version * 7, 5_000, 500):
        lines[number] = f"{number:06} changed in version {version}\n"
    return "".join(lines).encode()


def members(version: int) -> dict[str, bytes]:
    return {"bin/program": noise(f"program {version // 2}", 40_000), "share/text": text(version)}


def packed_by(*command: str) -> Callable[[int], bytes]:
    return lambda version: subprocess.run(command, input=text(version), capture_output=True, check=True).stdout


def tar_of(version: int, mode: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in members(version).items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), 1_700_000_000 + version
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def npm_tgz(version: int) -> bytes:
    """As npm packs: all below package/, times of 1985, zlib level 9, neither name nor time in the header."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in {"package.json": b'{"version": "%d"}' % version, **members(version)}.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mtime, entry.mode = len(data), 499_162_500, 0o644
            archive.addfile(entry, io.BytesIO(data))
    return (
        gzip.compress(buffer.getvalue(), 9, mtime=0)[:9] + b"\x13" + gzip.compress(buffer.getvalue(), 9, mtime=0)[10:]
    )


def gzip_with_a_name(version: int) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "dump.sql")
        path.write_bytes(text(version))
        subprocess.run(["gzip", "-6", str(path)], check=True)
        return path.with_suffix(".sql.gz").read_bytes()


def zipped(version: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members(version).items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 12, 0, version)), data)
    return buffer.getvalue()


def deb(version: int) -> bytes:
    """The three members of a Debian package, in the ar format."""
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": tar_of(version, "w:gz"),
        "data.tar.xz": tar_of(version, "w:xz"),
    }
    out = b"!<arch>\n"
    for name, data in parts.items():
        header = f"{name:<16}{1_700_000_000:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n"
        out += header.encode() + data + (b"\n" if len(data) % 2 else b"")
    return out


def database(version: int) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "data.sqlite")
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        rows = [(number, f"thing {number}", noise(number, 200)) for number in range(500)]
        rows[version] = (version, "changed", b"")
        connection.executemany("INSERT INTO things VALUES (?, ?, ?)", rows)
        connection.commit()
        connection.close()
        return path.read_bytes()


KINDS: dict[str, Callable[[int], bytes]] = {
    "gzip -1.gz": packed_by("gzip", "-c", "-1"),
    "gzip -9.gz": packed_by("gzip", "-c", "-9"),
    "gzip -n.gz": packed_by("gzip", "-cn"),
    "gzip with a name.gz": gzip_with_a_name,
    "python's gzip.gz": lambda version: gzip.compress(text(version), mtime=version),
    "two members.gz": lambda version: gzip.compress(text(version)[:99_999], 1) + gzip.compress(text(version), 9),
    "cut short.gz": lambda version: gzip.compress(text(version))[:-100],
    "tarfile.tar.gz": lambda version: tar_of(version, "w:gz"),
    "npm.tgz": npm_tgz,
    "bzip2 -1.bz2": packed_by("bzip2", "-c", "-1"),
    "python's bzip2.bz2": lambda version: bz2.compress(text(version)),
    "xz -0.xz": packed_by("xz", "-c", "-0"),
    "python's xz.xz": lambda version: lzma.compress(text(version), preset=9),
    "lzma.lzma": lambda version: lzma.compress(text(version), format=lzma.FORMAT_ALONE),
    "tarfile.tar": lambda version: tar_of(version, "w"),
    "zip.zip": zipped,
    "package.deb": deb,
    "database.sqlite": database,
    "text.sql": text,
    "zeros.img": lambda version: bytes(100_000 + version),
    "noise.bin": lambda version: noise("noise", 100_000 + version),
    "a delta.bin": lambda version: b"\xd6\xc3\xc4\x00" + noise("delta", 50_000 + version),
    "empty.zip": lambda version: b"",
    "one byte.zip": lambda version: b"%d" % version,
}


@pytest.fixture(scope="session", autouse=True)
def _packers() -> None:
    for program in ("gzip", "bzip2", "xz"):
        assert shutil.which(program), f"{program} is missing: install it"


@pytest.fixture(scope="module")
def files() -> dict[str, tuple[bytes, bytes]]:
    return {kind: (make(1), make(2)) for kind, make in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_file_comes_back(world: World, files: dict[str, tuple[bytes, bytes]], kind: str) -> None:
    """The ratio is 1 so that as many as possible are deltas, and no least size, so that tiny ones are, too."""
    ctx = world.client(max_ratio=1.0, min_delta_size=1)
    suffix = kind[kind.rindex(".") :]
    one, two = files[kind]
    other = files["zip.zip"][0]
    keys = {
        f"first/1{suffix}": one,
        "after it/0.zip": other,
        f"after it/1{suffix}": one,
        f"both/1{suffix}": one,
        f"both/2{suffix}": two,
        f"both/1 again{suffix}": one,
    }
    for key, data in keys.items():
        await world.put(ctx, key, data)
    fresh = world.client()
    for key, data in keys.items():
        assert sha256(await world.get(fresh, key)) == sha256(data)
    if len(one) > 1:
        # A file against itself is a small delta whatever it is.
        assert (await world.store.head(world.bucket, f"both/1 again{suffix}.delta")).size < 400


async def test_kinds_mix_in_one_deltaspace(world: World, ctx: Context, files: dict[str, tuple[bytes, bytes]]) -> None:
    for kind, (one, two) in files.items():
        await world.put(ctx, f"p/1 {kind}", one, max_ratio=1.0)
        await world.put(ctx, f"p/2 {kind}", two, max_ratio=1.0)
    fresh = world.client()
    for kind, (one, two) in files.items():
        assert sha256(await world.get(fresh, f"p/1 {kind}")) == sha256(one)
        assert sha256(await world.get(fresh, f"p/2 {kind}")) == sha256(two)


async def test_100_megabytes_with_their_halves_swapped(tmp_path: Path) -> None:
    """What moved by 50 MB is found, since the window covers the whole reference."""
    half, other = noise("half", 50 << 20), noise("other half", 50 << 20)
    reference, target, delta, copy = (tmp_path / name for name in ("reference", "target", "delta", "copy"))
    reference.write_bytes(half + other)
    target.write_bytes(other + half)
    codec = Xdelta3()
    assert await codec.encode(reference, target, delta, limit=1 << 20)
    assert delta.stat().st_size < 10_000
    await codec.decode(reference, delta, copy, size=100 << 20)
    assert copy.read_bytes() == other + half
    for path in (reference, target, copy):
        path.unlink()
