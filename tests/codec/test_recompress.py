"""Files whose packing was lost are made again from what they held, their size and their SHA-256."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import hashlib
import io
import lzma
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.codec.packers import CHECKS, Check, Packer, packers_of
from deltaglider.codec.recompress import Effort, Lost, Recompressor
from deltaglider.codec.unpack import Packing, packing_of, unpack
from deltaglider.errors import DeltaCorruptError
from tests.codec.material import noise, text, write

PLAIN = text(1_500)
QUICK = Effort(1 << 40, 200_000_000)


def packed(command: list[str], content: bytes) -> bytes:
    return subprocess.run(command, input=content, check=True, capture_output=True).stdout


def tar(*times: int, name: str = "f") -> bytes:
    """An archive of members that are as old as they are told to be."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, time in enumerate(times):
            member = tarfile.TarInfo(f"{name}{number}")
            member.size, member.mtime = 5_000, time
            archive.addfile(member, io.BytesIO(text(500, number)[:5_000]))
    return out.getvalue()


async def again(
    place: Path,
    name: str,
    content: bytes,
    file: bytes,
    packing: Packing,
    *,
    effort: Effort = QUICK,
    stored: datetime | None = None,
    like: tuple[bytes, bytes] | None = None,
) -> str | None:
    """Makes a file again; says how, after it made sure of the bytes."""
    target = place / "target"
    lost = Lost(name, len(file), hashlib.sha256(file).hexdigest(), packing, stored)
    if like is not None:
        lost = dataclasses.replace(
            lost, like=write(place / "like", like[0]), like_unpacked=write(place / "opened", like[1])
        )
    payload = write(place / "payload", content)
    recipe = await Recompressor().recreate(payload, lost, target, place / "scratch", effort=effort)
    if recipe is not None:
        assert target.read_bytes() == file
    return recipe


@pytest.mark.parametrize("level", range(1, 10))
async def test_the_gzip_program(level: int, tmp_path: Path) -> None:
    file = packed(["gzip", "-n", "-c", f"-{level}"], PLAIN)
    assert await again(tmp_path, "a.gz", PLAIN, file, "gzip")


@pytest.mark.parametrize(("level", "memory"), [(1, 8), (4, 8), (6, 8), (9, 8), (6, 9)])
async def test_zlib(level: int, memory: int, tmp_path: Path) -> None:
    machine = zlib.compressobj(level, zlib.DEFLATED, 31, memory)
    file = machine.compress(PLAIN) + machine.flush()
    assert await again(tmp_path, "a.gz", PLAIN, file, "gzip")


@pytest.mark.parametrize("first", range(1, 10))
@pytest.mark.parametrize("packing", ["gzip", "bzip2"])
def test_every_level_is_listed_whatever_the_first_file_suggests(first: int, packing: Packing) -> None:
    like = gzip.compress(b"", first) if packing == "gzip" else bz2.compress(b"", first)
    assert {packer.level for packer in packers_of(packing, like)} == set(range(1, 10))


@pytest.mark.parametrize("level", [1, 6, 9])
async def test_pythons_gzip_with_a_name_and_the_time_of_the_youngest_member(level: int, tmp_path: Path) -> None:
    content = tar(1_700_000_000, 1_600_000_000)
    out = io.BytesIO()
    with gzip.GzipFile("app-1.0.tar.gz", "wb", level, out, mtime=1_700_000_012) as file:
        file.write(content)
    recipe = await again(tmp_path, "app-1.0.tar.gz", content, out.getvalue(), "gzip")
    assert recipe == f"zlib -{level}, time 1700000012, named 'app-1.0.tar', system 255"


@pytest.mark.parametrize("name", ["data.sql", "café"])
async def test_gzip_on_a_file_shortly_before_it_was_stored(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.write_bytes(PLAIN)
    subprocess.run(["touch", "-d", "@1700000000", place], check=True)
    subprocess.run(["gzip", "-9", place], check=True)
    file = (tmp_path / f"{name}.gz").read_bytes()
    assert file[4:8] == (1_700_000_000).to_bytes(4, "little")
    stored = datetime.fromtimestamp(1_700_000_300, UTC)
    assert "time 1700000000, named" in str(await again(tmp_path, f"{name}.gz", PLAIN, file, "gzip", stored=stored))


async def test_the_time_that_another_file_of_the_same_maker_suggests(tmp_path: Path) -> None:
    """It was packed a day after its youngest member was made, as the one before it was."""
    before, content = tar(1_600_000_000), tar(1_650_000_000)
    like = gzip.compress(before, mtime=1_600_086_400)
    file = gzip.compress(content, mtime=1_650_086_400 + 3)
    effort = Effort(1 << 40, 20_000_000)
    assert await again(tmp_path, "a.tgz", content, file, "gzip", effort=effort, like=(like, before))
    assert await again(tmp_path, "a.tgz", content, file, "gzip", effort=effort) is None


@pytest.mark.parametrize(
    ("system", "effort"), [(0, 0), (3, 0), (7, 2), (0x0A, 0), (0x0B, 4), (0x13, 0), (255, 0), (255, 2), (3, 4)]
)
async def test_headers_without_a_time(system: int, effort: int, tmp_path: Path) -> None:
    file = bytearray(gzip.compress(PLAIN, 6, mtime=0))
    file[8:10] = bytes([effort, system])
    assert await again(tmp_path, "a.tgz", PLAIN, bytes(file), "gzip")


@pytest.mark.parametrize("level", [1, 2, 9])
async def test_bzip2(level: int, tmp_path: Path) -> None:
    content = noise(250_000)  # More than one block at the lowest levels.
    file = packed(["bzip2", "-c", f"-{level}"], content)
    assert await again(tmp_path, "a.bz2", content, file, "bzip2") == f"bz2 -{level}"


@pytest.mark.parametrize(
    "options", ["-0", "-1 --check=crc32", "-6 --check=none", "-6 --check=sha256", "-6 -e", "-2 -T2", "-6 -T2"]
)
async def test_xz(options: str, tmp_path: Path) -> None:
    content = PLAIN[:20_000]
    file = packed(["xz", "-c", *options.split()], content)
    assert await again(tmp_path, "a.xz", content, file, "xz")


ALL = [
    *(packer for packing in ("gzip", "bzip2") for packer in packers_of(packing) if not packer.program),
    *(
        Packer("xz", "lzma", level, extreme=extreme, check=check)
        for level in (0, 6)
        for extreme in (False, True)
        for check in CHECKS
    ),
]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    packer=st.sampled_from([each for each in ALL if each.available]), lines=st.integers(0, 400), seed=st.integers(0, 9)
)
async def test_whatever_is_listed_is_found(packer: Packer, lines: int, seed: int, tmp_path: Path) -> None:
    content = text(lines, seed) + noise(lines, seed)
    made = tmp_path / "made"
    assert packer.pack(write(tmp_path / "content", content), made, 10_000_000)
    assert packing_of(made) == packer.packing
    assert await again(tmp_path, "a", content, made.read_bytes(), packer.packing)


@pytest.mark.parametrize("check", CHECKS)
async def test_an_empty_file_in_xz(check: Check, tmp_path: Path) -> None:
    made = lzma.compress(b"", check=CHECKS[check])
    assert await again(tmp_path, "a.xz", b"", made, "xz")


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz"])
async def test_what_no_way_gives_is_not_found(packing: Packing, tmp_path: Path) -> None:
    content = PLAIN[:5_000]
    files = {"gzip": gzip.compress(content) * 2, "bzip2": bz2.compress(content) * 2, "xz": lzma.compress(content) * 2}
    assert await again(tmp_path, "a", content * 2, files[packing], packing) is None


async def test_a_size_that_fits_by_chance_costs_no_more_than_the_effort_allows(tmp_path: Path) -> None:
    file = bytearray(gzip.compress(PLAIN, mtime=0))
    file[-9] ^= 1
    assert await again(tmp_path, "a.gz", PLAIN, bytes(file), "gzip", effort=Effort(1 << 40, 1_000_000)) is None


async def test_nothing_is_tried_beyond_the_effort(tmp_path: Path) -> None:
    assert (
        await again(tmp_path, "a.gz", PLAIN, gzip.compress(PLAIN, mtime=0), "gzip", effort=Effort(0, 1 << 30)) is None
    )


async def test_a_search_ends_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    file = bytearray(gzip.compress(PLAIN, mtime=0))
    file[-9] ^= 1
    lost = Lost("a.gz", len(file), hashlib.sha256(file).hexdigest(), "gzip", datetime.now(UTC))
    payload = write(tmp_path / "payload", PLAIN)
    with anyio.move_on_after(0.3) as scope:
        endless = Effort(1 << 60, 1 << 60)
        await Recompressor().recreate(payload, lost, tmp_path / "target", tmp_path / "scratch", effort=endless)
    assert scope.cancelled_caught


async def test_a_bomb_of_a_reference_is_not_unpacked(tmp_path: Path) -> None:
    for name, content in {"a": gzip.compress(bytes(5_000_000)), "b": bz2.compress(bytes(5_000_000))}.items():
        with pytest.raises(DeltaCorruptError, match="more than 1000000 bytes"):
            unpack(write(tmp_path / name, content), tmp_path / "out", limit=1_000_000)
        assert (tmp_path / "out").stat().st_size <= 1_000_000


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz"])
def test_unpacking(packing: str, tmp_path: Path) -> None:
    makers: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
    make = makers[packing]
    file = write(tmp_path / "a", make(PLAIN) + make(PLAIN))
    assert packing_of(file) == packing
    unpack(file, tmp_path / "out", limit=10_000_000)
    assert (tmp_path / "out").read_bytes() == PLAIN * 2


@pytest.mark.parametrize("make", [gzip.compress, bz2.compress, lzma.compress])
def test_what_does_not_unpack_is_told(make: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = make(PLAIN)
    with pytest.raises(DeltaCorruptError, match="does not unpack"):
        unpack(write(tmp_path / "a", content[:-20]), tmp_path / "out", limit=10_000_000)


def test_what_follows_a_gzip_file_is_left_out(tmp_path: Path) -> None:
    unpack(write(tmp_path / "a", gzip.compress(PLAIN) + b"rubbish"), tmp_path / "out", limit=10_000_000)
    assert (tmp_path / "out").read_bytes() == PLAIN
