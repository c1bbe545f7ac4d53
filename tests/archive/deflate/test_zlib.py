"""The project's own deflate makes the very bytes of zlib."""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.archive.deflate import Deflater
from tests.archive.deflate import material
from tests.archive.deflate.material import by_us, by_zlib, in_pieces
from tests.faults.scale import scaled

pytestmark = pytest.mark.faults

STRATEGIES = {"default": 0, "filtered": 1, "huffman": 2, "runs": 3, "fixed": 4}
LEVELS = range(1, 10)


@pytest.fixture(scope="session", autouse=True)
def _zlib_is_zlib() -> None:
    """These tests compare with the interpreter's zlib, which must be the real one."""
    squares = " ".join(str(number * number) for number in range(9000)).encode()

    assert zlib.crc32(by_zlib([squares], 6)) == 0xE263EB39, (
        "this interpreter's zlib is another one: it cannot be compared with"
    )


@pytest.mark.parametrize("kind", material.KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("mem_level", [8, 9])
@pytest.mark.parametrize("level", LEVELS)
def test_each_level_makes_the_same(level: int, mem_level: int, kind: Callable[[int], bytes]) -> None:
    data = kind(scaled(6_000, 200_000))

    assert by_us([data], level, mem_level) == by_zlib([data], level, mem_level)


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
@pytest.mark.parametrize("level", [2, 6])
def test_each_strategy_makes_the_same(level: int, strategy: int) -> None:
    data = material.mixed(scaled(20_000, 300_000), level)

    for mem_level in (8, 9):
        assert by_us([data], level, mem_level, strategy) == by_zlib([data], level, mem_level, strategy)


@pytest.mark.parametrize("mem_level", range(1, 10))
@pytest.mark.parametrize("window_bits", [9, 10, 12, 15])
def test_small_memory_and_windows_make_the_same(window_bits: int, mem_level: int) -> None:
    data = material.mixed(scaled(3_000, 100_000), mem_level)

    for level in (2, 6):
        made = by_us(in_pieces(data, 1400), level, mem_level, 0, window_bits)
        assert made == by_zlib(in_pieces(data, 1400), level, mem_level, 0, window_bits)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 9, 257, 258, 259, 260, 261, 262, 263, 264, 519, 520, 521])
@pytest.mark.parametrize("kind", [bytes, material.text, material.noise, material.few], ids=lambda kind: kind.__name__)
def test_small_ones_are_the_same(kind: Callable[[int], bytes], size: int) -> None:
    data = kind(size)

    for level in scaled(0, 1) * list(LEVELS) or [3, 6]:
        assert by_us([data], level) == by_zlib([data], level)


@pytest.mark.parametrize("boundary", scaled(0, 1) * [32768, 98304] + [16383, 32767, 65274, 65536])
def test_the_same_around_the_limits_of_blocks_and_windows(boundary: int) -> None:
    for off in range(-262, 263, scaled(262, 13)):
        for kind, level, mem_level in ((material.noise, 1, 9), (material.runs, 6, 8)):
            data = kind(boundary + off)
            assert by_us([data], level, mem_level) == by_zlib([data], level, mem_level)


def test_a_match_may_be_as_far_away_as_zlib_allows() -> None:
    again = b"a match, far away"
    for window_bits, leads in ((15, [1]), (10, [0, 1, 300, 1024, 5000])):
        reach = (1 << window_bits) - 262
        for distance in range(reach - 1, reach + 2):
            for lead in leads:
                data = material.noise(lead) + again + material.noise(distance - len(again), 9) + again
                for level in (1, 6):
                    made = by_us([data], level, window_bits=window_bits)
                    assert made == by_zlib([data], level, window_bits=window_bits)


def test_codes_that_would_be_too_long_are_the_same() -> None:
    data = material.skewed(16_000)

    for level, strategy in ((6, 2), (6, 0), (1, 0)):
        assert by_us([data], level, 8, strategy) == by_zlib([data], level, 8, strategy)


@pytest.mark.timeout(1800)
@settings(max_examples=scaled(40, 3000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.lists(
        st.one_of(
            st.binary(max_size=300),
            st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 60)).map(lambda part: part[0] * part[1]),
            st.tuples(st.sampled_from(material.KINDS), st.integers(0, 3000), st.integers(0, 50)).map(
                lambda part: part[0](part[1], part[2])
            ),
        ),
        max_size=12,
    ),
    level=st.integers(1, 9),
    mem_level=st.sampled_from([8, 9, 1, 3]),
    strategy=st.sampled_from([0, 0, 1, 2, 3, 4]),
    window_bits=st.sampled_from([15, 15, 9, 11]),
)
def test_whatever_comes_is_the_same(
    parts: list[bytes], level: int, mem_level: int, strategy: int, window_bits: int
) -> None:
    parts = parts + parts[:3]

    made = by_us(parts, level, mem_level, strategy, window_bits)

    assert made == by_zlib(parts, level, mem_level, strategy, window_bits)


@pytest.mark.timeout(1800)
def test_large_ones_in_any_pieces_are_the_same(record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(11)
    compared = 0
    for _ in range(scaled(3, 400)):
        size = chance.choice((32768, 65536, 98304, 131072, chance.randrange(1, 200_000))) + chance.randrange(-300, 300)
        data = chance.choice(material.KINDS)(scaled(size // 2, size), chance.randrange(100))
        cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(8)))
        pieces = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        level, mem_level, strategy = (
            chance.randrange(1, 10),
            chance.choice((8, 9)),
            chance.choice((0, 0, 0, 1, 2, 3, 4)),
        )
        assert by_us(pieces, level, mem_level, strategy) == by_zlib(pieces, level, mem_level, strategy)
        compared += len(data)
    record_property("figure", f"deflated as zlib does: {compared:,} bytes in pieces")


def test_what_is_ready_comes_before_the_end() -> None:
    deflater = Deflater(6)

    first = deflater.compress(material.noise(100_000))

    assert len(first) > 60_000
    assert zlib.decompressobj(-15).decompress(first) in material.noise(100_000)


def test_memory_does_not_grow_with_the_data() -> None:
    piece = material.text(1 << 12)
    most = []
    for count in (12, 36):
        deflater = Deflater(6, window_bits=12)  # Its window is dropped and begun anew every 16 KiB.
        before = sys.getallocatedblocks()
        held = []
        for _ in range(count):
            deflater.compress(piece)
            held.append(sys.getallocatedblocks() - before)
        most.append(max(held))

    assert most[0] > 10_000
    assert most[1] < most[0] * 1.5


def test_any_buffer_will_do() -> None:
    data = material.text(3000)

    for buffer in (bytearray(data), memoryview(data), memoryview(data).cast("I") if len(data) % 4 == 0 else data):
        deflater = Deflater(6)
        assert deflater.compress(buffer) + deflater.flush() == by_zlib([data], 6)


async def test_it_ends_when_its_caller_is_cancelled() -> None:
    began = anyio.Event()
    done = []

    def work() -> None:
        deflater = Deflater(9)
        anyio.from_thread.run_sync(began.set)
        while True:
            deflater.compress(bytes(1 << 16))
            done.append(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: anyio.to_thread.run_sync(work))
        await began.wait()
        tasks.cancel_scope.cancel()

    count = len(done)
    await anyio.lowlevel.checkpoint()
    assert len(done) == count


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("level", 0),
        ("level", 10),
        ("mem_level", 0),
        ("mem_level", 10),
        ("strategy", 5),
        ("window_bits", 8),
        ("window_bits", 16),
        ("variant", "zopfli"),
    ],
)
def test_what_zlib_would_not_do_is_refused(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=str(value)):
        Deflater(**{"level": 6, argument: value})  # type: ignore[arg-type]
