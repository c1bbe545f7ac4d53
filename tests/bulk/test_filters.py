from __future__ import annotations

import fnmatch
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deltaglider.bulk.filters import Filters, Verdict

NAMES = st.text(alphabet="ab./-[]!*?A\n", min_size=1, max_size=8).filter(lambda name: not name.startswith("/"))
PATTERNS = st.text(alphabet="ab./-[]!*?A\n", min_size=1, max_size=6).filter(lambda pattern: not os.path.isabs(pattern))
RULES = st.lists(st.tuples(st.sampled_from(["include", "exclude"]), PATTERNS), max_size=5)


def aws_keeps(rules: list[tuple[Verdict, str]], root: str, other_root: str, name: str) -> bool:
    """What aws does: whole paths against patterns joined to the roots of both sides, the last match wins."""
    verdict = "include"
    for rule, pattern in rules:
        for base in (root, other_root):
            if fnmatch.fnmatch(os.path.join(root, name), os.path.join(base, pattern)):
                verdict = rule
    return verdict == "include"


@given(RULES, NAMES)
@example([("exclude", "*"), ("include", "*.zip")], "a/b.zip")
def test_the_verdict_is_that_of_aws_on_both_sides(rules: list[tuple[Verdict, str]], name: str) -> None:
    keeps = Filters.of(*rules).rooted("/home/ann/src")
    assert keeps(name) == aws_keeps(rules, "/home/ann/src/", "bucket/prefix/", name)
    assert keeps(name) == aws_keeps(rules, "bucket/prefix/", "/home/ann/src/", name)


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ([], {"a.txt", "b.log", "d/a.txt", "d/b.log", ".hidden"}),
        ([("exclude", "*.log")], {"a.txt", "d/a.txt", ".hidden"}),
        ([("exclude", "*"), ("include", "*.txt")], {"a.txt", "d/a.txt"}),
        ([("include", "*.txt"), ("exclude", "*")], set()),
        ([("exclude", "d/*"), ("include", "d/a*")], {"a.txt", "b.log", "d/a.txt", ".hidden"}),
        ([("exclude", "a.txt")], {"b.log", "d/a.txt", "d/b.log", ".hidden"}),
        ([("exclude", "?.txt")], {"b.log", "d/a.txt", "d/b.log", ".hidden"}),
        ([("exclude", "*?a.txt")], {"a.txt", "b.log", "d/b.log", ".hidden"}),
        ([("exclude", "[!a]*")], {"a.txt"}),
        ([("exclude", "**/a.txt")], {"a.txt", "b.log", "d/b.log", ".hidden"}),
        ([("exclude", "{a,b}.*")], {"a.txt", "b.log", "d/a.txt", "d/b.log", ".hidden"}),
        ([("exclude", "./a.txt")], {"a.txt", "b.log", "d/a.txt", "d/b.log", ".hidden"}),
        ([("exclude", ".*")], {"a.txt", "b.log", "d/a.txt", "d/b.log"}),
        ([("exclude", "d")], {"a.txt", "b.log", "d/a.txt", "d/b.log", ".hidden"}),
    ],
)
def test_rules_in_order(rules: list[tuple[Verdict, str]], kept: set[str]) -> None:
    keeps = Filters.of(*rules).rooted("/src")
    assert {name for name in ("a.txt", "b.log", "d/a.txt", "d/b.log", ".hidden") if keeps(name)} == kept


def test_glob_characters_of_the_root_are_no_globs() -> None:
    keeps = Filters.of(("exclude", "*.log")).rooted("/src/[ab]*")
    assert not keeps("x.log")
    assert Filters.of(("exclude", "/src/[ab]*/x.txt")).rooted("/src/a1")("x.txt") is False


def test_an_absolute_pattern_replaces_the_root() -> None:
    keeps = Filters.of(("exclude", "/src/d/*")).rooted("/src")
    assert keeps("a.txt")
    assert not keeps("d/a.txt")
    assert Filters.of(("exclude", "/src/*")).rooted("/other")("a.txt")
    assert Filters.of(("exclude", "/src/*")).rooted()("a.txt")


def test_the_root_of_the_file_system_is_a_root() -> None:
    assert not Filters.of(("exclude", "/etc/*")).rooted("/")("etc/passwd")


def test_a_relative_root_is_taken_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keeps = Filters.of(("exclude", f"{tmp_path}/src/*.log")).rooted(Path("src"))
    assert not keeps("a.log")
    assert keeps("a.txt")
