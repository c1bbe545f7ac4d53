"""From an object's key to the form it is stored in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from deltaglider.engine.context import Context, uri_of
from deltaglider.errors import BucketNotFoundError, MetadataLostError, NotFoundError
from deltaglider.late import dataclass
from deltaglider.layout.keys import REFERENCE_NAME, delta_key, directory_of, is_reserved, name_of, without_delta
from deltaglider.layout.metadata import Description, recorded_content_type
from deltaglider.store.base import StoredObject
from deltaglider.tasks import together

VCDIFF_MAGIC = b"\xd6\xc3\xc4"
"""How a delta begins (RFC 3284, section 4.1), but for those of archives."""


@dataclass(frozen=True, slots=True)
class Form:
    """One stored form of an object.

    Attributes:
        stored: What lies in the store.
        description: What its metadata says; ``None`` for an object of another tool.
        version: The version that was asked for; ``None`` for the current one.
    """

    stored: StoredObject
    description: Description | None
    version: str | None = None

    @property
    def is_delta(self) -> bool:
        """Whether it is a delta."""
        return self.description is not None and self.description.kind == "delta"

    @property
    def is_reference(self) -> bool:
        """Whether it is a reference, and so no object of the user's.

        A copy of one that somebody made under another name serves no delta, and is an object like any.
        """
        described = self.description is not None and self.description.kind == "reference"
        return described and name_of(self.stored.key) == REFERENCE_NAME

    @property
    def reference_key(self) -> str:
        """Of a delta: where its reference is recorded to be; empty for all else."""
        if self.description is None or not self.is_delta:
            return ""
        return self.description.reference_key or directory_of(self.stored.key) + self.description.reference_path

    @property
    def headers(self) -> Mapping[str, str]:
        """The HTTP headers kept with the object, by the names of ``HEADER_NAMES``."""
        kept = recorded_content_type(self.stored.metadata, self.description)
        return {**self.stored.headers, "ContentType": kept} if kept else self.stored.headers

    @property
    def created(self) -> datetime:
        """When it was stored, as finely as is known."""
        recorded = self.description.created if self.description else None
        return recorded or self.stored.last_modified

    @property
    def identity(self) -> tuple[str, str, datetime]:
        """What tells two things stored under one key apart, also when their bytes are the same."""
        return (self.stored.key, self.stored.etag, self.created)

    @property
    def generation(self) -> tuple[datetime, bool]:
        """What orders two forms of one key: the newer wins, at the same time the delta."""
        return (self.created, self.is_delta)


@dataclass(frozen=True, slots=True)
class Forms:
    """All that is stored under the two keys an object may have.

    Attributes:
        whole: What lies under the key itself, unless it is a reference or the delta of another key.
        delta: The delta under ``key.delta``.
        foreign: What lies under ``key.delta`` and is not a delta: a file of the user's own, or a delta that lost its
            metadata.
        occupied: What lies under the key itself and is ours: a classic reference, or the delta of another key.
    """

    whole: Form | None = None
    delta: Form | None = None
    foreign: Form | None = None
    occupied: Form | None = None

    @property
    def newest(self) -> Form | None:
        """The form that counts."""
        present = [form for form in (self.whole, self.delta) if form is not None]
        return max(present, key=lambda form: form.generation, default=None)


async def head_or_none(ctx: Context, bucket: str, stored_key: str, version: str | None = None) -> Form | None:
    """One stored form, or ``None`` if the store says 404. Any other answer is raised: absent means 404.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        stored_key: The stored key.
        version: The version wanted; ``None`` for the current one.

    Returns:
        What lies there.

    Raises:
        StoreError: The store did not answer the question.
    """
    try:
        stored = await ctx.store.head(bucket, stored_key, **naming(version))
    except BucketNotFoundError:
        raise
    except NotFoundError:
        return None
    return form_of(stored, version)


def naming(version: str | None) -> dict[str, str]:
    """The keywords by which a store is asked for a version; none for the current one."""
    return {} if version is None else {"version_id": version}


def form_of(stored: StoredObject, version: str | None = None) -> Form:
    """Reads the metadata of a stored object."""
    return Form(stored, Description.read(stored.metadata, stored_key=stored.key), version)


async def forms_of(ctx: Context, bucket: str, key: str, version: str | None = None) -> Forms:
    """Looks for both forms of an object at once.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        version: The version wanted, of whichever form it is; ``None`` for the current ones.

    Returns:
        What is there.

    Raises:
        StoreError: The store did not answer.
    """
    if is_reserved(key):
        return Forms()
    whole, delta = await together(
        partial(head_or_none, ctx, bucket, key, version), partial(head_or_none, ctx, bucket, delta_key(key), version)
    )
    ours = whole is not None and (whole.is_reference or whole.is_delta)
    return Forms(
        whole=None if ours else whole,
        occupied=whole if ours else None,
        delta=delta if delta is not None and delta.is_delta else None,
        foreign=delta if delta is not None and not delta.is_delta else None,
    )


async def locate(ctx: Context, bucket: str, key: str, version: str | None = None) -> Form:
    """The form of an object that counts.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        key: The object's key.
        version: The version wanted; ``None`` for the current one.

    Returns:
        The newest form.

    Raises:
        NotFoundError: There is no such object.
        MetadataLostError: There is a delta of it that lost its metadata.
        NotSupportedError: The version is a delete marker; or the store keeps none.
    """
    forms = await forms_of(ctx, bucket, key, version)
    if forms == Forms() and not is_reserved(key) and version is None:
        # Two answers of two moments: between them a writer may have stored the one form and removed the other.
        forms = await forms_of(ctx, bucket, key)
    if forms.newest is not None:
        return forms.newest
    uri = uri_of(bucket, key)
    if version is not None:
        raise NotFoundError("the object has no such version", uri=uri, status=404, s3_code="NoSuchVersion")
    if forms.foreign is not None and await begins_as_delta(ctx, forms.foreign.stored):
        raise MetadataLostError(
            f"there is a delta of it, {uri_of(bucket, delta_key(key))}, whose metadata is gone, so nothing tells what "
            "it was made of",
            uri=uri,
            remedy="Restore the object's user metadata (dg-*), or upload the file again",
        )
    raise not_found(bucket, key, forms.occupied)


def not_found(bucket: str, key: str, occupied: Form | None = None) -> NotFoundError:
    """The error for an object that is not there.

    Args:
        bucket: The bucket.
        key: The object's key.
        occupied: What lies under the key and is ours.

    Returns:
        The error.
    """
    remedy = "Check the key with 'deltaglider ls'"
    logical = without_delta(key)
    if occupied is not None and occupied.is_delta and logical is not None:
        remedy = f"It is how {uri_of(bucket, logical)} is stored: ask for that"
    elif occupied is not None or is_reserved(key):
        remedy = "What is stored there is DeltaGlider's own"
    return NotFoundError("no such object", uri=uri_of(bucket, key), remedy=remedy, status=404, s3_code="NoSuchKey")


async def begins_as_delta(ctx: Context, stored: StoredObject) -> bool:
    """Whether the first bytes of an object are those of a delta.

    Args:
        ctx: The client's parts.
        stored: The object.

    Returns:
        Whether it may be a delta, whatever its metadata say.

    Raises:
        NotFoundError: It is gone.
        StoreError: The store failed.
    """
    async with ctx.store.open(stored.bucket, stored.key, length=len(VCDIFF_MAGIC)) as body:
        start = b"".join([chunk async for chunk in body])
    return is_start_of_delta(start)


def is_start_of_delta(start: bytes) -> bool:
    """Whether a file that begins so is a delta of ours, whatever it is called.

    Args:
        start: Its first bytes, as many as ``VCDIFF_MAGIC`` has.

    Returns:
        Whether.
    """
    # Imported here: it brings what looks into archives, which no listing needs.
    from deltaglider.archive.container import MAGIC

    return start in (VCDIFF_MAGIC, MAGIC[: len(VCDIFF_MAGIC)])
