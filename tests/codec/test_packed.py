"""Which files xdelta3 need not search for what repeats in them."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from deltaglider.codec.packed import is_packed
from deltaglider.codec.xdelta3 import Xdelta3
from tests.codec.material import never_ready, noise, script, text, write

WORDS = base64.b64encode(noise(1_500_000))
"""They compress by a quarter, and what comes out not any further."""


def _zip(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number in range(20):
            archive.writestr(f"member-{number}", WORDS[number * 100_000 :][:100_000])
    return file.getvalue()


PACKED = {
    "zip": _zip(zipfile.ZIP_DEFLATED),
    "gzip": gzip.compress(WORDS, mtime=0),
    "bzip2": bz2.compress(WORDS),
    "xz": lzma.compress(WORDS),
    "a small zip of noise": b"PK\x03\x04" + noise(100),
}
UNPACKED = {
    "a zip of what is stored as it is": _zip(zipfile.ZIP_STORED),
    "text": text(10_000),
    "noise": noise(300_000),
    "empty": b"",
    "a byte": b"P",
}


@pytest.mark.parametrize("name", PACKED)
def test_what_says_so_and_does_not_compress_is_packed(name: str, tmp_path: Path) -> None:
    assert is_packed(write(tmp_path / "file", PACKED[name]))


@pytest.mark.parametrize("name", UNPACKED)
def test_what_only_says_so_or_only_does_not_compress_is_not(name: str, tmp_path: Path) -> None:
    assert not is_packed(write(tmp_path / "file", UNPACKED[name]))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    assert not is_packed(never_ready(tmp_path / "pipe"))


async def test_packed_files_are_encoded_with_less_search(tmp_path: Path) -> None:
    program = script(tmp_path / "program", f'echo "$@" >> "{tmp_path}/said"; exec xdelta3 "$@"')
    codec, delta = Xdelta3(program), tmp_path / "delta"
    for content in (PACKED["zip"], UNPACKED["text"]):
        file = write(tmp_path / "file", content)
        assert await codec.encode(file, file, delta, limit=1_000)
        await codec.decode(file, delta, tmp_path / "result", size=len(content))
        assert (tmp_path / "result").read_bytes() == content
    packed, _, unpacked, _ = (line.split() for line in (tmp_path / "said").read_text().splitlines())
    assert {"-3", "-N"} <= set(packed)
    assert "-6" in unpacked
    assert "-N" not in unpacked
