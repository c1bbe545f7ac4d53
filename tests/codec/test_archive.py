"""The codec that unpacks what differs: on files, with the real encoders, against hostile deltas, and cancelled."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from deltaglider.archive.limits import Limits
from deltaglider.codec.archive import ArchiveCodec
from deltaglider.codec.base import Encoded
from deltaglider.codec.family import Codecs
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import DeltaCorruptError, DeltaGliderError, LocalFileError
from tests.archive.material import Member, content, gzipped, noise, tarred, zipped
from tests.archive.other import another_zlib
from tests.codec.material import write

LIMIT = 1 << 30
OLD = tarred(**{f"f{number}": content(700, number) + noise(2_000, number) for number in range(1, 12)})
NEW = tarred(**{f"f{number}": content(700, number) + noise(2_000, number) for number in range(2, 13)})


@pytest.fixture
def inner() -> Codecs:
    return Codecs(Xdelta3(processes=2))


@pytest.fixture
def codec(inner: Codecs) -> ArchiveCodec:
    return ArchiveCodec(inner, inner, threads=2)


def gnu(data: bytes, level: int) -> bytes:
    return subprocess.run(["gzip", "-n", "-c", f"-{level}"], input=data, check=True, capture_output=True).stdout


def node(data: bytes, level: int) -> bytes:
    script = (
        f"const z=require('zlib');process.stdout.write(z.gzipSync(require('fs').readFileSync(0),{{level:{level}}}))"
    )
    return subprocess.run(["node", "-e", script], input=data, check=True, capture_output=True).stdout


def wheel(data: bytes) -> bytes:
    return zipped(Member(b"a.txt", data), Member(b"b.bin", noise(9_000), method=0), Member(b"c.txt", content(50)))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zip": wheel,
    "Python's gzip": lambda data: gzip.compress(data, 9, mtime=1),
    "gzip -1": lambda data: gnu(data, 1),
    "gzip -6": lambda data: gnu(data, 6),
    "gzip -9": lambda data: gnu(data, 9),
    "npm": lambda data: node(data, 9),
    "gzip -6 in a wheel": lambda data: zipped(Member(b"a.gz", gnu(data, 6)), Member(b"c.txt", content(50))),
    "many of them": lambda data: zipped(
        *(Member(b"%d.gz" % at, gnu(data[at * 9_000 :][:30_000], 6)) for at in range(9))
    ),
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
async def test_what_is_packed_costs_little_and_comes_back(
    pack: Callable[[bytes], bytes], codec: ArchiveCodec, inner: Codecs, tmp_path: Path
) -> None:
    reference, target = write(tmp_path / "reference", pack(OLD)), write(tmp_path / "target", pack(NEW))
    delta, plain, result = tmp_path / "delta", tmp_path / "plain", tmp_path / "result"
    size = target.stat().st_size

    encoded = await codec.encode(reference, target, delta, limit=LIMIT)
    await inner.encode(reference, target, plain, limit=LIMIT)
    sha256 = await codec.decode(reference, delta, result, size=size)

    assert encoded == Encoded("archive", "archive; xdelta3 -e -D -S djw")
    assert result.read_bytes() == target.read_bytes()
    assert sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert await codec.decode(reference, delta, None, size=size) == sha256
    assert delta.stat().st_size < plain.stat().st_size / 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delta", "plain", "reference", "result", "target"]


PLAIN: dict[str, tuple[bytes, bytes]] = {
    "no archive": (OLD, NEW),
    "the same": (wheel(OLD), wheel(OLD)),
    "the same streams": (wheel(OLD), wheel(OLD) + b"rubbish"),
    "a reference of nothing": (b"", b""),
}


@pytest.mark.parametrize("pair", PLAIN.values(), ids=PLAIN.keys())
async def test_where_nothing_is_to_be_unpacked_the_delta_is_the_plain_one(
    pair: tuple[bytes, bytes], codec: ArchiveCodec, inner: Codecs, tmp_path: Path
) -> None:
    reference, target = write(tmp_path / "reference", pair[0]), write(tmp_path / "target", pair[1])
    delta, plain = tmp_path / "delta", tmp_path / "plain"

    encoded = await codec.encode(reference, target, delta, limit=LIMIT)

    assert encoded == await inner.encode(reference, target, plain, limit=LIMIT)
    assert delta.read_bytes() == plain.read_bytes()


async def test_what_would_not_be_smaller_by_enough_is_plain(codec: ArchiveCodec, tmp_path: Path) -> None:
    reference = write(tmp_path / "reference", gzipped(content(30_000)))
    # Packed, all but its end is the same: a plain delta does as well, and costs less to read.
    target = write(tmp_path / "target", gzipped(content(30_000) + noise(300_000)))

    encoded = await codec.encode(reference, target, tmp_path / "delta", limit=LIMIT)

    assert encoded is not None
    assert encoded.codec == ""


async def test_what_would_take_too_long_to_read_is_plain(inner: Codecs, tmp_path: Path) -> None:
    reference, target = write(tmp_path / "reference", wheel(OLD)), write(tmp_path / "target", wheel(NEW))

    async def codec_of(limits: Limits) -> str:
        encoded = await ArchiveCodec(inner, inner, limits=limits).encode(
            reference, target, tmp_path / "delta", limit=LIMIT
        )
        assert encoded is not None
        return encoded.codec

    assert await codec_of(Limits(repacked=len(NEW))) == "archive"
    assert await codec_of(Limits(repacked=len(NEW) - 1)) == ""
    assert await codec_of(Limits(unpacked=len(NEW) - 1)) == ""


async def test_a_delta_over_the_limit_is_none(codec: ArchiveCodec, tmp_path: Path) -> None:
    reference, target = write(tmp_path / "reference", wheel(OLD)), write(tmp_path / "target", wheel(noise(99_999)))

    assert await codec.encode(reference, target, tmp_path / "delta", limit=1_000) is None


async def test_it_takes_what_its_inner_codecs_take(inner: Codecs) -> None:
    assert ArchiveCodec(inner, inner).takes(1, 1)
    assert not ArchiveCodec(inner, inner, writes=False).takes(1, 1)


async def test_it_tests_itself(codec: ArchiveCodec) -> None:
    assert "zlib" in await codec.self_test()


@pytest.fixture
async def made(codec: ArchiveCodec, tmp_path: Path) -> tuple[Path, Path, int]:
    """A reference, a delta, and the size of what it decodes to."""
    reference, target = write(tmp_path / "reference", wheel(OLD)), write(tmp_path / "target", wheel(NEW))
    assert await codec.encode(reference, target, tmp_path / "delta", limit=LIMIT)
    return reference, tmp_path / "delta", target.stat().st_size


async def test_damage_is_noticed(codec: ArchiveCodec, made: tuple[Path, Path, int], tmp_path: Path) -> None:
    reference, delta, size = made
    good = delta.read_bytes()
    for position in [*range(0, 60, 7), *range(60, len(good), len(good) // 9)]:
        delta.write_bytes(good[:position] + bytes([good[position] ^ 0x55]) + good[position + 1 :])
        with pytest.raises(DeltaGliderError):
            await codec.decode(reference, delta, tmp_path / "result", size=size)
    for length in range(0, len(good), len(good) // 7):
        delta.write_bytes(good[:length])
        with pytest.raises(DeltaGliderError):
            await codec.decode(reference, delta, tmp_path / "result", size=size)


async def test_another_reference_is_noticed(codec: ArchiveCodec, made: tuple[Path, Path, int], tmp_path: Path) -> None:
    _, delta, size = made
    for other in (b"", wheel(content(300)), wheel(OLD)[:-9], gzipped(OLD)):
        with pytest.raises(DeltaCorruptError):
            await codec.decode(write(tmp_path / "other", other), delta, tmp_path / "result", size=size)


async def test_no_more_than_the_recorded_size_is_written(
    codec: ArchiveCodec, made: tuple[Path, Path, int], tmp_path: Path
) -> None:
    reference, delta, size = made

    with pytest.raises(DeltaCorruptError, match="more than the recorded"):
        await codec.decode(reference, delta, tmp_path / "result", size=size - 1)

    assert (tmp_path / "result").stat().st_size < size


async def test_what_it_does_not_know_refuses_it_at_once(inner: Codecs, made: tuple[Path, Path, int]) -> None:
    reference, delta, size = made

    with pytest.raises(DeltaCorruptError):
        await inner.decode(reference, delta, None, size=size)


async def test_a_file_that_vanishes_is_a_local_error(codec: ArchiveCodec, tmp_path: Path) -> None:
    reference = write(tmp_path / "reference", wheel(OLD))

    with pytest.raises(LocalFileError):
        await codec.encode(reference, tmp_path / "gone", tmp_path / "delta", limit=LIMIT)


async def test_without_gzip_its_streams_stay_packed_or_are_made_without(inner: Codecs, tmp_path: Path) -> None:
    codec = ArchiveCodec(inner, inner, threads=2, makers={})
    reference, target = write(tmp_path / "reference", gnu(OLD, 6)), write(tmp_path / "target", gnu(NEW, 6))
    encoded = await codec.encode(reference, target, tmp_path / "delta", limit=LIMIT)

    assert encoded is not None
    assert encoded.codec == ""


async def test_a_cancelled_call_leaves_nothing(codec: ArchiveCodec, tmp_path: Path) -> None:
    reference = write(tmp_path / "reference", gzipped(content(60_000), 9))
    target = write(tmp_path / "target", gzipped(content(60_000, change=1), 9))
    before = sorted(tmp_path.iterdir())

    for seconds in (0.0, 0.02, 0.1, 0.3):
        with anyio.move_on_after(seconds) as scope:
            await codec.encode(reference, target, tmp_path / "delta", limit=LIMIT)
        (tmp_path / "delta").unlink(missing_ok=True)
        assert sorted(tmp_path.iterdir()) == before
        if not scope.cancelled_caught:
            break


async def test_what_was_just_encoded_is_proven(codec: ArchiveCodec, tmp_path: Path) -> None:
    wrapped = [zipped(Member(b"a.txt", data), Member(b"b.gz", gnu(data, 6))) for data in (OLD, NEW)]
    reference, target = write(tmp_path / "reference", wrapped[0]), write(tmp_path / "target", wrapped[1])
    delta, other, newer = tmp_path / "delta", tmp_path / "other", wheel(NEW + OLD)
    encoded = await codec.encode(reference, target, delta, limit=LIMIT)
    assert encoded is not None
    assert await codec.encode(reference, write(tmp_path / "newer", newer), other, limit=LIMIT)

    async def prove(delta: Path, size: int) -> str:
        return await codec.prove(reference, delta, encoded.shortcuts, size=size)

    assert await prove(delta, len(wrapped[1])) == hashlib.sha256(wrapped[1]).hexdigest()
    # What it knows of one file is no answer to a delta of another.
    assert await prove(other, len(newer)) == hashlib.sha256(newer).hexdigest()
    # And of a file that changed meanwhile, as one that was hashed before may, it knows nothing: the delta alone counts.
    target.write_bytes(wrapped[1][:90] + b"?" + wrapped[1][91:])
    assert await prove(delta, len(wrapped[1])) == hashlib.sha256(wrapped[1]).hexdigest()


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS.keys())
async def test_with_another_zlib_and_no_programs_all_of_it_can_still_be_read(
    pack: Callable[[bytes], bytes], codec: ArchiveCodec, inner: Codecs, tmp_path: Path
) -> None:
    old, new = OLD[: len(OLD) // 3], NEW[: len(NEW) // 3]
    reference, target = write(tmp_path / "reference", pack(old)), write(tmp_path / "target", pack(new))
    delta, result = tmp_path / "delta", tmp_path / "result"
    size = target.stat().st_size
    encoded = await codec.encode(reference, target, delta, limit=LIMIT)
    assert encoded is not None
    assert encoded.codec == "archive"

    with another_zlib():
        await ArchiveCodec(inner, inner, makers={}, threads=2).decode(reference, delta, result, size=size)

    assert result.read_bytes() == target.read_bytes()


async def test_another_zlib_is_no_failure_of_the_codec(inner: Codecs) -> None:
    with another_zlib():
        assert "slowly" in await ArchiveCodec(inner, inner).self_test()


async def test_with_another_zlib_nothing_is_written_that_this_one_makes(inner: Codecs, tmp_path: Path) -> None:
    reference, target = write(tmp_path / "reference", wheel(OLD)), write(tmp_path / "target", wheel(NEW))

    with another_zlib():
        encoded = await ArchiveCodec(inner, inner, makers={}).encode(reference, target, tmp_path / "delta", limit=LIMIT)

    assert encoded is not None
    assert encoded.codec == ""
