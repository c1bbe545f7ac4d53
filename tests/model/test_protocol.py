"""The table of docs/architecture.md holds in every order of steps, and each step of it is needed for what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tests.faults.scale import FULL, scaled
from tests.model.explore import CONDITIONAL, Exploration, Reader, Scenario, Violation, explore
from tests.model.protocol import STEPS, Actor, Version, World
from tests.model.scenarios import LARGE, LISTED, ONE_KEY, SMALL, R
from tests.model.table import read_table, without

TABLE = read_table()
PLAIN = World(conditions=False, quiet=True)
"""A store that does not; readers come when the writers are done."""

LAGGING = World(lag=True)
"""One whose listings are late."""

NEEDED = [step for step, row in TABLE.items() if row.without == "needed"]
LOSS = [step for step, row in TABLE.items() if row.without == "loss"]
WASTE = [step for step, row in TABLE.items() if row.without == "waste"]
WORK = [step for step, row in TABLE.items() if row.without == "work"]


def named(scenario: Scenario) -> str:
    return scenario.name


def unharmed(scenario: Scenario) -> Scenario:
    """The same without a crash."""
    return dataclasses.replace(scenario, crashes=0)


def first_violation(find: Callable[[Scenario, World], Exploration]) -> Violation | None:
    for world in (CONDITIONAL, PLAIN, LAGGING):
        for scenario in SMALL:
            found = find(unharmed(scenario) if world is PLAIN else scenario, world).violation
            if found is not None:
                return found
    return None


@pytest.mark.parametrize("scenario", SMALL + LISTED, ids=named)
def test_nothing_is_lost_in_any_order_and_with_a_crash_anywhere(scenario: Scenario) -> None:
    result = explore(TABLE, scenario, CONDITIONAL)
    assert result.violation is None, str(result.violation)
    assert result.states > 50


@pytest.mark.parametrize("scenario", SMALL + LISTED, ids=named)
def test_nothing_is_lost_on_a_store_that_ignores_conditions(scenario: Scenario) -> None:
    result = explore(TABLE, unharmed(scenario), PLAIN)
    assert result.violation is None, str(result.violation)


@pytest.mark.parametrize("scenario", SMALL, ids=named)
def test_nothing_is_lost_where_listings_lag(scenario: Scenario) -> None:
    result = explore(TABLE, scenario if FULL else unharmed(scenario), LAGGING)
    assert result.violation is None, str(result.violation)


@pytest.mark.faults
@pytest.mark.parametrize("scenario", LARGE[: scaled(1, len(LARGE))], ids=named)
def test_nothing_is_lost_among_three_at_one_key(
    scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    """Hundreds of thousands of states each: in the suite without crashes."""
    result = explore(TABLE, scenario if FULL else unharmed(scenario), CONDITIONAL)
    assert result.violation is None, str(result.violation)
    states = result.states
    if FULL:
        result = explore(TABLE, unharmed(scenario), PLAIN)
        assert result.violation is None, str(result.violation)
    record_property("figure", f"model, {scenario.name}: {states} states, nothing lost")


@pytest.mark.parametrize("step", LOSS)
def test_without_this_step_an_object_is_lost(step: str) -> None:
    table = without(TABLE, step)
    assert first_violation(lambda scenario, world: explore(table, scenario, world)) is not None


@pytest.mark.parametrize("step", WASTE + WORK)
def test_without_this_step_nothing_is_lost(step: str) -> None:
    table = without(TABLE, step)
    for scenario in SMALL:
        result = explore(table, unharmed(scenario), CONDITIONAL)
        assert result.violation is None, str(result.violation)


@pytest.mark.parametrize("step", WASTE + WORK)
def test_without_this_step_something_stays_behind_or_not(step: str) -> None:
    """One deleter, alone, on the last delta."""
    alone = Scenario(
        "alone", {R: Version("", 0), "k delta": Version("before", 1, R)}, (Actor("A", "delete", "k"),), crashes=0
    )
    assert explore(TABLE, alone).ends == {frozenset()}
    left = explore(without(TABLE, step), alone).ends
    assert (left != {frozenset()}) == (step in WASTE)


def test_the_steps_that_nothing_goes_on_without_are_these() -> None:
    assert NEEDED == ["look", "find", "list references", "acknowledge"]
    assert sorted(NEEDED + LOSS + WASTE + WORK) == sorted(TABLE) == sorted(STEPS)


def test_every_line_of_the_table_is_met() -> None:
    met = set().union(*(explore(TABLE, unharmed(scenario)).taken for scenario in SMALL + LISTED))
    met |= next(explore(TABLE, unharmed(each), LAGGING).taken for each in SMALL if "delete of the last" in each.name)
    assert {(step, outcome) for step, outcome in met if outcome != "more"} == {
        (step, outcome) for step, row in TABLE.items() for outcome in row.then
    }


@pytest.mark.parametrize("reader", [Reader(fallback=False), Reader(trash=False)], ids=["fallback", "trash"])
def test_both_things_that_readers_do_are_needed(reader: Reader) -> None:
    assert first_violation(lambda scenario, world: explore(TABLE, scenario, world, reader)) is not None


def test_what_the_document_says_of_stores_without_conditions_is_so() -> None:
    """The one exception: two writers of one key in different forms, of whom one dies."""
    stores_without = World(conditions=False)
    assert explore(TABLE, ONE_KEY, stores_without).violation is not None
    assert explore(TABLE, unharmed(ONE_KEY), PLAIN).violation is None
    for scenario in SMALL:
        if len({actor.key for actor in scenario.actors}) == len(scenario.actors):
            result = explore(TABLE, scenario, stores_without)
            assert result.violation is None, str(result.violation)


def test_what_the_document_says_of_looking_by_a_listing_that_is_late_is_so() -> None:
    """It needs both: a delta that the listing hides, and a writer of it whose clock is ahead."""
    lost = {
        scenario.actors[0].clock
        for scenario in LISTED[:3]
        if explore(TABLE, unharmed(scenario), LAGGING).violation is not None
    }
    assert lost == {1, 5}  # The others' clocks show 5.
