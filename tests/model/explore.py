"""Every order in which processes can take their steps, and every place where one can die."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from tests.model.protocol import LISTINGS, STEPS, Actor, Version, World, read
from tests.model.table import Row

_ENDS = ("done", "dead")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What there is, and who does what to it at once.

    Attributes:
        name: What it is about.
        stored: What lies in the store.
        actors: The processes.
        crashes: How many of them may die, each at any step.
    """

    name: str
    stored: Mapping[str, Version]
    actors: tuple[Actor, ...]
    crashes: int = 1


@dataclasses.dataclass(frozen=True)
class Violation:
    """An acknowledged object that is not what a reader gets.

    Attributes:
        scenario: Where.
        trace: The steps that led there.
        key: The object.
        found: What a reader gets.
        wanted: What it may get.
    """

    scenario: str
    trace: tuple[str, ...]
    key: str
    found: str
    wanted: frozenset[str | None]

    def __str__(self) -> str:
        wanted = sorted(map(str, self.wanted))
        return f"{self.scenario}: {self.key} is {self.found}, not one of {wanted}, after\n  " + "\n  ".join(self.trace)


@dataclasses.dataclass(frozen=True)
class Reader:
    """What readers do; see ``protocol.read``."""

    fallback: bool = True
    trash: bool = True


CONDITIONAL = World()
"""A store that honours a condition on a delete."""

BOTH = Reader()
"""Readers that do both."""

_Stored = frozenset[tuple[str, Version]]
_State = tuple[_Stored, tuple[Actor, ...], int, _Stored | None]
"""What is there, who stands where, how many may still die, and what listings show where they lag."""


@dataclasses.dataclass
class Exploration:
    """The search through all states of one scenario.

    Attributes:
        states: How many there are.
        ends: What lay in the store when all was quiet.
        violation: The first one found; the search ends there.
        taken: The outcomes that were met, by step.
    """

    states: int = 0
    ends: set[frozenset[str]] = dataclasses.field(default_factory=set)
    violation: Violation | None = None
    taken: set[tuple[str, str]] = dataclasses.field(default_factory=set)


def explore(
    table: Mapping[str, Row], scenario: Scenario, world: World = CONDITIONAL, reader: Reader = BOTH
) -> Exploration:
    """Goes through all states that can be reached.

    Args:
        table: The protocols.
        scenario: Who does what.
        world: What kind of store it is.
        reader: What readers do.

    Returns:
        What was found.
    """
    result = Exploration()
    stored = frozenset(scenario.stored.items())
    start: _State = (stored, scenario.actors, scenario.crashes, stored if world.lag else None)
    came_from: dict[_State, tuple[_State, str] | None] = {start: None}
    pending = [start]
    initial = {name.split(" ")[0] for name in scenario.stored if name.endswith((" whole", " delta"))}
    keys = initial | {actor.key for actor in scenario.actors}
    before = {key: read(scenario.stored, key) for key in sorted(keys)}
    while pending:
        state = pending.pop()
        result.states += 1
        following = list(_following(table, state, world, result))
        for key, content in before.items() if not (world.quiet and following) else ():
            wrong = _check(dict(state[0]), state[1], key, content, reader)
            if wrong is not None:
                result.violation = Violation(scenario.name, _trace(came_from, state), key, *wrong)
                return result
        if not any(label != "listings catch up" for label, _ in following):
            result.ends.add(frozenset(name for name, _ in state[0]))
        for label, successor in following:
            if successor not in came_from:
                came_from[successor] = (state, label)
                pending.append(successor)
    return result


def _following(
    table: Mapping[str, Row], state: _State, world: World, result: Exploration
) -> Iterable[tuple[str, _State]]:
    stored, actors, crashes, shown = state
    if shown is not None and shown != stored:
        yield "listings catch up", (stored, actors, crashes, stored)
    ended = frozenset(actor.name for actor in actors if actor.acknowledged or actor.step == "dead")
    for index, actor in enumerate(actors):
        if actor.step in _ENDS:
            continue

        def put(changed: Actor, index: int = index) -> tuple[Actor, ...]:
            return (*actors[:index], changed, *actors[index + 1 :])

        if crashes and actor.step:
            dead = dataclasses.replace(actor, step="dead", seen=())
            yield f"{actor.name} dies", (stored, put(dead), crashes - 1, shown)
        first = "listed" if actor.listed else "look"
        begun = actor if actor.step else dataclasses.replace(actor, step=first, after=ended)
        looks = shown is not None and begun.step in LISTINGS
        outcome, moved, store = STEPS[begun.step](begun, dict(shown if looks and shown is not None else stored), world)
        after = stored if looks else frozenset(store.items())
        result.taken.add((begun.step, outcome))
        step = begun.step if outcome == "more" else table[begun.step].then[outcome]
        seen = () if step in _ENDS else moved.seen
        yield (
            f"{actor.name}: {begun.step}: {outcome}",
            (after, put(dataclasses.replace(moved, step=step, seen=seen)), crashes, shown),
        )


def _check(
    store: dict[str, Version], actors: tuple[Actor, ...], key: str, before: str | None, reader: Reader
) -> tuple[str, frozenset[str | None]] | None:
    allowed = _allowed(actors, key, before)
    try:
        found = read(store, key, fallback=reader.fallback, trash=reader.trash)
    except LookupError:
        # Never acknowledged: as good as absent.
        return None if None in allowed else ("unreadable", allowed)
    return None if found in allowed else (str(found), allowed)


def _allowed(actors: tuple[Actor, ...], key: str, before: str | None) -> frozenset[str | None]:
    """The contents a reader may get: of all that began, what nothing that was acknowledged came after."""
    mine = [actor for actor in actors if actor.key == key and actor.step]
    acknowledged = [actor for actor in mine if actor.acknowledged]
    allowed: set[str | None] = set()
    if not acknowledged:
        allowed.add(before)
    for actor in mine:
        if not any(actor.name in later.after for later in acknowledged):
            allowed.add(None if actor.verb == "delete" else actor.name)
    return frozenset(allowed)


def _trace(came_from: dict[_State, tuple[_State, str] | None], state: _State) -> tuple[str, ...]:
    labels: list[str] = []
    link = came_from[state]
    while link is not None:
        labels.append(link[1])
        link = came_from[link[0]]
    return tuple(reversed(labels))
