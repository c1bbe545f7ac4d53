"""Whether an object reads: proven by reading it, or looked at as far as requests without a body tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deltaglider.cache.notes import Notes
from deltaglider.cache.references import ReferenceCache
from deltaglider.engine import reference
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.listing import info_of
from deltaglider.engine.locate import Form, head_or_none, locate
from deltaglider.engine.materialise import materialise
from deltaglider.errors import (
    BucketNotFoundError,
    CodecTimeoutError,
    DeltaGliderError,
    IntegrityError,
    MetadataLostError,
    NotFoundError,
    StoreError,
    UnknownFormatError,
)
from deltaglider.layout.metadata import Description
from deltaglider.models import ObjectInfo, VerifyResult, VerifyState
from deltaglider.tasks import map_bounded

_REMEMBERED = 4096

_SOUND = "its bytes are as recorded"
_COMPLETE = "what is recorded of it is complete; its bytes were not read"
_UNRECORDED = "no hash is recorded to compare with: it was stored by another tool"


@contextmanager
def afresh(ctx: Context) -> Iterator[Context]:
    """A client's parts with an empty cache: what is read is what lies in the store, not what this machine remembers.

    Args:
        ctx: The client's parts.

    Yields:
        The others; what they cache goes with the context.
    """
    with ctx.spool.directory() as directory:
        cache = ReferenceCache(directory, ctx.settings.cache_size)
        try:
            yield dataclasses.replace(ctx, cache=cache, notes=Notes(directory, 0))
        finally:
            cache.close()


async def verify(ctx: Context, bucket: str, key: str, *, info: ObjectInfo | None = None) -> VerifyResult:
    """Reads an object back, as a download would, and compares its SHA-256 with the recorded one.

    A reference that is cached is taken from there: see ``afresh``.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        info: From a listing; saves the requests that find the stored form.

    Returns:
        What was proven. An object whose bytes are wrong is a result, not an error.

    Raises:
        NotFoundError: There is no such object.
        StoreError: The store failed, which proves nothing.
    """
    with ctx.spool.file() as path:
        try:
            original = await materialise(ctx, bucket, key, path, stored_key=info.stored_key if info else None)
        except (IntegrityError, CodecTimeoutError) as error:
            return await _damaged(ctx, bucket, key, error)
    digests, description = original.digests, original.form.description
    if description is None:
        return VerifyResult(bucket, key, True, "", digests.sha256, f"readable, but {_UNRECORDED}", digests.size, "read")
    return VerifyResult(
        bucket,
        key,
        True,
        description.sha256,
        digests.sha256,
        _SOUND,
        digests.size,
        "proven",
        original.form.reference_key or None,
    )


async def check(ctx: Context, bucket: str, key: str) -> VerifyResult:
    """``Checks.check`` for one object.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.

    Returns:
        What was found.

    Raises:
        NotFoundError: There is no such object.
        StoreError: The store failed.
    """
    try:
        form = await locate(ctx, bucket, key)
    except MetadataLostError as error:
        return VerifyResult(bucket, key, False, "", "", str(error), 0, "failed")
    checks = Checks(ctx, bucket)
    await checks.prepare([(key, form)])
    return checks.check(info_of(bucket, key, form), form)


class Checks:
    """Looks at objects without reading their bytes; each reference is looked for once, and a number of them remembered.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
    """

    def __init__(self, ctx: Context, bucket: str) -> None:
        self._ctx = ctx
        self._bucket = bucket
        self._found: dict[tuple[str, str], tuple[VerifyState, str]] = {}

    async def prepare(self, forms: Sequence[tuple[str, Form | None]]) -> None:
        """Looks for the references of some deltas, several at once.

        Args:
            forms: Objects' keys and stored forms, a page of them.
        """
        wanted = {_name(form): (key, form.description) for key, form in forms if form and form.is_delta}
        if len(self._found) > _REMEMBERED:
            self._found.clear()
        # What could not be looked at may be there the next time.
        missing = [(name, *wanted[name]) for name in wanted if self._found.get(name, ("unread",))[0] == "unread"]

        async def look(item: tuple[tuple[str, str], str, Description | None]) -> None:
            name, key, description = item
            assert description is not None
            try:
                self._found[name] = await _look_for_reference(self._ctx, self._bucket, key, description)
            except BucketNotFoundError:
                raise
            except StoreError as error:
                self._found[name] = ("unread", f"its reference cannot be looked for: {error}")

        await map_bounded(look, missing, limit=self._ctx.settings.max_concurrent_requests)

    def check(self, info: ObjectInfo, form: Form | None) -> VerifyResult:
        """Whether what is recorded of an object fits together: sizes, metadata, and the reference of a delta.

        Args:
            info: The object.
            form: Its stored form, for which ``prepare`` was called; ``None`` where nothing is known of its metadata.

        Returns:
            What was found.
        """
        state, message = self._judge(form)
        sha256 = form.description.sha256 if form and form.description else ""
        uri = uri_of(info.bucket, info.key)
        return VerifyResult(
            info.bucket,
            info.key,
            state == "checked",
            sha256,
            "",
            message if state == "checked" else f"{uri}: {message}",
            info.size,
            state,
            (form.reference_key or None) if form else None,
        )

    def _judge(self, form: Form | None) -> tuple[VerifyState, str]:
        if form is None or form.description is None:
            return "checked", f"it is there, but {_UNRECORDED}"
        stored, description = form.stored, form.description
        recorded = description.delta_size if form.is_delta else description.size
        if recorded is not None and recorded != stored.size:
            return "failed", f"{uri_of(stored.bucket, stored.key)} has {stored.size} bytes, not the recorded {recorded}"
        if not form.is_delta:
            return "checked", _COMPLETE
        try:
            self._ctx.codecs.check(description.codec)
        except UnknownFormatError as error:
            return "failed", error.message
        return self._found[_name(form)]


def _name(form: Form) -> tuple[str, str]:
    return form.reference_key, form.description.reference_sha256 if form.description else ""


async def _look_for_reference(ctx: Context, bucket: str, key: str, description: Description) -> tuple[VerifyState, str]:
    sha256, wrong = description.reference_sha256, ""
    async for place in reference.places(ctx, bucket, key, description):
        form = await head_or_none(ctx, bucket, place)
        if form is None:
            continue
        found, uri = form.description, uri_of(bucket, place)
        if found is None and sha256 not in place:
            return "unread", f"the reference {uri} lost its metadata: only reading it can tell (without --quick)"
        if found is not None and found.sha256 != sha256:
            wrong = wrong or f"the reference {uri} is recorded to have SHA-256 {found.sha256}, and {sha256} is needed"
        elif found is not None and found.size is not None and found.size != form.stored.size:
            wrong = wrong or f"the reference {uri} has {form.stored.size} bytes, not the recorded {found.size}"
        else:
            return "checked", _COMPLETE
    return "failed", wrong or f"its reference is gone (SHA-256 {sha256})"


async def _damaged(ctx: Context, bucket: str, key: str, error: DeltaGliderError) -> VerifyResult:
    try:
        description = (await locate(ctx, bucket, key)).description
    except (MetadataLostError, NotFoundError):
        description = None
    expected, size = (description.sha256, description.size or 0) if description else ("", 0)
    state: VerifyState = "unread" if isinstance(error, CodecTimeoutError) else "failed"
    return VerifyResult(bucket, key, False, expected, "", str(error), size, state)
