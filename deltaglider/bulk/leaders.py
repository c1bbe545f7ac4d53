"""Which of many new files goes first: it becomes the reference of its deltaspace, and the others deltas against it."""

from __future__ import annotations

import time
from contextlib import aclosing

from deltaglider.bulk.plan import Unchanged
from deltaglider.bulk.run import Job, Jobs
from deltaglider.layout.middle import middle_of
from deltaglider.models import Outcome

_WINDOW = 1000
_SECONDS = 0.5


async def leaders_first(jobs: Jobs, *, window: int = _WINDOW, seconds: float = _SECONDS) -> Jobs:
    """The same jobs in their order, but in each deltaspace the version in the middle before the others.

    Args:
        jobs: What to do.
        window: Jobs looked at together, at most.
        seconds: How long the first of them may wait for the others.

    Yields:
        The jobs.
    """
    waiting: list[Job | Outcome | Unchanged] = []
    until = 0.0
    async with aclosing(jobs):
        async for job in jobs:
            if not waiting:
                if _deltaspace(job) is None:
                    yield job
                    continue
                until = time.monotonic() + seconds
            waiting.append(job)
            if len(waiting) >= window or time.monotonic() > until:
                for each in _arranged(waiting):
                    yield each
                waiting.clear()
    for each in _arranged(waiting):
        yield each


def _deltaspace(job: Job | Outcome | Unchanged) -> str | None:
    return job.deltaspace if isinstance(job, Job) else None


def _arranged(jobs: list[Job | Outcome | Unchanged]) -> list[Job | Outcome | Unchanged]:
    kin: dict[str | None, list[Job]] = {}
    for job in jobs:
        if isinstance(job, Job) and job.deltaspace is not None:
            kin.setdefault(job.deltaspace, []).append(job)
    leaders = {
        deltaspace: middle_of(
            each, key=lambda job: job.planned.target or job.planned.source, size=lambda job: job.planned.size
        )
        for deltaspace, each in kin.items()
    }
    moved = {id(leader) for leader in leaders.values()}
    arranged: list[Job | Outcome | Unchanged] = []
    for job in jobs:
        leader = leaders.pop(_deltaspace(job), None)
        if leader is not None:
            arranged.append(leader)
        if id(job) not in moved:
            arranged.append(job)
    return arranged
