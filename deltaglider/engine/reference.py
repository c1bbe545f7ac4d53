"""The references of a deltaspace: found, made, confirmed, and read.

A reference is named by its content, so it is never overwritten and everyone who has its bytes can put it back. Finding
none means that
the store listed none: an error of the store is an error, never "none".
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from deltaglider.engine.context import TOOL, Context, Lead, uri_of
from deltaglider.engine.locate import head_or_none
from deltaglider.errors import (
    BucketNotFoundError,
    IntegrityError,
    LocalFileError,
    NotFoundError,
    PreconditionFailedError,
    ReferenceCorruptError,
    ReferenceMissingError,
)
from deltaglider.events import CacheUsed
from deltaglider.files import Digests, sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import (
    classic_reference_key,
    deltaspace_of_reference,
    directory_of,
    is_storable,
    name_of,
    parse_reference_key,
    reference_key,
    references_prefix,
    trash_prefix,
)
from deltaglider.layout.metadata import Description
from deltaglider.store.base import ListedObject

logger = logging.getLogger("deltaglider.engine")

_CONFIRMATIONS = 5


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of ours, by name.

    Attributes:
        bucket: The bucket.
        key: Its stored key.
        sha256: Of its bytes.
        size: Its bytes.
    """

    bucket: str
    key: str
    sha256: str
    size: int

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return uri_of(self.bucket, self.key)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A reference ready to encode against.

    Attributes:
        reference: Which.
        path: Its bytes.
        created: Whether this upload made it.
        headers: Write parameters to store it with, such as its encryption.
    """

    reference: Reference
    path: Path
    created: bool
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


async def list_references(ctx: Context, bucket: str, deltaspace: str) -> list[Reference]:
    """The references of ours in a deltaspace, the oldest first.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        deltaspace: The deltaspace.

    Returns:
        All of them: there is one, or a few where clients raced.
    """
    found: list[tuple[datetime, ListedObject, str]] = []
    async for page in ctx.store.list_objects(bucket, references_prefix(deltaspace)):
        for entry in page:
            parsed = parse_reference_key(entry.key)
            if isinstance(entry, ListedObject) and parsed and parsed[0] == deltaspace:
                found.append((entry.last_modified, entry, parsed[1]))
    found.sort(key=lambda item: (item[0], item[1].key))
    return [Reference(bucket, entry.key, sha256, entry.size) for _, entry, sha256 in found]


@asynccontextmanager
async def choose(
    ctx: Context,
    bucket: str,
    key: str,
    source: Path,
    digests: Digests,
    *,
    lead: Lead,
    headers: Mapping[str, str],
    discard: Callable[[Reference], Awaitable[None]],
) -> AsyncIterator[Chosen]:
    """A reference to encode a file against: the oldest of its deltaspace that serves, or the file itself as the first.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        source: The file.
        digests: Its hashes.
        lead: Of its deltaspace.
        headers: Write parameters for a reference that has to be made.
        discard: Takes a reference away again that was, or may have been, made for nothing.

    Yields:
        The reference, its bytes held ready.
    """
    deltaspace = deltaspace_of(key, ctx.settings.deltaspace)
    flight = lead.flight
    async with AsyncExitStack() as stack:
        chosen = None
        if flight.reference is not None:
            chosen = await first_that_serves(ctx, [Reference(bucket, *flight.reference)], stack)
        if chosen is None:
            # The others wait here while the first one looks, or makes one; then they find what it remembered.
            async with lead:
                candidates = [Reference(bucket, *flight.reference)] if flight.reference else []
                chosen = await first_that_serves(ctx, candidates, stack)
                if chosen is None:
                    candidates = await list_references(ctx, bucket, deltaspace)
                    chosen = await first_that_serves(ctx, candidates, stack)
                    if not candidates:
                        chosen = await _adopt_classic(ctx, bucket, key, deltaspace, stack)
                if chosen is None:
                    reference = Reference(
                        bucket, reference_key(deltaspace, digests.sha256), digests.sha256, digests.size
                    )
                    try:
                        await _create(ctx, reference, name_of(key), source, digests, headers)
                    except BaseException:
                        await discard(reference)
                        raise
                    chosen = Chosen(reference, source, created=True)
                flight.reference = (chosen.reference.key, chosen.reference.sha256, chosen.reference.size)
        yield dataclasses.replace(chosen, headers=headers)


async def confirm(ctx: Context, chosen: Chosen, *, expected: bool = True) -> None:
    """Makes sure that a reference is there, now that a delta needs it, and puts it back if it is not.

    Args:
        ctx: The client's parts.
        chosen: Which, with its bytes.
        expected: Whether it was there before, so that its absence is news.

    Raises:
        ReferenceMissingError: It vanishes as often as it is put back.
    """
    reference = chosen.reference
    for _ in range(_CONFIRMATIONS):
        form = await head_or_none(ctx, reference.bucket, reference.key)
        if form is not None and form.stored.size == reference.size:
            return
        if expected:
            logger.warning("the reference %s was gone: putting it back", reference.uri)
        digests = Digests(reference.size, reference.sha256, "")
        await _put(ctx, reference, "", chosen.path, digests, chosen.headers)
    raise ReferenceMissingError(
        "the reference vanishes as often as it is put back",
        uri=reference.uri,
        remedy="See who deletes it; a store that does not show at once what it stored cannot be used",
    )


@asynccontextmanager
async def read(ctx: Context, bucket: str, key: str, description: Description) -> AsyncIterator[tuple[Path, int]]:
    """The bytes of the reference that a delta names, from the cache or wherever they still are.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The key of the object that is a delta.
        description: Of the delta.

    Yields:
        A file with exactly the recorded bytes, and how many had to be fetched for it: none from the cache.

    Raises:
        ReferenceMissingError: They are nowhere.
        ReferenceCorruptError: What is in their place are other bytes.
    """
    size = 0

    async def fetch(path: Path) -> None:
        nonlocal size
        size = await _fetch_from_anywhere(ctx, bucket, key, description, path)

    async with ctx.cache.use(description.reference_sha256, fetch, uri=uri_of(bucket, key)) as (path, hit):
        ctx.observer(CacheUsed(hit, path.stat().st_size))
        yield path, size


async def _fetch_from_anywhere(ctx: Context, bucket: str, key: str, description: Description, path: Path) -> int:
    wrong = ""
    async for place in places(ctx, bucket, key, description):
        try:
            stored = await ctx.store.fetch(bucket, place, path, moved=ctx.received)
        except BucketNotFoundError:
            raise
        except NotFoundError:
            continue
        except IntegrityError as error:  # The store itself finds it damaged: another copy may be good.
            logger.warning("the reference %s is damaged: %s", uri_of(bucket, place), error)
            wrong = place
            continue
        if await ctx.thread(sha256_of, path) == description.reference_sha256:
            return stored.size
        wrong = place
    if wrong:
        raise ReferenceCorruptError(
            f"the reference {uri_of(bucket, wrong)} has other bytes than its delta was made against "
            f"(SHA-256 {description.reference_sha256})",
            uri=uri_of(bucket, key),
            remedy="Run 'deltaglider doctor --repair' on the bucket; --from names files that may be the reference",
        )
    raise ReferenceMissingError(
        f"its reference {uri_of(bucket, _recorded_key(key, description))} is gone "
        f"(SHA-256 {description.reference_sha256})",
        uri=uri_of(bucket, key),
        remedy="Run 'deltaglider doctor --repair' on the bucket; --from names files that may be the reference",
    )


async def places(ctx: Context, bucket: str, key: str, description: Description) -> AsyncIterator[str]:
    """Where a reference may be: as recorded; where a moved deltaspace has it; in the trash of a deleter.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The key of the object that is a delta.
        description: Of the delta.

    Yields:
        Stored keys, the likeliest first, some of them perhaps twice.

    Raises:
        StoreError: The store failed.
    """
    recorded, sha256 = _recorded_key(key, description), description.reference_sha256
    spaces = dict.fromkeys(
        [deltaspace_of_reference(recorded), deltaspace_of(key, "versioned"), deltaspace_of(key, "directory")]
    )
    places = [recorded, *(reference_key(space, sha256) for space in spaces), classic_reference_key(directory_of(key))]
    for place in filter(is_storable, dict.fromkeys(places)):
        yield place
    for space in filter(lambda space: is_storable(trash_prefix(space, sha256)), spaces):
        async for page in ctx.store.list_objects(bucket, trash_prefix(space, sha256)):
            for entry in page:
                yield entry.key
    # A deleter may have put it back between the first look and the last.
    if is_storable(recorded):
        yield recorded


def _recorded_key(key: str, description: Description) -> str:
    return description.reference_key or directory_of(key) + description.reference_path


async def first_that_serves(ctx: Context, candidates: list[Reference], stack: AsyncExitStack) -> Chosen | None:
    """The first candidate whose bytes are what its name says, held ready until the stack unwinds.

    Args:
        ctx: The client's parts.
        candidates: References, the likeliest first.
        stack: Holds its bytes.

    Returns:
        The one chosen; ``None`` if none serves.
    """
    for candidate in candidates:
        served = await _serve(ctx, candidate, stack)
        if served is not None:
            return Chosen(candidate, served[0], created=False)
    return None


async def _serve(ctx: Context, candidate: Reference, stack: AsyncExitStack) -> tuple[Path, bool] | None:
    """Its bytes, held ready until the stack unwinds, and whether the cache had them; ``None`` if they are no good."""

    async def fetch(path: Path) -> None:
        await ctx.store.fetch(candidate.bucket, candidate.key, path, moved=ctx.received)

    try:
        use = ctx.cache.use(candidate.sha256, fetch, uri=candidate.uri)
        path, hit = await stack.enter_async_context(use)
    except BucketNotFoundError:
        raise
    except (NotFoundError, IntegrityError) as error:
        logger.warning("the reference %s does not serve: %s", candidate.uri, error)
        return None
    ctx.observer(CacheUsed(hit, candidate.size))
    return path, hit


async def _adopt_classic(ctx: Context, bucket: str, key: str, deltaspace: str, stack: AsyncExitStack) -> Chosen | None:
    """Gives the reference an earlier tool left in the key's directory a name by its content, too.

    Deltas made against the classic reference itself would be lost with it, and the earlier tool deletes it on
    occasions (its ``sync --delete`` of a bucket's root is one). The copy costs the space of one reference, and only
    where files are added. Its bytes are proven first: only what its name promises gets such a name.
    """
    form = await head_or_none(ctx, bucket, classic_reference_key(directory_of(key)))
    if form is None or not form.is_reference or form.description is None:
        return None
    stored, description = form.stored, form.description
    served = await _serve(ctx, Reference(bucket, stored.key, description.sha256, stored.size), stack)
    if served is None:
        return None
    path, hit = served
    size = path.stat().st_size
    reference = Reference(bucket, reference_key(deltaspace, description.sha256), description.sha256, size)
    if hit:  # Then what is stored has not been looked at, but there is a good copy here.
        await _put(ctx, reference, description.name, path, Digests(size, description.sha256, description.md5), {})
        return Chosen(reference, path, created=False)
    metadata = dataclasses.replace(description, size=size, created=datetime.now(UTC), tool=TOOL).write(
        uri=reference.uri
    )
    try:
        await ctx.store.copy(
            bucket, stored.key, bucket, reference.key, metadata=metadata, headers={}, if_match=stored.etag
        )
    except BucketNotFoundError:
        raise
    except (NotFoundError, PreconditionFailedError) as error:
        logger.info("the reference %s is being removed or replaced: %s", uri_of(bucket, stored.key), error)
        return None
    return Chosen(reference, path, created=False)


async def _create(
    ctx: Context, reference: Reference, name: str, source: Path, digests: Digests, headers: Mapping[str, str]
) -> None:
    await _put(ctx, reference, name, source, digests, headers)
    try:
        await ctx.cache.add(digests.sha256, source)
    except LocalFileError as error:
        # This upload does not need it, and the next one may find more room.
        logger.warning("the reference %s could not be cached: %s", reference.uri, error)


async def _put(
    ctx: Context, reference: Reference, name: str, source: Path, digests: Digests, headers: Mapping[str, str]
) -> None:
    description = Description(
        kind="reference",
        tool=TOOL,
        name=name or "unknown",
        sha256=digests.sha256,
        size=digests.size,
        md5=digests.md5,
        created=datetime.now(UTC),
    )
    await ctx.store.put(
        reference.bucket,
        reference.key,
        source,
        sha256=digests.sha256,
        metadata=description.write(uri=reference.uri),
        headers=headers,
        moved=ctx.sent,
    )
