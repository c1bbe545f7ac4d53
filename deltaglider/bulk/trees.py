"""The verbs for many objects: a whole tree up, down or across, kept in sync, or deleted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TypeVar

from deltaglider.bulk.backlog import deletes_last
from deltaglider.bulk.compare import differs
from deltaglider.bulk.contents import settled
from deltaglider.bulk.deletes import Plain, delete_jobs
from deltaglider.bulk.entries import Entry, LocalEntry, Problem
from deltaglider.bulk.guard import Guard
from deltaglider.bulk.jobs import JobMaker, outcome_of
from deltaglider.bulk.leaders import leaders_first
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.plan import Delete, Entries, GuardedSteps, Refused, Transfer, filtered, merge
from deltaglider.bulk.remote import remote_entries
from deltaglider.bulk.routes import Route, Way, across, down, files_up, objects_across, objects_down, up
from deltaglider.bulk.run import Job, Jobs, Report, no_report, run
from deltaglider.bulk.verbs import Verbs
from deltaglider.errors import DeltaGliderError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Action, BulkSummary, Outcome

S = TypeVar("S", bound=Entry)
T = TypeVar("T", bound=Entry)

_DEFAULT = BulkOptions()


async def upload_tree(
    verbs: Verbs, source: Path, target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Uploads all files of a directory, under their names relative to it.

    Args:
        verbs: The means.
        source: A directory.
        target: A place; ``p`` and ``p/`` are the same.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        LocalFileError: The source is missing, or is not a directory that can be listed.
    """
    route = await up(verbs, source, target, options)
    if verbs.shown is None or route.create is None or options.move or options.dryrun:
        return await _transfer(verbs, route, options, report)
    place, create, transfer = target.as_directory(), route.create, route.transfer
    shown = await verbs.shown(place)

    def job(entry: LocalEntry) -> Job:
        return (create if shown.lacks(place.child(entry.name).key) else transfer)(entry)

    return await _transfer(verbs, dataclasses.replace(route, transfer=job), options, report)


async def download_tree(
    verbs: Verbs, source: S3Uri, target: Path, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Downloads all objects of a place into a directory. Nothing outside the directory is ever touched.

    Args:
        verbs: The means.
        source: A place; ``p`` and ``p/`` are the same, and mean nothing of ``p2/``.
        target: A directory, made if need be.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: The listing failed.
        LocalFileError: The directory cannot be made.
    """
    return await _transfer(verbs, await down(verbs, source, target, options), options, report)


async def copy_tree(
    verbs: Verbs, source: S3Uri, target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Copies all objects of a place to another one.

    Args:
        verbs: The means.
        source: A place.
        target: Another one.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        InvalidInputError: Both are the same.
        StoreError: The listing failed.
    """
    return await _transfer(verbs, await across(verbs, source, target, options), options, report)


async def upload_files(
    verbs: Verbs, files: Sequence[Path], target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Uploads some files to one place, each under its own name; one that is not there is a failure.

    Args:
        verbs: The means.
        files: The files, of different names.
        target: A place.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.
    """
    return await _transfer(verbs, files_up(verbs, files, target, options), options, report)


async def download_objects(
    verbs: Verbs, objects: Sequence[S3Uri], target: Path, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Downloads some objects into one directory, each under its own name; one that is not there is a failure.

    Args:
        verbs: The means.
        objects: The objects, of different names.
        target: A directory, made if need be.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: There is no such bucket.
        LocalFileError: The directory cannot be made.
    """
    return await _transfer(verbs, await objects_down(verbs, objects, target, options), options, report)


async def copy_objects(
    verbs: Verbs,
    objects: Sequence[S3Uri],
    target: S3Uri,
    options: BulkOptions = _DEFAULT,
    *,
    report: Report = no_report,
) -> BulkSummary:
    """Copies some objects to one place, each under its own name; one that is not there is a failure.

    Args:
        verbs: The means.
        objects: The objects, of different names.
        target: A place.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: There is no such bucket.
    """
    return await _transfer(verbs, objects_across(verbs, objects, target, options), options, report)


async def delete_tree(
    verbs: Verbs, target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Deletes all objects of a place, directory markers included.

    Args:
        verbs: The means.
        target: A place; ``p`` and ``p/`` are the same, and mean nothing of ``p2/``.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: The listing failed; what was listed before may be deleted.
    """
    place, make = target.as_directory(), JobMaker(verbs, options)
    entries = filtered(remote_entries(verbs.listing, place, markers=True), options.filters.rooted())
    jobs = delete_jobs(entries, Plain() if options.dryrun else verbs.plain, partial(make.delete, place=place))
    return await _run(verbs, jobs, options, report, deletes=True)


async def sync_up(
    verbs: Verbs, source: Path, target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Uploads what a place lacks of a directory or has otherwise; with ``delete``, deletes what only the place has.

    Args:
        verbs: The means.
        source: A directory.
        target: A place.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: The listing failed; then nothing was deleted.
        LocalFileError: The source is missing, or is not a directory that can be listed.
    """
    return await _sync(verbs, await up(verbs, source, target, options), options, report)


async def sync_down(
    verbs: Verbs, source: S3Uri, target: Path, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Downloads what a directory lacks of a place or has otherwise; with ``delete``, deletes what only it has.

    Args:
        verbs: The means.
        source: A place.
        target: A directory, made if need be. Directories and special files in it are never deleted.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: The listing failed; then nothing was deleted.
        LocalFileError: The directory cannot be made or listed.
    """
    return await _sync(verbs, await down(verbs, source, target, options), options, report)


async def sync_across(
    verbs: Verbs, source: S3Uri, target: S3Uri, options: BulkOptions = _DEFAULT, *, report: Report = no_report
) -> BulkSummary:
    """Copies what one place lacks of another or has otherwise; with ``delete``, deletes what only it has.

    Args:
        verbs: The means.
        source: A place.
        target: Another one.
        options: How.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        InvalidInputError: Both are the same.
        StoreError: A listing failed; then nothing was deleted.
    """
    return await _sync(verbs, await across(verbs, source, target, options), options, report)


async def _transfer(verbs: Verbs, way: Way[S], options: BulkOptions, report: Report) -> BulkSummary:
    action: Action = "move" if options.move else way.action
    jobs = _transfer_jobs(way.sources(), action, way.transfer)
    return await _run(verbs, jobs, options, report, deletes=options.move)


async def _sync(verbs: Verbs, route: Route[S, T], options: BulkOptions, report: Report) -> BulkSummary:
    changed = partial(
        differs,
        route.action,
        size_only=options.size_only,
        exact_timestamps=options.exact_timestamps,
        no_overwrite=options.no_overwrite,
        preserve=options.preserve,
    )
    by_content = options.checksum and not options.no_overwrite
    if options.delete:
        guard = Guard(options.max_delete, force=options.force)
        sources, targets = guard.counted(route.sources(), "source"), guard.counted(route.targets(), "target")
        merged = merge(sources, targets, changed, deletable=route.deletable, by_content=by_content)
        plan = settled(merged, verbs.contents, changed)
        steps: GuardedSteps[S] = deletes_last(plan, partial(guard.objection, uri=route.target), temp_dir=verbs.temp_dir)
    else:
        merged = merge(route.sources(), route.targets(), changed, by_content=by_content)
        steps = settled(merged, verbs.contents, changed)
    jobs = _jobs(steps, route)
    return await _run(verbs, jobs, options, report, deletes=options.delete)


async def _run(verbs: Verbs, jobs: Jobs, options: BulkOptions, report: Report, *, deletes: bool) -> BulkSummary:
    return await run(
        leaders_first(jobs),
        workers=verbs.workers,
        observer=verbs.observer,
        report=report,
        fail_fast=options.fail_fast,
        finish=partial(_retire, verbs) if deletes and not options.dryrun else None,
    )


async def _retire(verbs: Verbs) -> Outcome | None:
    """Ends what the deletes began; they are done, so its failure is one of its own."""
    try:
        await verbs.retire()
    except DeltaGliderError as error:
        return Outcome("delete", "failed", error.uri or "", message=str(error), error=error)
    return None


async def _jobs(steps: GuardedSteps[S], route: Route[S, T]) -> Jobs:
    create = route.create or route.transfer
    async with aclosing(steps):
        async for step in steps:
            if isinstance(step, Transfer):
                yield (create if step.is_new else route.transfer)(step.entry)
            elif isinstance(step, Delete):
                yield route.delete(step)
            elif isinstance(step, Refused):
                yield Outcome("delete", "failed", step.error.uri or "", message=str(step.error), error=step.error)
            elif not isinstance(step, Problem):
                yield step
            elif step.message:
                yield outcome_of(step, route.action)


async def _transfer_jobs(entries: Entries[S], action: Action, transfer: Callable[[S], Job]) -> Jobs:
    async with aclosing(entries):
        async for item in entries:
            if not isinstance(item, Problem):
                yield transfer(item)
            elif item.message:
                yield outcome_of(item, action)
