from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import anyio
import pytest

from deltaglider.bulk.plan import Unchanged
from deltaglider.bulk.run import LOOKAHEAD, Job, no_report, run
from deltaglider.errors import (
    AccessDeniedError,
    ClientStateError,
    ConfigurationError,
    LocalFileError,
    StoreUnavailableError,
)
from deltaglider.events import AllFound, Event, ItemFinished, ItemFound, ItemStarted
from deltaglider.models import Outcome
from tests.bulk.world import stream

Work = Callable[[Outcome], Awaitable[Outcome]]


def planned(name: str, size: int = 10, action: str = "upload") -> Outcome:
    return Outcome(action, "planned", name, f"to {name}", size)


def done(outcome: Outcome, stored: int = 1) -> Outcome:
    return Outcome(outcome.action, "done", outcome.source, outcome.target, outcome.size, stored)


def failed(outcome: Outcome, error: Exception) -> Outcome:
    return Outcome(outcome.action, "failed", outcome.source, outcome.target, outcome.size, 0, str(error), error)


async def at_once(outcome: Outcome) -> Outcome:
    return done(outcome)


def failing(error: Exception) -> Work:
    async def work(outcome: Outcome) -> Outcome:
        await anyio.sleep(0)
        raise error

    return work


def jobs(names: Iterable[str], work: Work = at_once) -> list[Job]:
    return [Job(planned(name), work) for name in names]


async def test_counts_and_outcomes() -> None:
    error = AccessDeniedError("no", uri="s3://b/f")
    told: list[Outcome] = []
    summary = await run(
        stream(
            [
                *jobs("ab"),
                Unchanged(),
                Job(planned("d", 7, "delete"), at_once),
                Job(planned("f"), failing(error)),
                Outcome("upload", "skipped", "s", message="File does not exist."),
                Unchanged(),
            ]
        ),
        workers=2,
        report=told.append,
    )
    assert (summary.done, summary.deleted, summary.unchanged, summary.skipped, summary.failed) == (3, 1, 2, 1, 1)
    assert (summary.size, summary.stored, summary.ok) == (20, 2, False)
    assert summary.failures == (failed(planned("f"), error),)
    assert sorted(outcome.source for outcome in told) == ["a", "b", "d", "f", "s"]


async def test_nothing_to_do() -> None:
    summary = await run(stream([]), workers=3)
    assert (summary.done, summary.ok) == (0, True)


async def test_a_dry_run_counts_nothing() -> None:
    async def dry(outcome: Outcome) -> Outcome:
        return outcome

    told: list[Outcome] = []
    summary = await run(stream(jobs("ab", dry)), workers=1, report=told.append)
    assert (summary.done, summary.size, summary.failed) == (0, 0, 0)
    assert [outcome.status for outcome in told] == ["planned", "planned"]


async def test_events_tell_the_whole_story() -> None:
    events: list[Event] = []
    skipped = Outcome("upload", "skipped", "s", message="why")
    removal = Job(planned("d", 7, "delete"), at_once)
    await run(stream([*jobs("a"), skipped, removal, Unchanged()]), workers=1, observer=events.append)
    assert [event for event in events if isinstance(event, ItemFound)] == [ItemFound(10), ItemFound(0), ItemFound(0)]
    assert [event for event in events if isinstance(event, ItemStarted)] == [
        ItemStarted("upload", "a", "to a"),
        ItemStarted("delete", "d", "to d"),
    ]
    finished = [event.outcome for event in events if isinstance(event, ItemFinished)]
    removed = done(planned("d", 7, "delete"))
    assert sorted(finished, key=lambda outcome: outcome.source) == [done(planned("a")), removed, skipped]
    assert events.count(AllFound()) == 1
    all_found = events.index(AllFound())
    assert all(events.index(event) < all_found for event in events if isinstance(event, ItemFound))
    assert events.index(ItemStarted("delete", "d", "to d")) < events.index(ItemFinished(removed))
    assert len(events) == 3 + 2 + 3 + 1


async def test_work_begins_in_the_order_of_the_jobs_and_never_more_than_allowed() -> None:
    running, most = 0, 0
    events: list[Event] = []

    async def work(outcome: Outcome) -> Outcome:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 + int(outcome.source) % 5):
            await anyio.sleep(0)
        running -= 1
        return done(outcome)

    names = [str(number) for number in range(200)]
    await run(stream(jobs(names, work)), workers=7, observer=events.append)
    assert [event.source for event in events if isinstance(event, ItemStarted)] == names
    assert most == 7


async def test_memory_is_bounded_whatever_the_number_of_jobs() -> None:
    total, workers = 50_000, 8
    alive = most = drawn = 0
    stalled = anyio.Event()

    class Counted:
        def __init__(self) -> None:
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

        async def __call__(self, outcome: Outcome) -> Outcome:
            await stalled.wait()
            return done(outcome)

    async def many() -> AsyncGenerator[Job, None]:
        nonlocal drawn
        for drawn in range(1, total + 1):
            yield Job(planned(str(drawn)), Counted())

    async def wait_for_the_stall() -> None:
        # While no work gets done, the listing must come to a halt of its own.
        before = -1
        while drawn != before:
            before = drawn
            for _ in range(100):
                await anyio.sleep(0)
        stalled.set()

    async with anyio.create_task_group() as group:
        group.start_soon(wait_for_the_stall)
        summary = await run(many(), workers=workers)
    assert summary.done == total
    assert LOOKAHEAD < most <= LOOKAHEAD + 2 * workers + 4
    gc.collect()
    assert alive == 0


async def test_one_failure_does_not_stop_the_others() -> None:
    error = StoreUnavailableError("gone", uri="s3://b/k")
    items = [Job(planned(name), failing(error) if name in "bd" else at_once) for name in "abcde"]
    summary = await run(stream(items), workers=2)
    assert (summary.done, summary.failed) == (3, 2)


async def test_a_defect_met_on_one_item_is_a_failure_too(caplog: pytest.LogCaptureFixture) -> None:
    items = [Job(planned("a"), failing(ZeroDivisionError("division by zero"))), *jobs("b")]
    summary = await run(stream(items), workers=1)
    assert (summary.done, summary.failures[0].message) == (1, "division by zero")
    assert "upload of a failed unexpectedly" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_errors_users_can_understand_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    items = [Job(planned("a"), failing(LocalFileError("no"))), Job(planned("b"), failing(OSError("no")))]
    assert (await run(stream(items), workers=1)).failed == 2
    assert not caplog.text


async def test_a_failure_without_words_has_a_name() -> None:
    summary = await run(stream(jobs("a", failing(OSError()))), workers=1)
    assert summary.failures[0].message == "OSError"


async def test_a_group_never_becomes_the_error_of_an_item() -> None:
    plain = AccessDeniedError("no")
    group = ExceptionGroup("g", [ExceptionGroup("h", [plain])])
    summary = await run(stream(jobs("a", failing(group))), workers=1)
    assert summary.failures[0].error is plain
    assert summary.failures[0].message == "no"


async def test_the_first_hundred_failures_are_kept() -> None:
    summary = await run(stream(jobs(map(str, range(150)), failing(OSError("x")))), workers=1)
    assert summary.failed == 150
    assert [failure.source for failure in summary.failures] == [str(number) for number in range(100)]


async def test_fail_fast_begins_nothing_more_and_finishes_what_is_in_flight() -> None:
    both, finished = anyio.Event(), []

    async def slow(outcome: Outcome) -> Outcome:
        both.set()
        for _ in range(20):
            await anyio.sleep(0)
        finished.append(outcome.source)
        return done(outcome)

    async def fail(outcome: Outcome) -> Outcome:
        await both.wait()
        raise OSError("first failure")

    drawn = 0

    async def many() -> AsyncGenerator[Job, None]:
        nonlocal drawn
        yield Job(planned("fails"), fail)
        yield Job(planned("slow"), slow)
        while True:
            drawn += 1
            yield Job(planned("late"), slow)

    summary = await run(many(), workers=2, fail_fast=True)
    assert (summary.failed, summary.done, finished) == (1, 1, ["slow"])
    assert drawn <= LOOKAHEAD + 2


async def test_fail_fast_counts_what_was_known_to_fail() -> None:
    known = Outcome("download", "failed", "s", message="no", error=OSError("no"))
    summary = await run(stream([known, *jobs("abc")]), workers=1, fail_fast=True)
    assert (summary.failed, summary.done) == (1, 0)


async def test_a_listing_that_breaks_off_stops_all_work_and_raises_plainly() -> None:
    started, ended = anyio.Event(), []
    cause = StoreUnavailableError("the listing broke off", uri="s3://b/")

    async def forever(outcome: Outcome) -> Outcome:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(outcome.source)
        return outcome

    async def breaking() -> AsyncGenerator[Job, None]:
        yield Job(planned("a"), forever)
        await started.wait()
        raise cause

    with pytest.raises(StoreUnavailableError) as caught:
        await run(breaking(), workers=2)
    assert caught.value is cause
    assert ended == ["a"]


@pytest.mark.parametrize("error", [ConfigurationError("no credentials"), ClientStateError("closed")])
async def test_what_dooms_every_item_stops_everything(error: Exception) -> None:
    drawn = 0

    async def many() -> AsyncGenerator[Job, None]:
        nonlocal drawn
        while True:
            drawn += 1
            yield Job(planned("a"), failing(error))

    with pytest.raises(type(error)) as caught:
        await run(many(), workers=2)
    assert caught.value is error
    assert drawn <= LOOKAHEAD + 4


async def test_an_observer_or_report_that_raises_ends_the_work() -> None:
    def angry(_: object) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        await run(stream(jobs("abc")), workers=2, observer=angry)
    with pytest.raises(RuntimeError, match="enough"):
        await run(stream(jobs("abc")), workers=2, report=angry)


class Finish:
    def __init__(self, outcome: Outcome | None = None, error: Exception | None = None) -> None:
        self.calls = 0
        self.outcome, self.error = outcome, error

    async def __call__(self) -> Outcome | None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self.outcome


async def test_the_end_comes_once_whatever_failed() -> None:
    for items, fail_fast in ((jobs("ab"), False), (jobs("ab", failing(OSError("x"))), True)):
        finish = Finish()
        await run(stream(items), workers=2, fail_fast=fail_fast, finish=finish)
        assert finish.calls == 1


async def test_the_end_may_add_an_outcome() -> None:
    told: list[Outcome] = []
    last = Outcome("delete", "failed", "s3://b/", message="no", error=OSError("no"))
    summary = await run(stream(jobs("a")), workers=1, report=told.append, finish=Finish(last))
    assert (summary.done, summary.failed, told[-1]) == (1, 1, last)


async def test_the_end_comes_after_a_broken_listing_too_and_hides_nothing() -> None:
    async def breaking() -> AsyncGenerator[Job, None]:
        yield jobs("a")[0]
        raise StoreUnavailableError("the first error")

    for error in (None, AccessDeniedError("the second error")):
        finish = Finish(error=error)
        with pytest.raises(StoreUnavailableError, match="the first error"):
            await run(breaking(), workers=1, finish=finish)
        assert finish.calls == 1


@pytest.mark.parametrize("turns", range(6))
async def test_cancelling_ends_the_workers_and_skips_the_end(turns: int) -> None:
    # At any moment: before the workers began, while they wait, and while they work.
    running = 0
    finish = Finish()
    closed = []

    async def forever(outcome: Outcome) -> Outcome:
        nonlocal running
        running += 1
        try:
            await anyio.sleep_forever()
        finally:
            running -= 1
        return outcome

    async def many() -> AsyncGenerator[Job, None]:
        try:
            while True:
                await anyio.sleep(0)
                yield Job(planned("a"), forever)
        finally:
            closed.append(True)

    task = asyncio.create_task(run(many(), workers=3, finish=finish))
    for _ in range(turns):
        await anyio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running == 0
    assert finish.calls == 0
    assert closed == [True] * (turns > 0)


async def test_a_deadline_of_the_caller_is_not_swallowed() -> None:
    async def forever(outcome: Outcome) -> Outcome:
        await anyio.sleep_forever()
        return outcome

    with anyio.move_on_after(0.02) as scope:
        await run(stream(jobs("abc", forever)), workers=2)
    assert scope.cancelled_caught


def test_no_report_says_nothing() -> None:
    no_report(planned("a"))
