"""What is unpacked, what stays packed, and that all of it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from deltaglider.archive.canaries import text
from deltaglider.archive.encoder import Encoder
from deltaglider.archive.limits import Limits
from tests.archive.material import Member, content, deflated, gzipped, noise, tarred, there_and_back, zipped

OLD, NEW = content(400), content(400, change=1)
SAME = Member(b"same.txt", content(300, change=9))

PAIRS = {
    "a zip": (zipped(Member(b"a.txt", OLD), SAME), zipped(Member(b"a.txt", NEW), SAME)),
    "a renamed member": (zipped(Member(b"a-1.txt", OLD), SAME), zipped(Member(b"a-2.txt", NEW), SAME)),
    "a zip with descriptors": (
        zipped(Member(b"a", OLD, described=True), SAME, Member(b"b", OLD + b"?", described=True)),
        zipped(Member(b"a", NEW, described=True), SAME, Member(b"b", OLD + b"!", described=True)),
    ),
    "zip64": (zipped(Member(b"a", OLD, large=True)), zipped(Member(b"a", NEW, large=True))),
    "a program that unpacks itself": (
        zipped(Member(b"a", OLD), before=noise(3_000)),
        zipped(Member(b"a", NEW), before=noise(3_100)),
    ),
    "a program whose offsets count from its start": (
        zipped(Member(b"a", OLD), before=noise(3_000), shift=3_000),
        zipped(Member(b"a", NEW), before=noise(3_000), shift=3_000),
    ),
    "a comment": (zipped(Member(b"a", OLD), comment=b"PK\x05\x06"), zipped(Member(b"a", NEW), comment=b"x" * 60_000)),
    "no directory": (
        zipped(Member(b"a", OLD), SAME, directory=False),
        zipped(Member(b"a", NEW), SAME, directory=False),
    ),
    "cut off in its directory": (zipped(Member(b"a", OLD), SAME, cut=30), zipped(Member(b"a", NEW), SAME, cut=30)),
    "wrong offsets": (zipped(Member(b"a", OLD), SAME, shift=77), zipped(Member(b"a", NEW), SAME, shift=77)),
    "gzip": (gzipped(OLD), gzipped(NEW)),
    "a gzip header of everything": (
        gzipped(OLD, name=b"v1.txt", extra=b"ab\x02\x00xy", comment=b"one", checked=True, time=1, effort=2, system=3),
        gzipped(NEW, name=b"v2.txt", extra=noise(3_000), comment=b"two", checked=True, time=2, effort=2, system=3),
    ),
    "several gzip members": (
        gzipped(OLD) + gzipped(SAME.data),
        gzipped(NEW) + gzipped(SAME.data) + gzipped(OLD + b"!"),
    ),
    "gzip with rubbish behind": (gzipped(OLD) + b"rubbish", gzipped(NEW) + b"other rubbish"),
    "tar.gz": (
        gzipped(tarred(a=OLD, b=noise(5_000)), 9, effort=2),
        gzipped(tarred(a=NEW, b=noise(5_000)), 9, effort=2),
    ),
    "a gz in a zip": (
        zipped(Member(b"a.gz", gzipped(OLD, time=1)), SAME),
        zipped(Member(b"a.gz", gzipped(NEW, time=2)), SAME),
    ),
    "a jar in a wheel": (
        zipped(Member(b"x.jar", zipped(Member(b"a.class", OLD), SAME)), SAME),
        zipped(Member(b"x.jar", zipped(Member(b"a.class", NEW), SAME)), SAME),
    ),
    "a jar stored in a zip": (
        zipped(Member(b"x.jar", zipped(Member(b"a.class", OLD), SAME), method=0)),
        zipped(Member(b"x.jar", zipped(Member(b"a.class", NEW), SAME), method=0)),
    ),
    "a jar in a tar.gz": (
        gzipped(tarred(x=zipped(Member(b"a.class", OLD), SAME), y=OLD)),
        gzipped(tarred(x=zipped(Member(b"a.class", NEW), SAME), y=NEW)),
    ),
    "a gz in a jar in a tar.gz": (
        gzipped(tarred(x=zipped(Member(b"a.gz", gzipped(OLD)), SAME))),
        gzipped(tarred(x=zipped(Member(b"a.gz", gzipped(NEW)), SAME, Member(b"b", OLD + b"!")))),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_what_differs_is_unpacked_and_comes_back(pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    result = there_and_back(*pair, tmp_path)

    assert result.source is not None
    assert OLD in result.source
    assert NEW in result.expanded
    assert result.head < 60


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_what_is_the_same_stays_packed(pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    reference, target = pair
    packed = deflated(SAME.data)

    result = there_and_back(reference, target, tmp_path)

    assert SAME.data not in result.expanded
    assert (packed in result.expanded) == (packed in target or packed in (result.source or b""))


def test_of_two_equal_archives_nothing_is_unpacked(tmp_path: Path) -> None:
    for reference, target in PAIRS.values():
        assert there_and_back(target, target, tmp_path).source is None
        assert there_and_back(reference, reference, tmp_path).source is None


def test_a_gz_whose_header_alone_is_new_keeps_its_stream_packed(tmp_path: Path) -> None:
    old, new = (zipped(Member(b"a.gz", gzipped(OLD, time=time))) for time in (1, 2))

    result = there_and_back(old, new, tmp_path)

    assert result.source is not None
    assert OLD not in result.source
    assert deflated(OLD) in result.source
    assert deflated(OLD) in result.expanded


def test_a_jar_that_was_deflated_and_is_stored_now_stays_as_it_is(tmp_path: Path) -> None:
    jar = zipped(Member(b"a.class", OLD), SAME)

    result = there_and_back(zipped(Member(b"x", jar)), zipped(Member(b"x", jar, method=0), Member(b"y", NEW)), tmp_path)

    assert result.source is not None
    assert jar in result.source
    assert jar in result.expanded


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("memory", [8, 9])
def test_every_level_of_zlib_is_found(level: int, memory: int, tmp_path: Path) -> None:
    result = there_and_back(gzipped(OLD, level, memory=memory), gzipped(text(), level, memory=memory), tmp_path)

    assert result.encoders == [Encoder(0, level, memory)]


@pytest.mark.parametrize("strategy", [1, 2, 3])
def test_every_strategy_of_zlib_is_found(strategy: int, tmp_path: Path) -> None:
    result = there_and_back(gzipped(OLD), gzipped(text(), strategy=strategy), tmp_path)

    assert result.encoders[0].strategy == strategy


def test_members_of_several_makers_are_told_apart(tmp_path: Path) -> None:
    new = [noise(6_000, number) + content(2_000, change=number) for number in range(6)]
    old = zipped(*(Member(b"m%d" % number, data + b"?") for number, data in enumerate(new)))
    members = [Member(b"m%d" % number, data, level=(9, 6, 1)[number % 3]) for number, data in enumerate(new)]

    result = there_and_back(old, zipped(*members), tmp_path)

    assert [encoder.level for encoder in result.encoders] == [9, 6, 1, 9, 6, 1]


def test_a_stream_that_nobody_makes_stays_packed(tmp_path: Path) -> None:
    machine = __import__("zlib").compressobj(6, 8, -15)
    # Flushed in the middle, as no encoder here does.
    odd = machine.compress(NEW[:9_000]) + machine.flush(2) + machine.compress(NEW[9_000:]) + machine.flush()
    raw = gzipped(NEW)
    strange = raw[:10] + odd + raw[-8:]

    result = there_and_back(zipped(Member(b"a", OLD)), strange, tmp_path)
    both = there_and_back(
        zipped(Member(b"a", OLD)), zipped(Member(b"x", strange, method=0), Member(b"a", NEW)), tmp_path
    )

    assert result.source is None
    assert both.expanded.count(NEW) == 1
    assert odd in both.expanded


HOSTILE = {
    "encrypted": zipped(Member(b"a", NEW, flags=1)),
    "another method": zipped(Member(b"a", NEW, method=93)),
    "members in one another": zipped(Member(b"a", NEW), Member(b"b", NEW, starts_at=0)),
    "a size past the end": zipped(Member(b"a", NEW, says_packed=1 << 31)),
    "a size that is short": zipped(Member(b"a", NEW, says_packed=100)),
    "a place past the end": zipped(Member(b"a", NEW, starts_at=1 << 31)),
    "cut off": zipped(Member(b"a", NEW))[:3_000],
    "a gzip cut off": gzipped(NEW)[:3_000],
    "a gzip of nothing": gzipped(b""),
    "a header alone": b"\x1f\x8b\x08\x08" + b"n" * 70_000,
    "an end of a zip and no more": b"PK\x05\x06" + bytes(18),
    "an end of a zip64": b"PK\x06\x06"
    + bytes(52)
    + b"PK\x06\x07"
    + bytes(16)
    + b"PK\x05\x06"
    + b"\xff" * 16
    + bytes(2),
    "local headers without end": b"PK\x03\x04" + bytes(26) + b"PK\x03\x04" * 5_000,
    "a tar of itself": tarred(a=tarred(b=tarred(c=tarred(d=tarred(e=tarred(f=gzipped(NEW))))))),
    "nothing": b"",
    "one byte": b"P",
}


@pytest.mark.parametrize("target", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_makes_no_sense_stays_as_it_is(target: bytes, tmp_path: Path) -> None:
    for reference in (PAIRS["a zip"][0], target, b""):
        there_and_back(reference, target, tmp_path)
        there_and_back(target, reference, tmp_path)


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    bomb = zipped(Member(b"a", OLD), Member(b"zeros", bytes(64 << 20)))

    result = there_and_back(zipped(Member(b"a", NEW)), bomb, tmp_path)

    assert len(result.expanded) < len(bomb) + len(OLD)
    assert (tmp_path / "spool").stat().st_size < 1 << 20


def test_a_bomb_in_a_bomb_does_not_either(tmp_path: Path) -> None:
    inner = zipped(*(Member(b"%d" % number, bytes(2 << 20)) for number in range(20)))
    bomb = zipped(*(Member(b"%d.zip" % number, inner + b"%d" % number) for number in range(40)))

    limits = Limits(unpacked=8 << 20)
    there_and_back(zipped(Member(b"a", NEW)), bomb, tmp_path, limits=limits)

    assert (tmp_path / "spool").stat().st_size <= 16 << 20


def test_limits_hold(tmp_path: Path) -> None:
    members = [Member(b"%d" % number, content(50, change=number)) for number in range(1, 40)]
    target = zipped(*members)

    few = there_and_back(b"", target, tmp_path, limits=Limits(streams=5))
    little = there_and_back(b"", target, tmp_path, limits=Limits(unpacked=20_000))

    assert len(few.encoders) == 5
    assert 0 < len(little.encoders) < 20
