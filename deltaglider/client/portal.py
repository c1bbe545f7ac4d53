"""The event loop under a synchronous client: one daemon thread, started on first use.

A daemon, so that an interpreter whose client was never closed ends at once; what its worker threads inherit. The loop
of the caller, if
there is one (Jupyter), is not touched.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

from deltaglider.errors import ClientStateError

T = TypeVar("T")

_START_SECONDS = 30.0
_CLEANUP_SECONDS = 45.0  # Over what the engine allows itself.
_LOOK_SECONDS = 1.0


class Portal:
    """A background event loop that other threads call into."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._portal: BlockingPortal | None = None
        self._closed = False

    def call(self, function: Callable[..., Awaitable[T]], *arguments: Any, **keywords: Any) -> T:
        """Runs a coroutine function in the loop and waits for it. From any thread but the loop's own.

        Ctrl-C while it waits cancels the work, lets it clean up, and goes on.

        Args:
            function: What to await.
            *arguments: Its arguments.
            **keywords: Its keyword arguments.

        Returns:
            Its result.

        Raises:
            ClientStateError: The client is closed, or this is a forked child.
        """
        portal = self._started()
        ended = threading.Event()

        async def guarded() -> T:
            try:
                return await function(*arguments, **keywords)
            finally:
                ended.set()

        future: Future[T] = portal.start_task_soon(guarded)
        try:
            return _result(future)
        except BaseException:
            if not ended.is_set() and future.cancel():
                ended.wait(_CLEANUP_SECONDS)
            raise

    def close(self, last: Callable[[], Awaitable[None]] | None = None) -> None:
        """Stops the loop. Harmless if repeated, in a forked child, and at the end of the interpreter.

        Args:
            last: What to await in the loop before it stops.
        """
        with self._lock:
            self._closed = True
            portal, thread = self._portal, self._thread
            self._portal = self._thread = None
        if portal is None or thread is None or os.getpid() != self._pid:
            return

        async def finish() -> None:
            try:
                if last is not None:
                    with anyio.move_on_after(_CLEANUP_SECONDS):
                        await last()
            finally:
                await portal.stop(cancel_remaining=True)

        try:
            portal.start_task_soon(finish)
        except RuntimeError:
            return  # The loop ended by itself.
        # The garbage collector may run a finalizer in the loop's own thread, which cannot wait for itself.
        if threading.current_thread() is not thread:
            thread.join(_CLEANUP_SECONDS)

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def _started(self) -> BlockingPortal:
        if os.getpid() != self._pid:
            raise ClientStateError(
                "this client was made before the process forked, and its connections belong to the parent",
                remedy="Make a client in each process, after the fork",
            )
        with self._lock:
            if self._closed:
                raise ClientStateError("the client is closed", remedy="Make a new one")
            if self._portal is None:
                self._start()
            assert self._portal is not None
            if threading.current_thread() is self._thread:
                raise ClientStateError(
                    "the synchronous client was called from its own event loop",
                    remedy="Use the asynchronous client there",
                )
            return self._portal

    def _start(self) -> None:
        ready = threading.Event()
        failure: list[BaseException] = []

        async def main() -> None:
            async with BlockingPortal() as portal:
                self._portal = portal
                ready.set()
                await portal.sleep_until_stopped()

        def run() -> None:
            try:
                anyio.run(main)
            except BaseException as error:  # noqa: BLE001 - Raised in the thread that started this one.
                failure.append(error)
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="deltaglider-portal", daemon=True)
        self._thread.start()
        if not ready.wait(_START_SECONDS) or self._portal is None:
            raise ClientStateError("the background event loop did not start") from (failure[0] if failure else None)


def _result(future: Future[T]) -> T:
    # A wait without a time-out cannot be interrupted on every platform.
    while True:
        try:
            return future.result(_LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                return future.result()
