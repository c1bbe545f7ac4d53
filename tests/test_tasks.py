"""Several calls at once: bounded, in order, and with one plain error when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.tasks import map_bounded, plain_error, together


async def _twice(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number


def _later(value: object) -> Callable[[], Awaitable[object]]:
    async def call() -> object:
        await asyncio.sleep(0)
        return value

    return call


async def test_together_gives_the_results_in_order() -> None:
    assert await together(_later("a"), _later(2), _later(None)) == ["a", 2, None]
    assert await together(_later("alone")) == ["alone"]
    assert await together() == []


async def test_together_is_together() -> None:
    all_here = asyncio.Barrier(3)
    await together(*[all_here.wait] * 3)


@given(items=st.lists(st.integers(), max_size=20), limit=st.integers(1, 25))
async def test_results_come_in_the_order_of_the_items(items: list[int], limit: int) -> None:
    assert await map_bounded(_twice, iter(items), limit=limit) == [2 * item for item in items]


@pytest.mark.parametrize(("limit", "count"), [(1, 5), (3, 20), (20, 3)])
async def test_never_more_at_once_than_allowed_and_no_fewer(limit: int, count: int) -> None:
    running, most = 0, 0

    async def work(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(5):
            await asyncio.sleep(0)
        running -= 1

    await map_bounded(work, range(count), limit=limit)
    assert most == min(limit, count)


async def test_work_is_begun_in_order() -> None:
    begun = []

    async def work(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    await map_bounded(work, range(10), limit=3)
    assert begun == list(range(10))


class Unlucky(Exception):
    pass


async def test_an_error_comes_alone_and_cancels_the_others() -> None:
    log = []

    async def work(number: int) -> None:
        if number == 2:
            raise Unlucky(number)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.append(number)
            raise

    with pytest.raises(Unlucky, match="2"):
        await map_bounded(work, range(10), limit=3)
    assert sorted(log) == [0, 1]


async def test_an_error_keeps_its_cause() -> None:
    """Which a traceback for debugging shows."""

    async def fail() -> None:
        try:
            raise OSError(5, "the cause")
        except OSError as error:
            raise Unlucky from error

    with pytest.raises(Unlucky) as raised:
        await together(fail, _later(1))
    assert isinstance(raised.value.__cause__, OSError)


async def test_the_first_of_several_errors_is_the_one() -> None:
    first = asyncio.Event()

    async def fail_first() -> None:
        first.set()
        raise Unlucky("first")

    async def fail_while_cancelled() -> None:
        await first.wait()
        try:
            await asyncio.Event().wait()
        finally:
            raise Unlucky("second")

    with pytest.raises(Unlucky, match="first"):
        await together(fail_while_cancelled, fail_first)


async def test_errors_of_inner_groups_come_alone_too() -> None:
    async def fail() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_fail)

    async def _fail() -> None:
        raise Unlucky("deep")

    with pytest.raises(Unlucky, match="deep"):
        await together(fail, fail)


@pytest.mark.parametrize("count", [1, 3])
async def test_cancelling_the_task_cancels_all(count: int) -> None:
    log: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("ended")

    task = asyncio.ensure_future(together(*[wait] * count))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["ended"] * count


async def test_a_scope_that_is_cancelled_raises_nothing_else() -> None:
    with anyio.move_on_after(0.01) as scope:
        await together(*[asyncio.Event().wait] * 2)
    assert scope.cancelled_caught


async def test_the_plain_error_of_a_group() -> None:
    cancelled, error = asyncio.CancelledError(), Unlucky()
    assert plain_error(BaseExceptionGroup("", [cancelled, error])) is error
    assert plain_error(BaseExceptionGroup("", [ExceptionGroup("", [error]), Unlucky()])) is error
    assert plain_error(BaseExceptionGroup("", [BaseExceptionGroup("", [cancelled]), error])) is error
    assert plain_error(BaseExceptionGroup("", [cancelled])) is cancelled
