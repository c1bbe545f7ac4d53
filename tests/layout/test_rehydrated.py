"""Files made for presigned URLs: where they lie, how long they stay, what they are called."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.errors import MetadataTooLargeError
from deltaglider.layout.keys import LONGEST, is_reserved, is_temporary
from deltaglider.layout.metadata import LIMIT, metadata_size
from deltaglider.layout.rehydrated import Rehydrated, disposition, end_of_stay, is_over, recorded_end

NOW = datetime(2026, 11, 22, 10, 15, 30, 123456, tzinfo=UTC)
FILE = Rehydrated("v1/app.zip", "ab" * 32, 1000, {"ContentType": "application/zip"}, {"team": "core"})
WEEK = 7 * 24 * 3600

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def test_where_a_file_lies() -> None:
    until = datetime(2026, 11, 22, 12, tzinfo=UTC)
    key = FILE.stored_key(until)
    assert re.fullmatch(rf"\.deltaglider/tmp/{'ab' * 32}/[0-9a-f]{{16}}/20261122T120000Z/app\.zip", key)
    assert is_temporary(key)
    assert is_reserved(key)
    assert FILE.until(key) == until


@pytest.mark.parametrize(
    "other",
    [
        Rehydrated("v2/app.zip", FILE.sha256, 1000, FILE.headers, FILE.metadata),
        Rehydrated(FILE.key, "cd" * 32, 1000, FILE.headers, FILE.metadata),
        Rehydrated(FILE.key, FILE.sha256, 1000, {"ContentType": "text/plain"}, FILE.metadata),
        Rehydrated(FILE.key, FILE.sha256, 1000, FILE.headers, {}),
        Rehydrated(FILE.key, FILE.sha256, 1000, FILE.headers, FILE.metadata, {"SSEKMSKeyId": "key"}),
    ],
)
def test_what_would_be_answered_otherwise_lies_elsewhere(other: Rehydrated) -> None:
    assert other.prefix != FILE.prefix
    assert FILE.until(other.stored_key(NOW)) is None


def test_the_order_of_headers_makes_no_difference() -> None:
    pairs = [("ContentType", "a"), ("CacheControl", "b")]
    there, back = (Rehydrated("k", "0" * 64, 1, dict(order), dict(order)) for order in (pairs, pairs[::-1]))
    assert there.prefix == back.prefix


@pytest.mark.parametrize("key", ["dir/", "a/..", "a/.", "d/" * 300 + "x" * 300, "d/" * 300 + "é" * 150])
def test_names_that_no_url_can_end_with_are_replaced(key: str) -> None:
    stored = Rehydrated(key, "0" * 64, 1, {}, {}).stored_key(NOW)
    assert stored.rsplit("/", 1)[1] == ("file" if len(key) < 10 else key.rsplit("/", 1)[1])
    assert len(stored.encode()) <= LONGEST


def test_a_name_that_leaves_no_room_is_replaced() -> None:
    stored = Rehydrated("n" * 1000, "0" * 64, 1, {}, {}).stored_key(NOW)
    assert stored.endswith("Z/file")


@pytest.mark.parametrize("text", ["", "app.zip", "2026/app.zip", "20261399T000000Z/app.zip"])
def test_other_keys_tell_no_end(text: str) -> None:
    assert FILE.until(FILE.prefix + text) is None


@given(moments, st.integers(1, WEEK))
def test_a_file_stays_at_least_as_long_as_asked_and_at_most_twice_as_long(now: datetime, seconds: int) -> None:
    asked = now + timedelta(seconds=seconds)
    until = end_of_stay(asked, seconds)
    assert asked <= until <= asked + timedelta(seconds=seconds)
    assert FILE.until(FILE.stored_key(until)) == until


@given(moments, st.integers(0, 1800), st.integers(1, WEEK))
def test_few_files_serve_all_urls_of_one_length(now: datetime, later: int, seconds: int) -> None:
    ends = {end_of_stay(now + timedelta(seconds=seconds + at * seconds / 1800), seconds) for at in (0, later)}
    assert len(ends) <= 2
    assert max(ends) - min(ends) <= timedelta(seconds=2 * seconds)


def test_what_is_recorded() -> None:
    metadata = FILE.stored_metadata(NOW)
    assert metadata == {
        "team": "core",
        "dg-expires-at": "2026-11-22T10:15:30.123456Z",
        "dg-rehydrated": "true",
        "dg-original-key": "v1/app.zip",
        "dg-original-filename": "app.zip",
    }
    assert recorded_end(metadata) == NOW
    assert recorded_end({"dg-expires-at": "2026-11-22T10:15:30.123456"}) == NOW  # The predecessor's.
    assert recorded_end({}) is None


def test_metadata_that_leave_no_room() -> None:
    tight = Rehydrated("k" * 400, "0" * 64, 1, {}, {"note": "x" * 1900})
    assert sorted(tight.stored_metadata(NOW)) == ["dg-expires-at", "dg-rehydrated", "note"]
    assert metadata_size(tight.stored_metadata(NOW)) <= LIMIT
    with pytest.raises(MetadataTooLargeError):
        Rehydrated("k", "0" * 64, 1, {}, {"note": "x" * 2040}).stored_metadata(NOW)


def test_headers() -> None:
    assert FILE.stored_headers() == {
        "ContentType": "application/zip",
        "ContentDisposition": 'attachment; filename="app.zip"',
    }
    own = Rehydrated("k", "0" * 64, 1, {"ContentDisposition": "inline", "WebsiteRedirectLocation": "/x"}, {})
    assert own.stored_headers() == {"ContentDisposition": "inline"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app.zip", 'attachment; filename="app.zip"'),
        ("two words.zip", 'attachment; filename="two words.zip"'),
        ("café.zip", "attachment; filename=\"caf_.zip\"; filename*=UTF-8''caf%C3%A9.zip"),
        ('a";b\\.zip', "attachment; filename=\"a_;b_.zip\"; filename*=UTF-8''a%22%3Bb%5C.zip"),
        ("line\nbreak", "attachment; filename=\"line_break\"; filename*=UTF-8''line%0Abreak"),
        ("", 'attachment; filename="file"'),
        ("..", 'attachment; filename="file"'),
    ],
)
def test_the_name_of_a_download(name: str, value: str) -> None:
    assert disposition(name) == value


@given(st.text(min_size=1))
def test_any_name_makes_a_header(name: str) -> None:
    value = disposition(name)
    assert value.isascii()
    assert value.isprintable()
    encoded = value.partition("filename*=UTF-8''")[2]
    assert not encoded or unquote(encoded, errors="strict") == name


@pytest.mark.parametrize(
    ("end", "age", "over"),
    [(0, 0, True), (-1, 0, True), (1, 0, False), (1, 9 * 86400, False), (None, 3599, False), (None, 3600, True)],
)
def test_what_is_over(end: int | None, age: int, over: bool) -> None:
    until = None if end is None else NOW + timedelta(seconds=end)
    assert is_over(until, NOW - timedelta(seconds=age), now=NOW, older_than=3600) is over
