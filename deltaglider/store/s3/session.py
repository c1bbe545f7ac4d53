"""The one place that sends requests: bounded, watched, and with our errors."""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from deltaglider.config import KIB, MIB, Settings
from deltaglider.errors import (
    BucketNotFoundError,
    DeltaGliderError,
    NotFoundError,
    StoreError,
    StoreUnavailableError,
)
from deltaglider.events import Observer, RequestSent, ignore
from deltaglider.store.s3.connection import Connection
from deltaglider.store.s3.faults import library_errors, raise_translated, translate
from deltaglider.store.s3.limits import ByteBudget
from deltaglider.store.s3.sending import FileBody, SendBody, UnsentError, content_md5

Result = TypeVar("Result")

BRIEF = 256 * KIB
"""Bytes that are hashed sooner than a worker thread takes over."""
RUN = 8
"""Parts that one request may move where its object has few requests at once: they come in order then in any case."""
_LONGEST_SLICE = MIB  # Bytes that are taken of a body at once: by botocore, to put a checksum behind it.
_MANY_PARTS = 1000
_LONGEST_BACKOFF = 20.0  # Seconds; of botocore's standard mode.


class S3Session:
    """Requests to one store, and their limits.

    Args:
        settings: Of the client.
        observer: Told of requests.

    Attributes:
        connection: The client.
        requests: One token a request in flight.
        files: One token a worker thread on local files and hashes.
        buffers: Bytes of request bodies in memory.
        server: What the store calls itself, as far as known.
        refuses_conditions: Whether the store answered a condition on what it reads with "not implemented".
        heeds_sources: Whether the store is known to heed conditions on the source of a copy.
    """

    def __init__(self, settings: Settings, observer: Observer = ignore) -> None:
        self._observer = observer
        self.connection = Connection(settings, self._set_limits)
        self.requests = anyio.CapacityLimiter(1)
        self.files = anyio.CapacityLimiter(1)
        self.buffers = ByteBudget(0)
        self._set_limits()
        self.server = ""
        self.refuses_conditions = False
        self.heeds_sources = False
        self._known_buckets: set[str] = set()
        self._moving = 0

    @property
    def settings(self) -> Settings:
        """Those in force; before the client is made, those asked for."""
        return self.connection.settings

    def _set_limits(self) -> None:
        settings = self.settings
        self.requests.total_tokens = self.files.total_tokens = settings.max_concurrent_requests
        self.buffers.resize(settings.max_concurrent_requests * settings.multipart_chunksize)

    def part_size(self, size: int) -> int:
        """Bytes a part, or a range, of an object that moves in several.

        A large object has larger ones, so that their number does not grow without end; but four at least fit into the
        memory for bodies.

        Args:
            size: Bytes of the object.
        """
        return max(self.settings.multipart_chunksize, min(-(-size // _MANY_PARTS), self.buffers.total // 4))

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """Counts an object that is stored or fetched, for ``lanes``."""
        self._moving += 1
        try:
            yield
        finally:
            self._moving -= 1

    @property
    def lanes(self) -> int:
        """Requests at once that each of the objects being moved may have: its share, at least one."""
        return -(-self.settings.max_concurrent_requests // max(1, self._moving))

    @property
    def is_seaweed(self) -> bool:
        """Whether the store is known to be SeaweedFS, which lists in its own way."""
        return self.server.startswith("SeaweedFS")

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A token of ``requests``, for what keeps a connection busy."""
        borrower = object()  # A task may hold a body open and clean up meanwhile: the token is not the task's.
        await self.requests.acquire_on_behalf_of(borrower)
        try:
            yield
        finally:
            self.requests.release_on_behalf_of(borrower)

    async def request(self, operation: str, bucket: str = "", key: str = "", **parameters: Any) -> dict[str, Any]:
        """Sends one request when a slot is free.

        Args:
            operation: The client's method.
            bucket: The bucket; empty for operations without.
            key: The key; empty for operations without.
            **parameters: Further parameters of the operation.

        Returns:
            The answer.

        Raises:
            DeltaGliderError: It failed, after botocore's retries.
        """
        await self.connection.client()
        async with self.slot():
            return await self.attempt(operation, bucket, key, **parameters)

    async def attempt(self, operation: str, bucket: str = "", key: str = "", **parameters: Any) -> dict[str, Any]:
        """The same without a slot: for whoever holds one, and for clean-up."""
        started = time.monotonic()
        status, failure = 0, ""
        try:
            answer = await self._attempt(operation, bucket, key, **parameters)
            status = answer["ResponseMetadata"].get("HTTPStatusCode", 0)
            return answer
        except StoreError as error:
            status, failure = error.status, error.code
            raise
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            name = "".join(part.capitalize() for part in operation.split("_"))
            self._observer(RequestSent(name, bucket, key, time.monotonic() - started, status, failure))

    async def _attempt(self, operation: str, bucket: str, key: str, **parameters: Any) -> dict[str, Any]:
        client = await self.connection.client()
        named = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if value}
        uri = f"s3://{bucket}/{key}" if bucket else self.connection.endpoint
        body = parameters.get("Body")
        try:
            answer = await self._send(partial(self._call, client, operation), named | parameters, uri)
        except DeltaGliderError:
            raise
        except library_errors() as error:
            if isinstance(body, SendBody) and error is body.failure:
                raise
            ours = translate(error, uri, self.connection.endpoint)
            if isinstance(ours, NotFoundError) and ours.s3_code == "404" and key and bucket not in self._known_buckets:
                # A HEAD has no body to say which of the two is missing.
                await self._look_for_bucket(bucket)
            raise ours from error
        if bucket:
            self._known_buckets.add(bucket)
        self.server = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("server", self.server)
        return answer

    async def _call(self, client: Any, operation: str, **parameters: Any) -> dict[str, Any]:
        direct, body = self.connection.direct, parameters.get("Body")
        if direct is not None and direct.knows(operation, parameters):
            signed = {} if body is None or not self.connection.sends_md5 else {"body": await self._sha256(body)}
            answer = await direct.send(operation, parameters, **signed)
            if answer is not None:
                return answer
        if isinstance(body, FileBody):
            raise UnsentError
        if body is not None and self.connection.sends_md5:
            parameters["ContentMD5"] = await self._hashed(content_md5, body)
        answer = await getattr(client, operation)(**parameters)
        return dict(answer)

    async def _sha256(self, body: SendBody | bytes) -> str:
        known = body.sha256 if isinstance(body, SendBody) else None
        return known or await self._hashed(_sha256, body)

    async def _hashed(self, function: Callable[[bytes | memoryview], str], body: SendBody | bytes) -> str:
        data = body.data if isinstance(body, SendBody) else body
        return await self.in_thread(function, data, brief=len(data) <= BRIEF)

    async def _send(self, call: Callable[..., Any], parameters: dict[str, Any], uri: str) -> dict[str, Any]:
        body = parameters.get("Body")
        if not isinstance(body, SendBody):
            return dict(await call(**parameters))
        # aiohttp's time-outs watch what is received: nothing else ends a request whose peer stops taking its body.
        with anyio.CancelScope() as scope:
            body.watch(scope, self._patience)
            answer = dict(await call(**parameters))
            if body.failure is None:
                return answer
        if body.failure is not None:
            raise body.failure
        raise StoreUnavailableError(
            f"{self.connection.endpoint} stopped taking data", uri=uri, remedy="Try again later"
        )

    @property
    def _patience(self) -> float:
        """Seconds that a body may stand still."""
        settings = self.settings
        if not (settings.connect_timeout and settings.read_timeout):
            return math.inf
        bandwidth = self.connection.bandwidth
        turn = bandwidth.turn(_LONGEST_SLICE) if bandwidth else 0.0
        return settings.connect_timeout + settings.read_timeout + _LONGEST_BACKOFF + turn

    async def require_bucket(self, bucket: str) -> None:
        """Makes sure that a bucket exists, asking once and remembering; doubt counts as yes.

        Args:
            bucket: The bucket.

        Raises:
            BucketNotFoundError: The store said that it does not.
        """
        if bucket not in self._known_buckets:
            async with self.slot():
                await self._look_for_bucket(bucket)

    async def _look_for_bucket(self, bucket: str) -> None:
        try:
            await self.attempt("head_bucket", bucket)
        except BucketNotFoundError:
            raise
        except StoreError:
            self._known_buckets.add(bucket)

    async def presign(self, operation: str, bucket: str, key: str, expires: int, parameters: Mapping[str, str]) -> str:
        """A signed URL; no request is sent.

        Raises:
            ConfigurationError: There are no credentials to sign with.
            InvalidInputError: A parameter means nothing to the operation.
        """
        client = await self.connection.client()
        named = {"Bucket": bucket, "Key": key, **parameters}
        try:
            url = await client.generate_presigned_url(operation, Params=named, ExpiresIn=expires)
        except library_errors() as error:
            raise_translated(error, f"s3://{bucket}/{key}", self.connection.endpoint)
        return str(url)

    def forget_bucket(self, bucket: str) -> None:
        """Takes note that a bucket was removed."""
        self._known_buckets.discard(bucket)

    async def in_thread(self, work: Callable[..., Result], *arguments: Any, brief: bool = False) -> Result:
        """Runs blocking work on local files or hashes in a worker thread.

        Args:
            work: The work.
            *arguments: Its arguments.
            brief: Whether it is in memory and quicker than the way to a thread: then it is done here.

        Returns:
            What the work returns.
        """
        if brief:
            return work(*arguments)
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self.files)


def _sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()
