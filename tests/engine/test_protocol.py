"""The engine does what the table says: each request it sends is a step, and each step follows from the one before."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from tests.engine.world import World, noise, revised
from tests.faults.wrapper import Call, ScriptedStore
from tests.model.table import read_table

TABLE = read_table()
V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")

_DELETED = ["delete references", "mark", "mark seen", "any delta now"]

# What a step looks like on the wire; the first that fits counts, and the key is "p/k.zip" or another of its directory.
_REFERENCES = "p/.deltaglider/references/"
_WIRE = [
    ("head", "p/reference.bin", {"find", "list references"}),  # Is there one of an earlier tool?
    ("head", f"{_REFERENCES}*", {"ensure", "confirm"}),
    ("head", "p/*", {"look", "compare", "check mine"}),
    ("fetch", f"{_REFERENCES}*", {"find"}),
    ("list_objects", _REFERENCES, {"find", "list references"}),
    ("list_objects", "p/", {"any delta", "any delta now"}),
    ("put", f"{_REFERENCES}*", {"create", "put back", "put back first"}),
    ("put", "p/.deltaglider/tmp/*", {"mark"}),
    ("put", "p/*.delta", {"put delta"}),
    ("put", "p/*", {"put whole"}),
    ("list_objects", "p/.deltaglider/tmp/*", {"mark seen"}),
    ("delete", "p/.deltaglider/tmp/*", {"mark seen"}),
    ("copy", "p/.deltaglider/trash/*", {"copy to trash"}),
    ("copy", f"{_REFERENCES}*", {"bring back"}),
    ("delete", "p/.deltaglider/trash/*", {"drop copies"}),
    ("delete", f"{_REFERENCES}*", {"delete references"}),
    ("delete", "p/*", {"delete older", "delete newest", "remove other"}),
]


def steps_of(call: Call) -> set[str]:
    for operation, pattern, steps in _WIRE:
        if call.operation == operation and fnmatchcase(call.key, pattern):
            return steps
    raise AssertionError(f"no step is a {call.operation} of {call.key}")


def path_of(store: ScriptedStore) -> list[str]:
    """The steps that the requests were; one way through the table that fits them all must exist."""
    ways: list[list[str]] = [["look"]]
    for call in store.calls:
        possible = steps_of(call)
        ways = [[*way, step] for way in ways for step in (way[-1], *_after(way[-1])) if step in possible]
        assert ways, f"{call.operation} of {call.key} follows from no step before it"
    ended = [way for way in ways if "acknowledge" in _after(way[-1])]
    assert ended, f"it ends after {sorted({way[-1] for way in ways})}"
    # A step that asks several things is met several times.
    return max((list(dict.fromkeys(way)) for way in ended), key=len)


def _after(step: str) -> set[str]:
    """The steps that may follow, also where one between them had nothing to ask."""
    silent = {"delete older"}
    direct = set(TABLE[step].then.values())
    return direct | {later for passed in direct & silent for later in TABLE[passed].then.values()}


async def begin(world: World, *files: tuple[str, bytes, bool]) -> tuple[Context, ScriptedStore]:
    """A bucket with these files (key, content, as a delta?), and a client that knows nothing of it."""
    for key, data, as_delta in files:
        await world.put(world.client(), key, data, delta=as_delta)
    return world.scripted()


async def test_a_first_upload(world: World) -> None:
    ctx, store = await begin(world)
    await world.put(ctx, "p/k.zip", V1)
    assert path_of(store) == ["look", "find", "create", "put delta", "confirm"]


async def test_a_second_upload(world: World) -> None:
    ctx, store = await begin(world, ("p/a.zip", V1, True))
    await world.put(ctx, "p/k.zip", V2)
    assert path_of(store) == ["look", "find", "put delta", "confirm"]


async def test_an_upload_whose_reference_was_retired(world: World) -> None:
    ctx, store = await begin(world)
    await world.put(ctx, "p/a.zip", V1)
    await delete(world.client(), world.bucket, "p/a.zip")
    store.calls.clear()
    await world.put(ctx, "p/k.zip", V2)
    assert path_of(store) == ["look", "put delta", "confirm", "put back"]


@pytest.mark.parametrize("retired", [False, True])
async def test_a_delta_replaces_a_delta(world: World, retired: bool) -> None:
    ctx, store = await begin(world)
    await world.put(ctx, "p/a.zip", V1)
    if retired:
        await delete(world.client(), world.bucket, "p/a.zip")
    await world.put(world.client(), "p/k.zip", V2)
    store.calls.clear()
    await world.put(ctx, "p/k.zip", V3)
    back = ["put back first"] if retired else []
    assert path_of(store) == ["look", "ensure", *back, "put delta", "confirm"]


async def test_a_delta_replaces_a_whole_object(world: World) -> None:
    ctx, store = await begin(world, ("p/a.zip", V1, True), ("p/k.zip", V2, False))
    await world.put(ctx, "p/k.zip", V3)
    steps = ["look", "find", "ensure", "put delta", "confirm", "compare", "remove other", "check mine"]
    assert path_of(store) == steps


async def test_a_whole_object_replaces_the_last_delta(world: World) -> None:
    ctx, store = await begin(world, ("p/k.zip", V1, True))
    await world.put(ctx, "p/k.zip", V2, delta=False)
    retire = ["any delta", "list references", "copy to trash", *_DELETED, "drop copies"]
    assert path_of(store) == ["look", "put whole", "compare", "remove other", "check mine", *retire]


async def test_the_delete_of_one_of_two_deltas(world: World) -> None:
    ctx, store = await begin(world, ("p/a.zip", V1, True), ("p/k.zip", V2, True))
    await delete(ctx, world.bucket, "p/k.zip")
    assert path_of(store) == ["look", "delete newest", "any delta"]


async def test_the_delete_of_the_last_delta(world: World) -> None:
    ctx, store = await begin(world, ("p/k.zip", V1, True))
    await delete(ctx, world.bucket, "p/k.zip")
    retire = ["any delta", "list references", "copy to trash", *_DELETED, "drop copies"]
    assert path_of(store) == ["look", "delete newest", *retire]


async def test_the_delete_of_the_last_delta_while_another_goes_up(world: World) -> None:
    ctx, store = await begin(world, ("p/k.zip", V1, True))
    other = world.client()
    await world.put(other, "p/a.zip", V2)
    await delete(ctx, world.bucket, "p/a.zip")
    store.calls.clear()
    store.before("copy", "*/trash/*", do=lambda call: world.put(other, "p/b.zip", V3))
    await delete(ctx, world.bucket, "p/k.zip")
    retire = ["any delta", "list references", "copy to trash", *_DELETED, "bring back"]
    assert path_of(store) == ["look", "delete newest", *retire, "drop copies"]
    assert await world.get(world.client(), "p/b.zip") == V3


async def test_the_delete_of_both_forms(world: World) -> None:
    ctx, store = await begin(world, ("p/a.zip", V1, True), ("p/k.zip", V2, True))
    await world.put_raw("p/k.zip", V3)
    await delete(ctx, world.bucket, "p/k.zip")
    path = path_of(store)
    assert path[:3] == ["look", "delete older", "delete newest"]
