"""Clients of a filesystem: one for each event loop it is used in, closed when the filesystem is gone.

fsspec runs what is called without awaiting in one loop of its own, in a daemon thread; who awaits uses any loop.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import dataclasses
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack, aclosing
from functools import partial
from typing import IO, Any

from deltaglider.client.aio import AsyncDeltaGliderClient
from deltaglider.client.arguments import upload_options
from deltaglider.config import Settings
from deltaglider.engine import listing
from deltaglider.engine import upload as uploading
from deltaglider.engine.context import Context
from deltaglider.engine.materialise import materialise
from deltaglider.engine.ranges import Ranges
from deltaglider.errors import NotFoundError
from deltaglider.events import Observer
from deltaglider.files import local_errors
from deltaglider.models import UploadSummary

_FEW = 10
_CLOSE_SECONDS = 45.0  # Over what the engine allows itself.


class Client(AsyncDeltaGliderClient):
    """The asynchronous client, and what open files need besides."""

    async def ranges(self, bucket: str, key: str) -> Ranges:
        """Opens an object for reading parts of it.

        Args:
            bucket: The bucket.
            key: The key.

        Returns:
            Its bytes, to be closed at the end.

        Raises:
            NotFoundError: There is no such object.
        """
        return await Ranges.open(self._context(), bucket, key)

    async def read_all(self, bucket: str, key: str) -> bytes:
        """All bytes of an object, proven.

        Args:
            bucket: The bucket.
            key: The key.

        Returns:
            The bytes.

        Raises:
            NotFoundError: There is no such object.
            IntegrityError: They are not the recorded ones.
        """
        ctx = self._context()
        with ctx.spool.file() as path:
            await materialise(ctx, bucket, key, path)
            return await ctx.thread(path.read_bytes)

    async def holds(self, bucket: str, prefix: str) -> bool:
        """Whether there is any object under a prefix, found out without a look at many.

        Args:
            bucket: The bucket.
            prefix: The prefix.

        Returns:
            Whether there is one.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        ctx = self._context()
        few = dataclasses.replace(ctx, settings=dataclasses.replace(ctx.settings, page_size=_FEW))
        async with aclosing(listing.list_objects(few, bucket, prefix, delimiter="/")) as entries:
            async for _ in entries:
                return True
        return False

    async def stage(self, bucket: str, key: str, *, mode: str, options: dict[str, Any]) -> Staged:
        """A file that becomes an object when it is complete.

        Args:
            bucket: The bucket.
            key: The key.
            mode: ``wb``; ``ab`` to go on where the object ends; ``xb`` for an object that is not there.
            options: Keywords of ``upload``.

        Returns:
            The file.

        Raises:
            TypeError: There is no such keyword.
            StoreError: What is to be appended to cannot be had.
        """
        ctx = self._context()
        given = upload_options(**{"guess_content_type": True, **options, "no_overwrite": mode == "xb"})
        with ExitStack() as stack:
            path = stack.enter_context(ctx.spool.file())
            if mode == "ab":
                with contextlib.suppress(NotFoundError):
                    await materialise(ctx, bucket, key, path)

            with local_errors(str(path), "cannot be written"):
                file = path.open("ab")
            store = partial(uploading.upload, ctx, path, bucket, key, options=given)
            return Staged(ctx, file, store, stack.pop_all())


class Staged:
    """Bytes on their way into an object: in a temporary file until they are complete.

    Args:
        ctx: The client's parts.
        file: The file, open for appending.
        store: Makes the object of it.
        held: Owns the file.

    Attributes:
        file: The same file.
        store: Makes the object of it, once ``file`` is closed.
    """

    def __init__(
        self, ctx: Context, file: IO[bytes], store: Callable[[], Awaitable[UploadSummary]], held: ExitStack
    ) -> None:
        self.file = file
        self.store = store
        self._ctx = ctx
        self._held = held

    async def write(self, data: bytes) -> int:
        """Writes bytes without blocking the event loop; tells how many."""
        return await self._ctx.thread(self.file.write, data)

    def discard(self) -> None:
        """Removes the file. From any thread; harmless if repeated."""
        self.file.close()
        self._held.close()


class Clients:
    """The clients of one filesystem.

    Args:
        settings: Their settings.
        observer: Called with each event of ``deltaglider.events``.
    """

    def __init__(self, settings: Settings, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._pid = os.getpid()
        self._clients: dict[asyncio.AbstractEventLoop, Client] = {}
        # Held here as well: in a forked child nothing of the parent's may be taken apart.
        _all.add(self)

    def here(self) -> Client:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            for ended in [loop for loop in self._clients if loop.is_closed()]:
                del self._clients[ended]
            client = self._clients[loop] = Client(self._settings, self._observer)
        return client

    async def aclose(self) -> None:
        """Closes the client of the running event loop. Harmless if repeated; the next call makes a new one."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def close(self, *, wait: bool = True) -> None:
        """Closes all clients whose event loops run. Harmless if repeated, and in a forked child.

        Args:
            wait: Wait until they are closed. A finalizer must not: it may run in the middle of anything.
        """
        if os.getpid() != self._pid:
            return
        _all.discard(self)
        ends: list[Future[None]] = []
        while self._clients:
            loop, client = self._clients.popitem()
            if loop.is_running():
                with contextlib.suppress(RuntimeError):  # It ends at this very moment.
                    ends.append(asyncio.run_coroutine_threadsafe(client.aclose(), loop))
        for end in ends if wait else ():
            end.result(_CLOSE_SECONDS)


_all: set[Clients] = set()


@atexit.register
def _close_all() -> None:
    """The end of a program whose filesystems were never closed, as nobody closes them."""
    for clients in list(_all):
        with contextlib.suppress(Exception):
            clients.close()
