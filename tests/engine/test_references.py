"""References: shared by the versions of a thing, adopted from earlier tools, healed, and replaced when damaged."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest

from deltaglider.engine.context import Context, Flights
from deltaglider.engine.retire import retire
from deltaglider.errors import AccessDeniedError, IntegrityError, StoreUnavailableError
from tests.engine.world import World, noise, reference_at, revised, sha256
from tests.faults.wrapper import Gate, fail

V1 = noise("v1")
V2 = revised(V1, "v2")
V3 = revised(V1, "v3")


def classic(data: bytes, name: str = "app.zip") -> dict[str, str]:
    """The metadata of a reference as deltaglider 6.2.0 writes it."""
    return {
        "dg-tool": "deltaglider/6.2.0",
        "dg-source-name": name,
        "dg-file-sha256": sha256(data),
        "dg-created-at": "2025-01-02T03:04:05.678901Z",
        "dg-note": "reference",
    }


async def only_references(world: World) -> list[str]:
    return [key for key in await world.stored() if key.endswith("reference.bin")]


@pytest.mark.parametrize(
    ("keys", "deltaspace"),
    [
        (("releases/v1.0.0/app.zip", "releases/v2.0.0/app.zip"), "releases/"),
        (("v1.0.0/app-v1.zip", "v2.0.0/app-v2.zip"), ""),
        (("nightly/2026-11-21/db.dump", "nightly/2026-11-22/db.dump"), "nightly/"),
        (("ci/build-117/out/a.zip", "ci/build-117/out/b.zip"), "ci/build-117/out/"),
        (("nginx/nginx-1.26.1/pkg.deb", "nginx/nginx-1.27.0/pkg.deb"), "nginx/"),
        (("a/v1/build-3/x.zip", "a/v2/build-4/x.zip"), "a/"),
    ],
)
async def test_version_directories_share_a_reference(
    world: World, ctx: Context, keys: tuple[str, str], deltaspace: str
) -> None:
    await world.put(ctx, keys[0], V1)
    assert (await world.put(world.client(), keys[1], V2)).operation == "create_delta"
    assert await only_references(world) == [reference_at(deltaspace, V1)]
    fresh = world.client()
    assert [await world.get(fresh, key) for key in keys] == [V1, V2]


async def test_in_directory_mode_each_directory_has_its_own(world: World) -> None:
    ctx = world.client(deltaspace="directory")
    await world.put(ctx, "releases/v1/app.zip", V1)
    await world.put(ctx, "releases/v2/app.zip", V2)
    assert await only_references(world) == [reference_at("releases/v1/", V1), reference_at("releases/v2/", V2)]
    # Whoever reads follows what is recorded, whatever its own mode.
    assert await world.get(world.client(), "releases/v2/app.zip") == V2


async def test_a_client_fetches_a_reference_once(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/a.zip", V1)
    other, store = world.scripted()
    for number in range(3):
        await world.put(other, f"p/{number}.zip", revised(V1, number))
        await world.get(other, f"p/{number}.zip")
    assert store.count("fetch", "*reference.bin") == 1
    assert store.count("list_objects", "*references/") == 1


@pytest.mark.parametrize("older", [V1, V2], ids=["V1", "V2"])
async def test_the_oldest_of_several_references_is_taken(world: World, older: bytes) -> None:
    # As two clients leave them that were both the first.
    for data in (V1, V2):
        await world.put_raw(reference_at("p/", data), data, classic(data))
    world.age(reference_at("p/", older), 2)
    assert (await world.put(world.client(), "p/c.zip", V3)).operation == "create_delta"
    assert (await world.store.head(world.bucket, "p/c.zip.delta")).metadata["dg-ref-sha256"] == sha256(older)


async def test_a_damaged_reference_is_passed_over_for_a_new_one(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.damage(reference_at("p/", V1))
    ctx = world.client()
    assert (await world.put(ctx, "p/b.zip", V2)).operation == "create_reference"
    assert await world.get(world.client(), "p/b.zip") == V2
    with pytest.raises(IntegrityError):
        await world.get(world.client(), "p/a.zip")
    # The next one goes against the good one at once.
    assert (await world.put(world.client(), "p/c.zip", V3)).operation == "create_delta"
    assert await world.get(world.client(), "p/c.zip") == V3


async def test_uploading_the_same_file_again_heals_a_damaged_reference(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    await world.put(world.client(), "p/b.zip", V2)
    await world.damage(reference_at("p/", V1))
    await world.put(world.client(), "p/again.zip", V1)
    fresh = world.client()
    assert await world.get(fresh, "p/b.zip") == V2
    assert await only_references(world) == [reference_at("p/", V1)]


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(
    "error", [StoreUnavailableError("down", uri="s3://b/k"), AccessDeniedError("no", uri="s3://b")]
)
async def test_no_answer_about_references_is_never_taken_for_none(world: World, where: str, error: Exception) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    before = await world.stored()
    ctx, store = world.scripted()
    rule = getattr(store, where)("list_objects", "*references/", do=fail(error))
    with pytest.raises(type(error)):
        await world.put(ctx, "p/b.zip", V2)
    assert rule.hits == 1
    assert await world.stored() == before


@pytest.mark.parametrize("key", ["p/b.zip", "p/b.zip.delta", "p/reference.bin"])
async def test_no_answer_to_a_head_is_never_taken_for_absence(world: World, key: str) -> None:
    ctx, store = world.scripted()
    rule = store.before("head", key, do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await world.put(ctx, "p/b.zip", V2)
    assert rule.hits == 1
    assert await world.stored() == {}


async def test_no_answer_to_fetching_a_reference_is_never_taken_for_damage(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    before = await world.stored()
    ctx, store = world.scripted()
    store.before("fetch", "*reference.bin", do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await world.put(ctx, "p/b.zip", V2)
    assert await world.stored() == before


@pytest.mark.parametrize("first", [True, False])
async def test_a_reference_that_vanishes_while_it_is_used_is_put_back(world: World, first: bool) -> None:
    reference = reference_at("p/", V1)
    if not first:
        await world.put(world.client(), "p/a.zip", V1)
    ctx, store = world.scripted()
    # A deleter takes it away just before the uploader looks again.
    rule = store.after("put", "*.delta", nth=1, do=lambda call: store.inner.delete(call.bucket, reference))
    await world.put(ctx, "p/b.zip", V1 if first else V2)
    assert rule.hits == 1
    assert store.count("put", reference) == (2 if first else 1)
    assert await world.get(world.client(), "p/b.zip") == (V1 if first else V2)
    assert (await world.stored())[reference].metadata["dg-note"] == "reference"


async def test_a_reference_that_vanishes_each_time_is_an_error(world: World) -> None:
    await world.put(world.client(), "p/a.zip", V1)
    reference = reference_at("p/", V1)
    ctx, store = world.scripted()
    store.before("head", reference, do=lambda call: store.inner.delete(call.bucket, call.key))
    with pytest.raises(IntegrityError, match="vanishes"):
        await world.put(ctx, "p/b.zip", V2)


async def test_a_store_that_fails_while_confirming_fails_the_upload_and_keeps_the_reference(world: World) -> None:
    ctx, store = world.scripted()
    store.before("head", reference_at("p/", V1), do=fail(StoreUnavailableError("down", uri="s3://b/k")))
    with pytest.raises(StoreUnavailableError):
        await world.put(ctx, "p/a.zip", V1)
    # The delta may be there, so what it needs must be.
    assert list(await world.stored()) == [reference_at("p/", V1), "p/a.zip.delta"]
    assert await world.get(world.client(), "p/a.zip") == V1


@pytest.mark.endpoints("directory", "moto")
async def test_a_classic_reference_is_adopted_by_its_content(any_world: World) -> None:
    world = any_world
    await world.put_raw("p/reference.bin", V1, classic(V1))
    ctx = world.client()
    summary = await world.put(ctx, "p/b.zip", V2)
    assert summary.operation == "create_delta"
    stored = await world.stored()
    assert list(stored) == [reference_at("p/", V1), "p/b.zip.delta", "p/reference.bin"]
    adopted = stored[reference_at("p/", V1)]
    assert adopted.metadata["dg-note"] == "reference"
    assert adopted.metadata["dg-file-size"] == str(len(V1))
    assert adopted.metadata["dg-source-name"] == "app.zip"
    assert stored["p/b.zip.delta"].metadata["dg-ref-key"] == reference_at("p/", V1)
    assert stored["p/reference.bin"].metadata == classic(V1)
    # It hangs on the copy alone.
    await world.store.delete(world.bucket, "p/reference.bin")
    assert await world.get(world.client(), "p/b.zip") == V2


@pytest.mark.parametrize("mode", ["versioned", "directory"])
async def test_a_classic_reference_of_a_version_directory_is_adopted_too(world: World, mode: str) -> None:
    await world.put_raw("r/v1/reference.bin", V1, classic(V1))
    await world.put(world.client(deltaspace=mode), "r/v1/b.zip", V2)
    deltaspace = "r/" if mode == "versioned" else "r/v1/"
    assert await only_references(world) == sorted([reference_at(deltaspace, V1), "r/v1/reference.bin"])
    assert await world.get(world.client(), "r/v1/b.zip") == V2


async def test_a_damaged_classic_reference_is_not_adopted(world: World) -> None:
    await world.put_raw("p/reference.bin", noise("damaged"), classic(V1))
    summary = await world.put(world.client(), "p/b.zip", V2)
    assert summary.operation == "create_reference"
    assert await only_references(world) == [reference_at("p/", V2), "p/reference.bin"]
    assert await world.get(world.client(), "p/b.zip") == V2


@pytest.mark.parametrize("change", ["deleted", "replaced"])
async def test_a_classic_reference_that_changes_while_it_is_adopted(world: World, change: str) -> None:
    await world.put_raw("p/reference.bin", V1, classic(V1))
    ctx, store = world.scripted()

    async def meddle(call: Any) -> None:
        if change == "deleted":
            await store.inner.delete(call.bucket, "p/reference.bin")
        else:
            await world.put_raw("p/reference.bin", V3, classic(V3))

    rule = store.before("copy", "*references/*", nth=1, do=meddle)
    await world.put(ctx, "p/b.zip", V2)
    assert rule.hits == 1
    assert await world.get(world.client(), "p/b.zip") == V2
    for key in await only_references(world):
        assert key == "p/reference.bin" or key == reference_at("p/", await world.body(key))


async def test_a_users_own_file_called_reference_bin_is_nothing_to_adopt(world: World, ctx: Context) -> None:
    await world.put(ctx, "p/reference.bin", V1)
    await world.put(ctx, "p/a.zip", V2)
    await world.put(ctx, "p/b.zip", V3)
    assert await only_references(world) == [reference_at("p/", V2), "p/reference.bin"]
    assert await world.names(ctx) == ["p/a.zip", "p/b.zip", "p/reference.bin"]
    assert await world.get(ctx, "p/reference.bin") == V1


async def test_a_first_file_may_be_uploaded_while_another_waits_for_its_reference(world: World) -> None:
    """One client, two first files: the second waits for the first one's reference and uses it."""
    ctx, store = world.scripted()
    gate = Gate()
    store.before("put", "*reference.bin", do=gate)
    results = []

    async def second() -> None:
        await gate.reached.wait()
        results.append(await world.put(ctx, "p/b.zip", V2))

    async def opener() -> None:
        await gate.reached.wait()
        while not any(call.operation == "head" and call.key == "p/b.zip" for call in store.calls):
            await anyio.sleep(0.001)
        gate.open()

    async with anyio.create_task_group() as group:
        group.start_soon(second)
        group.start_soon(opener)
        results.append(await world.put(ctx, "p/a.zip", V1))
    assert sorted(summary.operation for summary in results) == ["create_delta", "create_reference"]
    assert await only_references(world) == [reference_at("p/", V1)]
    assert await retire(ctx, world.bucket, "p/") is False


@pytest.mark.parametrize("ends", ["well", "badly", "cancelled"])
async def test_the_upload_begun_first_leads_and_gives_the_lead_up_however_it_ends(world: World, ends: str) -> None:
    ctx, store = world.scripted()
    gate = Gate()
    store.before("head", "p/slow.zip*", do=gate)
    if ends == "badly":
        store.before("put", "p/.deltaglider/*", nth=1, do=fail(AccessDeniedError("denied", status=403)))
    first: list[anyio.CancelScope] = []

    async def lead() -> None:
        with anyio.CancelScope() as scope:
            first.append(scope)
            try:
                await world.put(ctx, "p/slow.zip", V1)
            except AccessDeniedError:
                assert ends == "badly"

    async def follow(key: str, data: bytes) -> None:
        await world.put(ctx, key, data)

    async with anyio.create_task_group() as group:
        group.start_soon(lead)
        await gate.reached.wait()
        group.start_soon(follow, "p/b.zip", V2)
        group.start_soon(follow, "p/c.zip", V3)
        while store.count("head", "p/[bc].zip*") < 4:
            await anyio.sleep(0.001)
        assert not store.count("put")
        if ends == "cancelled":
            first[0].cancel()
        else:
            gate.open()
    references = await only_references(world)
    assert len(references) == 1
    if ends == "well":
        assert references == [reference_at("p/", V1)]
    else:
        assert references[0] in {reference_at("p/", V2), reference_at("p/", V3)}
    assert [await world.get(world.client(), key) for key in ("p/b.zip", "p/c.zip")] == [V2, V3]


async def test_a_file_that_is_stored_whole_after_all_leads_nobody(world: World) -> None:
    """Its metadata leave no room for those of a delta; while it goes up, the others go on."""
    ctx, store = world.scripted()
    gate = Gate()
    store.before("put", "p/large.zip", do=gate)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(world.put, ctx, "p/large.zip", V1, metadata={"x": "y" * 1_625}))
        await gate.reached.wait()
        with anyio.fail_after(30):
            await world.put(ctx, "p/b.zip", V2)
        gate.open()
    assert await only_references(world) == [reference_at("p/", V2)]


async def test_what_a_client_remembers_of_deltaspaces_is_bounded_and_spares_those_at_work() -> None:
    flights = Flights()
    busy = flights.of("b", "busy/")
    async with busy.lock:
        for number in range(5_000):
            flights.of("b", f"{number}/").reference = ("key", "sha", number)
        assert flights.of("b", "busy/") is busy
    assert len(flights._flights) <= 4_097
    assert flights.of("b", "4999/").reference == ("key", "sha", 4999)
    assert flights.of("b", "0/").reference is None
    flights.forget("b", "4999/")
    assert flights.of("b", "4999/").reference is None
    flights.forget("b", "never met/")
