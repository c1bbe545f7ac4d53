"""A reference is fetched once, however many ask, and nothing is left of a fetch that failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import anyio
import pytest

from deltaglider.cache.references import ReferenceCache
from deltaglider.errors import NotFoundError, ReferenceCorruptError, StoreUnavailableError
from tests.cache.world import URI, Origin, content, in_use, kept, name_of, no_fetch


async def test_what_was_fetched_is_here_the_next_time(cache: ReferenceCache, home: Path) -> None:
    origin = Origin(content(1))
    assert await origin.read(cache) == (content(1), False)
    assert await origin.read(cache) == (content(1), True)
    assert origin.fetched == 1
    assert kept(home) == {origin.sha256}
    assert in_use(home) == []


async def test_another_client_finds_it_too(cache: ReferenceCache, home: Path) -> None:
    origin = Origin(content(1))
    await origin.read(cache)
    other = ReferenceCache(home, 1_000_000)
    async with other.use(origin.sha256, no_fetch, uri=URI) as (path, hit):
        assert (path.read_bytes(), hit) == (content(1), True)


async def test_a_hundred_who_ask_at_once_share_one_fetch(cache: ReferenceCache, home: Path) -> None:
    everybody = asyncio.Barrier(100)
    origin = Origin(content(1), during=lambda: anyio.sleep(0.01))
    hits = []

    async def ask() -> None:
        async with origin.use(cache) as (path, hit):
            hits.append(hit)
            await everybody.wait()  # All hold it at once, each a file of its own.
            assert path.read_bytes() == origin.data

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(ask)
    assert origin.fetched == 1
    assert sorted(hits) == [False] + [True] * 99
    assert in_use(home) == []


async def test_different_references_do_not_wait_for_each_other(cache: ReferenceCache) -> None:
    both = asyncio.Barrier(2)
    origins = [Origin(content(number), during=both.wait) for number in range(2)]
    assert origins[0].sha256[:2] != origins[1].sha256[:2]
    async with anyio.create_task_group() as group:
        for origin in origins:
            group.start_soon(origin.read, cache)
    assert [origin.fetched for origin in origins] == [1, 1]


async def test_references_whose_names_begin_alike_are_both_fetched(cache: ReferenceCache, home: Path) -> None:
    """They share the lock between processes."""
    first = Origin(content(0), during=lambda: anyio.sleep(0.01))
    second = next(
        Origin(content(number)) for number in range(1, 10_000) if name_of(content(number))[:2] == first.sha256[:2]
    )
    async with anyio.create_task_group() as group:
        for origin in (first, second, first, second):
            group.start_soon(origin.read, cache)
    assert (first.fetched, second.fetched) == (1, 1)
    assert kept(home) == {first.sha256, second.sha256}


@pytest.mark.parametrize(
    "error", [NotFoundError("gone", uri=URI), StoreUnavailableError("down", uri=URI), ZeroDivisionError()]
)
async def test_a_fetch_that_fails_leaves_nothing(error: Exception, cache: ReferenceCache, home: Path) -> None:
    async def fetch(path: Path) -> None:
        path.write_bytes(b"a part")
        raise error

    with pytest.raises(type(error)) as raised:
        async with cache.use(name_of(b"x"), fetch, uri=URI):
            raise AssertionError("nothing to use")
    assert raised.value is error
    assert kept(home) == set()
    assert in_use(home) == []


async def test_after_a_failure_the_next_one_fetches(cache: ReferenceCache) -> None:
    attempts = 0

    async def fetch(path: Path) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise StoreUnavailableError("down", uri=URI)
        path.write_bytes(content(1))

    async def ask() -> str:
        try:
            async with cache.use(name_of(content(1)), fetch, uri=URI) as (path, _):
                return "good" if path.read_bytes() == content(1) else "bad"
        except StoreUnavailableError:
            return "down"

    assert sorted(await asyncio.gather(*(ask() for _ in range(5)))) == ["down", *["good"] * 4]
    assert attempts == 2


async def test_wrong_bytes_are_refused_and_not_kept(cache: ReferenceCache, home: Path) -> None:
    async def fetch(path: Path) -> None:
        path.write_bytes(b"something else")

    with pytest.raises(ReferenceCorruptError, match=name_of(b"something else")) as raised:
        async with cache.use(name_of(b"x"), fetch, uri=URI):
            raise AssertionError("nothing to use")
    assert name_of(b"x") in str(raised.value)
    assert raised.value.uri == URI
    assert kept(home) == set()
    assert in_use(home) == []


async def test_an_error_of_the_user_is_no_error_of_the_cache(cache: ReferenceCache, home: Path) -> None:
    origin = Origin(content(1))
    with pytest.raises(ZeroDivisionError):
        async with origin.use(cache):
            raise ZeroDivisionError
    assert kept(home) == {origin.sha256}
    assert in_use(home) == []


async def _cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_while_it_is_fetched(cache: ReferenceCache, home: Path) -> None:
    started = asyncio.Event()

    async def stall() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(Origin(content(1), during=stall).read(cache))
    await started.wait()
    assert len(in_use(home)) == 1
    await _cancelled(task)
    assert (kept(home), in_use(home)) == (set(), [])
    # Neither the flight nor the lock between processes is lost.
    assert await Origin(content(1)).read(cache) == (content(1), False)


async def test_cancelled_while_another_fetches(cache: ReferenceCache, home: Path) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def stall() -> None:
        started.set()
        await go_on.wait()

    origin = Origin(content(1), during=stall)
    first = asyncio.ensure_future(origin.read(cache))
    await started.wait()
    second = asyncio.ensure_future(origin.read(cache))
    await asyncio.sleep(0.05)
    await _cancelled(second)
    go_on.set()
    assert await first == (content(1), False)
    assert in_use(home) == []
    assert await origin.read(cache) == (content(1), True)


async def test_those_who_wait_take_over_from_a_cancelled_one(cache: ReferenceCache) -> None:
    started = asyncio.Event()

    async def stall() -> None:
        if not started.is_set():
            started.set()
            await asyncio.Event().wait()

    origin = Origin(content(1), during=stall)
    first = asyncio.ensure_future(origin.read(cache))
    await started.wait()
    others = [asyncio.ensure_future(origin.read(cache)) for _ in range(3)]
    await asyncio.sleep(0.02)
    await _cancelled(first)
    assert sorted(hit for _, hit in await asyncio.gather(*others)) == [False, True, True]
    assert origin.fetched == 2


async def test_cancelled_while_it_is_used(cache: ReferenceCache, home: Path) -> None:
    used = asyncio.Event()

    async def use() -> None:
        async with Origin(content(1)).use(cache):
            used.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(use())
    await used.wait()
    await _cancelled(task)
    assert kept(home) == {name_of(content(1))}
    assert in_use(home) == []


async def test_what_was_made_here_need_not_be_fetched(cache: ReferenceCache, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(content(1))
    await cache.add(name_of(content(1)), source)
    assert in_use(home) == []
    async with cache.use(name_of(content(1)), no_fetch, uri=URI) as (path, hit):
        assert (path.read_bytes(), hit) == (content(1), True)
    source.write_bytes(b"changed")
    async with cache.use(name_of(content(1)), no_fetch, uri=URI) as (path, _):
        assert path.read_bytes() == content(1)


async def test_what_changed_while_it_was_added_is_dropped(cache: ReferenceCache, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"changed")
    await cache.add(name_of(b"as it was"), source)
    assert (kept(home), in_use(home)) == (set(), [])


async def test_what_cannot_be_added_is_no_reason_to_fail(
    cache: ReferenceCache, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await cache.add(name_of(b"x"), tmp_path / "vanished")
    assert "could not be cached" in caplog.text
    assert in_use(home) == []
