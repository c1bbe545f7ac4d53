"""The decision table of ``aws s3 sync``, cell by cell."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.bulk.compare import differs
from deltaglider.models import Action
from tests.bulk.world import later, local, remote

Row = Literal["size differs", "equal times", "target newer", "source newer"]

ROWS: dict[Row, tuple[int, float]] = {
    "size differs": (4, 0),
    "equal times": (3, 0),
    "target newer": (3, 60),
    "source newer": (3, -60),
}

DEFAULT: dict[Row, bool] = {
    "size differs": True,
    "equal times": False,
    "target newer": False,
    "source newer": True,
}
DOWNLOAD: dict[Row, bool] = {
    "size differs": True,
    "equal times": False,
    "target newer": True,
    "source newer": False,
}
SIZE_ONLY: dict[Row, bool] = {
    "size differs": True,
    "equal times": False,
    "target newer": False,
    "source newer": False,
}
EXACT_DOWNLOAD: dict[Row, bool] = {
    "size differs": True,
    "equal times": False,
    "target newer": True,
    "source newer": True,
}
NEVER: dict[Row, bool] = dict.fromkeys(ROWS, False)

TABLE: list[tuple[Action, dict[str, bool], dict[Row, bool]]] = [
    ("upload", {}, DEFAULT),
    ("copy", {}, DEFAULT),
    ("download", {}, DOWNLOAD),
    ("upload", {"size_only": True}, SIZE_ONLY),
    ("copy", {"size_only": True}, SIZE_ONLY),
    ("download", {"size_only": True}, SIZE_ONLY),
    ("upload", {"exact_timestamps": True}, DEFAULT),
    ("copy", {"exact_timestamps": True}, DEFAULT),
    ("download", {"exact_timestamps": True}, EXACT_DOWNLOAD),
    # The last one registered wins, as in aws.
    ("upload", {"size_only": True, "exact_timestamps": True}, DEFAULT),
    ("copy", {"size_only": True, "exact_timestamps": True}, DEFAULT),
    ("download", {"size_only": True, "exact_timestamps": True}, EXACT_DOWNLOAD),
    ("upload", {"no_overwrite": True}, NEVER),
    ("copy", {"no_overwrite": True}, NEVER),
    ("download", {"no_overwrite": True}, NEVER),
    ("download", {"no_overwrite": True, "exact_timestamps": True}, NEVER),
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(("action", "options", "expected"), TABLE)
def test_every_cell(action: Action, options: dict[str, bool], expected: dict[Row, bool], row: Row) -> None:
    size, seconds = ROWS[row]
    assert differs(action, remote("x"), local("x", size, later(seconds)), **options) is expected[row]


@pytest.mark.parametrize("seconds", [0.25, 0.999999])
def test_a_file_that_lost_the_fraction_of_its_object_s_time_is_the_same(seconds: float) -> None:
    source = remote("x", modified=later(seconds))
    assert not differs("download", source, local("x", modified=later(0)), exact_timestamps=True)
    assert not differs("download", source, local("x", modified=later(seconds)), exact_timestamps=True)
    assert differs("download", source, local("x", modified=later(0.1)), exact_timestamps=True)


def test_what_was_just_stored_is_not_newer_than_its_copy() -> None:
    # A store rounds down: the file made at 12:00:00.5 and stored at once is dated 12:00:00.
    assert not differs("upload", local("x", modified=later(0.5)), remote("x", modified=later(0)))
    assert not differs("copy", remote("x", modified=later(0.5)), remote("x", modified=later(0)))
    assert differs("upload", local("x", modified=later(1)), remote("x", modified=later(0)))
    # Where the store keeps fractions, they count: an edit of the same size within the second is not missed.
    assert differs("upload", local("x", modified=later(0.9)), remote("x", modified=later(0.3)))
    assert not differs("upload", local("x", modified=later(0.3)), remote("x", modified=later(0.9)))


def test_an_edit_within_the_second_of_the_object_s_time_is_seen_by_a_download() -> None:
    assert differs("download", remote("x", modified=later(0)), local("x", modified=later(0.5)))


@given(st.integers(0, 2), st.floats(-2, 2), st.booleans(), st.booleans())
def test_what_a_download_left_is_never_fetched_again(size: int, seconds: float, exact: bool, only: bool) -> None:
    source, target = remote("x", size, later(seconds)), local("x", size, later(seconds))
    assert not differs("download", source, target, exact_timestamps=exact, size_only=only)
