"""Plain objects into delta storage: to another place, or where they lie.

What a run finds done it passes over, so an interrupted one is simply run again. The first file of each deltaspace, in
the order of keys, is stored before the others of it begin: it becomes the reference, and the result does not depend on
which of several workers is the fastest.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar
from weakref import WeakValueDictionary

import anyio

from deltaglider.bulk.entries import Problem, RemoteEntry
from deltaglider.bulk.leaders import leaders_first
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.plan import Transfer, Unchanged, filtered, merge
from deltaglider.bulk.remote import remote_entries
from deltaglider.bulk.run import Job, Jobs, Report, no_report, run
from deltaglider.bulk.verdicts import Verdicts
from deltaglider.engine.again import finish
from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.listing import list_objects
from deltaglider.engine.migrate import migrate
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.stats import stats
from deltaglider.errors import PreconditionFailedError
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import is_reserved
from deltaglider.layout.policy import is_delta_worthy
from deltaglider.layout.uri import S3Uri
from deltaglider.models import MigrationSummary, ObjectInfo, Outcome, Prefix, UploadSummary
from deltaglider.store.base import ListedObject

T = TypeVar("T")

_MD5 = re.compile(r"[0-9a-f]{32}")

_ARCHIVED = "Object is of storage class {}. Restore it first, to be able to migrate it."

_STAYS_WHOLE = "It stays whole: no delta of it is worth keeping."


async def migrate_tree(
    ctx: Context,
    source: S3Uri,
    target: S3Uri,
    options: BulkOptions,
    *,
    storing: UploadOptions | None = None,
    report: Report = no_report,
) -> MigrationSummary:
    """Stores all objects of a place as deltas, where that is worth it.

    Args:
        ctx: The client's parts.
        source: A place.
        target: Another one; or the same, and then what lies there whole becomes deltas.
        options: Which, and whether really.
        storing: How files are stored.
        report: Told of each outcome.

    Returns:
        What it came to, and what the target holds at the end.

    Raises:
        StoreError: A listing failed.
    """
    here, there = source.as_directory(), target.as_directory()
    migration = _Migration(ctx, here, there, options, storing or UploadOptions())
    summary = await run(
        leaders_first(migration.in_place() if here == there else migration.across()),
        workers=ctx.settings.max_concurrent_objects,
        observer=ctx.observer,
        report=report,
        fail_fast=options.fail_fast,
    )
    figures = None if options.dryrun else await stats(ctx, there.bucket, there.key, use_cache=False)
    counts = {field.name: getattr(summary, field.name) for field in dataclasses.fields(summary)}
    return MigrationSummary(**counts, source=str(here), target=str(there), figures=figures)


class _Migration:
    """One migration from one place to one."""

    def __init__(self, ctx: Context, here: S3Uri, there: S3Uri, options: BulkOptions, storing: UploadOptions) -> None:
        self._ctx = ctx
        self._here = here
        self._there = there
        self._options = options
        self._storing = storing
        self._keeps = options.filters.rooted()
        self._turns = _Turns(ctx, there.bucket)
        self._verdicts = Verdicts(ctx, storing.max_ratio or ctx.settings.max_ratio)
        self._policy = storing.policy(ctx.settings)

    async def across(self) -> Jobs:
        """What the target lacks, or has otherwise."""
        inside = self._there.bucket == self._here.bucket and self._there.key.startswith(self._here.key)
        within = self._there.key[len(self._here.key) :] if inside else None
        sources = filtered(remote_entries(self._list, self._here, without=within), self._keeps)
        targets = filtered(remote_entries(self._list, self._there), self._keeps)
        async with aclosing(merge(sources, targets, _differs)) as steps:
            async for step in steps:
                if isinstance(step, Transfer):
                    yield self._copy(step.entry)
                elif isinstance(step, Unchanged):
                    yield step

    async def in_place(self) -> Jobs:
        """What lies whole and may be worth a delta; and what an interrupted run left beside its delta."""
        doubled = ""

        def hidden(entry: ListedObject) -> None:
            nonlocal doubled
            doubled = doubled if is_reserved(entry.key) else entry.key

        def listing(place: S3Uri) -> AsyncGenerator[ObjectInfo | Prefix, None]:
            return list_objects(self._ctx, place.bucket, place.key, hidden=hidden)

        async with aclosing(filtered(remote_entries(listing, self._here), self._keeps)) as entries:
            async for entry in entries:
                if isinstance(entry, Problem):
                    continue
                if entry.info.is_delta and entry.info.key != doubled:
                    yield Unchanged()
                elif entry.info.is_delta:
                    yield self._finish(entry)
                elif is_delta_worthy(entry.info.key, entry.size, self._policy):
                    yield self._restore(entry)
                else:
                    yield Unchanged()

    def _list(self, place: S3Uri) -> AsyncGenerator[ObjectInfo | Prefix, None]:
        return list_objects(self._ctx, place.bucket, place.key)

    def _copy(self, entry: RemoteEntry) -> Job | Outcome:
        target = self._there.child(entry.name)

        async def work() -> UploadSummary:
            return await copy(
                self._ctx, entry.info.bucket, entry.info.key, target.bucket, target.key, options=self._storing
            )

        return self._job(entry, target, work)

    def _restore(self, entry: RemoteEntry) -> Job | Outcome:
        async def work() -> UploadSummary | None:
            if await self._verdicts.stays_whole(entry.info):
                return None
            summary = await migrate(self._ctx, entry.info.bucket, entry.info.key, options=self._storing)
            if summary is None:
                await self._verdicts.keep(entry.info)
            return summary

        return self._job(entry, None, work)

    def _finish(self, entry: RemoteEntry) -> Job | Outcome:
        async def work() -> UploadSummary | None:
            info = entry.info
            if not await finish(self._ctx, info.bucket, info.key):
                return None
            return UploadSummary("create_delta", info.bucket, info.key, info.size, info.stored_size, is_delta=True)

        return self._job(entry, None, work)

    def _job(
        self, entry: RemoteEntry, target: S3Uri | None, do: Callable[[], Awaitable[UploadSummary | None]]
    ) -> Job | Outcome:
        planned = Outcome("migrate", "planned", entry.where, str(target) if target else None, entry.size)
        if entry.info.archived and not entry.info.is_delta:
            message = _ARCHIVED.format(entry.info.storage_class)
            return dataclasses.replace(planned, status="skipped", message=message)
        key = target.key if target else entry.info.key
        is_worthy = is_delta_worthy(key, entry.size, self._policy)
        deltaspace = deltaspace_of(key, self._policy.deltaspace) if is_worthy and not self._options.dryrun else None

        async def work(planned: Outcome) -> Outcome:
            if self._options.dryrun:
                return planned
            try:
                summary = await (self._turns.take(key, do) if is_worthy else do())
            except PreconditionFailedError as error:
                return dataclasses.replace(planned, status="skipped", message=str(error.message))
            if summary is None:
                return dataclasses.replace(planned, status="unchanged", message=_STAYS_WHOLE)
            return dataclasses.replace(planned, status="done", stored=summary.stored_size)

        return Job(planned, work, deltaspace)


class _Turns:
    """The files of a deltaspace go one by one, in the order they ask, until it has a reference."""

    def __init__(self, ctx: Context, bucket: str) -> None:
        self._ctx = ctx
        self._bucket = bucket
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def take(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work when it is the key's turn."""
        deltaspace = deltaspace_of(key, self._ctx.settings.deltaspace)
        if not self._has_reference(deltaspace):
            async with self._locks.setdefault(deltaspace, anyio.Lock()):
                if not self._has_reference(deltaspace):
                    return await work()
        return await work()

    def _has_reference(self, deltaspace: str) -> bool:
        return self._ctx.flights.of(self._bucket, deltaspace).reference is not None


def _differs(source: RemoteEntry, target: RemoteEntry) -> bool:
    """Whether the target is, or may be, another file than the source.

    Hashes decide where both sides have comparable ones. An object that another tool uploaded in parts has none: then
    a target of the same size that is no older than its source is taken for its copy, as ``sync`` does.
    """
    here, there = source.info, target.info
    if here.size != there.size:
        return True
    if here.sha256 and there.sha256:
        return here.sha256 != there.sha256
    if _MD5.fullmatch(here.etag) and _MD5.fullmatch(there.etag):
        return here.etag != there.etag
    return here.last_modified > there.last_modified
