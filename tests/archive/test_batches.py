"""What is packed together, and what alone."""

from __future__ import annotations

from deltaglider.archive.batches import grouped


def test_what_is_large_goes_to_a_program_alone() -> None:
    """The results of several are read into memory."""
    sizes = [1000, 999_999, 5, 10_000_000, 7, 8]
    assert list(grouped(sizes, int, 1_000_000)) == [[1000], [999_999], [5], [10_000_000], [7, 8]]


def test_no_more_go_together_than_a_command_line_takes() -> None:
    assert list(grouped([1, 2, 3, 4, 5], int, 100, count=2)) == [[1, 2], [3, 4], [5]]
    assert not list(grouped([], int, 100))
