"""Deltas of the tool before this one: made by ``xdelta3 -e -9 -s``, which packs lzma and unpacks its inputs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import DeltaCorruptError
from tests.codec.material import noise, text, write, xdelta3


def _packed(content: bytes, *command: str) -> bytes:
    return subprocess.run(command, input=content, check=True, capture_output=True).stdout


@pytest.mark.parametrize("secondary", ["lzma", "djw", "fgk", "none"])
@pytest.mark.parametrize("level", ["-1", "-9"])
async def test_every_secondary_compression_is_read(
    secondary: str, level: str, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    delta, result = tmp_path / "delta", tmp_path / "result"
    xdelta3("-e", level, "-S", secondary, "-s", reference, target, delta)
    await codec.decode(reference, delta, result, size=target.stat().st_size)
    assert result.read_bytes() == target.read_bytes()


@pytest.mark.parametrize("recompress", [False, True])
async def test_an_old_delta_of_plain_files_is_read_either_way(recompress: bool, codec: Xdelta3, tmp_path: Path) -> None:
    reference, target = write(tmp_path / "r.zip", text(2_000)), write(tmp_path / "t.zip", text(2_500))
    delta, result = tmp_path / "t.zip.delta", tmp_path / "result"
    xdelta3("-e", "-9", "-s", reference, target, delta)
    await codec.decode(reference, delta, result, size=target.stat().st_size, recompress=recompress)
    assert result.read_bytes() == target.read_bytes()


@pytest.mark.parametrize(
    "command", [("gzip", "-n", "-c"), ("bzip2", "-9", "-c"), ("xz", "-6", "-c")], ids=lambda command: command[0]
)
async def test_an_old_delta_of_packed_files_is_packed_again(
    command: tuple[str, ...], codec: Xdelta3, tmp_path: Path
) -> None:
    """With the settings of these programs that xdelta3 itself uses, the very bytes come back."""
    reference = write(tmp_path / "v1", _packed(text(2_000), *command))
    target = write(tmp_path / "v2", _packed(text(2_500), *command))
    delta, result = tmp_path / "delta", tmp_path / "result"
    xdelta3("-e", "-9", "-s", reference, target, delta)
    size = target.stat().st_size
    with pytest.raises(DeltaCorruptError):
        await codec.decode(reference, delta, result, size=size)
    # What the failed attempt left does not count against this one.
    await codec.decode(reference, delta, result, size=size, recompress=True)
    assert result.read_bytes() == target.read_bytes()


async def test_a_target_that_was_unpacked_against_a_plain_reference(codec: Xdelta3, tmp_path: Path) -> None:
    reference = write(tmp_path / "v1", text(2_000))
    target = write(tmp_path / "v2.gz", _packed(text(2_500), "gzip", "-n", "-c"))
    delta, result = tmp_path / "delta", tmp_path / "result"
    xdelta3("-e", "-9", "-s", reference, target, delta)
    await codec.decode(reference, delta, result, size=target.stat().st_size, recompress=True)
    assert result.read_bytes() == target.read_bytes()


async def test_packing_again_is_bounded_like_all_decoding(codec: Xdelta3, tmp_path: Path) -> None:
    reference = write(tmp_path / "v1", noise(1_000))
    target = write(tmp_path / "v2.gz", _packed(noise(200_000, 2), "gzip", "-n", "-c"))
    delta = tmp_path / "delta"
    xdelta3("-e", "-9", "-s", reference, target, delta)
    with pytest.raises(DeltaCorruptError, match="more than the recorded 100000 bytes"):
        await codec.decode(reference, delta, tmp_path / "result", size=100_000, recompress=True)
