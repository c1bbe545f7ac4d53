"""How much of a reference the encoder looks at, and what memory that takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.codec.xdelta3 import window
from deltaglider.config import GIB, KIB, MIB

PLENTY = 64 * GIB


@pytest.mark.parametrize(
    ("reference_size", "expected"),
    [
        (0, MIB),
        (1, MIB),
        (MIB - 1, MIB),
        (MIB, MIB),
        (MIB + 1, 8 * MIB),
        (3 * MIB, 16 * MIB),
        (16 * MIB, 64 * MIB),
        (16 * MIB + 1, 64 * MIB),
        (64 * MIB, 128 * MIB),
        (64 * MIB + 1, 256 * MIB),
        (GIB, 2 * GIB),
        (2 * GIB, 2 * GIB),
        (100 * GIB, 2 * GIB),
    ],
)
def test_with_memory_enough_the_window_is_wider_than_the_reference(reference_size: int, expected: int) -> None:
    source_window, level, _ = window(reference_size, PLENTY)
    assert (source_window, level) == (expected, 6)


@pytest.mark.parametrize(
    ("reference_size", "memory", "expected"),
    [
        (100 * MIB, GIB, (256 * MIB, 6)),
        (300 * MIB, GIB, (512 * MIB, 6)),
        (390 * MIB, GIB, (512 * MIB, 6)),
        (400 * MIB, GIB, (GIB, 1)),  # Level 6 would need 1.1 bytes for each of a window of 512 MiB.
        (700 * MIB, GIB, (GIB, 1)),
        (800 * MIB, GIB, (512 * MIB, 1)),  # A window of 1 GiB takes as much as the reference and 205 MiB.
        (2 * GIB, GIB, (512 * MIB, 1)),
        (2 * GIB, 4 * GIB, (2 * GIB, 1)),
        (100 * MIB, 64 * MIB, (MIB, 1)),
        (100 * MIB, 100 * MIB, (16 * MIB, 1)),
    ],
)
def test_with_little_memory_the_level_falls_first_and_then_the_window(
    reference_size: int, memory: int, expected: tuple[int, int]
) -> None:
    assert window(reference_size, memory)[:2] == expected


@pytest.mark.parametrize(("at_once", "expected"), [(1, 256 * MIB), (2, 256 * MIB), (3, 128 * MIB), (16, 128 * MIB)])
def test_the_window_is_no_wider_than_all_encoders_have_memory_for(at_once: int, expected: int) -> None:
    assert window(100 * MIB, GIB, at_once=at_once)[:2] == (expected, 6)


def test_packed_files_have_a_level_of_their_own() -> None:
    assert window(100 * MIB, GIB, levels=(3, 1), at_once=2)[:2] == (256 * MIB, 3)
    assert window(500 * MIB, GIB, levels=(3, 1), at_once=2)[:2] == (512 * MIB, 3)
    assert window(700 * MIB, GIB, levels=(3, 1), at_once=2)[:2] == (GIB, 1)


SIZES = st.one_of(st.integers(0, 4 * GIB), st.integers(0, 32).map(lambda power: 1 << power))
MEMORIES = st.integers(64 * MIB, 16 * GIB)


@given(reference_size=SIZES, memory=MEMORIES, at_once=st.integers(1, 16))
def test_any_window_is_one_xdelta3_takes_and_memory_affords(reference_size: int, memory: int, at_once: int) -> None:
    source_window, level, needed = window(reference_size, memory, at_once=at_once)
    assert source_window & (source_window - 1) == 0
    assert 512 * KIB <= source_window <= 2 * GIB
    assert level in (1, 6)
    assert needed <= memory or source_window == MIB
    # The power of two at or above the reference is less than twice of it; of that, four times.
    assert source_window == MIB or source_window < 8 * reference_size


@given(reference_size=SIZES, memory=MEMORIES)
def test_the_window_covers_the_reference_where_memory_affords_that(reference_size: int, memory: int) -> None:
    source_window, _, _ = window(reference_size, memory)
    most = min(reference_size, 2 * GIB)
    if 65 * MIB + 1.4 * most <= memory:
        assert source_window >= most


@given(reference_size=SIZES, memory=MEMORIES, more=st.integers(0, GIB))
def test_more_memory_never_makes_it_worse(reference_size: int, memory: int, more: int) -> None:
    def worth(memory: int) -> tuple[int, int, int]:
        source_window, level, _ = window(reference_size, memory)
        return min(source_window, reference_size), level, source_window

    assert worth(memory + more) >= worth(memory)
