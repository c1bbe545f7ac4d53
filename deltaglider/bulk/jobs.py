"""Jobs: one step of a plan, bound to the verb that takes it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Awaitable, Callable

from deltaglider.bulk.destination import Destination
from deltaglider.bulk.entries import LocalEntry, Problem, RemoteEntry
from deltaglider.bulk.leaving import leave_archived, left_alone
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.plan import Delete
from deltaglider.bulk.run import Job
from deltaglider.bulk.verbs import Verbs
from deltaglider.errors import DeltaGliderError
from deltaglider.late import dataclass
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Action, Outcome, OutcomeStatus
from deltaglider.threads import in_thread


@dataclass(frozen=True, slots=True)
class JobMaker:
    """Makes jobs; in a dry run, such that only look.

    Attributes:
        verbs: What does the work.
        options: How it is to be done.
    """

    verbs: Verbs
    options: BulkOptions

    def _called(self, action: Action) -> Action:
        return "move" if self.options.move else action

    def upload(self, entry: LocalEntry, place: S3Uri, *, is_new: bool = False) -> Job:
        """A file, to the place; ``is_new`` if a listing shows nothing of its name there."""
        target = place.child(entry.name)
        upload = (self.verbs.create or self.verbs.upload) if is_new else self.verbs.upload

        async def work(planned: Outcome) -> Outcome:
            if self.options.dryrun:
                return planned
            summary = await upload(entry.path, target)
            return _done(planned, summary.original_size, summary.stored_size)

        planned = Outcome(self._called("upload"), "planned", entry.where, str(target), entry.size)
        deltaspace = None if self.options.dryrun else self.verbs.deltaspace(target, entry.size)
        return self._transfer(planned, work, deltaspace)

    def copy(self, entry: RemoteEntry, place: S3Uri) -> Job:
        """An object, to another place."""
        target = place.child(entry.name)

        async def work(planned: Outcome) -> Outcome:
            if self._leaves(entry):
                return leave_archived(planned, self.options.archived)
            if self.options.dryrun:
                return planned
            summary = await self.verbs.copy(entry.info, target)
            return _done(planned, summary.original_size, summary.stored_size)

        return self._transfer(Outcome(self._called("copy"), "planned", entry.where, str(target), entry.size), work)

    def download(self, entry: RemoteEntry, destination: Destination) -> Job:
        """An object, to a local directory."""
        path = destination.path_of(entry.name)
        look = destination.refusal if self.options.dryrun else destination.make_room

        async def work(planned: Outcome) -> Outcome:
            if self._leaves(entry):
                return leave_archived(planned, self.options.archived)
            reason = await in_thread(look, entry.name, limiter=self.verbs.files)
            if reason:
                return _skipped(planned, reason)
            if self.options.no_overwrite and os.path.lexists(path):
                return dataclasses.replace(planned, status="unchanged")
            if self.options.dryrun:
                return planned
            summary = await self.verbs.download(entry.info, path)
            return _done(planned, summary.size, summary.fetched)

        return self._transfer(Outcome(self._called("download"), "planned", entry.where, str(path), entry.size), work)

    def _leaves(self, entry: RemoteEntry) -> bool:
        return entry.info.archived and self.options.archived != "force"

    def _transfer(
        self, planned: Outcome, work: Callable[[Outcome], Awaitable[Outcome]], deltaspace: str | None = None
    ) -> Job:
        async def leaving(planned: Outcome) -> Outcome:
            try:
                return await work(planned)
            except DeltaGliderError as error:
                options = self.options
                left = left_alone(planned, error, no_overwrite=options.no_overwrite, archived=options.archived)
                if left is None:
                    raise
                return left

        return Job(planned, leaving, deltaspace)

    def delete(self, step: Delete, place: S3Uri) -> Job:
        """An object, away."""
        target = place.child(step.name)

        async def work(planned: Outcome) -> Outcome:
            if self.options.dryrun:
                return planned
            await self.verbs.delete(target)
            return _done(planned, step.size, 0)

        return Job(Outcome("delete", "planned", str(target), None, step.size), work)

    def remove(self, step: Delete, destination: Destination) -> Job:
        """A local file, away."""

        async def work(planned: Outcome) -> Outcome:
            if self.options.dryrun:
                return planned
            reason = await in_thread(destination.remove, step.name, limiter=self.verbs.files)
            return _skipped(planned, reason) if reason else _done(planned, step.size, 0)

        return Job(Outcome("delete", "planned", str(destination.path_of(step.name)), None, step.size), work)


def outcome_of(problem: Problem, action: Action) -> Outcome:
    """What a problem comes to: a warning, or a failure."""
    status: OutcomeStatus = "skipped" if problem.error is None else "failed"
    return Outcome(action, status, problem.where, message=problem.message, error=problem.error)


def _done(planned: Outcome, size: int, stored: int) -> Outcome:
    return dataclasses.replace(planned, status="done", size=size, stored=stored)


def _skipped(planned: Outcome, reason: str) -> Outcome:
    return dataclasses.replace(planned, status="skipped", message=reason)
