"""Text and times in metadata."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deltaglider.layout.text import decode_text, encode_text, format_time, parse_time

_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30), timezones=_offsets | st.just(UTC))


@given(st.text())
@example("=?utf-8?b?w6k=?=")
@example("=?UTF-8?Q?a_b?= =?utf-8?b?w6k=?=")
@example("=?utf-8?b?not base64?=")
@example(" a ")
@example("a  b")
@example("\udcff")
@example("")
def test_text_comes_back(text: str) -> None:
    encoded = encode_text(text)

    assert decode_text(encoded) == text
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " ".join(encoded.split()) == encoded


@given(st.from_regex(r"[!-<>-~]+( [!-<>-~]+)*", fullmatch=True))
def test_plain_text_stays_readable(text: str) -> None:
    assert encode_text(text) == text


@given(st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), min_size=1))
def test_other_readers_understand_what_is_encoded(text: str) -> None:
    assert str(make_header(decode_header(encode_text(text)))) == text


@pytest.mark.parametrize(
    ("answered", "text"),
    [
        ("=?UTF-8?B?Y2Fmw6kuemlw?=", "café.zip"),
        ("=?utf-8?b?Y2Fmw6kuemlw?=", "café.zip"),
        ("=?UTF-8?Q?caf=C3=A9_1.zip?=", "café 1.zip"),
        ("=?UTF-8?Q?caf=C3=A9?= =?UTF-8?B?LnppcA==?=", "café.zip"),
        ("=?UTF-8?B?w?=", "=?UTF-8?B?w?="),
        ("=?UTF-8?B?Y2F!mw6kuemlw?=", "=?UTF-8?B?Y2F!mw6kuemlw?="),
        ("=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="),
        ("=?UTF-8?B?é?=", "=?UTF-8?B?é?="),
        ("=?UTF-8?Q?é?=", "=?UTF-8?Q?é?="),
        ("=?latin-1?Q?caf=E9?=", "=?latin-1?Q?caf=E9?="),
        ("plain =?UTF-8?B?Y2Fmw6kuemlw?=", "plain =?UTF-8?B?Y2Fmw6kuemlw?="),
        ("=?utf-8?b?Y2Fmw6kuemlw?=\n", "=?utf-8?b?Y2Fmw6kuemlw?=\n"),
        ("café.zip", "café.zip"),
    ],
)
def test_what_a_store_made_of_utf_8_is_read(answered: str, text: str) -> None:
    assert decode_text(answered) == text


@given(_moments)
def test_a_time_comes_back(moment: datetime) -> None:
    written = format_time(moment)

    assert parse_time(written) == moment
    assert len(written) == len("2026-11-22T10:15:00.123456Z")
    assert written.endswith("Z")
    assert datetime.fromisoformat(written.rstrip("Z")).tzinfo is None  # As 6.2.0 reads it.


def test_a_time_is_written_in_one_form() -> None:
    moment = datetime(2026, 11, 22, 11, 15, tzinfo=timezone(timedelta(hours=1)))

    assert format_time(moment) == "2026-11-22T10:15:00.000000Z"


@pytest.mark.parametrize(
    "written",
    [
        "2025-08-01T10:15:00.123456Z",  # Reference and delta of the predecessor.
        "2025-08-01T10:15:00.123456",  # Its whole objects.
        "2025-08-01T10:15:00.123456+00:00",
        "2025-08-01T10:15:00.123456+00:00Z",
        "2025-08-01T12:15:00.123456+02:00",
        "2025-08-01 10:15:00.123456",
        " 2025-08-01T10:15:00.123456z ",
    ],
)
def test_every_dialect_of_time_is_read(written: str) -> None:
    assert parse_time(written) == datetime(2025, 8, 1, 10, 15, 0, 123456, tzinfo=UTC)


def test_microseconds_may_be_missing() -> None:
    assert parse_time("2025-08-01T10:15:00Z") == datetime(2025, 8, 1, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Z",
        "yesterday",
        "2025-13-01T00:00:00Z",
        "1754043300",
        "2025-08-01T10:15:00+99:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "9999-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "２０２５-08-01T10:15:00",
        "\0",
    ],
)
def test_what_no_clock_can_have_shown_is_no_time(written: str) -> None:
    assert parse_time(written) is None


@given(st.text())
def test_no_text_is_too_odd_for_a_time(text: str) -> None:
    moment = parse_time(text)

    assert moment is None or moment.tzinfo is UTC
