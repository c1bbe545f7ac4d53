"""The codec for headers: when it is used, and that what it writes comes back, in archives too."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest

from deltaglider.archive.container import Head
from deltaglider.codec.aligned import Aligned
from deltaglider.codec.archive import ArchiveCodec
from deltaglider.codec.base import Codec, Encoded
from deltaglider.codec.budget import Resources
from deltaglider.codec.family import Codecs
from deltaglider.codec.gate import Gate
from deltaglider.codec.headers import MAGIC, HeadersCodec
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.codec.zstd import Zstd
from deltaglider.config import GIB
from deltaglider.errors import DeltaCorruptError, UnknownFormatError
from deltaglider.files import sha256_of
from tests.archive.test_zipheaders import release as zip_release
from tests.codec.test_aligned import program

WHOLE = 10_000_000  # A limit that no delta here reaches.


def release(number: int, *, count: int = 300, more: bytes = b"") -> bytes:
    """A tar like an sdist's: all files as they were but one, and all of them written anew."""
    out, noise, clock = io.BytesIO(), random.Random(5), random.Random(number)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for each in range(count):
            content = noise.randbytes(noise.randrange(2_000))
            if each == 7:
                content = b"version %d" % number + more
            member = tarfile.TarInfo(f"thing-{number}/{each}.py")
            member.size = len(content)
            member.mtime = 1_700_000_000 + number * 90_000 + clock.random() * 20
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def tar_of(contents: list[bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number, content in enumerate(contents):
            member = tarfile.TarInfo(f"{number}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


ONE, OTHER = release(1), release(10)


def files(directory: Path, reference: bytes, target: bytes) -> tuple[Path, Path, Path]:
    paths = directory / "reference", directory / "target", directory / "delta"
    paths[0].write_bytes(reference)
    paths[1].write_bytes(target)
    return paths


async def back(family: Codecs, paths: tuple[Path, Path, Path], codec: str) -> bytes:
    """What the delta makes of the reference: the same to a file and to nowhere."""
    size, out = paths[1].stat().st_size, paths[2].with_name("out")
    digest = await family.decode(paths[0], paths[2], out, size=size, codec=codec)
    assert digest == sha256_of(out) == await family.decode(paths[0], paths[2], None, size=size, codec=codec)
    return out.read_bytes()


def headers(*plain: Codec, **options: Any) -> HeadersCodec:
    """The codec, with the same codecs for all kinds of files."""
    return HeadersCodec(Codecs(*plain), Codecs(*plain), **options)


@pytest.fixture
def codec() -> HeadersCodec:
    return headers(Xdelta3(processes=2), Zstd(Resources(1, GIB)))


async def test_a_release_of_the_same_files_takes_less_than_a_fifth_of_vcdiff(
    tmp_path: Path, codec: HeadersCodec
) -> None:
    paths = files(tmp_path, ONE, OTHER)
    assert await Xdelta3().encode(*paths, limit=WHOLE)
    plain = paths[2].stat().st_size
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded == Encoded("headers", "headers; xdelta3 -e -D -S djw")
    assert paths[2].stat().st_size < plain / 5
    # Three bytes of fraction a file are what cannot be known.
    assert paths[2].stat().st_size < 300 * 3 * 2
    assert await back(Codecs(codec), paths, "headers") == OTHER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delta", "out", "reference", "target"]


async def test_a_zip_that_was_built_anew_takes_a_tenth_of_vcdiff(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, zip_release(1), zip_release(2))
    assert await Xdelta3().encode(*paths, limit=WHOLE)
    plain = paths[2].stat().st_size
    assert await codec.encode(*paths, limit=WHOLE)
    assert paths[2].stat().st_size < plain / 3
    assert await back(Codecs(codec), paths, "headers") == paths[1].read_bytes()


async def test_a_tar_in_an_archive_is_one_too(tmp_path: Path) -> None:
    xdelta3 = Xdelta3(processes=2)
    plain = Codecs(xdelta3)
    tar = headers(xdelta3)
    codec = ArchiveCodec(Codecs(xdelta3, special=(tar,)), plain)
    paths = files(tmp_path, gzip.compress(ONE, mtime=1), gzip.compress(OTHER, mtime=2))
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded == Encoded("archive", "archive; headers; xdelta3 -e -D -S djw")
    with paths[2].open("rb") as delta:
        assert Head.read(delta).inner == "headers"
    family = Codecs(codec)
    assert await family.prove(paths[0], paths[2], encoded, size=paths[1].stat().st_size) == sha256_of(paths[1])
    assert await back(family, paths, "archive") == paths[1].read_bytes()


async def test_programs_in_a_tar_are_aligned(tmp_path: Path) -> None:
    xdelta3 = Xdelta3(processes=2)
    codec = headers(Aligned(xdelta3), xdelta3)
    paths = files(tmp_path, release(1, more=program(0)), release(2, more=program(0x1240)))
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded == Encoded("headers", "headers; xdelta3 -e -D -S none; aligned")
    assert await back(Codecs(codec), paths, "headers") == paths[1].read_bytes()


@pytest.mark.parametrize("kind", ["a program", "a tar of one", "a tar that is nearly the same"])
async def test_what_has_no_headers_to_make_alike_is_for_the_others(tmp_path: Path, kind: str) -> None:
    """What they make stands by itself, so that all who read the bucket must know it."""
    xdelta3 = Xdelta3(processes=2)
    codec = HeadersCodec(Codecs(Aligned(xdelta3), xdelta3), Codecs(xdelta3))
    contents = program(0), program(0x1240)
    if kind == "a tar of one":
        contents = tar_of([contents[0]]), tar_of([contents[1]])
    elif kind == "a tar that is nearly the same":
        contents = ONE + contents[0], ONE + contents[0] + b"more"
    paths = files(tmp_path, *contents)
    assert await codec.encode(*paths, limit=WHOLE) == Encoded("", "xdelta3 -e -D -S djw")
    assert await back(Codecs(xdelta3), paths, "") == contents[1]


async def test_zstd_makes_the_inner_delta_where_it_is_the_first(tmp_path: Path) -> None:
    codec = headers(Zstd(Resources(1, GIB)), Xdelta3())
    paths = files(tmp_path, ONE, OTHER)
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded is not None
    assert (encoded.codec, encoded.command) == ("headers", "headers; zstd -3 --long --patch-from")
    assert await back(Codecs(codec), paths, "headers") == OTHER


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        (ONE, b"no tar" * 1000),
        (b"no tar" * 1000, OTHER),
        (ONE, release(2, count=3)),
        (release(1, count=3), OTHER),
        (b"", OTHER),
        (ONE, b""),
    ],
    ids=["target is none", "reference is none", "few in the target", "few in the reference", "no reference", "empty"],
)
async def test_the_rest_is_left_to_the_inner_codec(
    tmp_path: Path, codec: HeadersCodec, reference: bytes, target: bytes
) -> None:
    paths = files(tmp_path, reference, target)
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded is not None
    assert encoded.codec == ""
    assert await back(Codecs(Xdelta3()), paths, "") == target


class Counted(Gate):
    """The gate, and which files it was asked about."""

    asked: list[Path]

    async def opens(self, reference: Path, target: Path, *, limit: int) -> bool:
        self.asked.append(target)
        return await super().opens(reference, target, limit=limit)


@pytest.mark.parametrize(("share", "opens"), [(0.0, False), (1.0, True)])
async def test_the_gate_is_asked_before_headers_are_looked_for(tmp_path: Path, share: float, opens: bool) -> None:
    gate = Counted(Resources(1, GIB))
    gate.asked = []
    noise = random.Random(8)
    one, other = ([noise.randbytes(20_000) for _ in range(12)] for _ in range(2))
    paths = files(tmp_path, *(tar_of(contents) for contents in (one, one if share else other)))
    encoded = await headers(Xdelta3(), gate=gate).encode(*paths, limit=100_000)
    assert (encoded is not None) == opens
    assert gate.asked == [paths[1]]


async def test_zstd_needs_no_gate(tmp_path: Path) -> None:
    gate = Counted(Resources(1, GIB))
    gate.asked = []
    paths = files(tmp_path, ONE, OTHER)
    assert await headers(Zstd(Resources(1, GIB)), gate=gate).encode(*paths, limit=WHOLE)
    assert gate.asked == []


async def test_of_the_same_file_the_plain_delta_is_smaller(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, ONE, ONE + b"more")
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded is not None
    assert encoded.codec == ""
    assert paths[2].stat().st_size < 100
    assert await back(Codecs(Xdelta3()), paths, "") == ONE + b"more"


async def test_what_grows_over_its_limit_is_given_up(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, ONE, OTHER)
    assert await codec.encode(*paths, limit=WHOLE)
    size = paths[2].stat().st_size
    assert await codec.encode(*paths, limit=size)
    assert await codec.encode(*paths, limit=size - 1) is None


async def test_it_takes_no_file_that_is_too_large_and_none_where_it_is_not_to_write(codec: HeadersCodec) -> None:
    assert codec.takes(1 << 30, 1 << 30)
    assert not codec.takes(1, (1 << 30) + 1)
    assert not codec.takes((1 << 30) + 1, 1)
    assert not headers(Xdelta3(), writes=False).takes(0, 0)
    assert not headers(Zstd(Resources(1, GIB)), largest=10).takes(0, 11)


async def test_another_reference_or_size_is_an_error(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, ONE, OTHER)
    assert await codec.encode(*paths, limit=WHOLE)
    with pytest.raises(DeltaCorruptError, match="not the recorded"):
        await codec.decode(paths[0], paths[2], None, size=len(OTHER) - 1)
    paths[0].write_bytes(release(3))
    with pytest.raises(DeltaCorruptError):
        await codec.decode(paths[0], paths[2], None, size=len(OTHER))


async def test_a_later_format_is_refused(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, ONE, MAGIC + b"\2" + bytes(20))
    with pytest.raises(UnknownFormatError, match="format 2"):
        await codec.decode(paths[0], paths[1], None, size=10)


async def test_damaged_deltas_are_errors_or_other_bytes(tmp_path: Path, codec: HeadersCodec) -> None:
    paths = files(tmp_path, ONE, OTHER)
    assert await codec.encode(*paths, limit=WHOLE)
    sound, noise, hidden = paths[2].read_bytes(), random.Random(3), 0
    for place in [*range(16), *(noise.randrange(len(sound)) for _ in range(30))]:
        damaged = bytearray(sound)
        damaged[place] ^= 1 << noise.randrange(8)
        paths[2].write_bytes(damaged)
        try:
            hidden += await codec.decode(paths[0], paths[2], None, size=len(OTHER)) == sha256_of(paths[1])
        except (DeltaCorruptError, UnknownFormatError):
            continue
    assert hidden <= 1  # A byte that xdelta3 itself does not look at.
    for size in (0, 3, 5, 9, len(sound) // 2):
        paths[2].write_bytes(sound[:size])
        with pytest.raises(DeltaCorruptError):
            await codec.decode(paths[0], paths[2], None, size=len(OTHER))


async def test_the_self_test_tells_the_format(codec: HeadersCodec) -> None:
    assert await codec.self_test() == "1"
