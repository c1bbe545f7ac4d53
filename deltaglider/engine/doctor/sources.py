"""The bytes of a lost reference, wherever they still are; each find is hashed before it counts."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from deltaglider.engine.context import TOOL
from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.standing import MISSING
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.engine.materialise import materialise
from deltaglider.errors import (
    BucketNotFoundError,
    CodecError,
    DeltaGliderError,
    IntegrityError,
    LocalFileError,
    NotFoundError,
    NotSupportedError,
    PreconditionFailedError,
    ReferenceMissingError,
)
from deltaglider.files import digests_of, sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.keys import (
    is_reserved,
    parse_reference_key,
    parse_trash_key,
    reference_key,
    trash_prefix,
    without_delta,
)
from deltaglider.layout.metadata import Description
from deltaglider.store.base import ARCHIVES, ListedObject
from deltaglider.tasks import map_bounded

logger = logging.getLogger("deltaglider.engine")

_TRIED = 4  # Objects that are recorded to have the bytes, tried at most.


@dataclass(frozen=True, slots=True)
class Want:
    """A reference that is not where it should be.

    Attributes:
        home: The stored key it should have.
        sha256: Of its bytes.
        spaces: Deltaspaces in whose trash it may be.
        cause: What is wrong.
        etag: What lies there and is to be replaced; empty for nothing.
    """

    home: str
    sha256: str
    spaces: tuple[str, ...]
    cause: str = MISSING
    etag: str = ""


async def put_back(case: Case, wants: list[Want]) -> None:
    """Puts references where they should be, as far as their bytes are anywhere.

    Args:
        case: The examination; it remembers what was put back.
        wants: Which.

    Raises:
        StoreError: The store failed.
    """
    limit = case.ctx.settings.max_concurrent_objects
    done = await map_bounded(partial(_put_back_from_near, case), wants, limit=limit)
    left = [want for want, found in zip(wants, done, strict=True) if not found]
    if left:
        files = await case.ctx.thread(_hashed_files, case.survey.sources, {want.sha256 for want in left})
        left = [want for want in left if not (want.sha256 in files and await _put(case, want, files[want.sha256]))]
    if left:
        found = await _search(case, {want.sha256 for want in left})
        for want in left:
            for form in found.get(want.sha256, []):
                if await _put_back_from(case, want, partial(_original, case, form)):
                    break


async def _put_back_from_near(case: Case, want: Want) -> bool:
    """From the cache, the trash, or another reference with the same bytes."""
    try:
        async with case.ctx.cache.use(want.sha256, _refuse, uri=case.uri(want.home)) as (path, _):
            return await _put(case, want, path)
    except (ReferenceMissingError, LocalFileError):
        pass
    async for place in _near(case, want):
        if await _put_back_from(case, want, partial(_fetch, case, place)):
            return True
    return False


async def _near(case: Case, want: Want) -> AsyncIterator[str]:
    for held in case.book.with_bytes(want.sha256):
        yield held.key
    for key, (sha256, _) in case.trash.items():
        if sha256 == want.sha256:
            yield key
    for space in want.spaces:
        yield reference_key(space, want.sha256)
        async for page in case.ctx.store.list_objects(case.bucket, trash_prefix(space, want.sha256)):
            for entry in page:
                yield entry.key


async def _put_back_from(case: Case, want: Want, fill: Callable[[Path], Awaitable[object]]) -> bool:
    with case.ctx.spool.file() as path:
        try:
            await fill(path)
        except BucketNotFoundError:
            raise
        except (NotFoundError, IntegrityError, PreconditionFailedError, CodecError):
            return False
        return await _put(case, want, path)


async def _put(case: Case, want: Want, path: Path) -> bool:
    """Stores a file as the reference that is wanted, if it is that."""
    digests = await case.ctx.thread(digests_of, path)
    if digests.sha256 != want.sha256:
        return False
    description = Description(
        kind="reference",
        tool=TOOL,
        name="unknown",
        sha256=digests.sha256,
        size=digests.size,
        md5=digests.md5,
        created=case.began,
    )
    ctx, uri = case.ctx, case.uri(want.home)
    # Under a name by content there is only one thing to put. A classic one may be another tool's business by now.
    by_content = parse_reference_key(want.home) is not None
    store = partial(
        ctx.store.put,
        case.bucket,
        want.home,
        path,
        sha256=want.sha256,
        metadata=description.write(uri=uri),
        moved=ctx.sent,
    )
    try:
        if by_content:
            await store()
        elif want.etag:
            await store(if_match=want.etag)
        else:
            await store(if_none_match=True)
    except PreconditionFailedError:
        return False
    except NotSupportedError:
        now = await head_or_none(ctx, case.bucket, want.home)
        if (now.stored.etag if now else "") != want.etag:
            return False
        await store()
    logger.info("put the reference %s back", uri)
    case.book.forget(want.home)
    case.mended[want.home] = want.cause
    return True


async def _fetch(case: Case, key: str, path: Path) -> None:
    await case.ctx.store.fetch(case.bucket, key, path, moved=case.ctx.received)


async def _original(case: Case, form: Form, path: Path) -> None:
    stored_key = form.stored.key
    key = (without_delta(stored_key) or stored_key) if form.is_delta else stored_key
    if form.is_reference or _named_by_content(stored_key):
        await _fetch(case, stored_key, path)
    else:
        await materialise(case.ctx, case.bucket, key, path, stored_key=stored_key)


async def _refuse(path: Path) -> None:
    raise ReferenceMissingError("it is not cached")


async def _search(case: Case, wanted: set[str]) -> dict[str, list[Form]]:
    """Objects of the whole bucket that are recorded to have the bytes wanted. One request for each object."""
    found: dict[str, list[Form]] = {}

    async def look(entry: object) -> Form | None:
        if not isinstance(entry, ListedObject) or entry.storage_class in ARCHIVES:
            return None
        parsed = _named_by_content(entry.key)
        if parsed is None and is_reserved(entry.key):
            return None
        if parsed is not None and parsed[1] not in wanted:
            return None
        return await head_or_none(case.ctx, case.bucket, entry.key)

    async for page in case.ctx.store.list_objects(case.bucket):
        for form in await map_bounded(look, page, limit=case.ctx.settings.max_concurrent_requests):
            sha256 = _recorded_sha256(form) if form else ""
            if form is not None and sha256 in wanted:
                known = found.setdefault(sha256, [])
                known += [form] if len(known) < _TRIED else []
    return found


def _recorded_sha256(form: Form) -> str:
    """What the bytes of an object are said to be; empty where that is no help."""
    parsed, description = _named_by_content(form.stored.key), form.description
    if parsed is not None or description is None:
        return parsed[1] if parsed else ""
    # A delta against the very reference that is lost cannot be read.
    is_first = form.is_delta and description.reference_sha256 == description.sha256
    return "" if is_first else description.sha256


def _named_by_content(key: str) -> tuple[str, str] | None:
    return parse_reference_key(key) or parse_trash_key(key)


def _hashed_files(sources: tuple[Path, ...], wanted: set[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for source in sources:
        for path in _files(source):
            if wanted <= found.keys():
                return found
            try:
                sha256 = sha256_of(path)
            except DeltaGliderError as error:
                logger.warning("%s was not looked at: %s", path, error)
                continue
            if sha256 in wanted:
                found[sha256] = path
    return found


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield path
