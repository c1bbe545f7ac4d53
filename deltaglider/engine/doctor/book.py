"""What lies where references are: looked at once, and remembered."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from weakref import WeakValueDictionary

import anyio

from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import (
    BucketNotFoundError,
    IntegrityError,
    InvalidUriError,
    NotFoundError,
    PreconditionFailedError,
)
from deltaglider.files import sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.keys import parse_reference_key
from deltaglider.layout.uri import check_key
from deltaglider.store.base import ARCHIVES

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Held:
    """What lies under a key that a reference has, or is said to have.

    Attributes:
        key: The stored key.
        sha256: Of its bytes; where they were not read, what is promised. Empty if they cannot be read.
        promised: What its name or its metadata promise; empty if neither does.
        size: Bytes stored.
        etag: Its ETag.
        modified: When it was stored.
        described: Whether its metadata call it a reference.
        is_delta: Whether it is a delta.
        frozen: Whether it lies in a storage class that cannot be read at once.
    """

    key: str
    sha256: str
    promised: str
    size: int
    etag: str
    modified: datetime
    described: bool
    is_delta: bool
    frozen: bool

    def serves(self, sha256: str) -> bool:
        """Whether it is the reference with this SHA-256."""
        return self.sha256 == sha256 and not self.is_delta

    @property
    def damaged(self) -> bool:
        """Whether its bytes are not those promised."""
        return bool(self.promised) and self.sha256 != self.promised


class Book:
    """What is known of references.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        deep: Read each of them in full; else believe names and metadata.
    """

    def __init__(self, ctx: Context, bucket: str, *, deep: bool) -> None:
        self._ctx = ctx
        self._bucket = bucket
        self._deep = deep
        self._known: dict[str, Held] = {}
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def look(self, key: str) -> Held | None:
        """What lies under a key. That there is nothing is asked anew each time.

        Args:
            key: The stored key, as metadata have it: not trusted.

        Returns:
            What is there, or ``None``.

        Raises:
            StoreError: The store did not answer.
        """
        if key in self._known:
            return self._known[key]
        try:
            check_key(key, uri=uri_of(self._bucket, key))
        except InvalidUriError:
            return None
        if not key or key.startswith("s3://"):
            return None
        async with self._locks.setdefault(key, anyio.Lock()):
            if key not in self._known:
                held = await self._look(key)
                if held is None:
                    return None
                self._known[key] = held
            return self._known[key]

    def forget(self, key: str) -> None:
        """Looks anew when asked again."""
        self._known.pop(key, None)

    def with_bytes(self, sha256: str) -> list[Held]:
        """All that is known to hold the bytes with this SHA-256."""
        return [held for held in self._known.values() if held.serves(sha256)]

    async def _look(self, key: str) -> Held | None:
        for _ in range(_ATTEMPTS):
            form = await head_or_none(self._ctx, self._bucket, key)
            if form is None:
                return None
            held = _promise(form)
            if held.frozen or held.is_delta or not (self._deep or not held.promised):
                return held
            try:
                return dataclasses.replace(held, sha256=await self._hash(held))
            except BucketNotFoundError:
                raise
            except (NotFoundError, PreconditionFailedError):
                continue  # It was deleted or replaced between two requests: look again.
        return None

    async def _hash(self, held: Held) -> str:
        with self._ctx.spool.file() as path:
            try:
                await self._ctx.store.fetch(self._bucket, held.key, path, if_match=held.etag, moved=self._ctx.received)
            except IntegrityError:  # The store itself finds it damaged.
                return ""
            sha256: str = await self._ctx.thread(sha256_of, path)
            if sha256 == held.promised:
                await self._remember(sha256, path)
            return sha256

    async def _remember(self, sha256: str, path: Path) -> None:
        # The deltas that need it come next.
        if self._deep:
            await self._ctx.cache.add(sha256, path)


def _promise(form: Form) -> Held:
    stored, description = form.stored, form.description
    parsed = parse_reference_key(stored.key)
    promised = parsed[1] if parsed else description.sha256 if description and form.is_reference else ""
    return Held(
        key=stored.key,
        sha256=promised,
        promised=promised,
        size=stored.size,
        etag=stored.etag,
        modified=stored.last_modified,
        described=form.is_reference,
        is_delta=form.is_delta,
        frozen=stored.storage_class in ARCHIVES,
    )
