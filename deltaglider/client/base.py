"""The life of a client: its parts, where it may be used, and its end."""

from __future__ import annotations

import asyncio
import functools
import os
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deltaglider.client.assemble import assemble
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.errors import ClientStateError
from deltaglider.events import Observer, ignore

if TYPE_CHECKING:
    from deltaglider.client.pending import PendingUploads


class ClientBase:
    """What every method of a client stands on.

    Args:
        settings: The settings.
        observer: Called with each event of ``deltaglider.events``.
    """

    def __init__(self, settings: Settings, observer: Observer = ignore) -> None:
        self._settings = settings
        self._parts = assemble(settings, observer)
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._context()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes connections and removes temporary files. Harmless if repeated."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        try:
            await self._parts.store.aclose()
        finally:
            self._parts.cache.close()
            self._parts.notes.close()
            if "_pending" in vars(self):
                self._pending.close()
            self._parts.spool.close()

    async def close(self) -> None:
        """The same as ``aclose``, by the name that aiobotocore's clients have."""
        await self.aclose()

    @functools.cached_property
    def _pending(self) -> PendingUploads:
        from deltaglider.client.pending import PendingUploads

        return PendingUploads(self._parts.spool)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def _context(self) -> Context:
        """The parts, once it is sure that they may be used from here and now."""
        if self._closed:
            raise ClientStateError("the client is closed", remedy="Make a new one")
        if os.getpid() != self._pid:
            raise ClientStateError(
                "this client was made before the process forked, and its connections belong to the parent",
                remedy="Make a client in each process, after the fork",
            )
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientStateError(
                "this client is in use by another event loop", remedy="Make a client in each event loop"
            )
        return self._parts
