"""The variant "gzip" makes the very bytes of GNU gzip."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from deltaglider.archive.deflate import Deflater
from tests.archive.deflate import material
from tests.archive.deflate.material import by_us, in_pieces
from tests.faults.scale import scaled

pytestmark = pytest.mark.faults

HEADER, TRAILER = 10, 8


@pytest.fixture(scope="session")
def program() -> str:
    """GNU gzip."""
    found = shutil.which("gzip")
    assert found, "gzip is missing"
    version = subprocess.run([found, "--version"], capture_output=True, check=True, text=True).stdout
    assert re.match(r"gzip 1\.\d+", version), f"not GNU gzip: {version}"
    return found


@pytest.fixture
def by_gzip(program: str, tmp_path: Path) -> Callable[[bytes, int], bytes]:
    """What GNU gzip makes of a file."""

    def deflate(data: bytes, level: int) -> bytes:
        file = tmp_path / "data"
        file.write_bytes(data)
        with file.open("rb") as source:
            done = subprocess.run([program, "-n", "-c", f"-{level}"], stdin=source, capture_output=True, check=True)
        return done.stdout[HEADER:-TRAILER]

    return deflate


def ours(pieces: Iterable[bytes], level: int) -> bytes:
    return by_us(pieces, level, variant="gzip")


@pytest.mark.parametrize("kind", material.KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("level", range(1, 10))
def test_each_level_makes_the_same(
    level: int, kind: Callable[[int], bytes], by_gzip: Callable[[bytes, int], bytes]
) -> None:
    data = kind(scaled(7_000, 200_000))

    assert ours([data], level) == by_gzip(data, level)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 9, 257, 258, 259, 262, 520])
def test_small_ones_are_the_same(size: int, by_gzip: Callable[[bytes, int], bytes]) -> None:
    for kind in (bytes, material.text):
        for level in (1, 6):
            assert ours([kind(size)], level) == by_gzip(kind(size), level)


def test_blocks_end_early_where_few_matches_pack_much(by_gzip: Callable[[bytes, int], bytes]) -> None:
    sparse = b"".join(material.noise(40, seed) + bytes(400) for seed in range(scaled(400, 2000)))

    for level in (2, 3, 6):
        assert ours([sparse], level) == by_gzip(sparse, level)
    assert by_us([sparse], 6, 9) != ours([sparse], 6)  # zlib's block would be as long, but does not end before.


@pytest.mark.parametrize("end", [65536, 65536 + 32768])
@pytest.mark.parametrize("off", scaled(0, 1) * list(range(-300, 300, 7)) or [-262, -130, 0, 5, 263])
def test_the_end_is_the_same_wherever_it_falls_in_the_window(
    off: int, end: int, by_gzip: Callable[[bytes, int], bytes]
) -> None:
    # Repeats that reach the end, so that what stands behind it in gzip's memory decides between them.
    data = (material.text(700) * 150)[: end + off]

    for level in (1, 6):
        assert ours([data], level) == by_gzip(data, level)


@pytest.mark.parametrize("size", [1000, 65536])
def test_pieces_do_not_matter(size: int, by_gzip: Callable[[bytes, int], bytes]) -> None:
    data = material.mixed(scaled(70_000, 200_000))

    assert ours(in_pieces(data, size), 3) == by_gzip(data, 3)


@pytest.mark.timeout(1800)
def test_large_ones_are_the_same(
    by_gzip: Callable[[bytes, int], bytes], record_property: Callable[[str, object], None]
) -> None:
    chance = random.Random(21)
    compared = 0
    for _ in range(scaled(2, 300)):
        size = chance.choice((65536, 98304, chance.randrange(1, 250_000))) + chance.randrange(-300, 300)
        data = chance.choice(material.KINDS)(scaled(size // 2, size), chance.randrange(100))
        data += data[: chance.randrange(400)]
        level = chance.randrange(1, 10)
        assert ours([data], level) == by_gzip(data, level)
        compared += len(data)
    record_property("figure", f"deflated as GNU gzip does: {compared:,} bytes")


@pytest.mark.parametrize("argument", [{"mem_level": 9}, {"strategy": 1}, {"window_bits": 14}], ids=str)
def test_gzip_knows_levels_only(argument: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="levels only"):
        Deflater(6, variant="gzip", **argument)
