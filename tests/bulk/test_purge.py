"""What lies under ``.deltaglider/tmp/`` is removed when its time is over, and not before; nothing else is touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deltaglider.bulk.purge import purge
from deltaglider.engine.context import Context
from deltaglider.engine.locate import locate
from deltaglider.engine.rehydrate import rehydrate
from deltaglider.errors import BucketNotFoundError, StoreUnavailableError
from deltaglider.models import Outcome, PurgeSummary
from tests.engine.clinic import V1, V2
from tests.engine.world import World
from tests.faults.wrapper import fail
from tests.servers import S3Endpoint

DAY = 86400.0
TMP = ".deltaglider/tmp/"


@pytest.fixture
async def filled(world: World, ctx: Context) -> World:
    """Objects, what is kept for them, and temporary things that are over or not."""
    await world.put(ctx, "v1/app.zip", V1)
    await world.put(ctx, "v2/app.zip", V2)
    await world.put_raw("tmp/mine", b"mine")
    await world.put_raw("v1/.deltaglider/tmp/mark", b"")
    for name, end in {
        "old": "2001-02-03T04:05:06",
        "older": "2001-02-03T04:05:06Z",
        "new": "2901-02-03T04:05:06",
    }.items():
        await world.put_raw(f"{TMP}{name}_a.zip", V1, {"dg-expires-at": end, "dg-rehydrated": "true"})
    await world.put_raw(f"{TMP}bare", b"bare")
    await world.put_raw(f"{TMP}nonsense", b"nonsense", {"dg-expires-at": "soon"})
    return world


async def test_what_is_over_goes_and_the_rest_stays(filled: World, ctx: Context) -> None:
    filled.age(f"{TMP}new_a.zip", 400 * 86400)
    before = set(await filled.stored())
    told: list[Outcome] = []
    summary = await purge(ctx, filled.bucket, older_than=DAY, report=told.append)
    assert summary == PurgeSummary(filled.bucket, removed=2, kept=3, size=2 * len(V1))
    gone = {f"{TMP}old_a.zip", f"{TMP}older_a.zip"}
    assert set(await filled.stored()) == before - gone
    assert {(one.action, one.status, one.source) for one in told} == {
        ("delete", "done", f"s3://{filled.bucket}/{key}") for key in gone
    }
    for key in ("bare", "nonsense"):
        filled.age(TMP + key, int(DAY))
    assert (await purge(ctx, filled.bucket, older_than=DAY)).removed == 2
    assert (await purge(ctx, filled.bucket, older_than=0.0)) == PurgeSummary(filled.bucket, kept=1)
    assert set(await filled.stored()) == before - gone - {f"{TMP}bare", f"{TMP}nonsense"}
    assert await filled.get(filled.client(), "v2/app.zip") == V2


async def test_a_dry_run_only_tells(filled: World, ctx: Context) -> None:
    before = await filled.stored()
    told: list[Outcome] = []
    summary = await purge(ctx, filled.bucket, older_than=DAY, dryrun=True, report=told.append)
    assert summary == PurgeSummary(filled.bucket, removed=2, kept=3, size=2 * len(V1))
    assert {one.status for one in told} == {"planned"}
    assert await filled.stored() == before


async def test_one_failure_does_not_stop_the_others(filled: World) -> None:
    ctx, store = filled.scripted()
    store.before("delete", f"{TMP}old_a.zip", do=fail(StoreUnavailableError("down")))
    summary = await purge(ctx, filled.bucket, older_than=DAY)
    assert (summary.removed, summary.failed, summary.kept) == (1, 1, 3)
    assert [failure.source for failure in summary.failures] == [f"s3://{filled.bucket}/{TMP}old_a.zip"]


async def test_a_file_that_somebody_has_just_been_promised_stays(filled: World, ctx: Context) -> None:
    stay = await rehydrate(ctx, "v2/app.zip", await locate(ctx, filled.bucket, "v2/app.zip"), 1)
    assert stay is not None
    assert stay.until <= datetime.now(UTC) + timedelta(seconds=2)
    scripted, store = filled.scripted()

    async def promise(call: object) -> None:
        longer = await rehydrate(ctx, "v2/app.zip", await locate(ctx, filled.bucket, "v2/app.zip"), 3600)
        assert longer is not None
        promised.append(longer.stored_key)

    promised: list[str] = []
    store.before("delete", f"{TMP}old_a.zip", do=promise)
    await purge(scripted, filled.bucket, older_than=0.0)
    assert await filled.body(promised[0]) == V2


async def test_what_somebody_else_removes_meanwhile(filled: World) -> None:
    ctx, store = filled.scripted()
    store.before("head", f"{TMP}old_a.zip", do=lambda call: filled.store.delete(filled.bucket, call.key))
    assert (await purge(ctx, filled.bucket, older_than=DAY)).removed == 1


async def test_nothing_to_do_and_nowhere(world: World, ctx: Context) -> None:
    assert await purge(ctx, world.bucket, older_than=DAY) == PurgeSummary(world.bucket)
    with pytest.raises(BucketNotFoundError):
        await purge(ctx, "no-such-bucket", older_than=DAY)


@pytest.mark.endpoints("weed")
async def test_uploads_in_parts_that_were_not_completed(any_world: World) -> None:
    world, ctx = any_world, any_world.client()
    assert isinstance(world.endpoint, S3Endpoint)
    server = world.endpoint.client()
    for key in (f"{TMP}{'0' * 64}/0/20261122T000000Z/app.zip", "tmp/mine.zip"):
        server.create_multipart_upload(Bucket=world.bucket, Key=key)
    assert await purge(ctx, world.bucket, older_than=DAY) == PurgeSummary(world.bucket, kept=1)
    assert await purge(ctx, world.bucket, older_than=0.0) == PurgeSummary(world.bucket, removed=1)
    left = server.list_multipart_uploads(Bucket=world.bucket)["Uploads"]
    assert [upload["Key"] for upload in left] == ["tmp/mine.zip"]
