"""The neutral form of tars: whatever is in a file comes back, and what a release changes in every header is gone."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.archive import tarheaders
from deltaglider.archive.headers import neutralise, restore
from deltaglider.archive.tars import BLOCK
from deltaglider.archive.view import File
from deltaglider.errors import DeltaCorruptError
from tests.faults.scale import scaled

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
LONG = "d" * 60 + "/" + "f" * 80  # Over the 100 bytes of the name's field.


def tar(
    *names: str,
    form: int = tarfile.PAX_FORMAT,
    times: float = 1_700_000_000,
    step: float = 0,
    directory: str = "thing-1.0/",
    comment: str = "",
    **more: object,
) -> bytes:
    """A tar as ``tarfile`` writes it."""
    out = io.BytesIO()
    pax = {"comment": comment} if comment else {}
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=pax) as archive:
        for number, name in enumerate(names):
            member = tarfile.TarInfo(directory + name)
            content = name.encode() * 100
            member.mtime = times + step * number
            if name.endswith("/"):
                member.type, content = tarfile.DIRTYPE, b""
            member.size = len(content)
            for key, value in more.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


NAMES = ("", "a.py", "b/", "b/c.py", "b/d.txt", "e.rst", "f", "g", "h")


def neutral(data: bytes, directory: Path) -> tuple[bytes, int]:
    """The neutral form, proven to give the file back; and how many headers are alike in it."""
    original, path = directory / "original", directory / "neutral"
    original.write_bytes(data)
    with File(original) as file:
        count = neutralise(file.view(), path)
    form = path.read_bytes()
    restore(path, len(data))
    assert path.read_bytes() == data
    return form, count


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("step", [0, 1.0, 0.1234567, -7])
@pytest.mark.parametrize("before", [b"", b"\x1f\x8b noise before it"])
def test_a_tar_comes_back(tmp_path: Path, form: str, step: float, before: bytes) -> None:
    data = before + tar(*NAMES, LONG, form=FORMATS[form], step=step) + b"and after"
    assert neutral(data, tmp_path)[1] >= len(NAMES) + 1


@pytest.mark.parametrize("form", FORMATS)
def test_the_next_release_has_the_same_headers(tmp_path: Path, form: str) -> None:
    one = tar(*NAMES, form=FORMATS[form])
    other = tar(*NAMES, form=FORMATS[form], times=1_800_000_000, directory="thing-1.0.1/")
    assert one != other
    forms = [neutral(data, tmp_path)[0][: len(data)] for data in (one, other)]
    assert forms[0] == forms[1]


def test_times_with_fractions_are_taken_out_of_their_records(tmp_path: Path) -> None:
    noise = random.Random(1)
    releases = []
    for start in (1_700_000_000, 1_800_000_000):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name in NAMES:
                member = tarfile.TarInfo("thing/" + name)
                member.mtime = start + round(noise.random() * 100, noise.choice([1, 5, 6, 7]))
                archive.addfile(member)
        releases.append(out.getvalue())
    one, other = (neutral(data, tmp_path)[0] for data in releases)
    size = len(releases[0])
    assert len(releases[1]) == size
    assert one[:size] == other[:size]
    # Three bytes of fraction, one of its length, two of flags; the seconds; and hardly anything for the header's time.
    assert len(other) - size < len(NAMES) * 12 + 16


def test_a_comment_in_front_has_no_directory(tmp_path: Path) -> None:
    # As git archive writes it: the commit, and no name that ends with a slash.
    one, other = (
        tar(*NAMES, comment="0" * 40, directory=directory, form=tarfile.PAX_FORMAT) for directory in ("t-1/", "t-22/")
    )
    forms = [neutral(data, tmp_path)[0][: len(data)] for data in (one, other)]
    assert forms[0] == forms[1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (slice(148, 156), b" 12345\0 "),  # Another way to write a checksum; and it is wrong.
        (slice(136, 148), b"\x80" + bytes(10) + b"\x01"),  # A number that is not octal.
        (slice(136, 148), b" 1234567012 "),
        (slice(124, 136), b"\x80" + b"\xff" * 11),  # Far more than there is.
        (slice(124, 136), b"no number..."),
        (slice(0, 100), b"no directory".ljust(100, b"\0")),
        (slice(0, 100), b"x" * 100),
        (slice(345, 500), b"thing-1.0/".ljust(155, b"p")),
    ],
)
def test_what_is_not_as_usual_stays_as_it_is(tmp_path: Path, field: slice, value: bytes) -> None:
    data = bytearray(tar(*NAMES, form=tarfile.USTAR_FORMAT))
    for place in (0, BLOCK * 2):
        head = bytearray(data[place : place + BLOCK])
        head[field] = value
        if field != slice(148, 156):
            head[148:156] = b"%06o\0 " % (sum(head) - sum(head[148:156]) + 256)
        data[place : place + BLOCK] = head
        neutral(bytes(data), tmp_path)


def test_a_checksum_written_otherwise_stays(tmp_path: Path) -> None:
    data = bytearray(tar(*NAMES, form=tarfile.USTAR_FORMAT))
    total = sum(data[:148]) + 256 + sum(data[156:BLOCK])
    data[148:156] = b"%07o\0" % total
    form, count = neutral(bytes(data), tmp_path)
    assert count == len(NAMES)
    assert form[148:156] == b"%07o\0" % total


def test_several_tars_in_a_file_are_all_found(tmp_path: Path) -> None:
    parts = [tar("a", "b"), tar("c", directory="x/"), tar("d", "e", "f", directory="")]
    _, count = neutral(b"start" + b"ustar".join(parts) + b"ustar", tmp_path)
    assert count == 6


def test_what_only_says_ustar_is_no_tar(tmp_path: Path) -> None:
    data = b"ustar" * 300_000
    assert tarheaders.first_header(bytearray(data), 0, len(data)) is None
    form, count = neutral(data, tmp_path)
    assert (form, count) == (data + b"\0\0\0", 0)


@pytest.mark.parametrize("place", [0, 1, 511, 512, 100_000])
def test_a_header_is_found_anywhere(place: int) -> None:
    data = bytes(place) + tar("a")
    end = len(data)
    assert tarheaders.first_header(bytearray(data), 0, end) == place
    assert tarheaders.first_header(bytearray(data), place, end) == place
    assert tarheaders.first_header(bytearray(data), place + 1, end) is None
    assert tarheaders.first_header(bytearray(data), 0, end - len(tar("a")) + BLOCK - 1) is None


def test_only_so_many_headers_are_made_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tarheaders, "MOST", 5)
    assert neutral(tar(*NAMES) + tar(*NAMES), tmp_path)[1] == 5


MEMBERS = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, LONG, "ö.txt", "x" * 100]), st.integers(0, 2**33 - 1), st.sampled_from([0, 0.5, 0.1])
    ),
    max_size=6,
)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=scaled(100, 3_000), suppress_health_check=list(HealthCheck), deadline=None)
@given(
    members=MEMBERS,
    form=st.sampled_from(list(FORMATS.values())),
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=20)), max_size=4),
    cut=st.integers(0, 3_000),
)
def test_whatever_was_done_to_a_tar_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    members: list[tuple[str, int, float]],
    form: int,
    changes: list[tuple[int, bytes]],
    cut: int,
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, seconds, fraction in members:
            member = tarfile.TarInfo("top/" + name)
            member.mtime = seconds + fraction if form == tarfile.PAX_FORMAT else seconds
            archive.addfile(member)
    data = bytearray(out.getvalue())
    for place, change in changes:
        data[place : place + len(change)] = change
    neutral(bytes(data[: len(data) - cut]), tmp_path_factory.mktemp("any"))


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=scaled(300, 5_000), suppress_health_check=list(HealthCheck), deadline=None)
@given(place=st.integers(0, 10_000), change=st.binary(min_size=1, max_size=8), cut=st.integers(0, 40))
def test_a_damaged_neutral_form_is_an_error_or_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: bytes, cut: int
) -> None:
    directory = tmp_path_factory.mktemp("damaged")
    data = tar(*NAMES, step=0.1)
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
