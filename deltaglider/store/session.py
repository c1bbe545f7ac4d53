"""One S3 client for one store: made on first use, bounded, and the only place that sends requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from deltaglider.config import Settings, environment
from deltaglider.errors import (
    BucketNotFoundError,
    ClientStateError,
    DeltaGliderError,
    NotFoundError,
    StoreError,
    StoreUnavailableError,
)
from deltaglider.store.endpoints import AWS, identity
from deltaglider.store.faults import library_errors, raise_translated, translate
from deltaglider.store.limits import ByteBudget
from deltaglider.store.sending import SendBody, content_md5

log = logging.getLogger("deltaglider.store")

Result = TypeVar("Result")

_CLOSING = 5.0  # Seconds.
_LONGEST_BACKOFF = 20.0  # Seconds; of botocore's standard mode.


class S3Session:
    """A lazily made aiobotocore client with its limits.

    Args:
        settings: Of the client.

    Attributes:
        settings: The same.
        requests: One token a request in flight.
        files: One token a worker thread on local files and hashes.
        buffers: Bytes of request bodies in memory.
        sends_md5: Whether bodies carry Content-MD5, because no other checksum protects them. Known once connected.
        server: What the store calls itself, as far as known.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.requests = anyio.CapacityLimiter(settings.max_concurrent_requests)
        self.files = anyio.CapacityLimiter(settings.max_concurrent_requests)
        self.buffers = ByteBudget(settings.max_concurrent_requests * settings.multipart_chunksize)
        self.sends_md5 = False
        self.server = ""
        self._client: Any = None
        self._exit = contextlib.AsyncExitStack()
        self._connecting = anyio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._known_buckets: set[str] = set()

    @property
    def endpoint(self) -> str:
        """The endpoint without credentials: the client's own once there is one, until then what is configured."""
        if self._client is not None:
            url = self._client.meta.endpoint_url
        else:
            url = self.settings.endpoint_url or environment("AWS_ENDPOINT_URL_S3") or environment("AWS_ENDPOINT_URL")
        return identity(url)

    @property
    def on_aws(self) -> bool:
        """Whether the store is Amazon's own."""
        return self.endpoint == AWS

    @property
    def region(self) -> str:
        """The client's region; known once connected."""
        return str(self._client.meta.region_name or "")

    @property
    def is_seaweed(self) -> bool:
        """Whether the store is known to be SeaweedFS, which lists in its own way."""
        return self.server.startswith("SeaweedFS")

    async def client(self) -> Any:
        """The aiobotocore client, made by the first caller.

        Raises:
            ClientStateError: Closed, or made on another event loop.
            ConfigurationError: The settings make no client.
        """
        self._check_state()
        if self._client is None:
            async with self._connecting:
                self._check_state()
                if self._client is None:
                    self._loop = asyncio.get_running_loop()
                    try:
                        self._client = await self._connect()
                    except library_errors() as error:
                        raise_translated(error, self.endpoint, self.endpoint)
        return self._client

    def _check_state(self) -> None:
        if self._closed:
            raise ClientStateError("the client is closed", remedy="Make a new one")
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise ClientStateError("the client belongs to another event loop", remedy="Make one client a loop")

    async def _connect(self) -> Any:
        from deltaglider.store import connect

        blueprint = await anyio.to_thread.run_sync(connect.prepare, self.settings, limiter=self.files)
        client, self.sends_md5 = await blueprint.open(self._exit)
        log.debug("connected to %s, Content-MD5 %s", client.meta.endpoint_url, "on" if self.sends_md5 else "off")
        return client

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
        await self.client()
        async with self.slot():
            return await self.attempt(operation, bucket, key, **parameters)

    async def attempt(self, operation: str, bucket: str = "", key: str = "", **parameters: Any) -> dict[str, Any]:
        """The same without a slot: for whoever holds one, and for clean-up."""
        client = await self.client()
        named = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if value}
        uri = f"s3://{bucket}/{key}" if bucket else self.endpoint
        try:
            answer = await self._send(getattr(client, operation), named | parameters, uri)
        except DeltaGliderError:
            raise
        except library_errors() as error:
            ours = translate(error, uri, self.endpoint)
            if isinstance(ours, NotFoundError) and ours.s3_code == "404" and key and bucket not in self._known_buckets:
                # A HEAD has no body to say which of the two is missing.
                await self._look_for_bucket(bucket)
            raise ours from error
        if bucket:
            self._known_buckets.add(bucket)
        self.server = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("server", self.server)
        return answer

    async def _send(self, call: Callable[..., Any], parameters: dict[str, Any], uri: str) -> dict[str, Any]:
        body = parameters.get("Body")
        if not isinstance(body, SendBody):
            return dict(await call(**parameters))
        settings = self.settings
        patience = settings.connect_timeout + settings.read_timeout + _LONGEST_BACKOFF
        # aiohttp's time-outs watch what is received: nothing else ends a request whose peer stops taking its body.
        with anyio.CancelScope() as scope:
            body.watch(scope, patience)
            answer = dict(await call(**parameters))
            if body.failure is None:
                return answer
        if body.failure is not None:
            raise body.failure
        raise StoreUnavailableError(f"{self.endpoint} stopped taking data", uri=uri, remedy="Try again later")

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
        client = await self.client()
        named = {"Bucket": bucket, "Key": key, **parameters}
        try:
            url = await client.generate_presigned_url(operation, Params=named, ExpiresIn=expires)
        except library_errors() as error:
            raise_translated(error, f"s3://{bucket}/{key}", self.endpoint)
        return str(url)

    def forget_bucket(self, bucket: str) -> None:
        """Takes note that a bucket was removed."""
        self._known_buckets.discard(bucket)

    async def body_checksum(self, data: bytes | memoryview) -> dict[str, str]:
        """The parameter that protects a body on its way, where botocore adds no checksum itself."""
        return {"ContentMD5": await self.in_thread(content_md5, data)} if self.sends_md5 else {}

    async def in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Runs blocking work on local files or hashes in a worker thread."""
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self.files)

    async def aclose(self) -> None:
        """Closes the client. Harmless if repeated."""
        self._closed = True
        if self._client is not None and self._loop is asyncio.get_running_loop():
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING):
                await self._exit.aclose()
