"""Verifying all objects of a prefix: several at once, in the order of keys, and with a record of what was proven.

One object that cannot be read stops nothing: it is a result like the others. What is held is a batch of results and
the names of some thousand references; the record is read and written beside the listing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from deltaglider.cache.proofs import Proofs
from deltaglider.engine.context import Context
from deltaglider.engine.listing import list_forms
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.verify import Checks, afresh, verify
from deltaglider.errors import (
    BucketNotFoundError,
    CodecError,
    CodecMissingError,
    DeltaGliderError,
    InvalidInputError,
    LocalFileError,
    NotFoundError,
    StoreError,
)
from deltaglider.late import dataclass
from deltaglider.models import ObjectInfo, VerifyResult
from deltaglider.tasks import map_bounded

logger = logging.getLogger("deltaglider.bulk")

T = TypeVar("T")

_BATCH_PER_WORKER = 8

_Item = tuple[ObjectInfo, Form | None]


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How a prefix is verified.

    Attributes:
        quick: Look at metadata and sizes, and that references are there; read no bytes, and record nothing.
        resume: Go on where the last run of the same place was interrupted; if it was not, begin anew.
        older_than: Pass over what was proven within so many seconds; ``None`` for nothing.
        record: The file that keeps what is proven; ``None`` for one in the cache directory.
    """

    quick: bool = False
    resume: bool = False
    older_than: float | None = None
    record: Path | None = None

    def __post_init__(self) -> None:
        if self.quick and (self.resume or self.older_than is not None or self.record is not None):
            raise InvalidInputError(
                "a quick look proves nothing that could be recorded or passed over",
                remedy="Leave out quick, or resume, older_than and record",
            )
        if self.older_than is not None and self.older_than < 0:
            raise InvalidInputError("older_than is negative", remedy="Give an age, such as a week")

    @property
    def needs_record(self) -> bool:
        """Whether without its record the run would not be what was asked for."""
        return self.resume or self.older_than is not None or self.record is not None


async def verify_tree(
    ctx: Context, bucket: str, prefix: str, options: VerifyOptions | None = None
) -> AsyncGenerator[VerifyResult, None]:
    """Verifies every object under a prefix, several at once.

    References are read from the store, each once (as far as ``cache_size`` allows), whatever this machine has cached.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        prefix: Only keys that begin with it.
        options: How.

    Yields:
        What was proven of each, in the order of keys. One that was deleted meanwhile is left out.

    Raises:
        StoreError: The listing failed. What was proven so far is recorded.
        LocalFileError: The record was asked for and cannot be kept.
    """
    with afresh(ctx) as cold:
        run = _Run(cold, bucket, prefix, options or VerifyOptions(), ctx.cache.directory / "verified")
        try:
            batch: list[_Item] = []
            async with aclosing(list_forms(cold, bucket, prefix)) as entries:
                async for info, form in entries:
                    if isinstance(info, ObjectInfo):
                        batch.append((info, form))
                    if len(batch) >= _BATCH_PER_WORKER * ctx.settings.max_concurrent_objects:
                        for result in await run.verify(batch):
                            yield result
                        batch = []
            for result in await run.verify(batch):
                yield result
            await run.finish()
        finally:
            run.close()


class _Run:
    """One verification of one place."""

    def __init__(self, ctx: Context, bucket: str, prefix: str, options: VerifyOptions, home: Path) -> None:
        self._ctx = ctx
        self._bucket = bucket
        self._prefix = prefix
        self._options = options
        self._home = home
        self._checks = Checks(ctx, bucket)
        self._proofs: Proofs | None = None
        self._opened = options.quick
        self._since: float | None = None

    async def verify(self, batch: Sequence[_Item]) -> list[VerifyResult]:
        """What was proven of some objects, in their order."""
        if not self._opened:
            await self._open()
        proven = await self._recorded(lambda proofs: proofs.known([(i.key, _identity(i, f)) for i, f in batch]))
        moments = proven or [0] * len(batch)
        items = [(info, form, when) for (info, form), when in zip(batch, moments, strict=True)]
        await self._checks.prepare([(i.key, f) for i, f, when in items if self._options.quick or self._passes(when)])
        results = await map_bounded(self._one, items, limit=self._ctx.settings.max_concurrent_objects)
        now = int(time.time())
        lines = [
            (info.key, _identity(info, form), {"failed": 0, "earlier": when, "unread": when}.get(result.state, now))
            for (info, form, when), result in zip(items, results, strict=True)
            if result is not None
        ]
        await self._recorded(lambda proofs: proofs.add(lines))
        return [result for result in results if result is not None]

    async def finish(self) -> None:
        """Takes note that all objects had their turn."""
        await self._recorded(Proofs.finish)

    def close(self) -> None:
        """Lets go of the record."""
        if self._proofs is not None:
            self._proofs.close()
            self._proofs = None

    def _passes(self, when: int) -> bool:
        return self._since is not None and when > 0 and when >= self._since

    async def _open(self) -> None:
        # Only now, when the listing has begun, does the store know which it is.
        self._opened = True
        place = f"{self._ctx.store.identity} s3://{self._bucket}/{self._prefix}"
        name = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._proofs = Proofs(self._options.record or self._home / f"{name}.jsonl", place)
        interrupted = await self._recorded(lambda proofs: proofs.open(resume=self._options.resume))
        limits = [float(interrupted)] if interrupted and self._options.resume else []
        if self._options.older_than is not None:
            limits.append(time.time() - self._options.older_than)
        self._since = min(limits, default=None)

    async def _recorded(self, work: Callable[[Proofs], T]) -> T | None:
        """Works on the record. Where nobody asked for one, its failure is no reason to prove nothing."""
        if self._proofs is None:
            return None
        try:
            return await self._ctx.thread(work, self._proofs)
        except LocalFileError as error:
            if self._options.needs_record:
                raise
            logger.warning("what is proven is not recorded: %s", error)
            self.close()
            return None

    async def _one(self, item: tuple[ObjectInfo, Form | None, int]) -> VerifyResult | None:
        info, form, when = item
        try:
            if self._passes(when):
                return _earlier(self._checks.check(info, form), when)
            if self._options.quick:
                form = form or await head_or_none(self._ctx, info.bucket, info.stored_key)
                return self._checks.check(info, form) if form is not None else None
            return await verify(self._ctx, info.bucket, info.key, info=info)
        except (BucketNotFoundError, CodecMissingError):
            raise
        except NotFoundError:
            return None
        except (StoreError, LocalFileError, CodecError) as error:
            return _unread(info, error)


def _identity(info: ObjectInfo, form: Form | None) -> str:
    """What tells an object from another that is stored under the same key later."""
    etag = form.stored.etag if form is not None else info.etag
    return f"{etag} {info.last_modified.timestamp():.0f}"


def _earlier(found: VerifyResult, when: int) -> VerifyResult:
    if not found.valid:
        return found
    moment = datetime.fromtimestamp(when, UTC)
    return dataclasses.replace(found, state="earlier", message=f"its bytes were proven at {moment:%Y-%m-%d %H:%M} UTC")


def _unread(info: ObjectInfo, error: DeltaGliderError) -> VerifyResult:
    return VerifyResult(info.bucket, info.key, False, info.sha256, "", str(error), info.size, "unread")
