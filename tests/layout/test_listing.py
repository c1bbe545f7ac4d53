"""The logical order, against an oracle that sorts everything at once."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deltaglider.layout.keys import DELTA_SUFFIX, sort_key
from deltaglider.layout.listing import LogicalOrder

Key = tuple[str, bool]  # A stored key, and whether it is a delta.


@dataclasses.dataclass
class Run:
    """What became of a listing driven as the engine drives it."""

    found: list[tuple[str, list[str]]] = dataclasses.field(default_factory=list)
    asked: list[str] = dataclasses.field(default_factory=list)
    most_held: int = 0


def logical_of(stored: str, is_delta: bool) -> str:
    return stored.removesuffix(DELTA_SUFFIX) if is_delta else stored


def drive(entries: Iterable[Key], *, hold: int, prefix: str = "", after: str = "") -> Run:
    """Lists as a store does: keys that begin with the prefix and come after the start, in byte order."""
    order: LogicalOrder[str] = LogicalOrder(hold, prefix=prefix, after=after)
    everything = dict(entries)
    run = Run()
    within = [key for key in everything if key.startswith(prefix) and sort_key(key) > sort_key(after)]
    for stored in sorted(within, key=sort_key):
        order.push(logical_of(stored, everything[stored]), stored, stored)
        while (wanted := order.wanted()) is not None:
            run.asked.append(wanted)
            order.answer(wanted, wanted + DELTA_SUFFIX if everything.get(wanted + DELTA_SUFFIX) else None)
        run.found += [(found.key, sorted(found.forms)) for found in order.pop()]
        run.most_held = max(run.most_held, len(order._waiting))
    order.end()
    run.found += [(found.key, sorted(found.forms)) for found in order.pop()]
    return run


def sorted_at_once(entries: Iterable[Key], *, prefix: str = "", after: str = "") -> list[tuple[str, list[str]]]:
    forms: dict[str, list[str]] = {}
    for stored, is_delta in entries:
        forms.setdefault(logical_of(stored, is_delta), []).append(stored)
    inside = [key for key in forms if key.startswith(prefix) and sort_key(key) > sort_key(after)]
    return [(key, sorted(forms[key])) for key in sorted(inside, key=sort_key)]


# Few letters, so that keys are beginnings of each other; all that sorts around ".delta"; two- and four-byte letters.
_letters = st.sampled_from(
    ["a", "b", "-", ".", "/", "0", "!", "\x01", ".d", ".delta", ".deltb", "~", "é", "\U0001f600", "￿"]
)
_names = st.lists(_letters, min_size=1, max_size=6).map("".join).filter(lambda name: not name.endswith("/"))
_stored = st.dictionaries(
    st.tuples(_names, st.sampled_from(["", DELTA_SUFFIX])),
    st.booleans(),
    max_size=25,
).map(
    # A key that ends with ".delta" is a delta or a file of the user's own; all others are whole.
    lambda keys: {
        name + suffix: truly
        and (name + suffix).endswith(DELTA_SUFFIX)
        and (name + suffix) != DELTA_SUFFIX
        and not (name + suffix).endswith("/" + DELTA_SUFFIX)
        for (name, suffix), truly in keys.items()
    }
)


@given(_stored, st.integers(0, 12))
@example({"v1.delta": True, "v1.2.delta": True, "v1.2.3.delta": True}, 0)
@example({"1.delta": True, **{f"1.0.{n}/app.zip.delta": True for n in range(20)}}, 3)
@example({"a": False, "a.delta": True, "a.zip": False, "a.zip.asc": False, "a.zip.delta": True}, 0)
@example({"x.delta.delta": True, "x.delta": False, "x": False}, 0)
@example({"/a-b": False, "/a.delta": True}, 0)
def test_order_is_that_of_sorting_everything(stored: dict[str, bool], hold: int) -> None:
    run = drive(stored.items(), hold=hold)

    assert run.found == sorted_at_once(stored.items())
    assert run.most_held <= hold
    assert not any(key.endswith("/") for key in run.asked)  # Nothing is a delta of a directory.


@given(_stored, st.integers(0, 5), st.data())
def test_a_prefix_and_a_start_cut_the_logical_listing(stored: dict[str, bool], hold: int, data: st.DataObject) -> None:
    cuts = st.sampled_from(sorted({logical_of(*entry) for entry in stored.items()} | set(stored) | {""}))
    whole = data.draw(cuts)
    prefix = whole[: data.draw(st.integers(0, len(whole)))]
    after = data.draw(cuts)

    run = drive(stored.items(), hold=hold, prefix=prefix, after=after)

    assert run.found == sorted_at_once(stored.items(), prefix=prefix, after=after)
    assert all(key.startswith(prefix) and sort_key(key) > sort_key(after) for key in run.asked)


def test_both_forms_of_a_key_come_out_together() -> None:
    # "a.zip.asc" sorts between "a.zip" and "a.zip.delta".
    run = drive({"a.zip": False, "a.zip.asc": False, "a.zip.delta": True}.items(), hold=1000)

    assert run.found == [("a.zip", ["a.zip", "a.zip.delta"]), ("a.zip.asc", ["a.zip.asc"])]
    assert run.asked == []


def test_late_candidates_cover_the_prefix_chain() -> None:
    stored = {"v1.2.3.delta": True, "v1.2.delta": True, "v1.delta": True}

    assert [key for key, _ in drive(stored.items(), hold=1000).found] == ["v1", "v1.2", "v1.2.3"]
    assert [key for key, _ in drive(stored.items(), hold=0).found] == ["v1", "v1.2", "v1.2.3"]


@pytest.mark.parametrize("hold", [0, 1, 10, 1000])
def test_a_delta_behind_a_thousand_directories_comes_first(hold: int) -> None:
    stored = {f"1.0.{number}/app.zip.delta": True for number in range(1100)} | {"1.delta": True, "0.delta": True}

    run = drive(stored.items(), hold=hold, prefix="1")

    assert run.found == sorted_at_once(stored.items(), prefix="1")
    assert run.found[0] == ("1", ["1.delta"])
    assert run.most_held <= hold


def test_what_lies_outside_a_prefix_is_neither_asked_for_nor_listed() -> None:
    stored = {f"app-{number:04}": False for number in range(50)} | {"app.delta": True}

    run = drive(stored.items(), hold=3, prefix="app-")

    assert [key for key, _ in run.found] == [f"app-{number:04}" for number in range(50)]
    assert "app" not in run.asked
    # "v1.d" begins "v1.delta", but not "v1".
    assert drive({"v1.delta": True}.items(), hold=3, prefix="v1.d").found == []


def test_a_file_of_the_users_own_that_only_looks_like_a_delta_keeps_its_name_and_place() -> None:
    stored = {"fw": False, "fw-2": False, "fw.delta": False, "fw.delta.delta": True, "fw.deltb": False}

    assert [key for key, _ in drive(stored.items(), hold=0).found] == ["fw", "fw-2", "fw.delta", "fw.deltb"]
    assert drive(stored.items(), hold=0).found == sorted_at_once(stored.items())


def test_a_common_prefix_takes_its_place_among_keys() -> None:
    stored = {"a-b/": False, "a.delta": True, "a/": False, "a0": False}

    assert [key for key, _ in drive(stored.items(), hold=0).found] == ["a", "a-b/", "a/", "a0"]


def test_what_may_go_is_not_counted_as_held() -> None:
    order: LogicalOrder[str] = LogicalOrder(10)
    for number in range(50):
        order.push(f"k{number:02}", f"k{number:02}", "entry")

    assert order.wanted() is None  # Only the last one waits for its delta.
    assert [found.key for found in order.pop()] == [f"k{number:02}" for number in range(49)]


def test_a_key_is_asked_for_when_more_is_held_than_may_be_and_no_sooner() -> None:
    order: LogicalOrder[str] = LogicalOrder(2)
    asked = []
    for name in ("a-1", "a-2", "a-3"):
        order.push(name, name, name)
        asked.append(order.wanted())

    assert asked == [None, None, "a"]


def test_a_key_that_was_looked_up_is_not_listed_again() -> None:
    order: LogicalOrder[str] = LogicalOrder(0)
    order.push("v1.2", "v1.2.delta", "listed")
    assert order.wanted() == "v1"
    order.answer("v1", "looked up")
    assert [found.key for found in order.pop()] == ["v1", "v1.2"]

    order.push("v1", "v1.delta", "listed")
    order.end()

    assert list(order.pop()) == []


def test_a_delta_that_appears_after_it_was_looked_up_is_left_out_rather_than_out_of_order() -> None:
    order: LogicalOrder[str] = LogicalOrder(0)
    order.push("v1.2", "v1.2.delta", "first")
    while (wanted := order.wanted()) is not None:
        order.answer(wanted, None)
    assert [found.key for found in order.pop()] == ["v1.2"]

    order.push("v1", "v1.delta", "late")
    order.end()

    assert list(order.pop()) == []


@pytest.mark.parametrize(
    "names",
    [
        [f"app-{number:06}-x.bin" for number in range(100_000)],
        [f"my-app-{number:06}.zip.delta" for number in range(30_000)],
        [f"v1.{number // 1000}.{number % 1000}/app.zip.delta" for number in range(30_000)],
    ],
    ids=["app-000001-x.bin", "my-app-000001.zip", "v1.0.1/app.zip"],
)
def test_a_long_listing_is_not_held(names: list[str]) -> None:
    stored = [(name, name.endswith(DELTA_SUFFIX)) for name in names] + [("app.delta", True), ("my.delta", True)]

    run = drive(stored, hold=1000)

    assert [key for key, _ in run.found] == sorted((logical_of(*entry) for entry in stored), key=sort_key)
    assert 1 < run.most_held <= 1000
    assert 0 < len(run.asked) <= 3  # One for each beginning that all names share.


def test_lookups_stay_few_where_names_share_many_beginnings() -> None:
    # The worst case: every name offers as many keys that may come late as it has dashes.
    rng = random.Random(1)
    names = {"-".join(rng.choice("ab") for _ in range(12)) for _ in range(20_000)}

    run = drive([(name, False) for name in names], hold=100)

    assert [key for key, _ in run.found] == sorted(names)
    assert run.most_held <= 100
    assert len(run.asked) < len(names) / 10
