"""The comparer itself: what it takes for the same and what it does not; and the table in the documents."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from tests.parity.cases import CASES
from tests.parity.compare import View, code_of_version_2, differences, view_of
from tests.parity.departures import ASPECTS, DOCUMENT, departure_of, names_of, read_departures

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


@dataclasses.dataclass
class Ended:
    code: int = 0
    stdout: str = ""
    stderr: str = ""


def view(ended: Ended, *, ordered: bool = False, silent: bool = False, fetched: dict[str, str] | None = None) -> View:
    names = {"/tmp/here": "HERE"}
    return view_of(ended, code=ended.code, now=NOW, names=names, fetched=fetched or {}, ordered=ordered, silent=silent)


@pytest.mark.parametrize(
    ("code", "stderr", "expected"),
    [
        (0, "", 0),
        (1, "fatal error: no", 1),
        (2, "warning: Skipping file x. File does not exist.", 2),
        (2, "usage: aws s3 <command>", 252),
        (255, "\nAn error occurred (NoSuchBucket) when calling the ListObjectsV2 operation", 254),
        (255, "Unable to locate credentials. You can configure", 253),
        (255, "Unknown options: --nonsense", 252),
        (255, "\nThe user-provided path x must be there does not exist.", 255),
        (255, "something else", 255),
    ],
)
def test_codes_are_those_of_version_2(code: int, stderr: str, expected: int) -> None:
    assert code_of_version_2(code, stderr) == expected


def test_progress_is_left_out_and_order_does_not_count() -> None:
    shown = "Completed 3 Bytes/9 Bytes (1 B/s) with 2 file(s) remaining\rupload: ./b to s3://x/b      \nupload: ./a to s3://x/a\n"
    assert view(Ended(0, shown)).stdout == ("upload: ./a to s3://x/a", "upload: ./b to s3://x/b")
    assert view(Ended(0, "b\na\n"), ordered=True).stdout == ("b", "a", "")


def test_times_count_as_how_long_ago() -> None:
    soon, later = "2026-11-22 12:00:33    5 a", "2026-11-22 12:02:00    5 a"
    assert view(Ended(0, soon)).stdout == view(Ended(0, later)).stdout
    assert view(Ended(0, soon)).stdout != view(Ended(0, "2026-11-22 21:00:30    5 a")).stdout
    assert view(Ended(0, soon)).stdout != view(Ended(0, "2026-11-20 12:00:30    5 a")).stdout
    assert view(Ended(0, soon)).stdout != view(Ended(0, "2026-11-22 12:00:33     5 a")).stdout


def test_urls_count_as_what_they_give() -> None:
    ours, theirs = "http://x/t?X-Amz-Expires=3600", f"http://x/k?Expires={int(NOW.timestamp()) + 3598}"
    gives = {ours: "bytes", theirs: "bytes"}
    assert view(Ended(0, ours), fetched=gives) == view(Ended(0, theirs), fetched=gives)
    assert view(Ended(0, ours), fetched=gives) != view(Ended(0, theirs), fetched=gives | {theirs: "others"})


def test_of_errors_the_kind_counts() -> None:
    theirs = "upload failed: ./a to s3://x/a An error occurred (NoSuchBucket) when\ncalling\n"
    ours = "upload failed: ./a to s3://x/a the bucket does not exist\nCompleted 0 files, 1 failed\n"
    assert view(Ended(1, "", theirs)) == view(Ended(1, "", ours))
    assert view(Ended(1, "", theirs)) != view(Ended(1, "", ours.replace("./a", "./b")))
    assert view(Ended(0, "", "Completed 1 file, 5 Bytes stored as 5 Bytes")).stderr == ()
    assert view(Ended(0, "", "Completed 1 file, 5 Bytes stored as 5 Bytes"), silent=True).stderr != ()
    warned = "warning: Skipping file /tmp/here/a. File does not exist."
    assert view(Ended(2, "", warned)).stderr == ("warning: Skipping file HERE/a. File does not exist.",)


def test_differences_are_told_by_aspect() -> None:
    assert differences({"stdout": 1, "files": 2}, {"stdout": 1, "files": 3}) == {"files": "aws:  2\nours: 3"}


def test_the_table_is_read() -> None:
    text = (
        "| Case | Differs in | Reason |\n|---|---|---|\n| `one: x` | stdout, files | so |\n\n| other | table | here |\n"
    )
    (departure,) = read_departures(text).values()
    assert (departure.case, departure.aspects, departure.reason) == ("one: x", {"stdout", "files"}, "so")
    assert departure_of({"one: x": departure}, "one: x", "plain", "moto") is departure
    assert departure_of({"one: x [delta]": departure}, "one: x", "plain", "moto") is None
    assert departure_of({"one: x on weed": departure}, "one: x", "plain", "moto") is None
    assert departure_of({"one: x on weed": departure}, "one: x", "plain", "weed") is departure


def test_the_table_in_the_documents_names_cases_and_aspects() -> None:
    places = [(case, variant, server) for case in CASES for variant in case.variants for server in ("moto", "weed")]
    known = {name for case, variant, server in places for name in names_of(case.name, variant, server)}
    departures = read_departures(DOCUMENT.read_text(encoding="utf-8"))
    assert departures.keys() <= known
    for departure in departures.values():
        assert departure.aspects <= set(ASPECTS)
        assert departure.reason


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
