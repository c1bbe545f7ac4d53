from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.bulk.names import Ancestors, refusal

PARENT = "File references a parent directory."
ABSOLUTE = "File references an absolute path."
EMPTY = "File name has an empty segment."


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..", PARENT),
        ("../x", PARENT),
        ("a/../../x", PARENT),
        ("a/../x", PARENT),
        ("/../x", PARENT),
        ("//../x", PARENT),
        ("a/..", PARENT),
        ("a/../", PARENT),
        ("/etc/passwd", ABSOLUTE),
        ("//server/share", ABSOLUTE),
        ("/", ABSOLUTE),
        ("a\0b", "File name holds a NUL character."),
        ("../\0", PARENT),
        ("a\ud800", "File name is not valid text."),
        ("", EMPTY),
        (".", EMPTY),
        ("./a", EMPTY),
        ("a/./b", EMPTY),
        ("a//b", EMPTY),
        ("a/", EMPTY),
    ],
)
def test_what_cannot_be_a_file_anywhere(name: str, reason: str, windows: bool) -> None:
    assert refusal(name, windows=windows) == reason


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("name", ["a", "a/b.zip", "..a", "a..", "...", ".hidden", "café", "a b", "~", "-rf", "$(x)"])
def test_odd_but_harmless_names(name: str, windows: bool) -> None:
    expected = "" if not (windows and name.endswith(".")) else "File name is not possible on Windows."
    assert refusal(name, windows=windows) == expected


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..\\x", PARENT),
        ("a\\..\\..\\x", PARENT),
        ("a/..\\x", PARENT),
        ("a\\b", "File name holds a backslash, which separates directories on Windows."),
        ("\\\\?\\C:\\x", "File name holds a backslash, which separates directories on Windows."),
        ("C:x", "File name is not possible on Windows."),
        ("C:/x", "File name is not possible on Windows."),
        ("a:stream", "File name is not possible on Windows."),
        ("a?", "File name is not possible on Windows."),
        ("a\nb", "File name is not possible on Windows."),
        ("a/b ", "File name is not possible on Windows."),
        ("a./b", "File name is not possible on Windows."),
        ("CON", "File name is reserved on Windows."),
        ("a/nul.txt", "File name is reserved on Windows."),
        ("COM1.tar.gz", "File name is reserved on Windows."),
        ("lpt³/x", "File name is reserved on Windows."),
        ("aux .c", "File name is reserved on Windows."),
    ],
)
def test_what_cannot_be_a_file_on_windows(name: str, reason: str) -> None:
    assert refusal(name, windows=True) == reason
    if reason != PARENT:
        assert not refusal(name, windows=False)


@pytest.mark.parametrize("name", ["console", "com10", "nullable.txt", "aux1", "lpt"])
def test_what_only_looks_reserved(name: str) -> None:
    assert not refusal(name, windows=True)


@given(st.text(alphabet="a./\\\0", max_size=8))
def test_an_approved_name_is_one_file_below_the_root(name: str) -> None:
    if not refusal(name, windows=False):
        assert posixpath.normpath(posixpath.join("/base", name)) == f"/base/{name}"
        assert name


@given(st.lists(st.text(alphabet="ab/!-.0~", min_size=1, max_size=6), unique=True), st.data())
def test_ancestors_are_found_among_all_names_before(names: list[str], data: st.DataObject) -> None:
    ancestors = Ancestors()
    noted: list[str] = []
    for name in sorted(names):
        expected = {above for above in noted if name == above or name.startswith(f"{above}/")}
        found = ancestors.of(name)
        assert found in expected if expected else found is None
        if data.draw(st.booleans()):
            ancestors.add(name)
            noted.append(name)


@given(st.sets(st.text(alphabet="ab/!-.0~", min_size=1, max_size=6)))
def test_only_beginnings_of_the_last_name_are_held(names: set[str]) -> None:
    ancestors = Ancestors()
    for name in sorted(names):
        ancestors.add(name)
        assert all(name.startswith(held) for held in ancestors._names)
        assert ancestors._names[-1] == name
