"""The loop under a synchronous client: started when needed, given up at any moment, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from deltaglider import ClientStateError
from deltaglider.client import portal as module
from deltaglider.client.portal import Portal


class Closing:
    """What a portal awaits last; notes when."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.error: BaseException | None = None
        self.hang = False

    async def __call__(self) -> None:
        self.log.append("last")
        if self.error is not None:
            raise self.error
        if self.hang:
            await asyncio.Event().wait()


@pytest.fixture
def closing() -> Closing:
    return Closing()


@pytest.fixture
def portal(closing: Closing) -> Iterator[Portal]:
    made = Portal(closing)
    yield made
    made.close()
    assert _threads() == []


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "deltaglider-portal"]


async def _add(a: int, *, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


class Stuck:
    """Work that waits for ever, and cleans up with awaits when it is cancelled."""

    def __init__(self, log: list[str]) -> None:
        self.begun = threading.Event()
        self._log = log

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0.05)
                self._log.append("cleaned up")


def _interrupt() -> None:
    """What Ctrl-C does."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def _interrupt_when(ready: Callable[[], object]) -> threading.Thread:
    """Ctrl-C, once something is the case."""

    def run() -> None:
        ready()
        _interrupt()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_call(portal: Portal) -> None:
    assert portal.call(_add, 1, b=2) == 3


def test_one_thread_started_by_the_first_call(portal: Portal) -> None:
    assert _threads() == []
    portal.call(_add, 1, b=2)
    (thread,) = _threads()
    assert thread.daemon
    portal.call(_add, 1, b=2)
    assert _threads() == [thread]
    portal.close()
    assert not thread.is_alive()


def test_many_first_calls_start_one_thread(portal: Portal) -> None:
    together, results = threading.Barrier(16), []

    def call(number: int) -> None:
        together.wait()
        results.append(portal.call(_add, number, b=0))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(16))
    assert len(_threads()) == 1


def test_calls_run_beside_each_other(portal: Portal) -> None:
    """Each waits for the others inside the loop."""
    everybody = asyncio.Barrier(8)
    threads = [threading.Thread(target=portal.call, args=(everybody.wait,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


class Unlucky(Exception):
    pass


@pytest.mark.parametrize(
    "error", [Unlucky("a"), TimeoutError("b"), SystemExit(3), KeyboardInterrupt(), OSError(5, "c")]
)
def test_an_error_crosses_as_it_is(error: BaseException, portal: Portal) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)) as raised:
        portal.call(fail)
    assert raised.value is error
    # The loop is none the worse for it.
    assert portal.call(_add, 1, b=2) == 3


def test_an_error_keeps_nothing_alive(portal: Portal) -> None:
    """A client's source may be large: it goes with the error, not when the garbage collector comes."""

    class Large:
        pass

    async def fail(argument: Any) -> None:
        raise Unlucky

    argument = Large()
    reference = weakref.ref(argument)
    gc.disable()
    try:
        with contextlib.suppress(Unlucky):
            portal.call(fail, argument)
        del argument
        assert reference() is None
    finally:
        gc.enable()


def test_variables_of_the_context_reach_the_work(portal: Portal) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set by the caller")

    async def read() -> str:
        return variable.get()

    assert portal.call(read) == "set by the caller"


async def test_inside_a_running_loop(portal: Portal) -> None:
    assert portal.call(_add, 1, b=2) == 3
    assert await asyncio.to_thread(portal.call, _add, 1, b=2) == 3


def test_from_its_own_loop(portal: Portal) -> None:
    async def call_again() -> None:
        portal.call(_add, 1, b=2)

    with pytest.raises(ClientStateError, match="its own event loop"):
        portal.call(call_again)


def test_ctrl_c_cancels_the_work_and_waits_for_its_clean_up(portal: Portal, closing: Closing) -> None:
    work = Stuck(closing.log)
    interrupter = _interrupt_when(work.begun.wait)
    with pytest.raises(KeyboardInterrupt):
        portal.call(work)
    assert closing.log == ["cleaned up"]
    interrupter.join()
    assert portal.call(_add, 1, b=2) == 3


def test_ctrl_c_before_the_work_began_keeps_it_from_beginning(portal: Portal, closing: Closing) -> None:
    """As happens while the loop is busy, with an import say."""
    busy, go_on = threading.Event(), threading.Event()

    async def block() -> None:
        busy.set()
        go_on.wait(60)

    blocker = threading.Thread(target=portal.call, args=(block,))
    blocker.start()
    busy.wait(30)
    work = Stuck(closing.log)
    interrupter = _interrupt_when(lambda: time.sleep(0.2))
    with pytest.raises(KeyboardInterrupt):
        portal.call(work)
    go_on.set()
    blocker.join()
    interrupter.join()
    assert portal.call(_add, 1, b=2) == 3
    assert not work.begun.is_set()


def test_a_second_ctrl_c_does_not_wait(portal: Portal) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0.5)

    def twice() -> None:
        begun.wait(30)
        _interrupt()
        cancelled.wait(30)
        _interrupt()

    interrupter = threading.Thread(target=twice)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        portal.call(stubborn)
    assert cancelled.is_set()
    interrupter.join()


def test_closing_ends_the_calls_of_other_threads_and_then_awaits_the_last(portal: Portal, closing: Closing) -> None:
    work, errors = Stuck(closing.log), []

    def call() -> None:
        with pytest.raises(ClientStateError, match="closed in the middle") as raised:
            portal.call(work)
        errors.append(raised.value)

    thread = threading.Thread(target=call)
    thread.start()
    work.begun.wait(30)
    portal.close()
    thread.join(30)
    assert len(errors) == 1
    assert closing.log == ["cleaned up", "last"]


def test_closing_twice_or_unused(portal: Portal, closing: Closing) -> None:
    portal.close()
    portal.close()
    assert closing.log == []
    used = Portal(closing)
    used.call(_add, 1, b=2)
    used.close()
    used.close()
    assert closing.log == ["last"]


def test_closing_from_its_own_loop(portal: Portal, closing: Closing) -> None:
    """An observer might; it can only be told that it should end."""
    thread = portal.call(_current)
    with pytest.raises(ClientStateError, match="closed in the middle"):
        portal.call(_close_and_wait, portal)
    thread.join(30)
    assert closing.log == ["last"]


async def _current() -> threading.Thread:
    return threading.current_thread()


async def _close_and_wait(portal: Portal) -> None:
    portal.close()
    await asyncio.Event().wait()


def test_no_call_after_closing(portal: Portal) -> None:
    portal.call(_add, 1, b=2)
    portal.close()
    with pytest.raises(ClientStateError, match="closed"):
        portal.call(_add, 1, b=2)
    with pytest.raises(ClientStateError, match="closed"):
        portal.require_open()


def test_an_error_of_the_last_does_not_come_out(portal: Portal, closing: Closing) -> None:
    closing.error = Unlucky()
    portal.call(_add, 1, b=2)
    portal.close()
    assert closing.log == ["last"]


def test_a_last_that_hangs_is_given_up(portal: Portal, closing: Closing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLEANUP_SECONDS", 0.1)
    closing.hang = True
    portal.call(_add, 1, b=2)
    (thread,) = _threads()
    portal.close()
    thread.join(30)
    assert not thread.is_alive()


def test_a_loop_that_broke_says_so(portal: Portal) -> None:
    """What asyncio does with these two errors in a task of its own."""

    async def fail() -> None:
        async def interrupted() -> None:
            raise SystemExit

        await asyncio.gather(interrupted())

    with pytest.raises((SystemExit, ClientStateError)):
        portal.call(fail)
    for thread in _threads():
        thread.join(30)
    with pytest.raises(ClientStateError, match="event loop has ended"):
        portal.call(_add, 1, b=2)


def test_a_thread_that_cannot_be_started(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(ClientStateError, match="can't start new thread"):
            portal.call(_add, 1, b=2)
    assert portal.call(_add, 1, b=2) == 3


def test_a_signal_handler_may_close_in_the_middle_of_a_call(portal: Portal, closing: Closing) -> None:
    work = Stuck(closing.log)
    previous = signal.signal(signal.SIGUSR1, lambda *_: portal.close())
    try:
        sender = threading.Thread(target=lambda: (work.begun.wait(30), os.kill(os.getpid(), signal.SIGUSR1)))
        sender.start()
        with pytest.raises(ClientStateError, match="closed in the middle"):
            portal.call(work)
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert closing.log == ["cleaned up", "last"]


def test_a_finalizer_does_not_wait(portal: Portal, closing: Closing) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def block() -> None:
        begun.set()
        go_on.wait(30)

    portal.call(_add, 1, b=2)
    (loop,) = _threads()
    thread = threading.Thread(target=portal.call, args=(block,))
    thread.start()
    begun.wait(30)
    portal.close(wait=False)
    assert loop.is_alive()
    go_on.set()
    loop.join(30)
    thread.join(30)
    assert not loop.is_alive()
    assert closing.log == ["last"]
