"""Stored keys: reserved names, deltas and references."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.layout.keys import (
    classic_reference_key,
    delta_key,
    deltaspace_of_reference,
    directory_of,
    is_reserved,
    is_storable,
    name_of,
    parse_reference_key,
    reference_key,
    references_prefix,
    sort_key,
    trash_key,
    trash_prefix,
    without_delta,
)

SHA = "0123456789abcdef" * 4

_text = st.text(st.sampled_from("ab/.\n é") | st.characters(), max_size=40)
_parts = st.sampled_from([".deltaglider", ".deltaglider/", "references/", SHA + "/", "reference.bin", ".delta", "/"])
_keys = st.lists(_parts | _text, max_size=6).map("".join)
_directories = _keys.map(directory_of)
_hashes = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(_keys)
def test_a_key_is_its_directory_and_its_name(key: str) -> None:
    assert directory_of(key) + name_of(key) == key
    assert "/" not in name_of(key)
    assert directory_of(key) == "" or directory_of(key).endswith("/")


@given(_keys.filter(lambda key: name_of(key) != ""))
def test_a_delta_is_found_by_its_key_and_the_other_way_round(key: str) -> None:
    assert without_delta(delta_key(key)) == key


@pytest.mark.parametrize(
    "key", ["a", "a.delta/", ".delta", "dir/.delta", "a.delta.zip", "a.DELTA", "delta", "adelta", ""]
)
def test_some_names_cannot_be_those_of_deltas(key: str) -> None:
    assert without_delta(key) is None


@pytest.mark.parametrize(("key", "logical"), [("a.delta", "a"), ("a.delta.delta", "a.delta"), ("d/a b.delta", "d/a b")])
def test_one_delta_suffix_is_stripped_and_no_more(key: str, logical: str) -> None:
    assert without_delta(key) == logical


@pytest.mark.parametrize(
    ("key", "reserved"),
    [
        (".deltaglider/x", True),
        (".deltaglider/", True),
        ("a/b/.deltaglider/references/x", True),
        (".deltaglider", False),
        ("a/.deltaglider", False),
        ("a.deltaglider/x", False),
        ("a/.deltaglider2/x", False),
        (".DeltaGlider/x", False),
        ("deltaglider/x", False),
        ("reference.bin", False),
    ],
)
def test_reserved_is_what_lies_in_our_directory(key: str, reserved: bool) -> None:
    assert is_reserved(key) is reserved


@given(_directories, _hashes, st.uuids())
def test_all_we_keep_of_a_deltaspace_lies_inside_it_and_is_reserved(space: str, sha256: str, unique: object) -> None:
    reference, trash = reference_key(space, sha256), trash_key(space, sha256, str(unique))

    assert reference.startswith(references_prefix(space))
    assert trash.startswith(trash_prefix(space, sha256))
    assert trash_prefix(space, sha256).startswith(trash_prefix(space))
    for key in (reference, trash):
        assert key.startswith(space)
        assert is_reserved(key)
        assert name_of(key) == "reference.bin"  # The predecessor looks for this name in the directory recorded.


@given(_directories, _hashes)
def test_a_reference_tells_its_deltaspace_and_hash(space: str, sha256: str) -> None:
    assert parse_reference_key(reference_key(space, sha256)) == (space, sha256)
    assert deltaspace_of_reference(reference_key(space, sha256)) == space
    assert is_reserved(space) or deltaspace_of_reference(classic_reference_key(space)) == space
    assert parse_reference_key(trash_key(space, sha256, "x")) is None


@given(_keys)
def test_only_a_reference_of_ours_parses_as_one(key: str) -> None:
    parsed = parse_reference_key(key)

    assert parsed is None or reference_key(*parsed) == key


@pytest.mark.parametrize(
    "key",
    [
        "reference.bin",
        f".deltaglider/references/{SHA}/reference.bin\n",
        f".deltaglider/references/{SHA}/reference.binary",
        f".deltaglider/references/{SHA.upper()}/reference.bin",
        f".deltaglider/references/{SHA[1:]}/reference.bin",
        f".deltaglider/references/{SHA}0/reference.bin",
        f"a.deltaglider/references/{SHA}/reference.bin",
        f".deltaglider/references/{SHA}/x/reference.bin",
        f".deltaglider/trash/{SHA}/reference.bin",
    ],
)
def test_what_only_resembles_a_reference_is_none(key: str) -> None:
    assert parse_reference_key(key) is None


def test_the_names_are_those_of_the_bucket_format() -> None:
    assert delta_key("rel/a.zip") == "rel/a.zip.delta"
    assert reference_key("rel/", SHA) == f"rel/.deltaglider/references/{SHA}/reference.bin"
    assert reference_key("", SHA) == f".deltaglider/references/{SHA}/reference.bin"
    assert trash_key("rel/", SHA, "u") == f"rel/.deltaglider/trash/{SHA}/u/reference.bin"
    assert classic_reference_key("rel/") == "rel/reference.bin"
    assert classic_reference_key("") == "reference.bin"


def test_what_s3_cannot_have_as_a_key() -> None:
    assert [key for key in ("", "a", "é" * 512, "é" * 513, "a\udcff", ".", "\0") if is_storable(key)] == [
        "a",
        "é" * 512,
        ".",
        "\0",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_keys_sort_by_the_bytes_of_utf_8(keys: list[str]) -> None:
    assert sorted(keys, key=sort_key) == [key.decode() for key in sorted(key.encode() for key in keys)]


def test_surrogates_sort_without_a_fuss() -> None:
    # Python orders U+FFFF before U+10000 by code point alone where UTF-16 would not; a lone surrogate is not an error.
    assert sorted(["\U00010000", "\uffff", "\udcff"], key=sort_key) == ["\udcff", "\uffff", "\U00010000"]
