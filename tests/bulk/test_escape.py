"""Keys as names of files, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.bulk.escape import escaped, unescaped
from deltaglider.bulk.names import refusal

KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("/.:%con ?*\\25FaA"), min_size=1
)


@given(KEYS)
def test_every_key_has_a_name_that_every_system_takes_and_comes_back(key: str) -> None:
    name = escaped(key)
    assert refusal(name, windows=True) == ""
    assert unescaped(name) == key
    assert name.count("/") == key.count("/")


@given(KEYS, KEYS)
def test_no_two_keys_have_one_name(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a/b.txt", "a/b.txt"),
        ("Grüße/東京.zip", "Grüße/東京.zip"),
        ("2026-11-22T10:00:00", "2026-11-22T10%3A00%3A00"),
        ("what?*", "what%3F%2A"),
        ("100%", "100%25"),
        ("a%3Ab", "a%253Ab"),
        ("a//b", "a/%2F/b"),
        ("/abs", "%2F/abs"),
        ("dir/", "dir/%2F"),
        ("../x", "%2E%2E/x"),
        ("./x", "%2E/x"),
        ("end.", "end%2E"),
        ("end ", "end%20"),
        ("con", "%63on"),
        ("LPT1.txt", "%4CPT1.txt"),
        ("a\\b", "a%5Cb"),
        ("tab\t", "tab%09"),
    ],
)
def test_names(key: str, name: str) -> None:
    assert (escaped(key), unescaped(name)) == (name, key)


@pytest.mark.parametrize("name", ["100%", "%zz", "%2", "%00", "a%2Fb", "%FF"])
def test_what_is_no_escape_stays(name: str) -> None:
    assert unescaped(name) == name
