"""Both clients behind one face, and bytes to give them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from deltaglider import AsyncDeltaGliderClient, DeltaGliderClient, create_async_client, create_client
from deltaglider.client.earlier import EarlierMethods

SIZE = 30_000
"""Bytes of a test file: over the least that is worth a delta, and quick."""

EARLIER = {name for kind in EarlierMethods.__mro__ if ".earlier" in kind.__module__ for name in vars(kind)}
"""Methods of earlier versions: they have tests of their own, in ``tests/earlier`` and ``tests/boto``."""


def noise(seed: object, size: int = SIZE) -> bytes:
    """Bytes that nothing compresses, the same for the same seed."""
    return hashlib.shake_128(repr(seed).encode()).digest(size)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def leftovers(directory: Path) -> list[str]:
    """What lies under a directory of temporary files, their locks not counted."""
    return [str(path) for path in directory.rglob("*") if path.is_file() and path.name != ".lock"]


def emptied(directory: Path, seconds: float = 30) -> bool:
    """Whether a directory is empty, or soon is: clients that nobody closes clean up in threads of their own."""
    end = time.monotonic() + seconds
    while list(directory.iterdir()):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def portals(seconds: float = 30) -> list[threading.Thread]:
    """The threads of synchronous clients that live on; those of clients that an earlier test forgot end first."""
    end = time.monotonic() + seconds
    while found := [thread for thread in threading.enumerate() if thread.name == "deltaglider-portal"]:
        found[0].join(max(0.0, end - time.monotonic()))
        if time.monotonic() > end:
            break
    return found


class Either:
    """One of the clients: every method is awaited, and iterators come as lists."""

    def __init__(self, client: AsyncDeltaGliderClient | DeltaGliderClient, temporary: Path) -> None:
        self.client = client
        self.temporary = temporary
        """Where its temporary files lie."""

    async def __call__(self, method: str, *arguments: Any, **keywords: Any) -> Any:
        function = getattr(self.client, method)
        if isinstance(self.client, DeltaGliderClient):
            return await asyncio.to_thread(_drawn, function, arguments, keywords)
        result = function(*arguments, **keywords)
        return [item async for item in result] if inspect.isasyncgen(result) else await result


def _drawn(function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    result = function(*arguments, **keywords)
    return list(result) if isinstance(result, Iterator) else result


@contextlib.asynccontextmanager
async def opened(kind: str, temporary: Path, **settings: Any) -> AsyncIterator[Either]:
    """A client of a kind, ``asynchronous`` or ``synchronous``."""
    if kind == "asynchronous":
        async with create_async_client(temp_dir=temporary, **settings) as client:
            yield Either(client, temporary)
    else:
        with create_client(temp_dir=temporary, **settings) as client_in_thread:
            yield Either(client_in_thread, temporary)
