"""Names, sizes and times as people read them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.cli.words import count, explain, human_size, local_time, place, printable
from deltaglider.errors import NotFoundError

UNSAFE = ["\x1b[31m", "\n", "\r", "\x00", "\x7f", "\x9b2J", "\u202e", "\u2028", "\udcff", "\ud800"]


@pytest.mark.parametrize(
    "text", ["app-v1.zip", "naïve café", "日本語", "a\u00a0b", "a\u3000b", "👩‍💻", "back\\slash", "[bold]"]
)
def test_names_that_harm_nobody_are_printed_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("turn\u202eed", "turn\\u202eed"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        ("half\ud800", "half\\ud800"),
    ],
)
def test_names_that_could_do_harm_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text() | st.sampled_from(UNSAFE))
def test_whatever_is_printed_is_one_line_that_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(character in shown for character in "\x1b\x9b\x07\x08\u202e")
    shown.encode()
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("a.txt", "./a.txt"),
        ("./a.txt", "./a.txt"),
        ("d/a.txt", "d/a.txt"),
        ("d/../a.txt", "./a.txt"),
        ("../a.txt", "../a.txt"),
        ("-", "-"),
        ("s3://bkt/a/../b", "s3://bkt/a/../b"),
        ("new\nline", "./new\\nline"),
    ],
)
def test_local_paths_are_relative_and_uris_as_they_are(path: str, shown: str) -> None:
    assert place(path) == shown


def test_an_absolute_path_becomes_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path / "d")
    assert place(str(tmp_path / "d" / "a.txt")) == "./a.txt"
    assert place(str(tmp_path / "a.txt")) == "../a.txt"


def test_without_a_working_directory_a_path_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert place("a.txt") == "a.txt"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 Bytes"),
        (1, "1 Byte"),
        (1023, "1023 Bytes"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (1023 * 1024, "1023.0 KiB"),
        (243_003_996, "231.7 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (2000 * 1024**6, "2000.0 EiB"),
        (-1536, "-1.5 KiB"),
    ],
)
def test_sizes_are_those_of_aws(size: int, text: str) -> None:
    assert human_size(size) == text


def test_times_are_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 31, 23, 30, 5, 999_999, tzinfo=UTC)
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    try:
        assert local_time(moment) == "2026-02-01 01:30:05"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_things_are_counted() -> None:
    assert [count(1, "file"), count(2, "file"), count(0, "entry", "entries")] == ["1 file", "2 files", "0 entries"]


def test_an_error_does_not_repeat_what_the_line_names_already() -> None:
    error = NotFoundError("no such object", uri="s3://bkt/k", remedy="Check the key")
    assert explain(error) == "s3://bkt/k: no such object. Check the key"
    assert explain(error, "s3://bkt/k", None) == "no such object. Check the key"
    assert explain(error, "s3://bkt/k2") == "s3://bkt/k: no such object. Check the key"


def test_an_error_without_words_has_its_name() -> None:
    assert explain(TimeoutError()) == "TimeoutError"
