"""The life of a filesystem: its options, its clients, its end."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fsspec.asyn import AsyncFileSystem, sync

from deltaglider.client.aio import create_async_client
from deltaglider.events import Observer, ignore
from deltaglider.fs.clients import Client, Clients


class FileSystemBase(AsyncFileSystem):
    """What every method of a filesystem stands on.

    Args:
        asynchronous: Its methods are awaited, in any event loop; ``aclose`` is to be awaited at the end of each.
        loop: The event loop for what is not awaited; ``None`` for fsspec's own.
        batch_size: Objects in flight at once in one call. ``None``: the client's ``max_concurrent_objects``.
        client_kwargs: More of ``options``, where they come as a mapping.
        observer: Called with each event of ``deltaglider.events``, in an event loop's thread.
        use_listings_cache: Means nothing here: no listing is ever remembered.
        **options: Keywords of ``create_async_client``: ``endpoint_url``, ``region_name``, ``profile_name``, ...

    Raises:
        ConfigurationError: An option does not hold what it should.
        TypeError: There is no such option.
    """

    protocol = "dg"

    def __init__(
        self,
        *,
        asynchronous: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        batch_size: int | None = None,
        client_kwargs: Mapping[str, Any] | None = None,
        observer: Observer = ignore,
        use_listings_cache: bool = False,
        **options: Any,
    ) -> None:
        self.settings = create_async_client(**{**(client_kwargs or {}), **options}).settings
        batch_size = batch_size or self.settings.max_concurrent_objects
        super().__init__(asynchronous=asynchronous, loop=loop, batch_size=batch_size, use_listings_cache=False)
        self._clients = Clients(self.settings, observer)
        weakref.finalize(self, self._clients.close, wait=False).atexit = False

    def _client(self) -> Client:
        """The client of the running event loop."""
        return self._clients.here()

    async def aclose(self) -> None:
        """Closes the connections made in the running event loop. Harmless if repeated; the next call makes new ones."""
        await self._clients.aclose()

    def close(self) -> None:
        """Closes the connections of what was called without awaiting. Harmless if repeated; the next call makes new.

        The end of the program, and that of the last reference to the filesystem, do the same.
        """
        sync(self.loop, self.aclose)

    def let_go(self, release: Callable[[], Awaitable[None]]) -> None:
        """Runs clean-up in the event loop and waits for nothing, as a garbage collector must not.

        Args:
            release: The clean-up.
        """
        with contextlib.suppress(RuntimeError):  # The loop has ended, or this is a forked child, with nothing to clean.
            loop = self.loop
            loop.call_soon_threadsafe(lambda: asyncio.ensure_future(release(), loop=loop))
