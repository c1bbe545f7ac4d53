"""What presigned URLs and broken-off work have left under ``.deltaglider/tmp/``, removed when its time is over."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from deltaglider.bulk.plan import Unchanged
from deltaglider.bulk.run import Job, Jobs, Report, no_report, run
from deltaglider.errors import BucketNotFoundError, NotFoundError
from deltaglider.late import dataclass
from deltaglider.layout.keys import TEMPORARY_PREFIX
from deltaglider.layout.rehydrated import is_over, recorded_end
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Outcome, PurgeSummary
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.tasks import map_bounded

if TYPE_CHECKING:
    from deltaglider.engine.context import Context


async def purge(
    ctx: Context, bucket: str, *, older_than: float, dryrun: bool = False, report: Report = no_report
) -> PurgeSummary:
    """Removes what is over, several at once; one failure does not stop the others.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        older_than: Seconds after which a thing of which nothing says how long it stays is a leftover.
        dryrun: Only look.
        report: Told of each outcome.

    Returns:
        What it came to.

    Raises:
        StoreError: The listing failed; what was listed before may be removed.
    """
    removed = size = 0

    def count(outcome: Outcome) -> None:
        nonlocal removed, size
        if outcome.status in ("done", "planned"):
            removed += 1
            size += outcome.size
        report(outcome)

    found = _Purge(ctx, bucket, older_than, dryrun, datetime.now(UTC))
    workers = ctx.settings.max_concurrent_objects
    summary = await run(found.jobs(), workers=workers, observer=ctx.observer, report=count)
    return PurgeSummary(bucket, removed, summary.unchanged, summary.failed, size, summary.failures)


@dataclass(frozen=True, slots=True)
class _Purge:
    ctx: Context
    bucket: str
    older_than: float
    dryrun: bool
    began: datetime

    async def jobs(self) -> Jobs:
        """All that is over, as jobs; objects first, then uploads that were not completed."""
        store, limit = self.ctx.store, self.ctx.settings.max_concurrent_requests
        async for page in store.list_objects(self.bucket, TEMPORARY_PREFIX):
            for entry, over in zip(page, await map_bounded(self._is_over, page, limit=limit), strict=True):
                if over and isinstance(entry, ListedObject):
                    yield self._job(entry.key, entry.size, partial(store.delete, self.bucket, entry.key))
                else:
                    yield Unchanged()
        async for upload in store.unfinished_uploads(self.bucket, TEMPORARY_PREFIX):
            if is_over(None, upload.initiated, now=self.began, older_than=self.older_than):
                yield self._job(upload.key, 0, partial(store.abort_upload, self.bucket, upload.key, upload.upload_id))
            else:
                yield Unchanged()

    async def _is_over(self, entry: ListedObject | ListedPrefix) -> bool:
        if not isinstance(entry, ListedObject):
            return False
        # By the store's clock, which is what ends a URL.
        try:
            stored = await self.ctx.store.head(self.bucket, entry.key)
        except BucketNotFoundError:
            raise
        except NotFoundError:
            return False  # Someone else has removed it.
        end, now = recorded_end(stored.metadata), stored.answered or self.began
        return is_over(end, stored.last_modified, now=now, older_than=self.older_than)

    def _job(self, key: str, size: int, remove: Callable[[], Awaitable[object]]) -> Job:
        async def work(planned: Outcome) -> Outcome:
            if self.dryrun:
                return planned
            await remove()
            return dataclasses.replace(planned, status="done")

        return Job(Outcome("delete", "planned", str(S3Uri(self.bucket, key)), None, size), work)
