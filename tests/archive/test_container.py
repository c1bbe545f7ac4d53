"""The head of a delta, and recipes that lie."""

from __future__ import annotations

import io
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.archive import container, recipe
from deltaglider.archive.container import MAGIC, Head
from deltaglider.archive.encoder import Encoder
from deltaglider.archive.makers import Makers
from deltaglider.archive.numbers import Numbers, folded, packed, unfolded
from deltaglider.archive.parts import parts_of
from deltaglider.archive.rebuilding import Rebuilding
from deltaglider.archive.recipe import Made, Recipe, Taken
from deltaglider.archive.restoring import most_inflated, restore_source
from deltaglider.archive.view import File
from deltaglider.errors import CodecMissingError, DeltaCorruptError, UnknownFormatError
from tests.archive.material import Member, content, gzipped, noise, zipped

SMALL = st.integers(0, 1 << 40)
SIGNED = st.integers(-(1 << 40), 1 << 40)
RECIPES = st.builds(
    lambda taken, made: Recipe([Encoder(0, 6, 8, 0)], len(taken), taken, len(made), made),
    st.lists(st.builds(Taken, SMALL, SIGNED, SMALL, st.just(0)), max_size=10),
    st.lists(st.builds(Made, SMALL, SIGNED, SMALL, SIGNED, st.just(0)), max_size=10),
)


@given(st.lists(st.integers(0, 1 << 63)))
def test_numbers_come_back(numbers: list[int]) -> None:
    assert Numbers(packed(numbers)).column(len(numbers)) == numbers


@given(st.integers(-(1 << 63), 1 << 63))
def test_signs_come_back(number: int) -> None:
    assert unfolded(folded(number)) == number


@given(RECIPES, SMALL, SMALL, st.sampled_from(container.INNER), st.binary(max_size=20))
def test_a_head_comes_back(steps: Recipe, source: int, expanded: int, inner: str, rest: bytes) -> None:
    head = Head(inner, 77, source, expanded, steps)
    file = io.BytesIO(bytes(head) + rest)

    assert Head.read(file) == head
    assert file.read() == rest


def test_the_head_to_the_byte() -> None:
    """As docs/bucket-format.md has it."""
    head = Head("", 9, 300, 5, Recipe([Encoder(0, 6, 8, 0)], 1, [Taken(2, -1, 0)], 1, [Made(2, 1, 0, 3, 0)]))
    numbers = bytes([1, 0, 6, 8, 0, 1, 1, 1, 1, 2, 1, 0, 0, 2, 2, 0, 6, 0])
    stored = recipe.shrink(numbers)
    body = bytes([1, 0, 9, 0xAC, 0x02, 5, len(numbers), len(stored)]) + stored

    assert bytes(head) == b"\xd7DGA" + zlib.crc32(body).to_bytes(4, "little") + body
    assert zlib.decompress(stored, -15) == numbers


@given(RECIPES, st.integers(0, 1 << 16), st.integers(1, 255))
def test_a_damaged_head_is_noticed(steps: Recipe, spot: int, change: int) -> None:
    data = bytearray(bytes(Head("", 3, 1, 2, steps)))
    data[spot % len(data)] ^= change

    with pytest.raises((DeltaCorruptError, UnknownFormatError)):
        Head.read(io.BytesIO(bytes(data)))


@given(RECIPES, st.integers(0, 1 << 16))
def test_a_head_that_is_cut_off_is_noticed(steps: Recipe, size: int) -> None:
    data = bytes(Head("", 3, 1, 2, steps))

    with pytest.raises(DeltaCorruptError):
        Head.read(io.BytesIO(data[: size % len(data)]))


def sealed(body: bytes) -> io.BytesIO:
    """A head with the right checksum, whatever it says."""
    return io.BytesIO(MAGIC + zlib.crc32(body).to_bytes(4, "little") + body)


@pytest.mark.parametrize(
    "body",
    [
        b"\x01" + packed([7, 1, 1, 1, 0, 0]),
        b"\x01" + packed([0, 1, 1, 1, 1 << 40, 3]) + b"abc",
        b"\x01" + packed([0, 1, 1, 1, 1 << 40, 1 << 40]),
        b"\x01" + b"\xff" * 60,
        b"\x01" + packed([0, 1, 1, 1, 3, 3]) + b"abc",
        b"\x01" + packed([0, 1, 1, 1, 30 << 20, len(recipe.shrink(bytes(20 << 20)))]) + recipe.shrink(bytes(20 << 20)),
        *(
            b"\x01" + packed([0, 1, 1, 1, len(numbers), len(recipe.shrink(numbers))]) + recipe.shrink(numbers)
            for numbers in (
                b"",
                packed([0, 0, 0, 0, 0, 0]),
                packed([1 << 60]),
                packed([0, 1 << 50, 1 << 50, 0, 0]),
                packed([0, 0, 1 << 30, 0, 0]),
                packed([0, 5, 1, 0, 0, 0, 0, 0, 0]),
                packed([0, 0, 0, 1, 1, 0, 0, 0, 0, 0]),
            )
        ),
    ],
)
def test_a_head_that_lies_is_refused(body: bytes) -> None:
    with pytest.raises(DeltaCorruptError):
        Head.read(sealed(body))


def test_a_later_format_is_told_from_damage() -> None:
    with pytest.raises(UnknownFormatError, match="format 2"):
        Head.read(sealed(b"\x02whatever"))


def test_sizes_that_cannot_be_are_refused_before_anything_is_written() -> None:
    steps = Recipe([], 0, [], 0, [])
    Head("", 1_000, 300_000, 300_000, steps).check(1_000, 1_000)

    for source, expanded in ((1 << 40, 1), (1, 1 << 40)):
        with pytest.raises(DeltaCorruptError):
            Head("", 1_000, source, expanded, steps).check(1_000, 1_000)


REFERENCE = zipped(Member(b"a", content(50)), Member(b"b", gzipped(content(60))), Member(b"c", noise(300)))


@given(st.lists(st.builds(Taken, st.integers(0, 4), st.integers(-50, 400), st.integers(0, 2)), max_size=4), SMALL)
def test_a_recipe_that_does_not_fit_the_reference_is_refused(taken: list[Taken], size: int) -> None:
    steps = Recipe([], min(2, len(taken)), taken, 0, [])
    size %= 100_000
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "reference").write_bytes(REFERENCE)
        with File(home / "reference") as file:
            try:
                restore_source(file.view(), steps, size, home / "source", home / "spool")
            except DeltaCorruptError:
                assert (home / "source").stat().st_size <= size
            else:
                assert (home / "source").stat().st_size == size


MADE = st.builds(Made, st.integers(0, 4), st.integers(-50, 400), st.integers(0, 2), st.integers(-400, 400), st.just(0))


@given(st.lists(MADE, max_size=4))
def test_a_recipe_that_does_not_fit_the_result_is_refused_or_makes_something(made: list[Made]) -> None:
    steps = Recipe([Encoder()], min(2, len(made)), [], len(made), made)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "expanded").write_bytes(REFERENCE)
        out = io.BytesIO()
        with File(home / "expanded") as file:
            try:
                parts = parts_of(file.view(), steps)
            except DeltaCorruptError:
                return
            Rebuilding(Makers(), home, 2).write(file.view(), parts, out)
        assert out.getvalue()


def test_an_encoder_is_given_what_the_search_gave_it(tmp_path: Path) -> None:
    """What zlib makes of noise without matches depends on how much it is given at once."""
    huffman = Encoder(0, 6, 9, 2)
    start, inside, rest = b"a" * 500 + noise(64_800), content(5), noise(134_700, 1)
    packed_inside = deflate(Encoder(), inside)
    whole = start + packed_inside + rest
    assert deflate(huffman, whole) != deflate(huffman, start, packed_inside, rest)
    expanded = start + inside + rest
    (tmp_path / "expanded").write_bytes(expanded)
    steps = Recipe(
        [huffman, Encoder()], 0, [], 1, [Made(0, 0, 1, len(expanded), 0), Made(0, len(start), 0, len(inside), 1)]
    )
    out = io.BytesIO()
    with File(tmp_path / "expanded") as file:
        Rebuilding(Makers(), tmp_path, 2).write(file.view(), parts_of(file.view(), steps), out)
    assert out.getvalue() == deflate(huffman, whole)


def deflate(encoder: Encoder, *pieces: bytes) -> bytes:
    machine = zlib.compressobj(encoder.level, zlib.DEFLATED, -15, encoder.memory, encoder.strategy)
    return b"".join(machine.compress(piece) for piece in pieces) + machine.flush()


def test_an_encoder_of_a_later_version_is_told_from_damage(tmp_path: Path) -> None:
    (tmp_path / "expanded").write_bytes(content(50))
    steps = Recipe([Encoder(9, 6, 8, 0)], 0, [], 1, [Made(0, 0, 0, 100, 0)])
    with File(tmp_path / "expanded") as file, pytest.raises(CodecMissingError):
        Rebuilding(Makers(), tmp_path, 2).write(file.view(), parts_of(file.view(), steps), io.BytesIO())


def test_a_recipe_cannot_make_a_reader_walk_for_ever(tmp_path: Path) -> None:
    members = zipped(*(Member(b"%d" % number, b"", method=0) for number in range(500)))
    (tmp_path / "file").write_bytes(members)
    steps = [499] * 20_000
    taken = Recipe([], len(steps), [Taken(each, -30_000, 0) for each in steps], 0, [])
    made = Recipe([Encoder()], 0, [], len(steps), [Made(each, -30_000, 0, 0, 0) for each in steps])
    with File(tmp_path / "file") as file:
        with pytest.raises(DeltaCorruptError):
            restore_source(file.view(), taken, 1 << 30, tmp_path / "source", tmp_path / "spool")
        with pytest.raises(DeltaCorruptError):
            parts_of(file.view(), made)


def test_a_recipe_cannot_make_a_reader_fill_its_disk(tmp_path: Path) -> None:
    """Streams of nothing but empty blocks, in streams that inflate to much: they are in the source as nothing."""
    empty = b"\x00\x00\x00\xff\xff" * 200_000 + b"\x01\x00\x00\xff\xff"
    members = zipped(*(Member(b"%d" % number, empty, level=1) for number in range(70)))
    (tmp_path / "reference").write_bytes(members)
    steps = Recipe([], 70, [Taken(0, 0, inner) for _ in range(70) for inner in (1, 0)], 0, [])
    with File(tmp_path / "reference") as file, pytest.raises(DeltaCorruptError):
        restore_source(file.view(), steps, 20_000, tmp_path / "source", tmp_path / "spool")

    assert (tmp_path / "spool").stat().st_size <= most_inflated(20_000)
