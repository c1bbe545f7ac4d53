"""Which file becomes the reference of many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.layout.middle import middle_of


def chosen(sizes: dict[str, int]) -> str:
    return middle_of(sizes, key=lambda name: name, size=lambda name: sizes[name])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["only.zip"], "only.zip"),
        (["app-1.zip", "app-2.zip"], "app-2.zip"),
        (["app-1.zip", "app-2.zip", "app-3.zip"], "app-2.zip"),
        ([f"app-1.{number}.zip" for number in range(8, 13)], "app-1.10.zip"),
        (["v1/app.zip", "v2/app.zip", "v10/app.zip"], "v2/app.zip"),
        (["app-1.zip", "app-2.zip", "app-3.zip", "docs.zip", "tool-1.zip", "zoo.zip"], "app-2.zip"),
        (["red.zip", "green.zip", "blue.zip"], "green.zip"),
        (["a01.zip", "a1.zip", "a001.zip"], "a01.zip"),
    ],
)
def test_of_equal_files_it_is_the_version_in_the_middle(names: list[str], expected: str) -> None:
    assert chosen(dict.fromkeys(names, 10)) == expected
    assert chosen(dict.fromkeys(reversed(names), 10)) == expected


def test_it_is_bytes_that_count() -> None:
    assert chosen({"app-1.zip": 1, "app-2.zip": 1, "app-3.zip": 100, "app-4.zip": 1}) == "app-3.zip"
    many_small = {f"hint-{number}.zip": 1 for number in range(50)}
    assert chosen({"app-1.zip": 60, "app-2.zip": 60, "app-3.zip": 60} | many_small) == "app-2.zip"


def test_a_large_file_that_has_no_versions_is_not_chosen() -> None:
    assert chosen({"app-1.zip": 10, "app-2.zip": 10, "app-3.zip": 10, "image.iso": 5_000}) == "app-2.zip"


@given(st.dictionaries(st.text("ab01²-", max_size=6), st.integers(0, 100), min_size=1, max_size=20))
def test_it_is_one_of_them_whatever_they_are_called_and_in_whatever_order(sizes: dict[str, int]) -> None:
    assert chosen(sizes) in sizes
    assert chosen(dict(sorted(sizes.items()))) == chosen(dict(sorted(sizes.items(), reverse=True)))
