"""The neutral form of zips: whatever is in a file comes back, and what is told twice or only of a time is gone."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.archive import zipheaders
from deltaglider.archive.headers import restore
from deltaglider.archive.numbers import Numbers
from deltaglider.errors import DeltaCorruptError
from tests.archive.generated import DAMAGES, FILES, Damage
from tests.archive.material import Member, content, gzipped, zipped
from tests.archive.test_tarheaders import neutral
from tests.faults.scale import scaled

NAMES = [f"{number}/file.txt" for number in range(40)]


def release(number: int, *, grown: str = "", spread: bool = False) -> bytes:
    """A zip as Python writes it, built anew."""
    out, clock = io.BytesIO(), random.Random(number)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            second = clock.randrange(60) if spread else 0
            data = content(40, 7) if name == grown else content(30, len(name))
            archive.writestr(zipfile.ZipInfo(name, (2000 + number, 1, 2, 3, 4, second)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def differing(one: bytes, other: bytes) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_the_same_files_at_another_time_have_the_same_headers(tmp_path: Path) -> None:
    releases = [release(number) for number in (1, 2)]
    assert differing(*releases) >= 2 * len(NAMES)
    forms = [neutral(data, tmp_path) for data in releases]
    assert [count for _, count in forms] == [len(NAMES)] * 2
    size = len(releases[0])
    assert forms[0][0][:size] == forms[1][0][:size]
    # The first time, and that nothing is different after it.
    assert differing(forms[0][0], forms[1][0]) <= 5


def test_a_member_that_grew_moves_no_entry_of_another(tmp_path: Path) -> None:
    one, other = release(1), release(1, grown=NAMES[3])
    forms = [neutral(data, tmp_path)[0][: len(data)] for data in (one, other)]
    tails = [form[form.index(b"PK\x01\x02") :] for form in forms]
    end = -22  # Only the end of the directory tells where it begins.
    assert tails[0][:end] == tails[1][:end]
    assert one[one.index(b"PK\x01\x02") :][:end] != other[other.index(b"PK\x01\x02") :][:end]


def test_what_is_left_of_an_entry_is_its_name_and_attributes(tmp_path: Path) -> None:
    data = release(1, spread=True)
    form = neutral(data, tmp_path)[0]
    place = form.index(b"PK\x01\x02")
    assert form[place + 12 : place + 28] == bytes(16)
    assert form[place + 42 : place + 46] == bytes(4)
    assert form[place + 46 :].startswith(NAMES[0].encode())


@pytest.mark.parametrize("described", [False, True])
def test_sizes_behind_the_content_are_found(tmp_path: Path, described: bool) -> None:
    # As the JDK's jar writes them.
    data = zipped(*(Member(name.encode(), content(20, each), described=described) for each, name in enumerate(NAMES)))
    form = neutral(data, tmp_path)[0]
    places = [place for place in range(len(data)) if data.startswith(b"PK\x01\x02", place)]
    assert len(places) == len(NAMES)
    assert all(form[place + 12 : place + 28] == bytes(16) for place in places)
    assert all(form[place + 42 : place + 46] == bytes(4) for place in places)


def test_a_zip_in_a_zip_has_its_own_directory(tmp_path: Path) -> None:
    jar = zipped(*(Member(b"in%d" % each, content(5, each)) for each in range(5)))
    members = [Member(b"a", content(9)), Member(b"b.jar", jar, method=0), Member(b"c", content(3))]
    data = zipped(*members)
    form, count = neutral(data, tmp_path)
    assert count == 8
    places = [place for place in range(len(data)) if data.startswith(b"PK\x01\x02", place)]
    assert len(places) == 8
    assert all(form[place + 16 : place + 28] == bytes(12) for place in places)


def test_the_times_of_gzip_files_in_it_are_taken_out(tmp_path: Path) -> None:
    releases = [
        zipped(*(Member(b"%d.gz" % each, gzipped(content(9, each), time=time), method=0) for each in range(20)))
        for time in (1, 2)
    ]
    forms = [neutral(data, tmp_path)[0] for data in releases]
    # What is left are the checksums of the members, which are of all of the gzip file.
    assert differing(*forms) <= 20 * 4 + 4


@pytest.mark.parametrize(
    "change",
    [
        {"shift": 7},
        {"directory": False},
        {"before": b"#!/bin/sh\n" * 50},
        {"cut": 100},
        {"cut": 23},
        {"comment": b"PK\x03\x04" * 9},
    ],
)
def test_a_zip_that_is_not_as_usual_comes_back(tmp_path: Path, change: dict[str, object]) -> None:
    members = [Member(name.encode(), content(5, each), described=each % 2 == 0) for each, name in enumerate(NAMES)]
    neutral(zipped(*members, **change), tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("extra", [b"", b"PK\x01\x02" + bytes(50), b"PK\x03\x04", b"PK\x07\x08" + bytes(12)])
@pytest.mark.parametrize("large", [False, True])
def test_entries_of_other_headers_stay(tmp_path: Path, extra: bytes, large: bool) -> None:
    members = [Member(b"n%d" % each, content(2, each), extra=extra, large=large) for each in range(5)]
    whole = zipped(*members)
    directory = whole.index(b"PK\x01\x02", len(whole) // 3)
    for data in (
        whole[:directory] + zipped(*members[::-1])[directory:],  # In another order.
        whole[directory:] + whole[:directory],  # The directory first.
        whole[directory:],
        whole + whole[directory:],  # Twice.
        whole[: len(whole) // 2] + whole,
    ):
        neutral(data, tmp_path)


def test_only_so_many_headers_are_made_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipheaders, "MOST", 7)
    assert neutral(release(1), tmp_path)[1] == 7


PIECES = st.sampled_from(
    [b"PK\x03\x04", b"PK\x01\x02", b"PK\x07\x08", b"PK\x05\x06", b"PK", b"K\x03\x04", b"\x1f\x8b\x08", b"\x04\x03KP"]
    + [bytes(size) for size in (1, 4, 8, 12, 16, 26, 30, 42, 46)]
    + [b"\1\0", b"\2\0\0\0", b"\x08\0", b"name"]
)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=scaled(500, 20_000), suppress_health_check=list(HealthCheck), deadline=None)
@given(pieces=st.lists(PIECES, max_size=60))
def test_whatever_looks_like_headers_comes_back(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    content = bytearray(data)
    table, _ = zipheaders.take_out(content, len(content))
    numbers = Numbers(table)
    zipheaders.put_back(content, len(content), numbers)
    assert content == data
    assert numbers.position == len(table)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=scaled(100, 2_000), suppress_health_check=list(HealthCheck), deadline=None)
@given(file=FILES, damage=DAMAGES)
def test_any_archive_comes_back(tmp_path_factory: pytest.TempPathFactory, file: bytes, damage: Damage) -> None:
    neutral(damage.done_to(file), tmp_path_factory.mktemp("any"))


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=scaled(300, 5_000), suppress_health_check=list(HealthCheck), deadline=None)
@given(place=st.integers(0, 100_000), change=st.binary(min_size=1, max_size=8), cut=st.integers(0, 40))
def test_a_damaged_neutral_form_is_an_error_or_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: bytes, cut: int
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    data = zipped(*(Member(b"n%d" % each, gzipped(content(2, each)), method=0) for each in range(5)))
    form = bytearray(neutral(data, directory)[0])
    place = place % len(form) if place % 2 else len(data) + place % (len(form) - len(data))
    form[place : place + len(change)] = change
    path = directory / "neutral"
    path.write_bytes(form[: len(form) - cut])
    try:
        restore(path, len(data))
    except DeltaCorruptError:
        return
    assert path.stat().st_size == len(data)
