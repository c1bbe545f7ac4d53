"""One aiobotocore client: made by whoever needs it first, bound to that event loop, closed once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from deltaglider.config import Settings, standard_endpoint
from deltaglider.errors import ClientStateError
from deltaglider.startup import all_is_loaded, is_own_process
from deltaglider.store.s3.endpoints import AWS, identity
from deltaglider.store.s3.faults import library_errors, raise_translated

if TYPE_CHECKING:
    from deltaglider.store.s3.bandwidth import Bandwidth
    from deltaglider.store.s3.connect import Blueprint
    from deltaglider.store.s3.direct import DirectRequests

log = logging.getLogger("deltaglider.store")

_CLOSING = 5.0  # Seconds.


class Connection:
    """The client and what it knows of its store.

    Args:
        settings: What the user asked for.
        made: Called once, before the client is handed out: by then ``settings`` are those in force.

    Attributes:
        settings: What the user asked for; once connected, with what the AWS configuration says besides.
        bandwidth: The limit on what bodies take; ``None`` for none. Known once connected.
        sends_md5: Whether bodies carry Content-MD5, because no other checksum protects them. Known once connected.
        direct: Sends requests past the client, where it can. Known once connected.
    """

    def __init__(self, settings: Settings, made: Callable[[], None]) -> None:
        self.settings = settings
        self.bandwidth: Bandwidth | None = None
        self.sends_md5 = False
        self.direct: DirectRequests | None = None
        self._made = made
        self._client: Any = None
        self._exit = contextlib.AsyncExitStack()
        self._connecting = anyio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def endpoint(self) -> str:
        """The endpoint without credentials: the client's own once there is one, until then what is configured."""
        if self._client is not None:
            return identity(self._client.meta.endpoint_url)
        return identity(self.settings.endpoint_url or standard_endpoint())

    @property
    def on_aws(self) -> bool:
        """Whether the store is Amazon's own."""
        return self.endpoint == AWS

    @property
    def region(self) -> str:
        """The client's region; known once connected."""
        return str(self._client.meta.region_name or "")

    @property
    def made(self) -> Any:
        """The aiobotocore client; ``None`` before the first request."""
        return self._client

    async def client(self) -> Any:
        """The aiobotocore client.

        Raises:
            ClientStateError: Closed, or made on another event loop.
            ConfigurationError: The settings make no client.
        """
        self._check()
        if self._client is None:
            async with self._connecting:
                self._check()
                if self._client is None:
                    await self._connect()
        return self._client

    def _check(self) -> None:
        if self._closed:
            raise ClientStateError("the client is closed", remedy="Make a new one")
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            raise ClientStateError("the client belongs to another event loop", remedy="Make one client a loop")

    async def _connect(self) -> None:
        try:
            blueprint = await anyio.to_thread.run_sync(_draw, self.settings)
            client, self.sends_md5 = await blueprint.open(self._exit)
            self.direct = blueprint.past(client)
        except library_errors() as error:
            raise_translated(error, self.endpoint, self.endpoint)
        self.settings, self.bandwidth = blueprint.settings, blueprint.bandwidth
        all_is_loaded()
        self._made()
        self._client, self._loop = client, asyncio.get_running_loop()
        log.debug("connected to %s, Content-MD5 %s", self.endpoint, "on" if self.sends_md5 else "off")
        if self._closed:  # Meanwhile.
            await self.aclose()
            self._check()

    async def aclose(self) -> None:
        """Closes the client. Harmless if repeated."""
        self._closed = True
        if self._client is not None and self._loop is asyncio.get_running_loop():
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING):
                await self._exit.aclose()


def _draw(settings: Settings) -> Blueprint:
    # In the worker thread: importing aiobotocore takes longer than an event loop may stand still.
    if is_own_process():
        from deltaglider.store.s3.lean import load_leanly

        load_leanly("deltaglider.store.s3.connect")
    from deltaglider.store.s3.connect import Blueprint

    return Blueprint(settings)
