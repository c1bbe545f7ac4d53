"""Bounded workers over a bounded stream of jobs, each of which ends in exactly one outcome."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from deltaglider.bulk.plan import Unchanged
from deltaglider.errors import ClientStateError, ConfigurationError, DeltaGliderError
from deltaglider.events import AllFound, ItemFinished, ItemFound, ItemStarted, Observer, ignore
from deltaglider.late import dataclass
from deltaglider.models import BulkSummary, Outcome
from deltaglider.tasks import plain_error

logger = logging.getLogger("deltaglider.bulk")

LOOKAHEAD = 1000
"""Jobs known but not begun, at most: enough for totals to be known early, a megabyte or so of memory."""

_FAILURES_KEPT = 100

# No item can succeed once one of these is raised, so there is no point in a million failures.
_HOPELESS = (ConfigurationError, ClientStateError)

Report = Callable[[Outcome], None]
"""Told of each outcome as it happens, in the event loop; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Job:
    """One item to work on.

    Attributes:
        planned: What is to be done, as an outcome with the status ``planned``.
        work: Does it: takes ``planned`` and gives what became of it. What it raises makes the item a failed one.
        deltaspace: Where its file may become the reference; ``None``: nowhere.
    """

    planned: Outcome
    work: Callable[[Outcome], Awaitable[Outcome]]
    deltaspace: str | None = None


Jobs: TypeAlias = AsyncGenerator[Job | Outcome | Unchanged, None]
"""What to do: jobs, outcomes that are already decided, and what needs nothing."""


def no_report(outcome: Outcome) -> None:
    """The report that goes nowhere."""


async def run(
    jobs: Jobs,
    *,
    workers: int,
    observer: Observer = ignore,
    report: Report = no_report,
    fail_fast: bool = False,
    finish: Callable[[], Awaitable[Outcome | None]] | None = None,
) -> BulkSummary:
    """Does the jobs, several at once, begun in the order they come in. One failure does not stop the others.

    Args:
        jobs: What to do. It is drawn from only a little ahead of the work.
        workers: Jobs at once.
        observer: Who listens.
        report: Told of each outcome.
        fail_fast: Begin nothing more after the first failure; what is in flight is finished.
        finish: Awaited once at the end, whatever failed, unless the work is cancelled; gives a further outcome if there
            is something to tell.

    Returns:
        What it all came to.

    Raises:
        DeltaGliderError: The jobs could not be drawn to their end, or none can succeed. All work was then stopped.
    """
    tally = _Tally(observer, report)
    try:
        await _work_through(jobs, tally, workers, fail_fast=fail_fast)
    except Exception:
        if finish is not None:
            with contextlib.suppress(DeltaGliderError):  # The first error tells more.
                await finish()
        raise
    outcome = await finish() if finish is not None else None
    if outcome is not None:
        tally.decided(outcome)
    return tally.summary()


async def _work_through(jobs: Jobs, tally: _Tally, workers: int, *, fail_fast: bool) -> None:
    send, receive = anyio.create_memory_object_stream[Job](LOOKAHEAD)
    failure: BaseException | None = None
    try:
        async with anyio.create_task_group() as group:
            async with receive:
                for _ in range(workers):
                    group.start_soon(_work, receive.clone(), tally, fail_fast)
            async with aclosing(jobs), send:
                await _feed(jobs, send, tally, fail_fast=fail_fast)
    except BaseExceptionGroup as errors:
        failure = plain_error(errors)
    if failure is not None:
        raise failure


async def _feed(jobs: Jobs, send: MemoryObjectSendStream[Job], tally: _Tally, *, fail_fast: bool) -> None:
    async for job in jobs:
        if fail_fast and tally.failed:
            return
        if isinstance(job, Unchanged):
            tally.unchanged += 1
        elif isinstance(job, Outcome):
            tally.decided(job)
        else:
            tally.found(job.planned)
            await send.send(job)
    tally.all_found()


async def _work(receive: MemoryObjectReceiveStream[Job], tally: _Tally, fail_fast: bool) -> None:
    async with receive:
        async for job in receive:
            if fail_fast and tally.failed:
                continue  # What is still on its way is taken and left.
            tally.started(job.planned)
            tally.finished(await _outcome_of(job))


async def _outcome_of(job: Job) -> Outcome:
    try:
        return await job.work(job.planned)
    except _HOPELESS:
        raise
    except Exception as error:  # A defect met on one file must not keep the others from being saved.
        plain = plain_error(error) if isinstance(error, ExceptionGroup) else error
        if not isinstance(plain, DeltaGliderError | OSError):
            logger.exception("%s of %s failed unexpectedly", job.planned.action, job.planned.source, exc_info=plain)
        message = str(plain) or type(plain).__name__
        kept = plain if isinstance(plain, Exception) else error
        return dataclasses.replace(job.planned, status="failed", message=message, error=kept)


class _Tally:
    """Counts, and tells those who listen."""

    def __init__(self, observer: Observer, report: Report) -> None:
        self._observer = observer
        self._report = report
        self.done = self.skipped = self.failed = self.unchanged = self.deleted = self.size = self.stored = 0
        self.failures: list[Outcome] = []

    def found(self, planned: Outcome) -> None:
        self._observer(ItemFound(0 if planned.action == "delete" else planned.size))

    def all_found(self) -> None:
        self._observer(AllFound())

    def started(self, planned: Outcome) -> None:
        self._observer(ItemStarted(planned.action, planned.source, planned.target))

    def decided(self, outcome: Outcome) -> None:
        """An outcome without work."""
        self._observer(ItemFound(0))
        self.finished(outcome)

    def finished(self, outcome: Outcome) -> None:
        self._count(outcome)
        self._observer(ItemFinished(outcome))
        self._report(outcome)

    def _count(self, outcome: Outcome) -> None:
        if outcome.status == "failed":
            self.failed += 1
            if len(self.failures) < _FAILURES_KEPT:
                self.failures.append(outcome)
        elif outcome.status == "skipped":
            self.skipped += 1
        elif outcome.status == "unchanged":
            self.unchanged += 1
        elif outcome.status == "done":
            self.done += 1
            self.deleted += outcome.action == "delete"
            if outcome.action != "delete":
                self.size += outcome.size
                self.stored += outcome.stored

    def summary(self) -> BulkSummary:
        return BulkSummary(
            done=self.done,
            skipped=self.skipped,
            failed=self.failed,
            unchanged=self.unchanged,
            deleted=self.deleted,
            size=self.size,
            stored=self.stored,
            failures=tuple(self.failures),
        )
