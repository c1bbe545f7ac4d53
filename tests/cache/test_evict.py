"""The least recently used goes first, and what is in use stays readable."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from deltaglider.cache import references
from deltaglider.cache.references import ReferenceCache
from tests.cache.world import Origin, content, file_of, in_use, kept, name_of


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which each look is a second later: real ones may show the same time twice."""
    now = time.time_ns()

    def tick() -> int:
        nonlocal now
        now += 10**9
        return now

    monkeypatch.setattr(references.time, "time_ns", tick)


def _numbered(directory: Path) -> set[int]:
    """Which of the references 0..9 are kept."""
    return {number for number in range(10) if name_of(content(number)) in kept(directory)}


async def _use(cache: ReferenceCache, number: int) -> bool:
    """Uses one of the references 0..9; whether it was here."""
    origin = Origin(content(number))
    data, hit = await origin.read(cache)
    assert data == origin.data
    return hit


def _age(home: Path, *numbers: int) -> None:
    """Gives references times of use in this order, all long ago."""
    for place, number in enumerate(numbers):
        path = file_of(home, name_of(content(number)))
        os.utime(path, ns=(10**18 + place * 10**9, path.stat().st_mtime_ns))


async def test_all_that_fit_are_kept(home: Path) -> None:
    cache = ReferenceCache(home, 30_000)
    for number in range(3):
        await _use(cache, number)
    assert _numbered(home) == {0, 1, 2}
    assert cache.usage() == (3, 30_000)


async def test_the_least_recently_used_goes(home: Path) -> None:
    cache = ReferenceCache(home, 30_000)
    for number in range(3):
        await _use(cache, number)
    _age(home, 2, 0, 1)
    await _use(cache, 3)
    assert _numbered(home) == {0, 1, 3}


@pytest.mark.usefixtures("clock")
async def test_use_counts_and_not_age(home: Path) -> None:
    cache = ReferenceCache(home, 30_000)
    for number in range(3):
        await _use(cache, number)
    _age(home, 0, 1, 2)
    assert await _use(cache, 0)
    await _use(cache, 3)
    assert _numbered(home) == {0, 2, 3}
    assert await _use(cache, 2)
    await _use(cache, 4)
    assert await _use(cache, 2)


async def test_as_many_go_as_must(home: Path) -> None:
    cache = ReferenceCache(home, 30_000)
    for number in range(3):
        await _use(cache, number)
    _age(home, 0, 1, 2)
    large = Origin(content("large", 15_000))
    await large.read(cache)
    assert _numbered(home) == {2}
    assert cache.usage() == (2, 25_000)


async def test_what_is_in_use_can_be_read_to_the_end(home: Path) -> None:
    mine, theirs = ReferenceCache(home, 10_000), ReferenceCache(home, 10_000)
    async with Origin(content(1)).use(mine) as (path, _):
        await _use(theirs, 2)
        await _use(theirs, 3)
        assert _numbered(home) == {3}
        assert path.read_bytes() == content(1)
    assert in_use(home) == []


async def test_what_is_in_use_here_need_not_be_fetched_again(home: Path) -> None:
    cache = ReferenceCache(home, 10_000)
    origin = Origin(content(1))
    async with origin.use(cache):
        await _use(cache, 2)
        assert _numbered(home) == {2}
        assert await origin.read(cache) == (content(1), True)
    assert origin.fetched == 1
    assert await origin.read(cache) == (content(1), False)


async def test_a_reference_larger_than_the_cache_is_used_and_not_kept(home: Path) -> None:
    cache = ReferenceCache(home, 9_999)
    origin = Origin(content(1))
    async with origin.use(cache) as (path, _):
        assert path.read_bytes() == content(1)
        assert await origin.read(cache) == (content(1), True)
    assert (kept(home), in_use(home)) == (set(), [])
    assert await origin.read(cache) == (content(1), False)


async def test_it_does_not_drive_out_what_is_kept(home: Path) -> None:
    cache = ReferenceCache(home, 20_000)
    await _use(cache, 1)
    await Origin(content("large", 20_001)).read(cache)
    assert _numbered(home) == {1}


async def test_a_cache_of_no_size_keeps_nothing(home: Path, tmp_path: Path) -> None:
    cache = ReferenceCache(home, 0)
    origin = Origin(content(1))
    for _ in range(2):
        assert await origin.read(cache) == (content(1), False)
    source = tmp_path / "source"
    source.write_bytes(content(2))
    await cache.add(name_of(content(2)), source)
    assert (kept(home), in_use(home)) == (set(), [])
    assert cache.usage() == (0, 0)


async def test_a_cache_that_was_made_smaller_shrinks(home: Path) -> None:
    large = ReferenceCache(home, 50_000)
    for number in range(5):
        await _use(large, number)
    _age(home, 0, 1, 2, 3, 4)
    await _use(ReferenceCache(home, 20_000), 5)
    assert _numbered(home) == {4, 5}


async def test_an_addition_evicts_too(home: Path, tmp_path: Path) -> None:
    cache = ReferenceCache(home, 10_000)
    await _use(cache, 1)
    source = tmp_path / "source"
    source.write_bytes(content(2))
    await cache.add(name_of(content(2)), source)
    assert _numbered(home) == {2}
