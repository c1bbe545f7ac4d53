"""What the header of a delta says of the files it was made of."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

from deltaglider.codec.vcdiff import Inputs, inputs_of
from tests.codec.material import text, write, xdelta3

PLAIN, GZIP, XZ = text(500), gzip.compress(text(600)), lzma.compress(text(700))


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (PLAIN, PLAIN, Inputs("", "")),
        (PLAIN, GZIP, Inputs("G", "")),
        (GZIP, PLAIN, Inputs("", "G")),
        (XZ, GZIP, Inputs("G", "Y")),
    ],
)
@pytest.mark.parametrize("secondary", ["lzma", "none"])
def test_what_was_unpacked(source: bytes, target: bytes, expected: Inputs, secondary: str, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    xdelta3("-e", "-S", secondary, "-s", write(tmp_path / "s", source), write(tmp_path / "t", target), delta)
    assert inputs_of(delta) == expected


@pytest.mark.parametrize("header", [["-A="], ["-A=a/b"], ["-A=" + "x" * 200]])
def test_other_headers_say_nothing(header: list[str], tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    xdelta3("-e", *header, "-s", write(tmp_path / "s", PLAIN), write(tmp_path / "t", PLAIN), delta)
    assert inputs_of(delta) is None


@pytest.mark.parametrize("size", range(30))
def test_what_is_cut_off_says_nothing_or_the_truth(size: int, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    xdelta3("-e", "-s", write(tmp_path / "s", PLAIN), write(tmp_path / "t", GZIP), delta)
    assert inputs_of(write(tmp_path / "cut", delta.read_bytes()[:size])) in (None, Inputs("G", ""))


def test_what_is_none_says_nothing(tmp_path: Path) -> None:
    assert inputs_of(write(tmp_path / "a", b"")) is None
    assert inputs_of(write(tmp_path / "b", b"\xd6\xc3\xc4\x00\x04\xff\xff\xff\xff\xff\xff")) is None
    assert inputs_of(write(tmp_path / "c", PLAIN)) is None
