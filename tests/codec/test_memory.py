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
        (MIB + 1, 2 * MIB),
        (3 * MIB, 4 * MIB),
        (64 * MIB, 64 * MIB),
        (64 * MIB + 1, 128 * MIB),
        (GIB, GIB),
        (GIB + 1, 2 * GIB),
        (2 * GIB, 2 * GIB),
        (2 * GIB + 1, 2 * GIB),
        (100 * GIB, 2 * GIB),
    ],
)
def test_with_memory_enough_the_window_holds_the_whole_reference(reference_size: int, expected: int) -> None:
    source_window, level, _ = window(reference_size, PLENTY)
    assert (source_window, level) == (expected, 6)


@pytest.mark.parametrize(
    ("reference_size", "memory", "expected"),
    [
        (100 * MIB, GIB, (128 * MIB, 6)),
        (300 * MIB, GIB, (512 * MIB, 6)),
        (330 * MIB, GIB, (512 * MIB, 1)),  # Level 6 would need 3 bytes a byte.
        (600 * MIB, GIB, (GIB, 1)),
        (601 * MIB, GIB, (512 * MIB, 1)),  # Level 1 would need 1.6: the window shrinks.
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


SIZES = st.one_of(st.integers(0, 4 * GIB), st.integers(0, 32).map(lambda power: 1 << power))
MEMORIES = st.integers(64 * MIB, 16 * GIB)


@given(reference_size=SIZES, memory=MEMORIES)
def test_any_window_is_one_xdelta3_takes_and_memory_affords(reference_size: int, memory: int) -> None:
    source_window, level, needed = window(reference_size, memory)
    assert source_window & (source_window - 1) == 0
    assert 512 * KIB <= source_window <= 2 * GIB
    assert level in (1, 6)
    assert needed <= memory or source_window == MIB
    # Never more than twice what the reference needs.
    assert source_window == MIB or source_window < 2 * reference_size


@given(reference_size=SIZES, memory=MEMORIES)
def test_the_window_covers_the_reference_where_memory_affords_that(reference_size: int, memory: int) -> None:
    source_window, _, _ = window(reference_size, memory)
    affordable = 64 * MIB + 1.6 * min(reference_size, 2 * GIB) <= memory
    if affordable:
        assert source_window >= min(reference_size, 2 * GIB)


@given(reference_size=SIZES, memory=MEMORIES, more=st.integers(0, GIB))
def test_more_memory_never_makes_it_worse(reference_size: int, memory: int, more: int) -> None:
    little, plenty = window(reference_size, memory), window(reference_size, memory + more)
    assert plenty[0] >= little[0]
    assert plenty[1] >= little[1]
