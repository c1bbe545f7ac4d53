"""Copies read from a VCDIFF, stretches made of them, and the delta of how those differ."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.archive.numbers import packed
from deltaglider.codec import alignment, residue
from deltaglider.codec.alignment import LEAST_COPY, Stretch, align
from deltaglider.codec.copies import copies_of
from deltaglider.codec.output import Output
from deltaglider.errors import DeltaCorruptError, UnknownFormatError
from deltaglider.files import sha256_of


def code(seed: int, size: int, shift: int) -> bytes:
    """Something like machine code: every few bytes an address, which ``shift`` moves."""
    noise = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        out += noise.randbytes(noise.randrange(8, 40))
        out += ((noise.randrange(1 << 20) + shift) % (1 << 32)).to_bytes(4, "little")
    return bytes(out)


def pair() -> tuple[bytes, bytes]:
    """Code, and the same with other addresses, a new part in the middle and a part less."""
    first = code(1, 300_000, 0)
    moved = code(1, 300_000, 0x1240)
    return first, moved[:90_000] + random.Random(2).randbytes(7_000) + moved[90_000:200_000] + moved[210_000:]


def vcdiff(reference: bytes, target: bytes, directory: Path) -> Path:
    """What xdelta3 makes of the two, without secondary compression."""
    (directory / "reference").write_bytes(reference)
    (directory / "target").write_bytes(target)
    program = shutil.which("xdelta3")
    assert program
    delta = directory / "vcdiff"
    arguments = ["-e", "-f", "-q", "-D", "-A=", "-S", "none", "-W", "65536", "-s"]
    subprocess.run([program, *arguments, directory / "reference", directory / "target", delta], check=True, timeout=60)
    return delta


def stretches(reference: bytes, target: bytes, directory: Path) -> list[Stretch]:
    """What resembles what."""
    return align(copies_of(vcdiff(reference, target, directory), LEAST_COPY), reference, target)


def decoded(delta: Path, reference: bytes, directory: Path, size: int = 1 << 20) -> bytes:
    """What a delta makes of its reference."""
    out = directory / "out"
    with Output(out, size) as output:
        residue.read(delta, reference, output)
    assert output.sha256 == sha256_of(out)
    return out.read_bytes()


def test_parts_that_no_file_holds_are_refused(tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    delta.write_bytes(residue.MAGIC + bytes([residue.VERSION]) + packed([9, 0, 0, 1 << 66, 1 << 66, 0]) + bytes(99))
    with pytest.raises(DeltaCorruptError):
        decoded(delta, b"reference", tmp_path)


def test_who_packs_or_unpacks_one_long_stretch_looks_whether_it_was_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, delta, looks = bytes(1_000_000), tmp_path / "delta", 0

    def look() -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(residue, "stop_if_cancelled", look)
    assert residue.write([Stretch(0, 0, len(same))], same, same, delta, 1 << 20)
    written = looks
    assert decoded(delta, same, tmp_path) == same
    assert min(written, looks - written) > 15


def test_no_more_stretches_are_made_than_memory_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MOST", 2)
    reference, target = random.Random(3).randbytes(1000), random.Random(4).randbytes(1000)
    windows = [[(start, source, 40)] for start, source in ((0, 100), (200, 20), (400, 900), (600, 300))]
    assert [stretch.start // 200 for stretch in align(windows, reference, target)] == [0, 1]


def test_copies_are_what_is_the_same(tmp_path: Path) -> None:
    reference, target = pair()
    windows = list(copies_of(vcdiff(reference, target, tmp_path), 12))
    assert len(windows) > 4
    copies = [copy for window in windows for copy in window]
    assert copies == sorted(copies)
    assert sum(size for _, _, size in copies) > 150_000
    for start, source, size in copies:
        assert size >= 12
        assert target[start : start + size] == reference[source : source + size]


def test_a_vcdiff_that_is_cut_off_is_refused_or_read_in_part(tmp_path: Path) -> None:
    reference, target = pair()
    delta = vcdiff(reference, target, tmp_path)
    content = delta.read_bytes()
    for size in range(0, len(content), 997):
        delta.write_bytes(content[:size])
        try:
            copies = [copy for window in copies_of(delta, 12) for copy in window]
        except DeltaCorruptError:
            continue
        assert all(target[t : t + n] == reference[s : s + n] for t, s, n in copies)


@pytest.mark.parametrize("content", [b"", b"\xd6\xc3\xc4\0", b"\xd6\xc3\xc4\0\1\2", b"PK\3\4 and more"])
def test_what_is_no_plain_vcdiff_is_refused(tmp_path: Path, content: bytes) -> None:
    delta = tmp_path / "delta"
    delta.write_bytes(content)
    with pytest.raises(DeltaCorruptError, match="it is no plain VCDIFF"):
        list(copies_of(delta, 16))


def test_moved_code_is_a_few_stretches(tmp_path: Path) -> None:
    reference, target = pair()
    found = stretches(reference, target, tmp_path)
    assert 3 <= len(found) <= 12
    covered = sum(stretch.size for stretch in found)
    assert covered > 0.97 * (len(target) - 7_000)
    end = 0
    for stretch in found:
        assert end <= stretch.start
        assert stretch.source >= 0
        assert stretch.source + stretch.size <= len(reference)
        end = stretch.end
    assert end <= len(target)


def test_moved_code_comes_back_from_a_tenth_of_the_vcdiff(tmp_path: Path) -> None:
    reference, target = pair()
    found = stretches(reference, target, tmp_path)
    delta = tmp_path / "delta"
    assert residue.write(found, reference, target, delta, len(target))
    assert delta.stat().st_size < 0.4 * (tmp_path / "vcdiff").stat().st_size
    assert decoded(delta, reference, tmp_path) == target


def test_a_delta_over_its_limit_is_given_up(tmp_path: Path) -> None:
    reference, target = pair()
    found = stretches(reference, target, tmp_path)
    delta = tmp_path / "delta"
    assert residue.write(found, reference, target, delta, len(target))
    size = delta.stat().st_size
    assert residue.write(found, reference, target, delta, size)
    assert not residue.write(found, reference, target, delta, size - 1)


@st.composite
def aligned(draw: st.DrawFn) -> tuple[bytes, bytes, list[Stretch]]:
    """A reference, a file, and stretches that need not resemble anything."""
    reference, target = draw(st.binary(max_size=400)), draw(st.binary(max_size=400))
    found, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(at, len(target)))
        size = draw(st.integers(0, min(len(target) - start, len(reference))))
        found.append(Stretch(start, draw(st.integers(0, len(reference) - size)), size))
        at = start + size
    return reference, target, found


@given(aligned())
def test_any_stretches_give_the_file_back(tmp_path_factory: pytest.TempPathFactory, case: object) -> None:
    reference, target, found = case  # type: ignore[misc]
    directory = tmp_path_factory.mktemp("any")
    assert residue.write(found, reference, target, directory / "delta", 1 << 20)
    assert decoded(directory / "delta", reference, directory) == target


@given(st.binary(max_size=3000), st.randoms(use_true_random=False))
def test_differences_are_those_of_each_byte(one: bytes, chance: random.Random) -> None:
    other = chance.randbytes(len(one))
    found = residue.difference(one, other)
    assert found == bytes((a - b) % 256 for a, b in zip(one, other, strict=True))
    assert residue.total(found, other) == one


def test_a_damaged_delta_gives_an_error_or_other_bytes_but_never_more(tmp_path: Path) -> None:
    reference, target = pair()
    delta = tmp_path / "delta"
    assert residue.write(stretches(reference, target, tmp_path), reference, target, delta, len(target))
    content = delta.read_bytes()
    chance = random.Random(3)
    errors = 0
    for number in range(120):
        damaged = bytearray(content)
        if number % 3:
            damaged[chance.randrange(40 if number % 2 else len(damaged))] ^= 1 << chance.randrange(8)
        else:
            del damaged[chance.randrange(len(damaged)) :]
        delta.write_bytes(damaged)
        try:
            assert len(decoded(delta, reference, tmp_path, len(target))) <= len(target)
        except (DeltaCorruptError, UnknownFormatError):
            errors += 1
    assert errors > 60


def test_a_later_format_is_told(tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert residue.write([], b"", b"some", delta, 1000)
    content = bytearray(delta.read_bytes())
    content[len(residue.MAGIC)] = residue.VERSION + 1
    delta.write_bytes(content)
    with pytest.raises(UnknownFormatError, match="format 2"):
        decoded(delta, b"", tmp_path)


def test_a_reference_that_is_too_short_is_told(tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert residue.write([Stretch(0, 5, 10)], b"x" * 15, b"y" * 10, delta, 1000)
    with pytest.raises(DeltaCorruptError, match="the reference does not have"):
        decoded(delta, b"x" * 14, tmp_path)
