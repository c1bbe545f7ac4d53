"""What each step of the protocols does to a store: one request, or one look, which the store does at once.

Where a step leads is not said here but in the table. A step that asks the store several things (both forms of a key,
several references) is several steps that lead to themselves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Version(NamedTuple):
    """What is stored under one of the two keys of an object.

    Attributes:
        writer: Whose content it is.
        created: When, by the writer's clock.
        reference: What it needs to be read; empty for a whole object.
    """

    writer: str
    created: int
    reference: str = ""


Stored = Mapping[str, Version]
"""All that lies in the store: ``k whole``, ``k delta``, ``ref R``, ``trash R by X``."""


@dataclasses.dataclass(frozen=True)
class Actor:
    """One process.

    Attributes:
        name: Unlike any other.
        verb: ``delta``, ``whole`` or ``delete``.
        key: The object it is about.
        clock: What its clock shows.
        step: Where it stands; ``acknowledged``, ``done`` and ``dead`` are ends (the first is on the way to the second).
        seen: What it remembers, by name.
        after: Who had ended when it began.
        acknowledged: Whether its caller was told that it is done.
        listed: Whether it begins with a listing.
    """

    name: str
    verb: str
    key: str
    clock: int = 5
    step: str = ""
    seen: tuple[tuple[str, object], ...] = ()
    after: frozenset[str] = frozenset()
    acknowledged: bool = False
    listed: bool = False

    def recall(self, what: str) -> object:
        return dict(self.seen).get(what)

    def remember(self, **what: object) -> Actor:
        return dataclasses.replace(self, seen=tuple(sorted({**dict(self.seen), **what}.items())))

    @property
    def mine(self) -> str:
        return f"{self.key} {self.verb}"

    @property
    def other(self) -> str:
        return f"{self.key} {'whole' if self.verb == 'delta' else 'delta'}"

    @property
    def reference(self) -> str:
        return str(self.recall("reference") or "")


@dataclasses.dataclass(frozen=True)
class World:
    """What kind of store it is.

    Attributes:
        conditions: Whether it deletes only what has the ETag named, when one is named.
        quiet: Whether readers come when all is over, and not in between.
        lag: Whether listings show what was there at some time before; never something older than they showed before.
    """

    conditions: bool = True
    quiet: bool = False
    lag: bool = False


Result = tuple[str, Actor, dict[str, Version]]
Step = Callable[[Actor, dict[str, Version], World], Result]


def look(actor: Actor, store: dict[str, Version], world: World) -> Result:
    """HEAD one key, then the other, remembering both."""
    if not actor.recall("looked"):
        return "more", actor.remember(looked=True, whole=store.get(f"{actor.key} whole")), store
    actor = actor.remember(delta=store.get(f"{actor.key} delta"))
    newest = max(
        (v.created for v in (actor.recall("whole"), actor.recall("delta")) if isinstance(v, Version)), default=0
    )
    actor = actor.remember(created=max(actor.clock, newest + 1), looked=None)
    if actor.verb != "delta":
        return actor.verb, actor, store
    if actor.reference:  # It used one lately, and has its bytes.
        return "known replaces" if newest else "known", actor, store
    return "delta", actor, store


def listed(actor: Actor, store: dict[str, Version], world: World) -> Result:
    """LIST the key and, perhaps on the next page, its delta."""
    if not actor.recall("looked"):
        return "more", actor.remember(looked=True, whole=store.get(f"{actor.key} whole")), store
    present = actor.recall("whole") or store.get(f"{actor.key} delta")
    actor = actor.remember(looked=None, whole=None, created=actor.clock)
    return ("present" if present else "absent"), actor, store


def find(actor: Actor, store: dict[str, Version], world: World) -> Result:
    found = sorted(name for name in store if name.startswith("ref "))
    actor = actor.remember(reference=found[0] if found else f"ref {actor.name}")
    if not found:
        return "none", actor, store
    return ("found replaces" if actor.recall("whole") or actor.recall("delta") else "found"), actor, store


def create(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return "stored", actor, {**store, actor.reference: Version("", 0)}


def _head_reference(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return ("there" if actor.reference in store else "gone"), actor, store


def put_delta(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return "stored", actor, {**store, actor.mine: Version(actor.name, _created(actor), actor.reference)}


def put_whole(actor: Actor, store: dict[str, Version], world: World) -> Result:
    store = {**store, actor.mine: Version(actor.name, _created(actor))}
    return ("replaces" if actor.recall("delta") else "stored"), actor, store


def confirmed(actor: Actor, store: dict[str, Version], world: World) -> Result:
    if actor.reference not in store:
        return "gone", actor, store
    return ("there replaces" if actor.recall("whole") else "there"), actor, store


def compare(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return ("same" if store.get(actor.other) == _seen_other(actor) else "other"), actor, store


def remove_other(actor: Actor, store: dict[str, Version], world: World) -> Result:
    if world.conditions and store.get(actor.other) != _seen_other(actor):
        return "changed", actor, store
    return "removed", actor, {name: v for name, v in store.items() if name != actor.other}


def check_mine(actor: Actor, store: dict[str, Version], world: World) -> Result:
    if actor.mine not in store:
        return f"gone {actor.verb}", actor, store
    return ("there" if actor.verb == "delta" else "there retire"), actor, store


def delete_older(actor: Actor, store: dict[str, Version], world: World) -> Result:
    whole, delta = (actor.recall("whole"), actor.recall("delta"))
    if not isinstance(whole, Version) or not isinstance(delta, Version):
        return "one form", actor, store
    older = f"{actor.key} whole" if (whole.created, False) < (delta.created, True) else f"{actor.key} delta"
    return "deleted", actor, {name: v for name, v in store.items() if name != older}


def delete_newest(actor: Actor, store: dict[str, Version], world: World) -> Result:
    whole, delta = (actor.recall("whole"), actor.recall("delta"))
    both = isinstance(whole, Version) and isinstance(delta, Version)
    doomed = {f"{actor.key} whole" if whole else "", f"{actor.key} delta" if delta else ""}
    if both:
        assert isinstance(whole, Version)
        assert isinstance(delta, Version)
        newest = f"{actor.key} delta" if (whole.created, False) < (delta.created, True) else f"{actor.key} whole"
        doomed = {newest}
    store = {name: v for name, v in store.items() if name not in doomed}
    return ("retire" if delta else "deleted"), actor, store


def look_for_deltas(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return ("none" if not _deltas(store) else "some"), actor, store


def list_references(actor: Actor, store: dict[str, Version], world: World) -> Result:
    found = tuple(sorted(name for name in store if name.startswith("ref ")))
    return ("some" if found else "none"), actor.remember(doomed=found, left=found), store


def mark(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return "stored", actor, {**store, _mark(actor): Version("", 0)}


def mark_seen(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return ("seen" if _mark(actor) in store else "not seen"), actor, store


def copy_to_trash(actor: Actor, store: dict[str, Version], world: World) -> Result:
    name, *left = _left(actor)
    if name not in store:
        return "gone", actor.remember(left=_doomed(actor)), store
    actor = actor.remember(left=tuple(left) or _doomed(actor))
    return ("more" if left else "copied"), actor, {**store, _trash(name, actor): Version("", 0)}


def delete_reference(actor: Actor, store: dict[str, Version], world: World) -> Result:
    name, *left = _left(actor)
    actor = actor.remember(left=tuple(left) or _doomed(actor))
    return ("more" if left else "deleted"), actor, {key: v for key, v in store.items() if key != name}


def bring_back(actor: Actor, store: dict[str, Version], world: World) -> Result:
    name, *left = _left(actor)
    actor = actor.remember(left=tuple(left) or _doomed(actor))
    copies = {name: Version("", 0)} if _trash(name, actor) in store else {}
    return ("more" if left else "copied"), actor, {**store, **copies}


def drop_copies(actor: Actor, store: dict[str, Version], world: World) -> Result:
    name, *left = _left(actor)
    actor = actor.remember(left=tuple(left))
    dropped = {_trash(name, actor), _mark(actor)}
    return ("more" if left else "dropped"), actor, {key: v for key, v in store.items() if key not in dropped}


def acknowledge(actor: Actor, store: dict[str, Version], world: World) -> Result:
    return "done", dataclasses.replace(actor, acknowledged=True), store


STEPS: Mapping[str, Step] = {
    "look": look,
    "listed": listed,
    "find": find,
    "create": create,
    "ensure": _head_reference,
    "put back first": create,
    "put delta": put_delta,
    "confirm": confirmed,
    "put back": create,
    "put whole": put_whole,
    "compare": compare,
    "remove other": remove_other,
    "check mine": check_mine,
    "delete older": delete_older,
    "delete newest": delete_newest,
    "any delta": look_for_deltas,
    "list references": list_references,
    "copy to trash": copy_to_trash,
    "delete references": delete_reference,
    "mark": mark,
    "mark seen": mark_seen,
    "any delta now": look_for_deltas,
    "bring back": bring_back,
    "drop copies": drop_copies,
    "acknowledge": acknowledge,
}


LISTINGS = {"listed", "find", "any delta", "list references", "mark seen", "any delta now"}
"""The steps that see what a listing shows; the others see what is there."""


def read(store: Stored, key: str, *, fallback: bool = True, trash: bool = True) -> str | None:
    """What a reader gets: the writer of the content, ``None`` for nothing there.

    Args:
        store: The store.
        key: The key.
        fallback: Whether an older whole form serves where the reference of the delta is nowhere.
        trash: Whether the trash is looked into.

    Raises:
        LookupError: It is there and cannot be read.
    """
    whole, delta = store.get(f"{key} whole"), store.get(f"{key} delta")
    if delta is not None and (whole is None or (whole.created, False) < (delta.created, True)):
        copies = [name for name in store if trash and name.startswith(f"trash {delta.reference} ")]
        if delta.reference in store or copies:
            return delta.writer
        if whole is None or not fallback:
            raise LookupError(key)
    return whole.writer if whole is not None else None


def _seen_other(actor: Actor) -> object:
    return actor.recall("whole" if actor.verb == "delta" else "delta")


def _created(actor: Actor) -> int:
    created = actor.recall("created")
    assert isinstance(created, int)
    return created


def _left(actor: Actor) -> tuple[str, ...]:
    left = actor.recall("left")
    assert isinstance(left, tuple)
    return left


def _doomed(actor: Actor) -> tuple[str, ...]:
    doomed = actor.recall("doomed")
    assert isinstance(doomed, tuple)
    return doomed


def _mark(actor: Actor) -> str:
    return f"mark by {actor.name}"


def _trash(name: str, actor: Actor) -> str:
    return f"trash {name} by {actor.name}"


def _deltas(store: Stored) -> list[str]:
    return [name for name in store if name.endswith(" delta")]
