"""Stores that show what was there before: what holds, and where nothing can.

Listings that never go back in time are believed when they show a mark, and lose nothing. Listings of which one may be
older than the one before, and reads that do not show what was stored, can cost a reference. These tests show how, and
what helps; docs/troubleshooting.md says so to users.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider.engine import retire
from deltaglider.engine.context import Context
from deltaglider.engine.delete import delete
from deltaglider.errors import ReferenceMissingError
from tests.engine.clinic import diagnose
from tests.engine.world import World, noise, reference_at, revised, world_on
from tests.faults.hostile import HostileS3, Temper
from tests.faults.wrapper import Call

OLD = noise("old")
NEW = revised(OLD, "new")
GOOD = Temper(memory=3600)


@pytest.fixture(scope="module")
def server() -> Iterator[HostileS3]:
    held = HostileS3(GOOD)
    with held:
        yield held


@pytest.fixture
async def world(server: HostileS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(retire, "_PATIENCE", (0.01, 0.01))
    server.temper = GOOD
    async with world_on(server.endpoint, server.endpoint.make_bucket(), tmp_path / "world") as world:
        yield world


class Meeting:
    """A delta is uploaded when a deleter has seen none, and before it removes the reference."""

    def __init__(self, world: World, server: HostileS3, **settings: Any) -> None:
        self.world = world
        self.server = server
        self.uploader = world.client(**settings)
        self.deleter, self.script = world.scripted(**settings)
        self.script.before("delete", "*/references/*", nth=1, do=self.meet)
        self.script.before("list_objects", do=self.list_late)
        self.before_upload = 0.0
        self.late = "*"

    async def meet(self, call: Call) -> None:
        self.before_upload = time.monotonic()
        await self.world.put(self.uploader, "p/new.zip", NEW)

    def list_late(self, call: Call) -> None:
        late = self.before_upload and self.late in ("*", call.key)
        self.server.temper = dataclasses.replace(GOOD, listing_at=self.before_upload if late else None)

    async def happen(self) -> None:
        await self.world.put(self.uploader, "p/old.zip", OLD)
        await delete(self.deleter, self.world.bucket, "p/old.zip")
        self.server.temper = GOOD

    async def read(self, ctx: Context | None = None) -> bytes:
        return await self.world.get(ctx or self.world.client(), "p/new.zip")


async def test_listings_that_are_late_lose_nothing(world: World, server: HostileS3) -> None:
    meeting = Meeting(world, server)
    await meeting.happen()
    assert meeting.before_upload
    assert await meeting.read() == NEW
    assert reference_at("p/", OLD) in await world.stored()


async def test_a_listing_older_than_the_one_before_can_cost_a_reference(world: World, server: HostileS3) -> None:
    meeting = Meeting(world, server)
    # The mark is listed, and then a listing shows what was there before it.
    meeting.late = "p/"
    await meeting.happen()
    with pytest.raises(ReferenceMissingError, match=r"p/new\.zip"):
        await meeting.read()
    # Whoever has the reference in his cache still reads it; and it comes back with the next upload of the file.
    assert await meeting.read(meeting.uploader) == NEW
    await world.put(meeting.uploader, "p/new.zip", NEW)
    assert await meeting.read() == NEW


async def test_references_that_are_never_retired_need_no_listing(world: World, server: HostileS3) -> None:
    meeting = Meeting(world, server, retire_references=False)
    meeting.late = "p/"
    await world.put(meeting.uploader, "p/old.zip", OLD)
    await delete(meeting.deleter, world.bucket, "p/old.zip")
    assert list(await world.stored()) == [reference_at("p/", OLD)]
    assert meeting.script.count("list_objects") == 0
    await world.put(meeting.uploader, "p/new.zip", NEW)
    assert await meeting.read() == NEW


async def test_an_upload_is_refused_where_a_store_does_not_show_what_was_stored(
    world: World, server: HostileS3
) -> None:
    server.temper = Temper(memory=3600, reading_lag=3600)
    with pytest.raises(ReferenceMissingError, match="does not show at once what it stored cannot be used"):
        await world.put(world.client(), "p/old.zip", OLD)
    server.temper = GOOD
    # It was not acknowledged, and is no trap for those who come later.
    assert await world.get(world.client(), "p/old.zip") == OLD


async def test_a_store_that_shows_what_is_gone_can_cost_a_reference(world: World, server: HostileS3) -> None:
    uploader = world.client()
    deleter, script = world.scripted()
    await world.put(uploader, "p/old.zip", OLD)
    before = time.monotonic()

    async def meet(call: Call) -> None:
        # The deleter has looked for the last time. The uploader looks, too, and sees the reference that is gone.
        server.temper = dataclasses.replace(GOOD, reading_at=before)
        await world.put(uploader, "p/new.zip", NEW)
        server.temper = GOOD

    script.before("delete", "*/trash/*", nth=1, do=meet)
    await delete(deleter, world.bucket, "p/old.zip")
    with pytest.raises(ReferenceMissingError, match=r"p/new\.zip"):
        await world.get(world.client(), "p/new.zip")
    assert await world.get(uploader, "p/new.zip") == NEW


async def test_the_doctor_believes_no_late_listing(world: World, server: HostileS3) -> None:
    uploader, other = world.client(), world.client()
    # A reference that the uploader remembers, and that no delta needs, beside one that is needed.
    await world.put(uploader, "p/old.zip", OLD)
    spare = reference_at("p/", OLD)
    kept = await world.store.head(world.bucket, spare)
    for key in ("p/old.zip.delta", spare):
        await world.store.delete(world.bucket, key)
    await world.put(other, "p/other.zip", noise("other"))
    await world.put_raw(spare, OLD, kept.metadata)
    surgeon, script = world.scripted()

    async def meet(call: Call) -> None:
        before = time.monotonic()
        await world.put(uploader, "p/new.zip", NEW)
        server.temper = dataclasses.replace(GOOD, listing_at=before)

    script.before("delete", spare, nth=1, do=meet)
    await diagnose(surgeon, world, repair=True)
    assert server.temper != GOOD
    server.temper = GOOD
    assert await world.get(world.client(), "p/new.zip") == NEW


async def test_the_doctor_leaves_references_where_they_shall_stay(world: World) -> None:
    careful = world.client(retire_references=False)
    await world.put(careful, "p/old.zip", OLD)
    await delete(careful, world.bucket, "p/old.zip")
    assert [state for _, _, state in await diagnose(careful, world, repair=True)] == ["note"]
    assert list(await world.stored()) == [reference_at("p/", OLD)]
    assert [state for _, _, state in await diagnose(world.client(), world, repair=True)] == ["mended"]
    assert list(await world.stored()) == []
