"""The codec for programs: when it is used, and that what it writes comes back, in archives too."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from deltaglider.archive.container import Head
from deltaglider.codec.aligned import Aligned
from deltaglider.codec.archive import ArchiveCodec
from deltaglider.codec.base import Encoded
from deltaglider.codec.family import Codecs
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import sha256_of

ELF = b"\x7fELF\2\1\1" + bytes(9)
WHOLE = 10_000_000  # A limit that no delta here reaches.


def program(shift: int, *, start: bytes = ELF, size: int = 400_000) -> bytes:
    """A file like a library: every few bytes an address, which ``shift`` moves."""
    noise = random.Random(5)
    out = bytearray(start)
    while len(out) < size:
        out += noise.randbytes(noise.randrange(8, 40))
        out += ((noise.randrange(1 << 20) + shift) % (1 << 32)).to_bytes(4, "little")
    return bytes(out)


def files(directory: Path, reference: bytes, target: bytes) -> tuple[Path, Path, Path]:
    """Both as files, and a place for the delta."""
    paths = directory / "reference", directory / "target", directory / "delta"
    paths[0].write_bytes(reference)
    paths[1].write_bytes(target)
    return paths


@pytest.fixture
def aligned() -> Aligned:
    return Aligned(Xdelta3(processes=2), threads=2)


async def back(codec: Codecs | Aligned | ArchiveCodec, paths: tuple[Path, Path, Path], encoded: Encoded) -> bytes:
    """What the delta makes of the reference."""
    out = paths[2].with_name("out")
    family = codec if isinstance(codec, Codecs) else Codecs(codec)
    digest = await family.decode(paths[0], paths[2], out, size=paths[1].stat().st_size, codec=encoded.codec)
    assert digest == sha256_of(out)
    return out.read_bytes()


@pytest.mark.parametrize("start", [ELF, b"\xcf\xfa\xed\xfe" + bytes(28), b"MZ" + bytes(126) + b"PE\0\0"])
async def test_programs_take_less_than_half_of_vcdiff(tmp_path: Path, aligned: Aligned, start: bytes) -> None:
    paths = files(tmp_path, program(0, start=start), program(0x1240, start=start))
    assert await Xdelta3().encode(*paths, limit=WHOLE)
    plain = paths[2].stat().st_size
    encoded = await aligned.encode(*paths, limit=WHOLE)
    assert encoded == Encoded("aligned", "xdelta3 -e -D -S none; aligned")
    assert paths[2].stat().st_size < plain / 2
    assert await back(aligned, paths, encoded) == paths[1].read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delta", "out", "reference", "target"]


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        (program(0, start=b"no program"), program(64, start=b"no program")),
        (program(0), program(0) + b"one more byte"),
        (program(0), ELF + random.Random(9).randbytes(400_000)),
        (ELF, ELF),
        (b"", program(0)),
        (program(0), b""),
    ],
)
async def test_the_rest_is_vcdiff(tmp_path: Path, aligned: Aligned, reference: bytes, target: bytes) -> None:
    paths = files(tmp_path, reference, target)
    encoded = await aligned.encode(*paths, limit=WHOLE)
    assert encoded is not None
    assert encoded.codec == ""
    assert await back(Codecs(Xdelta3()), paths, encoded) == target


async def test_what_grows_over_its_limit_is_given_up(tmp_path: Path, aligned: Aligned) -> None:
    paths = files(tmp_path, program(0), program(0x1240))
    assert await aligned.encode(*paths, limit=1000) is None


async def test_programs_in_an_archive_are_aligned(tmp_path: Path) -> None:
    xdelta3 = Xdelta3(processes=2)
    inner = Codecs(Aligned(xdelta3), xdelta3)
    codec = ArchiveCodec(inner, Codecs(xdelta3))
    paths = tmp_path / "reference", tmp_path / "target", tmp_path / "delta"
    for path, shift in ((paths[0], 0), (paths[1], 0x1240)):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("lib.so", program(shift))
    encoded = await codec.encode(*paths, limit=WHOLE)
    assert encoded == Encoded("archive", "archive; xdelta3 -e -D -S none; aligned")
    with paths[2].open("rb") as delta:
        assert Head.read(delta).inner == "aligned"
    assert await back(codec, paths, encoded) == paths[1].read_bytes()


async def test_another_reference_gives_other_bytes_or_an_error(tmp_path: Path, aligned: Aligned) -> None:
    paths = files(tmp_path, program(0), program(0x1240))
    encoded = await aligned.encode(*paths, limit=WHOLE)
    assert encoded is not None
    paths[0].write_bytes(program(0)[:-1000])
    with pytest.raises(DeltaCorruptError, match="the reference does not have"):
        await back(aligned, paths, encoded)
    paths[0].write_bytes(program(8))
    assert await back(aligned, paths, encoded) != paths[1].read_bytes()


async def test_the_self_test_tells_the_format(aligned: Aligned) -> None:
    assert await aligned.self_test() == "1"
