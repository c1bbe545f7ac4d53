"""The budget of bytes, and work that is seen through."""

from __future__ import annotations

import asyncio

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.store.s3.limits import ByteBudget, see_through, task_group


async def settle() -> None:
    for _ in range(5):
        await anyio.lowlevel.checkpoint()


async def test_a_budget_is_never_exceeded_and_comes_back() -> None:
    budget = ByteBudget(10)
    peak = 0

    async def use(count: int) -> None:
        nonlocal peak
        async with budget.lease() as lease:
            await lease.take(count)
            peak = max(peak, budget.held)
            await anyio.lowlevel.checkpoint()
            lease.give(count)

    async with anyio.create_task_group() as group:
        for count in (3, 4, 5, 10, 1, 7, 99):
            group.start_soon(use, count)
    assert peak == 10
    assert budget.held == 0


async def test_who_asks_for_a_lot_is_not_overtaken() -> None:
    budget = ByteBudget(10)
    order: list[int] = []

    async def use(count: int) -> None:
        async with budget.lease() as lease:
            await lease.take(count)
            order.append(count)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for count in (6, 9, 1, 2):
            group.start_soon(use, count)
    assert order == [6, 9, 1, 2]


async def test_a_lease_returns_what_it_holds_however_it_ends() -> None:
    budget = ByteBudget(10)

    async def fail() -> None:
        async with budget.lease() as lease:
            await lease.take(4)
            await lease.take(5)
            lease.give(4)
            assert (lease.held, budget.held) == (5, 5)
            raise ValueError

    with pytest.raises(ValueError):
        await fail()
    assert budget.held == 0


async def test_cancelling_who_waits_lets_the_next_one_in() -> None:
    budget = ByteBudget(10)
    got: list[str] = []

    async def use(name: str, count: int, scope: anyio.CancelScope) -> None:
        with scope:
            async with budget.lease() as lease:
                await lease.take(count)
                got.append(name)

    waiting = anyio.CancelScope()
    async with anyio.create_task_group() as group, budget.lease() as lease:
        await lease.take(8)
        group.start_soon(use, "big", 9, waiting)
        await settle()
        group.start_soon(use, "small", 2, anyio.CancelScope())
        await settle()
        assert got == []
        waiting.cancel()
        await settle()
        assert got == ["small"]
    assert budget.held == 0


async def test_granted_and_cancelled_at_once_is_given_back() -> None:
    budget = ByteBudget(10)

    async def use() -> None:
        async with budget.lease() as lease:
            await lease.take(5)
            raise AssertionError("not cancelled")

    async with budget.lease() as lease:
        await lease.take(8)
        task = asyncio.create_task(use())
        await settle()
        lease.give(8)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert budget.held == 0


@given(st.lists(st.integers(0, 30), max_size=12), st.integers(1, 20))
def test_any_requests_are_served_within_the_total(counts: list[int], total: int) -> None:
    async def run() -> None:
        budget = ByteBudget(total)

        async def use(count: int) -> None:
            async with budget.lease() as lease:
                await lease.take(count)
                assert budget.held <= total
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            for count in counts:
                group.start_soon(use, count)
        assert budget.held == 0

    anyio.run(run)


async def test_work_that_must_be_known_survives_a_cancellation() -> None:
    done: list[str] = []

    async def work() -> None:
        await anyio.sleep(0.01)
        done.append("done")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await see_through(work, 30)
        raise AssertionError("cancelled afterwards")
    assert scope.cancelled_caught
    assert done == ["done"]


async def test_but_not_for_ever() -> None:
    with anyio.fail_after(30), anyio.CancelScope() as scope:
        scope.cancel()
        await see_through(anyio.sleep_forever, 0.01)
    assert scope.cancelled_caught


async def test_its_error_is_raised_plainly() -> None:
    async def work() -> None:
        raise ValueError("plain")

    with pytest.raises(ValueError, match="plain"):
        await see_through(work, 30)


async def test_a_task_group_raises_the_first_error_itself() -> None:
    async def fail() -> None:
        raise ValueError("inner") from KeyError("cause")

    async def run() -> None:
        async with task_group() as group:
            group.start_soon(fail)
            group.start_soon(anyio.sleep_forever)

    with pytest.raises(ValueError, match="inner") as caught:
        await run()
    assert isinstance(caught.value.__cause__, KeyError)
