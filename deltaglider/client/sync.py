"""The synchronous client: the asynchronous one's methods, run in a background event loop.

Each method is the asynchronous one in another dress, so that signatures and docstrings cannot drift apart.
"""

from __future__ import annotations

import contextlib
import functools
import os
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, ClassVar, Concatenate, ParamSpec, Self, TypeVar, cast

from deltaglider.client.aio import AsyncDeltaGliderClient, create_async_client
from deltaglider.client.boto import EXCEPTIONS
from deltaglider.client.boto.body import streaming_body
from deltaglider.client.boto.meta import ClientMeta
from deltaglider.client.boto.paging import make_paginator, make_waiter
from deltaglider.client.boto.shapes import AsyncGetObjectOutput, GetObjectOutput, GetPaginator, GetWaiter
from deltaglider.client.portal import Portal
from deltaglider.config import Settings
from deltaglider.errors import ClientStateError
from deltaglider.events import Observer, ignore

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[AsyncDeltaGliderClient, P], Awaitable[R]],
) -> Callable[Concatenate[DeltaGliderClient, P], R]:
    """The same method, waited for."""

    @functools.wraps(method)
    def call(self: DeltaGliderClient, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._portal.call(method, self._client, *args, **kwargs)

    return call


def _with_body(
    method: Callable[Concatenate[AsyncDeltaGliderClient, P], Awaitable[AsyncGetObjectOutput]],
) -> Callable[Concatenate[DeltaGliderClient, P], GetObjectOutput]:
    """The same method, whose answer has a ``Body`` that is read without awaiting."""

    @functools.wraps(method)
    def call(self: DeltaGliderClient, /, *args: P.args, **kwargs: P.kwargs) -> GetObjectOutput:
        answer = self._portal.call(method, self._client, *args, **kwargs)
        body = streaming_body(answer["Body"], self._portal.call)
        return cast("GetObjectOutput", {**answer, "Body": body})

    return call


def _of_this_one(method: Callable[..., Any], make: Callable[..., Any]) -> Any:
    """The same method, whose result calls the methods of the synchronous client."""

    @functools.wraps(method)
    def call(self: DeltaGliderClient, /, *args: Any, **kwargs: Any) -> Any:
        return make(self, *args, **kwargs, awaited=False)

    return call


def _iterating(
    method: Callable[Concatenate[AsyncDeltaGliderClient, P], AsyncIterator[R]],
) -> Callable[Concatenate[DeltaGliderClient, P], Iterator[R]]:
    """The same asynchronous iterator, drawn one item at a time."""

    @functools.wraps(method)
    def call(self: DeltaGliderClient, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        source: Any = method(self._client, *args, **kwargs)

        async def draw() -> tuple[R, ...]:
            # StopAsyncIteration cannot cross a future; an empty tuple can.
            async for item in source:
                return (item,)
            return ()

        try:
            while item := self._portal.call(draw):
                yield item[0]
        finally:
            # Closed meanwhile, or a forked child: then it is not ours to close, or closed already.
            with contextlib.suppress(ClientStateError):
                self._portal.call(source.aclose)

    return call


class DeltaGliderClient:
    """Versioned binary data in S3, for scripts. Made by ``create_client``.

    Safe to share between threads, and to use inside a running event loop (which it blocks). Close it, use it as a
    context manager, or leave it to the end of the program. After ``fork`` a client of the parent raises
    ``ClientStateError``.

    Every method raises ``DeltaGliderError`` or one of its subclasses, which name the URI or path, the cause and the
    remedy; those that have the names of boto3's (``get_object``, ``put_object``, ...) raise botocore's errors.

    Args:
        client: The asynchronous client it stands for.
    """

    def __init__(self, client: AsyncDeltaGliderClient) -> None:
        self._client = client
        self._portal = Portal(client.aclose)
        # The end of the program is the portal's business.
        weakref.finalize(self, self._portal.close, wait=False).atexit = False

    def __enter__(self) -> Self:
        self._portal.require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes connections, removes temporary files and ends the background event loop. Harmless if repeated."""
        self._portal.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """An operation of S3 by boto3's name of it."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return functools.partial(self._portal.call, getattr(self._client, name))

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._client.settings

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint of the settings; ``None`` for AWS."""
        return self._client.endpoint_url

    @property
    def meta(self) -> ClientMeta:
        """What is known of the client: ``region_name``, ``endpoint_url``, ``events``. It connects for that."""
        self._portal.call(self._client._connect)  # noqa: SLF001
        return self._client.meta

    upload = _blocking(AsyncDeltaGliderClient.upload)
    download = _blocking(AsyncDeltaGliderClient.download)
    stream = _iterating(AsyncDeltaGliderClient.stream)
    head = _blocking(AsyncDeltaGliderClient.head)
    verify = _blocking(AsyncDeltaGliderClient.verify)
    rescue = _blocking(AsyncDeltaGliderClient.rescue)
    delete = _blocking(AsyncDeltaGliderClient.delete)
    copy = _blocking(AsyncDeltaGliderClient.copy)
    upload_directory = _blocking(AsyncDeltaGliderClient.upload_directory)
    download_directory = _blocking(AsyncDeltaGliderClient.download_directory)
    copy_directory = _blocking(AsyncDeltaGliderClient.copy_directory)
    delete_directory = _blocking(AsyncDeltaGliderClient.delete_directory)
    transfer = _blocking(AsyncDeltaGliderClient.transfer)
    sync = _blocking(AsyncDeltaGliderClient.sync)
    verify_directory = _iterating(AsyncDeltaGliderClient.verify_directory)
    list = _iterating(AsyncDeltaGliderClient.list)
    stats = _blocking(AsyncDeltaGliderClient.stats)
    analyze = _blocking(AsyncDeltaGliderClient.analyze)
    migrate = _blocking(AsyncDeltaGliderClient.migrate)
    presign = _blocking(AsyncDeltaGliderClient.presign)
    purge = _blocking(AsyncDeltaGliderClient.purge)
    buckets = _blocking(AsyncDeltaGliderClient.buckets)
    make_bucket = _blocking(AsyncDeltaGliderClient.make_bucket)
    remove_bucket = _blocking(AsyncDeltaGliderClient.remove_bucket)
    bucket_acl = _blocking(AsyncDeltaGliderClient.bucket_acl)
    set_bucket_acl = _blocking(AsyncDeltaGliderClient.set_bucket_acl)
    set_bucket_website = _blocking(AsyncDeltaGliderClient.set_bucket_website)
    doctor = _blocking(AsyncDeltaGliderClient.doctor)
    survey = _iterating(AsyncDeltaGliderClient.survey)
    upload_batch = _blocking(AsyncDeltaGliderClient.upload_batch)
    download_batch = _blocking(AsyncDeltaGliderClient.download_batch)
    upload_chunked = _blocking(AsyncDeltaGliderClient.upload_chunked)
    estimate_compression = _blocking(AsyncDeltaGliderClient.estimate_compression)
    find_similar_files = _blocking(AsyncDeltaGliderClient.find_similar_files)
    get_object_info = _blocking(AsyncDeltaGliderClient.get_object_info)
    get_bucket_stats = _blocking(AsyncDeltaGliderClient.get_bucket_stats)
    delete_objects_recursive = _blocking(AsyncDeltaGliderClient.delete_objects_recursive)
    clear_cache = _blocking(AsyncDeltaGliderClient.clear_cache)

    exceptions = EXCEPTIONS

    get_object = _with_body(AsyncDeltaGliderClient.get_object)
    head_object = _blocking(AsyncDeltaGliderClient.head_object)
    put_object = _blocking(AsyncDeltaGliderClient.put_object)
    copy_object = _blocking(AsyncDeltaGliderClient.copy_object)
    create_multipart_upload = _blocking(AsyncDeltaGliderClient.create_multipart_upload)
    upload_part = _blocking(AsyncDeltaGliderClient.upload_part)
    upload_part_copy = _blocking(AsyncDeltaGliderClient.upload_part_copy)
    complete_multipart_upload = _blocking(AsyncDeltaGliderClient.complete_multipart_upload)
    abort_multipart_upload = _blocking(AsyncDeltaGliderClient.abort_multipart_upload)
    list_parts = _blocking(AsyncDeltaGliderClient.list_parts)
    list_multipart_uploads = _blocking(AsyncDeltaGliderClient.list_multipart_uploads)
    generate_presigned_url = _blocking(AsyncDeltaGliderClient.generate_presigned_url)
    generate_presigned_post = _blocking(AsyncDeltaGliderClient.generate_presigned_post)
    generate_presigned_url_with_rehydration = _blocking(AsyncDeltaGliderClient.generate_presigned_url_with_rehydration)
    rehydrate_for_download = _blocking(AsyncDeltaGliderClient.rehydrate_for_download)
    purge_temp_files = _blocking(AsyncDeltaGliderClient.purge_temp_files)
    head_bucket = _blocking(AsyncDeltaGliderClient.head_bucket)
    create_bucket = _blocking(AsyncDeltaGliderClient.create_bucket)
    delete_bucket = _blocking(AsyncDeltaGliderClient.delete_bucket)
    list_buckets = _blocking(AsyncDeltaGliderClient.list_buckets)
    delete_object = _blocking(AsyncDeltaGliderClient.delete_object)
    delete_objects = _blocking(AsyncDeltaGliderClient.delete_objects)
    list_objects_v2 = _blocking(AsyncDeltaGliderClient.list_objects_v2)
    list_objects = _blocking(AsyncDeltaGliderClient.list_objects)
    can_paginate = AsyncDeltaGliderClient.can_paginate

    get_paginator: ClassVar[GetPaginator] = _of_this_one(AsyncDeltaGliderClient.get_paginator, make_paginator)
    get_waiter: ClassVar[GetWaiter] = _of_this_one(AsyncDeltaGliderClient.get_waiter, make_waiter)
    upload_file = _blocking(AsyncDeltaGliderClient.upload_file)
    upload_fileobj = _blocking(AsyncDeltaGliderClient.upload_fileobj)
    download_file = _blocking(AsyncDeltaGliderClient.download_file)
    download_fileobj = _blocking(AsyncDeltaGliderClient.download_fileobj)


def create_client(
    endpoint_url: str | None = None,
    log_level: str | None = None,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
    region_name: str | None = None,
    *,
    profile_name: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    max_ratio: float | None = None,
    observer: Observer = ignore,
    settings: Settings | None = None,
    **more: Any,
) -> DeltaGliderClient:
    """A synchronous client.

    What is not given comes from the ``DG_*`` variables, then from the defaults; credentials, region and profile from
    botocore's chain.

    Args:
        endpoint_url: ``None`` for AWS, ``https://host`` for an S3-compatible store, ``file:///path`` for the embedded
            one.
        log_level: Level of the ``deltaglider`` logger.
        aws_access_key_id: An access key.
        aws_secret_access_key: Its secret.
        aws_session_token: The session token of temporary credentials.
        region_name: The region.
        profile_name: A profile of the AWS configuration files.
        cache_dir: Where references are cached.
        max_ratio: The largest delta kept, as a share of the file's size.
        observer: Called with each event of ``deltaglider.events``, in a thread of the client's.
        settings: All settings at once; then no other but ``observer`` may be given.
        **more: Any other field of ``Settings``. ``tool_version`` of earlier versions is taken and means nothing.

    Returns:
        The client; nothing is opened, and no thread started, before its first call.

    Raises:
        ConfigurationError: A setting does not hold what it should.
        TypeError: An unknown keyword.
    """
    return DeltaGliderClient(
        create_async_client(
            endpoint_url,
            log_level,
            aws_access_key_id,
            aws_secret_access_key,
            aws_session_token,
            region_name,
            profile_name=profile_name,
            cache_dir=cache_dir,
            max_ratio=max_ratio,
            observer=observer,
            settings=settings,
            **more,
        )
    )
