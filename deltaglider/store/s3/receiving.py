"""One run of an object's bytes, read as a stream and taken up again where it breaks off."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import anyio

from deltaglider.config import MIB
from deltaglider.errors import (
    DeltaGliderError,
    PreconditionFailedError,
    StoreError,
    StoreUnavailableError,
    TransferBrokenError,
)
from deltaglider.store.base import StoredObject
from deltaglider.store.s3.answers import bare, quoted, span, stored_object, version_parameter
from deltaglider.store.s3.conditions import unless_refused
from deltaglider.store.s3.faults import is_broken_body, library_errors, raise_translated, reason
from deltaglider.store.s3.session import S3Session

log = logging.getLogger("deltaglider.store")

PIECE = MIB
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # Seconds before asking again.


def is_beyond_the_end(error: StoreError) -> bool:
    """Whether a range was refused because the object ends before it, as any range of an empty object is."""
    return error.status == 416 or error.s3_code == "InvalidRange"


def _require(piece: bytes, uri: str) -> None:
    if not piece:
        raise TransferBrokenError("the body ended early", uri=uri)


class Incoming:
    """Bytes ``start`` to ``stop`` of one generation of an object. Its user holds a slot of the session.

    Args:
        session: The session.
        bucket: The bucket.
        key: The key.
        start: First byte.
        stop: The byte after the last; ``None`` for the object's end.
        etag: The ETag it must have; ``None`` for any. Once open, it is the one found.
        version: The version wanted; ``None`` for the current one.

    Attributes:
        position: The next byte to come.
        stop: The byte after the last, no more than the object has once open.
        version: The parameter that names the version.
        partial: Whether the store heeded the range, or there was none; known once open.
    """

    def __init__(
        self,
        session: S3Session,
        bucket: str,
        key: str,
        *,
        start: int,
        stop: int | None,
        etag: str | None,
        version: str | None = None,
    ) -> None:
        self.position = start
        self.stop = stop
        self.partial = True
        self._session = session
        self._bucket = bucket
        self._key = key
        self._etag = bare(etag)
        self.version = version_parameter(version)
        self._whole = start == 0 and stop is None
        self._body: Any = None
        self._surplus = 0  # Bytes to drop: the store ignored the range.
        self._failures = 0
        self._proven = start  # Where the count of failures began anew.

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and key."""
        return self._bucket, self._key

    @property
    def uri(self) -> str:
        """The object."""
        return f"s3://{self._bucket}/{self._key}"

    async def open(self) -> StoredObject:
        """Sends the request.

        Returns:
            What the object is, its size that of the whole.

        Raises:
            NotFoundError: Nothing is stored there.
            PreconditionFailedError: It has another ETag.
            StoreError: ``s3_code`` is ``InvalidRange``: the object ends before ``start``.
        """
        wanted: dict[str, Any] = dict(self.version)
        if not self._whole or self.position:
            last = "" if self.stop is None else self.stop - 1
            wanted["Range"] = f"bytes={self.position}-{last}"
        get = partial(self._session.attempt, "get_object", self._bucket, self._key, **wanted)
        answer = await unless_refused(self._session, get, **({"IfMatch": quoted(self._etag)} if self._etag else {}))
        self._body = answer["Body"]
        # Some stores ignore conditions, ranges or both.
        found = bare(answer.get("ETag"))
        if self._etag and found != self._etag:
            self.release()
            raise PreconditionFailedError("the object has another ETag", uri=self.uri, remedy="Read it anew")
        self._etag = found
        first, end, size = span(answer, self.uri)
        self._surplus = self.position - first
        self.partial = "Range" not in wanted or bool(answer.get("ContentRange"))
        self.stop = end if self.stop is None else min(self.stop, end)
        if self._surplus < 0:
            self.release()
            raise StoreError("the store sent another range than was asked for", uri=self.uri)
        return stored_object(self._bucket, self._key, answer, size)

    async def read(self) -> bytes:
        """The next bytes, at most 1 MiB.

        Returns:
            They; none at the end.

        Raises:
            PreconditionFailedError: The object was replaced meanwhile.
            TransferBrokenError: The body kept breaking off.
        """
        assert self.stop is not None
        bandwidth = self._session.connection.bandwidth
        while self.position < self.stop:
            try:
                piece: bytes = await self._body.read(bandwidth.piece if bandwidth else PIECE)
                _require(piece, self.uri)
            except library_errors() as error:
                await self._resume(error)
                continue
            if bandwidth:
                await bandwidth.take(len(piece))
            piece = self._trimmed(piece)
            if piece:
                self.position += len(piece)
                if self.position - self._proven >= PIECE:
                    self._proven, self._failures = self.position, 0
                return piece
        await self._finish()
        return b""

    def _trimmed(self, piece: bytes) -> bytes:
        assert self.stop is not None
        dropped = min(self._surplus, len(piece))
        self._surplus -= dropped
        return piece[dropped : dropped + self.stop - self.position]

    async def _finish(self) -> None:
        """Reads the end of the stream: there aiobotocore compares checksums, where it has any."""
        if self._body is None:
            return
        try:
            await self._body.read(1)
        except library_errors() as error:
            raise_translated(error, self.uri, self._session.connection.endpoint)
        finally:
            self.release()

    async def _resume(self, error: Exception) -> None:
        self.release()
        while True:
            self._failures += 1
            broken = isinstance(error, (TransferBrokenError, StoreUnavailableError)) or is_broken_body(error)
            if not broken:
                raise_translated(error, self.uri, self._session.connection.endpoint)
            if self._failures >= self._session.settings.max_attempts:
                text = f"the body broke off {self._failures} times at byte {self.position} ({reason(error)})"
                raise TransferBrokenError(text, uri=self.uri, remedy="Try again later") from error
            log.debug("%s broke off at byte %d (%s), asking again", self.uri, self.position, reason(error))
            await anyio.sleep(min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE))
            try:
                await self.open()
            except DeltaGliderError as again:
                error = again
            else:
                return

    def release(self) -> None:
        """Lets go of the connection. Harmless if repeated."""
        if self._body is not None:
            self._body.close()
            self._body = None
