from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deltaglider.bulk.remote import downloadable, remote_entries
from deltaglider.layout.uri import S3Uri
from deltaglider.models import ObjectInfo, Prefix
from tests.bulk.world import World, collect, info, problem, remote, stream

PLACE = S3Uri("b", "p/")


async def names(world: World, place: S3Uri = PLACE, **options: object) -> list[str]:
    return [item.name for item in await collect(remote_entries(world.verbs().listing, place, **options))]


async def test_names_are_relative_to_the_place() -> None:
    world = World()
    world.put({"p/a": "1", "p/d/b": "22", "p2/x": "3", "p-old": "4"})
    found = await collect(remote_entries(world.verbs().listing, PLACE))
    assert [(item.name, item.where, getattr(item, "size", None)) for item in found] == [
        ("a", "s3://b/p/a", 1),
        ("d/b", "s3://b/p/d/b", 2),
    ]


async def test_the_whole_bucket() -> None:
    world = World()
    world.put({"a": "1", "p/b": "2"})
    assert await names(world, S3Uri("b")) == ["a", "p/b"]


async def test_markers_of_directories_are_left_out_unless_asked_for() -> None:
    world = World()
    world.put({"p/": "", "p/d/": "", "p/e/": "full", "p/empty": ""})
    assert await names(world) == ["e/", "empty"]
    assert await names(world, markers=True) == ["", "d/", "e/", "empty"]


async def test_a_part_may_be_left_out() -> None:
    world = World()
    world.put({"p/a": "1", "p/in": "1", "p/in/a": "1", "p/in2/a": "1"})
    assert await names(world, without="in/") == ["a", "in", "in2/a"]


async def test_the_listing_is_closed_when_nobody_wants_the_rest() -> None:
    closed = []

    async def listing(place: S3Uri) -> AsyncIterator[ObjectInfo | Prefix]:
        try:
            yield Prefix("b", "p/never/")
            for number in range(100):
                yield info(f"{place.key}{number:03}")
        finally:
            closed.append(True)

    entries = remote_entries(listing, PLACE)
    assert (await anext(entries)).name == "000"
    await entries.aclose()
    assert closed


async def test_a_listing_may_be_any_iterator() -> None:
    class Listing:
        def __init__(self, place: S3Uri) -> None:
            self.left = [info(f"{place.key}a"), info(f"{place.key}b")]

        def __aiter__(self) -> AsyncIterator[ObjectInfo | Prefix]:
            return self

        async def __anext__(self) -> ObjectInfo | Prefix:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert [item.name for item in await collect(remote_entries(Listing, PLACE))] == ["a", "b"]


async def test_unfit_names_become_problems() -> None:
    entries = stream([remote("../x"), remote("a"), problem("b")])
    found = await collect(downloadable(entries))
    assert [(item.name, getattr(item, "message", None)) for item in found] == [
        ("../x", "File references a parent directory."),
        ("a", None),
        ("b", "File does not exist."),
    ]
    assert found[0].where == "s3://b/../x"


@pytest.mark.parametrize("key", ["p/../../x", "p//etc/passwd"])
async def test_keys_are_taken_as_they_are(key: str) -> None:
    world = World()
    world.put({key: "1"})
    assert await names(world) == [key[2:]]
