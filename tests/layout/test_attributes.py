"""Times and modes of files as metadata."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.layout.attributes import recorded_mode, recorded_mtime, written_attributes


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (1_257_894_000_123_456_789, "1257894000.123456789"),
        (1_257_894_000_500_000_000, "1257894000.5"),
        (1_257_894_000_000_000_000, "1257894000"),
        (0, "0"),
        (1, "0.000000001"),
        (-1_500_000_000, "-1.5"),
    ],
)
def test_times_are_written_as_rclone_has_them(nanoseconds: int, text: str) -> None:
    assert written_attributes(nanoseconds, 0o100644) == {"mtime": text, "mode": "100644"}
    assert recorded_mtime({"mtime": text}) == nanoseconds


@given(st.integers(-(10**19), 10**19), st.integers(0, 0o7777))
def test_what_is_written_is_read(nanoseconds: int, permissions: int) -> None:
    metadata = written_attributes(nanoseconds, 0o100000 | permissions)
    assert (recorded_mtime(metadata), recorded_mode(metadata)) == (nanoseconds, permissions & 0o777)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1700000000.1234567891", 1_700_000_000_123_456_789),
        (" 12 ", 12 * 10**9),
        ("", None),
        ("yesterday", None),
        ("1e9", None),
        ("1.", None),
        ("9" * 12, None),
        ("٣", None),
    ],
)
def test_times_of_other_tools(text: str, expected: int | None) -> None:
    assert recorded_mtime({"mtime": text}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100644", 0o644),
        ("0100755", 0o755),
        ("644", 0o644),
        ("104755", 0o755),  # Set-uid is never given back.
        ("33188", None),  # s3fs, in decimal.
        ("33261", None),
        ("40755", None),  # A directory.
        ("120777", None),
        ("", None),
        ("64", None),
        ("rw-r--r--", None),
    ],
)
def test_modes_of_other_tools(text: str, expected: int | None) -> None:
    assert recorded_mode({"mode": text}) == expected


def test_nothing_is_recorded() -> None:
    assert (recorded_mtime({}), recorded_mode({"other": "1"})) == (None, None)
