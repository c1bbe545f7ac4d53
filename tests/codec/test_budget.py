"""The limiter by weight: never more out than there is, first come first served, nothing lost to the cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.codec.budget import Budget


class Holder:
    """A task that takes an amount and holds it until told to let go."""

    def __init__(self, budget: Budget, amount: int) -> None:
        self.holds = False
        self._let_go = asyncio.Event()
        self.task = asyncio.create_task(self._run(budget, amount))

    async def _run(self, budget: Budget, amount: int) -> None:
        async with budget.take(amount):
            self.holds = True
            await self._let_go.wait()
        self.holds = False

    async def let_go(self) -> None:
        self._let_go.set()
        await self.task


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def budget() -> Budget:
    return Budget(100)


async def _all_free(budget: Budget) -> bool:
    """Whether all of it can be had at once."""
    with anyio.move_on_after(5) as scope:
        async with budget.take(budget.total):
            pass
    return not scope.cancelled_caught


async def test_what_fits_together_is_held_together(budget: Budget) -> None:
    holders = [Holder(budget, amount) for amount in (50, 30, 20)]
    await _settled()
    assert [holder.holds for holder in holders] == [True] * 3
    for holder in holders:
        await holder.let_go()
    assert await _all_free(budget)


async def test_what_does_not_fit_waits(budget: Budget) -> None:
    first, second = Holder(budget, 60), Holder(budget, 41)
    await _settled()
    assert (first.holds, second.holds) == (True, False)
    await first.let_go()
    await _settled()
    assert second.holds
    await second.let_go()
    assert await _all_free(budget)


async def test_a_small_one_does_not_overtake_a_large_one(budget: Budget) -> None:
    first, large, small = Holder(budget, 60), Holder(budget, 80), Holder(budget, 1)
    await _settled()
    assert (large.holds, small.holds) == (False, False)
    await first.let_go()
    await _settled()
    assert (large.holds, small.holds) == (True, True)
    await large.let_go()
    await small.let_go()


async def test_more_than_there_is_means_all_of_it(budget: Budget) -> None:
    huge, small = Holder(budget, 10_000), Holder(budget, 1)
    await _settled()
    assert (huge.holds, small.holds) == (True, False)
    await huge.let_go()
    await _settled()
    assert small.holds
    await small.let_go()
    assert await _all_free(budget)


async def test_whoever_is_cancelled_while_waiting_makes_room_for_those_behind(budget: Budget) -> None:
    first, waiting, behind = Holder(budget, 60), Holder(budget, 80), Holder(budget, 40)
    await _settled()
    assert not behind.holds
    waiting.task.cancel()
    await _settled()
    assert waiting.task.cancelled()
    assert behind.holds
    await first.let_go()
    await behind.let_go()
    assert await _all_free(budget)


async def test_whoever_is_cancelled_when_admitted_gives_it_back(budget: Budget) -> None:
    first, unlucky = Holder(budget, 100), Holder(budget, 100)
    await _settled()
    # Both in one turn of the loop: it is admitted, and cancelled before it can run.
    first._let_go.set()
    await asyncio.sleep(0)
    unlucky.task.cancel()
    await _settled()
    assert unlucky.task.cancelled()
    assert not unlucky.holds
    assert await _all_free(budget)


async def test_whoever_fails_gives_it_back(budget: Budget) -> None:
    with pytest.raises(ZeroDivisionError):
        async with budget.take(100):
            raise ZeroDivisionError
    assert await _all_free(budget)


@given(
    amounts=st.lists(st.integers(0, 150), min_size=1, max_size=12),
    choose=st.functions(like=lambda count: ..., returns=st.integers(0, 1000), pure=False),
)
async def test_any_order_of_taking_and_giving_back(amounts: list[int], choose: Callable[[int], int]) -> None:
    budget = Budget(100)
    holders = [Holder(budget, amount) for amount in amounts]
    weights = {holder: min(amount, 100) for holder, amount in zip(holders, amounts, strict=True)}
    alive = list(holders)
    while alive:
        await _settled()
        held = sum(weights[holder] for holder in alive if holder.holds)
        assert held <= 100
        waiting = [holder for holder in alive if not holder.holds]
        # First come, first served: the first who waits is the first whom there was no room for.
        assert [holder.holds for holder in alive] == sorted((holder.holds for holder in alive), reverse=True)
        assert not waiting or held + weights[waiting[0]] > 100
        holder = alive.pop(choose(len(alive)) % len(alive))
        if holder.holds:
            await holder.let_go()
        else:
            holder.task.cancel()
            await asyncio.wait([holder.task])
    assert await _all_free(budget)
