from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.bulk.entries import Entry, Problem, RemoteEntry
from deltaglider.bulk.plan import Delete, Transfer, Unchanged, files_only, filtered, merge
from deltaglider.errors import LocalFileError, NotSupportedError
from deltaglider.layout.keys import sort_key
from tests.bulk.world import collect, problem, remote, stream

NAMES = st.text(alphabet="ab/.-0é\uffff\U0001f600", min_size=1, max_size=5)
SIZES = st.integers(0, 2)


def sizes_differ(source: Entry, target: Entry) -> bool:
    return source.size != target.size


def always(entry: Entry) -> bool:
    return True


def side(sizes: dict[str, int], problems: set[str] = frozenset()) -> AsyncGenerator[RemoteEntry | Problem, None]:
    items = [remote(name, size) for name, size in sizes.items()] + [problem(name) for name in problems]
    return stream(sorted(items, key=lambda item: sort_key(item.name)))


def shown(step: object) -> str:
    if isinstance(step, Transfer):
        return f"transfer {step.entry.name}"
    if isinstance(step, Delete):
        return f"delete {step.name} {step.size}"
    if isinstance(step, Problem):
        return f"problem {step.name}"
    assert isinstance(step, Unchanged)
    return "unchanged"


async def plan(*args: object, **kwargs: object) -> list[str]:
    return [shown(step) for step in await collect(merge(*args, **kwargs))]


def naive_plan(source: dict[str, int], target: dict[str, int], problems: set[str], delete: bool) -> list[str]:
    """What the merge must come to, from whole dictionaries."""
    steps = []
    for name in sorted({*source, *target, *problems}, key=sort_key):
        if name in problems:
            steps.append(f"problem {name}")
        elif name not in source:
            protected = any(name.startswith(above if above.endswith("/") else f"{above}/") for above in problems)
            if delete and not protected:
                steps.append(f"delete {name} {target[name]}")
        elif name not in target or source[name] != target[name]:
            steps.append(f"transfer {name}")
        else:
            steps.append("unchanged")
    return steps


@given(st.dictionaries(NAMES, SIZES), st.dictionaries(NAMES, SIZES), st.sets(NAMES), st.booleans())
async def test_a_merge_is_what_dictionaries_make_of_it(
    source: dict[str, int], target: dict[str, int], problems: set[str], delete: bool
) -> None:
    problems = {name for name in problems if name not in source}
    options = {"deletable": always} if delete else {}
    steps = await plan(side(source, problems), side(target), sizes_differ, **options)
    assert steps == naive_plan(source, target, problems, delete)


async def test_problems_of_the_target_are_told_and_hinder_nothing() -> None:
    source, target = side({"a": 1, "b": 1, "d": 1}), side({"a": 1}, {"b", "c"})
    assert await plan(source, target, sizes_differ, deletable=always) == [
        "unchanged",
        "problem b",
        "transfer b",
        "problem c",
        "transfer d",
    ]


async def test_a_problem_protects_what_may_lie_below_it() -> None:
    names = ["x", "x!", "x-old", "x/a", "x/b/c", "x0", "y", "y/f", "z"]
    source, target = side({}, {"x", "y/"}), side(dict.fromkeys(names, 1))
    assert await plan(source, target, sizes_differ, deletable=always) == [
        "problem x",
        "delete x! 1",
        "delete x-old 1",
        "delete x0 1",
        "delete y 1",
        "problem y/",
        "delete z 1",
    ]


async def test_a_problem_nobody_needs_to_hear_of_protects_too() -> None:
    source = filtered(side({}, {"d/"}), lambda name: not name.startswith("d"))
    steps = await collect(merge(source, side({"d/f": 1}), sizes_differ, deletable=always))
    assert steps == [Problem("d/", "/tree/d/", "")]


async def test_what_is_not_deletable_stays() -> None:
    target = side({"a": 1, "b": 1})
    assert await plan(side({}), target, sizes_differ, deletable=lambda entry: entry.name == "b") == ["delete b 1"]


@pytest.mark.parametrize("names", [["b", "a"], ["a/b", "a-b"], ["a", "a"]])
@pytest.mark.parametrize("is_source", [True, False])
async def test_a_side_out_of_order_is_an_error(names: list[str], is_source: bool) -> None:
    broken, empty = stream([remote(name) for name in names]), side({})
    sides = (broken, empty) if is_source else (empty, broken)
    with pytest.raises(NotSupportedError, match=f"s3://b/{names[1]}: listed after '{names[0]}'"):
        await plan(*sides, sizes_differ, deletable=always)


async def test_a_merge_looks_one_entry_ahead_and_no_further() -> None:
    drawn: dict[str, int] = {"source": 0, "target": 0}

    async def endless(which: str) -> AsyncGenerator[RemoteEntry | Problem, None]:
        while True:
            drawn[which] += 1
            yield remote(f"{drawn[which]:09}")

    steps = merge(endless("source"), endless("target"), sizes_differ)
    for _ in range(10):
        assert await anext(steps) == Unchanged()
    await steps.aclose()
    assert drawn == {"source": 10, "target": 10}


async def test_both_sides_are_closed_when_one_fails() -> None:
    closed = []

    async def breaking() -> AsyncGenerator[RemoteEntry | Problem, None]:
        yield remote("a")
        raise NotSupportedError("broken")

    async def lasting() -> AsyncGenerator[RemoteEntry | Problem, None]:
        try:
            for name in "abcdef":
                yield remote(name)
        finally:
            closed.append(True)

    with pytest.raises(NotSupportedError, match="broken"):
        await plan(breaking(), lasting(), sizes_differ, deletable=always)
    assert closed == [True]


async def test_filters_keep_names() -> None:
    entries = side({"a": 1, "b": 1}, {"c", "d"})
    kept = await collect(filtered(entries, lambda name: name in "bd"))
    assert [(item.name, getattr(item, "message", None)) for item in kept] == [
        ("b", None),
        ("c", ""),
        ("d", "File does not exist."),
    ]


@given(st.sets(NAMES))
async def test_what_lies_below_a_file_is_a_failure_of_its_own(names: set[str]) -> None:
    found = await collect(files_only(side(dict.fromkeys(names, 1))))
    kept: list[str] = []
    for item in found:
        below = any(item.name.startswith(f"{above}/") for above in kept)
        assert isinstance(item, Problem) is below
        if not below:
            kept.append(item.name)
    assert {item.name for item in found} == names


async def test_the_failure_names_both() -> None:
    (first, second, third) = await collect(files_only(stream([remote("a"), remote("a/b"), problem("c")])))
    assert isinstance(first, RemoteEntry)
    assert isinstance(second, Problem)
    assert isinstance(second.error, LocalFileError)
    assert second.message == str(second.error)
    assert second.message.startswith("s3://b/a/b: a is an object too, and here it cannot be a file and a directory")
    assert third == problem("c")
