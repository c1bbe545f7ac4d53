"""``sync --checksum``: content decides, its hashes are had once, and what cannot be read is tried."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deltaglider.bulk import BulkOptions, engine_verbs, sync_across, sync_down, sync_up
from deltaglider.bulk.contents import Contents, Mark, same, settled
from deltaglider.bulk.plan import Delete, Doubt, Transfer, Unchanged
from deltaglider.cache import hashes
from deltaglider.files import Digests
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BulkSummary, ObjectInfo
from tests.bulk.world import NOON, collect, info, local, problem, remote, stream, write
from tests.engine.asked import Asked
from tests.engine.world import World, noise, revised, world_on
from tests.servers import Endpoint

ONE, TWO = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"2").hexdigest()
M1, M2 = hashlib.md5(b"1").hexdigest(), hashlib.md5(b"2").hexdigest()
V1 = noise("v1")
V2 = revised(V1, "v2")
BY_CONTENT = BulkOptions(checksum=True)


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        (Mark(sha256=ONE), Mark(sha256=ONE), True),
        (Mark(sha256=ONE), Mark(sha256=TWO), False),
        pytest.param(Mark(ONE, M1), Mark(TWO, M1, M1), False, id="SHA-256 beats MD5"),
        pytest.param(Mark(ONE, M1), Mark(ONE, M2, M2), True, id="also where an encrypted object's ETag is no MD5"),
        (Mark(ONE, M1), Mark("", M1, M1), True),
        (Mark(ONE, M1), Mark("", M2, M2), False),
        (Mark(ONE, M1), Mark("", "", f"{M1}-2"), None),
        (Mark("", "", f"{M1}-2"), Mark("", "", f"{M1}-2"), True),
        (Mark("", "", f"{M1}-2"), Mark("", "", f"{M1}-3"), None),
        (Mark("", M1, M1), Mark("", "", f"{M1}-3"), None),
        (Mark(), Mark(), None),
    ],
)
def test_what_tells_that_contents_are_the_same(source: Mark, target: Mark, verdict: bool | None) -> None:
    assert same(source, target) is verdict
    assert same(target, source) is verdict


async def plan(steps: Iterable[Any], contents: Contents) -> list[Any]:
    return await collect(settled(stream(steps), contents, lambda source, target: source.name < "m"))


async def test_a_plan_keeps_its_order_and_leaves_nothing_open() -> None:
    gone = problem("p")

    async def digests(paths: Sequence[Path]) -> list[Digests | None]:
        return [None if path.name == "c" else Digests(1, ONE if path.name == "a" else TWO, "") for path in paths]

    async def described(infos: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        return [dataclasses.replace(one, sha256=ONE if one.key < "d" else "") for one in infos]

    doubts = [Doubt(local(name), remote(name)) for name in "abcdz"]
    steps = [Unchanged(), doubts[0], Transfer(local("aa")), doubts[1], gone, doubts[2], Delete("x", 1), *doubts[3:]]
    assert await plan(steps, Contents(digests, described)) == [
        Unchanged(),
        Unchanged(),
        Transfer(local("aa")),
        Transfer(local("b")),
        gone,
        Transfer(local("c")),
        Delete("x", 1),
        Transfer(local("d")),
        Unchanged(),
    ]


@pytest.mark.parametrize("size", [1, 1 << 29])
async def test_not_much_waits_for_contents(size: int) -> None:
    asked: list[int] = []

    async def digests(paths: Sequence[Path]) -> list[Digests | None]:
        asked.append(len(paths))
        return [Digests(size, ONE, M1)] * len(paths)

    async def described(infos: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        return [dataclasses.replace(one, sha256=ONE) for one in infos]

    doubts = [Doubt(local(f"{number:04}", size), remote(f"{number:04}", size)) for number in range(600)]
    assert await plan(doubts, Contents(digests, described)) == [Unchanged()] * 600
    assert max(asked) == (256 if size == 1 else 2)
    assert sum(asked) == 600


async def test_other_steps_do_not_pile_up_behind_one_that_is_open() -> None:
    drawn = 0

    async def steps() -> AsyncIterator[Any]:
        nonlocal drawn
        yield Doubt(remote("a"), remote("a"))
        for number in range(5000):
            drawn += 1
            yield Transfer(remote(f"b{number:04}"))

    async def described(infos: Sequence[ObjectInfo]) -> list[ObjectInfo]:
        return list(infos)

    found = settled(steps(), Contents(stored=described), lambda source, target: True)  # type: ignore[arg-type,var-annotated]
    assert await anext(found) == Unchanged()  # Their ETags are the same.
    assert drawn < 1100
    await found.aclose()
    assert info("a").etag


# The real thing: files, deltas, whole objects, and objects of other tools.


@pytest.fixture
async def any_world(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(endpoint, endpoint.make_bucket(), tmp_path / "home") as made:
        yield made


@pytest.fixture(autouse=True)
def _old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this moment count as settled: tests do not wait."""
    monkeypatch.setattr(hashes, "SETTLED", -60.0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were hashed."""
    names: list[str] = []
    real = hashes.digests_of

    def spy(path: Path) -> Digests:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(hashes, "digests_of", spy)
    return names


def touch(root: Path, seconds: float) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            moment = (NOON + timedelta(seconds=seconds)).timestamp()
            os.utime(path, (moment, moment))


def tree(root: Path) -> Path:
    return write(root, {"a/v1.zip": V1, "a/v2.zip": V2, "notes.txt": b"notes", "sub/other.txt": b"other", "empty": b""})


@pytest.mark.endpoints("directory", "moto")
async def test_up_only_what_really_changed_goes(any_world: World, tmp_path: Path, read: list[str]) -> None:
    world, src = any_world, tree(tmp_path / "src")
    target = S3Uri(world.bucket, "p/")
    assert (await sync_up(engine_verbs(world.client()), src, target)).done == 5
    await world.put_raw("p/foreign.bin", b"of another tool")
    write(src, {"foreign.bin": b"of another tool"})
    touch(src, 3600 * 24 * 365)  # Newer than all that is stored, as a fresh checkout is.

    first = Asked(world)
    summary = await sync_up(engine_verbs(first.ctx), src, target, BY_CONTENT)
    assert (summary.done, summary.unchanged) == (0, 6)
    assert first.requests() == {"list_objects": 1, "head": 6}
    assert sorted(read) == ["empty", "foreign.bin", "notes.txt", "other.txt", "v1.zip", "v2.zip"]

    # Same size, same time: only the content tells.
    stamp = (src / "notes.txt").stat().st_mtime_ns
    (src / "notes.txt").write_bytes(b"NOTES")
    os.utime(src / "notes.txt", ns=(stamp, stamp))
    (src / "a/v2.zip").write_bytes(V2[:-1] + b"!")
    touch(src, -3600 * 24 * 365)
    read.clear()
    for path in src.rglob("*.zip"):
        os.utime(path)
    outcomes: list[str] = []
    second = Asked(world)
    summary = await sync_up(
        engine_verbs(second.ctx), src, target, BY_CONTENT, report=lambda outcome: outcomes.append(outcome.source)
    )
    assert sorted(outcomes) == [str(src / "a/v2.zip"), str(src / "notes.txt")]
    assert (summary.done, summary.unchanged) == (2, 4)
    assert await world.get(second.ctx, "p/notes.txt") == b"NOTES"
    assert (await sync_up(engine_verbs(Asked(world).ctx), src, target, BY_CONTENT)).unchanged == 6


async def test_a_warm_run_reads_no_file_and_asks_for_nothing_but_the_listing(
    any_world: World, tmp_path: Path, read: list[str]
) -> None:
    world, src = any_world, tree(tmp_path / "src")
    target = S3Uri(world.bucket, "p/")
    assert (await sync_up(engine_verbs(world.client()), src, target)).done == 5
    assert (await sync_up(engine_verbs(Asked(world).ctx), src, target, BY_CONTENT)).unchanged == 5
    assert len(read) == 5
    read.clear()
    warm = Asked(world)
    assert (await sync_up(engine_verbs(warm.ctx), src, target, BY_CONTENT)).unchanged == 5
    assert warm.requests() == {"list_objects": 1}
    assert read == []
    without = Asked(world, notes_size=0)
    assert (await sync_up(engine_verbs(without.ctx), src, target, BY_CONTENT)).unchanged == 5
    assert without.requests() == {"list_objects": 1, "head": 5}


async def test_down_only_what_really_differs_comes(any_world: World, tmp_path: Path) -> None:
    world, src, out = any_world, tree(tmp_path / "src"), tmp_path / "out"
    place = S3Uri(world.bucket, "p/")
    await sync_up(engine_verbs(world.client()), src, place)
    await sync_down(engine_verbs(world.client()), place, out)
    # Edited, but older than its object: without checksums it would be kept.
    write(out, {"a/v1.zip": V1[:-1] + b"!", "notes.txt": b"NOTES"})
    touch(out, -3600 * 24 * 365)
    assert (await sync_down(engine_verbs(world.client()), place, out)).done == 0
    summary = await sync_down(engine_verbs(world.client()), place, out, BY_CONTENT)
    assert (summary.done, summary.unchanged) == (2, 3)
    assert (out / "a/v1.zip").read_bytes() == V1
    assert (out / "notes.txt").read_bytes() == b"notes"
    touch(out, 3600 * 24 * 365)
    assert (await sync_down(engine_verbs(world.client()), place, out, BY_CONTENT)).unchanged == 5


async def test_across_only_what_really_differs_goes(any_world: World, tmp_path: Path) -> None:
    world, src = any_world, tree(tmp_path / "src")
    here, there = S3Uri(world.bucket, "p/"), S3Uri(world.bucket, "q/")
    await sync_up(engine_verbs(world.client()), src, here)
    await sync_up(engine_verbs(world.client()), src, there)
    await world.put(world.client(), "q/notes.txt", b"NOTES")
    await world.put_raw("p/both", b"of another tool")
    await world.put_raw("q/both", b"of another tool")
    await world.put_raw("p/other", b"1")
    await world.put_raw("q/other", b"2")
    await world.put(world.client(), "q/a/v2.zip", V2[:-1] + b"!")

    async def run(**options: Any) -> BulkSummary:
        return await sync_across(engine_verbs(Asked(world).ctx), here, there, BulkOptions(**options))

    assert (await run(checksum=True, no_overwrite=True)).unchanged == 7
    assert (await run(checksum=True, dryrun=True)).done == 0
    assert await world.get(world.client(), "q/notes.txt") == b"NOTES"
    summary = await run(checksum=True)
    assert (summary.done, summary.unchanged) == (3, 4)
    assert await world.get(world.client(), "q/a/v2.zip") == V2
    assert (await run(checksum=True)).unchanged == 7


async def test_a_hash_that_another_tool_left_on_another_file_is_not_believed(any_world: World, tmp_path: Path) -> None:
    world, src = any_world, write(tmp_path / "src", {"notes.txt": b"notes"})
    place = S3Uri(world.bucket, "p/")
    await sync_up(engine_verbs(world.client()), src, place)
    found = await world.store.head(world.bucket, "p/notes.txt")
    await world.put_raw("p/notes.txt", b"longer", found.metadata)
    write(src, {"notes.txt": b"LONGER"})
    assert (await sync_up(engine_verbs(world.client()), src, place, BY_CONTENT)).done == 1


async def test_a_file_that_vanishes_fails_alone(any_world: World, tmp_path: Path) -> None:
    world, src = any_world, tree(tmp_path / "src")
    place = S3Uri(world.bucket, "p/")
    await sync_up(engine_verbs(world.client()), src, place)
    verbs = engine_verbs(world.client())

    async def digests(paths: Sequence[Path]) -> list[Digests | None]:
        (src / "notes.txt").unlink(missing_ok=True)
        return await verbs.contents.local(paths)

    vanishing = dataclasses.replace(verbs, contents=dataclasses.replace(verbs.contents, local=digests))
    summary = await sync_up(vanishing, src, place, BY_CONTENT)
    assert (summary.failed, summary.unchanged) == (1, 4)
    assert summary.failures[0].source == str(src / "notes.txt")
