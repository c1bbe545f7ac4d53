"""The event loop under a synchronous client: one daemon thread, started on first use.

A daemon, so that an interpreter whose client was never closed ends at once; what its worker threads inherit. The loop
of the caller, if there is one (Jupyter), is not touched.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

from deltaglider.errors import ClientStateError

logger = logging.getLogger("deltaglider.client")

T = TypeVar("T")

_START_SECONDS = 30.0
_CLEANUP_SECONDS = 45.0  # Over what the engine allows itself.
_ENDED = "the client's background event loop has ended"
_LOOK_SECONDS = 1.0  # A wait without a time-out cannot be interrupted on every platform.


class Portal:
    """A background event loop that other threads call into.

    Args:
        last: What to await in the loop before it ends, when all calls have ended.
    """

    def __init__(self, last: Callable[[], Awaitable[None]]) -> None:
        # Reentrant: a signal handler that closes the client may run in the middle of a call.
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._last = last
        self._running: _Running | None = None
        self._closed = False

    def call(self, function: Callable[..., Awaitable[T]], /, *arguments: Any, **keywords: Any) -> T:
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
        running = self._started()
        call = _Call(partial(function, *arguments, **keywords))
        try:
            running.start(call.run)
            while not call.ended.wait(_LOOK_SECONDS):
                running.check()
        except BaseException:
            if call.give_up(running):
                call.ended.wait(_CLEANUP_SECONDS)
            raise
        return call.outcome()

    def close(self, *, wait: bool = True) -> None:
        """Cancels the calls that are left and stops the loop. Harmless if repeated, and in a forked child.

        Args:
            wait: Wait until it has ended. A finalizer must not: it may run in the middle of anything.
        """
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._closed = True
            running = self._running
        if running is not None:
            running.stop()
            if wait:
                running.join()

    def require_open(self) -> None:
        """Sees whether calls can be made.

        Raises:
            ClientStateError: The client is closed, or this is a forked child.
        """
        if os.getpid() != self._pid:
            raise ClientStateError(
                "this client was made before the process forked, and its connections belong to the parent",
                remedy="Make a client in each process, after the fork",
            )
        if self._closed:
            raise ClientStateError("the client is closed", remedy="Make a new one")

    def _started(self) -> _Running:
        self.require_open()
        with self._lock:
            self.require_open()
            if self._running is None:
                self._running = _Running(self._last)
            if threading.current_thread() is self._running.thread:
                raise ClientStateError(
                    "the synchronous client was called from its own event loop",
                    remedy="Use the asynchronous client there",
                )
            return self._running


class _Call(Generic[T]):
    """One call into the loop, which its caller may give up at any moment: also while it is on its way there.

    The outcome is not left to a future: one that holds an error, and is held by that error's traceback, would keep the
    caller's arguments alive until the garbage collector comes.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self.ended = threading.Event()
        self._work = work
        self._scope: anyio.CancelScope | None = None
        self._given_up = False
        self._results: list[T] = []
        self._errors: list[BaseException] = []

    async def run(self) -> None:
        """In the loop."""
        try:
            with anyio.CancelScope() as self._scope:
                if not self._given_up:
                    self._results.append(await self._work())
        except anyio.get_cancelled_exc_class():
            self._errors.append(ClientStateError("the client was closed in the middle of this call"))
            raise
        except BaseException as error:  # noqa: BLE001 - Raised in the caller's thread.
            self._errors.append(error)
        finally:
            self.ended.set()

    def give_up(self, running: _Running) -> bool:
        """Cancels the work.

        Returns:
            Whether it had begun, so that its end is to be waited for; otherwise it never will.
        """
        self._given_up = True
        if self._scope is None or self.ended.is_set():
            return False
        with contextlib.suppress(RuntimeError):  # The loop has ended.
            running.loop.call_soon_threadsafe(self._scope.cancel)
        return True

    def outcome(self) -> T:
        """The result or error, once."""
        if self._errors:
            raise self._errors.pop()
        return self._results.pop()


class _Running:
    """A loop in its thread.

    Args:
        last: What to await in the loop before it ends.

    Raises:
        ClientStateError: It could not be started.
    """

    loop: asyncio.AbstractEventLoop
    _portal: BlockingPortal
    _stopped: asyncio.Event

    def __init__(self, last: Callable[[], Awaitable[None]]) -> None:
        self._last = last
        self._ready = threading.Event()
        self._is_stopping = False
        self._failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="deltaglider-portal", daemon=True)
        _loops.add(self)
        try:
            self.thread.start()
        except RuntimeError as error:
            _loops.discard(self)
            raise ClientStateError(f"the background event loop did not start: {error}") from error

    def start(self, function: Callable[[], Awaitable[None]]) -> None:
        """Starts a coroutine function in the loop.

        Raises:
            ClientStateError: The loop did not start, or has ended.
        """
        if not self._ready.wait(_START_SECONDS):
            raise ClientStateError("the background event loop did not start in time")
        self.check()
        try:
            self._portal.start_task_soon(function)
        except RuntimeError as error:
            raise ClientStateError(_ENDED, remedy="Make a new client") from error

    def check(self) -> None:
        """Sees whether anything can still come of what was started.

        Raises:
            ClientStateError: The loop has ended.
        """
        if not self.thread.is_alive():
            raise ClientStateError(_ENDED, remedy="Make a new client") from self._failure

    def stop(self) -> None:
        """Tells the loop to end. From any thread, its own too."""
        self._is_stopping = True
        with contextlib.suppress(RuntimeError, AttributeError):  # It has, or has yet to begin.
            self.loop.call_soon_threadsafe(self._stopped.set)

    def join(self) -> None:
        """Waits for its end."""
        if threading.current_thread() is not self.thread:
            self.thread.join(_CLEANUP_SECONDS)

    def _run(self) -> None:
        try:
            anyio.run(self._main)
        except BaseException as error:  # Nobody is above a thread.
            self._failure = error
            logger.debug("the background event loop failed", exc_info=error)
        finally:
            _loops.discard(self)
            self._ready.set()

    async def _main(self) -> None:
        self.loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with BlockingPortal() as self._portal:
            self._ready.set()
            if not self._is_stopping:
                await self._stopped.wait()
            await self._portal.stop(cancel_remaining=True)
        with anyio.move_on_after(_CLEANUP_SECONDS):
            await self._last()


_loops: set[_Running] = set()


@atexit.register
def _end_all() -> None:
    """The end of a program whose clients were never closed: none may be cut off in the middle of its clean-up."""
    loops = [loop for loop in list(_loops) if loop.thread.is_alive()]  # In a forked child, no thread is.
    for loop in loops:
        loop.stop()
    for loop in loops:
        loop.join()
