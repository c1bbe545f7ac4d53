"""What the frame of a delta tells, of deltas as xdelta3 makes them and of what only looks like one."""

from __future__ import annotations

import contextlib
import random
import subprocess
from pathlib import Path

import pytest

from deltaglider.codec.windows import Outline, outline
from deltaglider.errors import DeltaCorruptError

FIRST = random.Random(1).randbytes(300_000)


def delta_of(here: Path, reference: bytes, target: bytes, *flags: str) -> Path:
    (here / "old.bin").write_bytes(reference)
    (here / "new.bin").write_bytes(target)
    made = here / "delta"
    subprocess.run(
        ["xdelta3", "-e", "-f", *flags, "-s", here / "old.bin", here / "new.bin", made], check=True, capture_output=True
    )
    return made


@pytest.mark.parametrize("secondary", ["none", "djw", "lzma"])
@pytest.mark.parametrize(
    ("target", "sourced"),
    [
        (FIRST, True),
        (FIRST[:100] + b"new" + FIRST[100:], True),
        (FIRST[-5000:], True),
        (b"", False),
        (random.Random(2).randbytes(1000), False),
    ],
)
def test_deltas_as_they_are_made(tmp_path: Path, secondary: str, target: bytes, sourced: bool) -> None:
    for flags in (["-A="], []):
        made = delta_of(tmp_path, FIRST, target, "-S", secondary, *flags)
        name = "" if flags else "new.bin"
        assert outline(made) == Outline(len(target), checked=True, sourced=sourced, made_of=name)


def test_windows_add_up(tmp_path: Path) -> None:
    made = delta_of(tmp_path, FIRST, FIRST[1:] + FIRST, "-W", "65536", "-A=")
    assert outline(made) == Outline(2 * len(FIRST) - 1, checked=True, sourced=True)


def test_a_delta_without_checksums(tmp_path: Path) -> None:
    made = delta_of(tmp_path, FIRST, FIRST[5:], "-n", "-A=")
    assert outline(made) == Outline(len(FIRST) - 5, checked=False, sourced=True)


def test_what_is_cut_off(tmp_path: Path) -> None:
    whole = delta_of(tmp_path, FIRST, FIRST[5:] + b"more").read_bytes()
    cut = tmp_path / "cut"
    # Cut off right after the header it would be a delta of nothing.
    header = 4 + 1 + 1 + 1 + len(b"new.bin//old.bin/")
    for size in set(range(len(whole))) - {header}:
        cut.write_bytes(whole[:size])
        with pytest.raises(DeltaCorruptError):
            outline(cut)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        b"\xd6\xc3\xc4\x53",
        b"\xd6\xc3\xc4\x00\x02",  # A code table of its own.
        b"\xd6\xc3\xc4\x00\x00\x01" + b"\xff" * 50,  # A number without end.
        b"\xd6\xc3\xc4\x00\x04\xff\xff\xff\xff\x7f",  # A note longer than the file.
    ],
)
def test_what_is_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no delta"
    path.write_bytes(data)
    with pytest.raises(DeltaCorruptError):
        outline(path)


def test_random_bytes_end(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    for seed in range(200):
        path.write_bytes(b"\xd6\xc3\xc4\x00" + random.Random(seed).randbytes(40))
        with contextlib.suppress(DeltaCorruptError):
            assert outline(path).size >= 0
