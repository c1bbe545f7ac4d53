"""Ctrl-C and SIGTERM: the first one cancels the work, which then cleans up; the second ends the process at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from deltaglider.cli.exits import CutOffError, ExitCode
from deltaglider.cli.screen import Screen

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_WORDS = {signal.SIGINT: "cancelled: ctrl-c received", signal.SIGTERM: "cancelled: terminated"}


def _say_nothing(error: CutOffError, code: ExitCode) -> None:
    pass


def run_interruptibly(
    work: Callable[[], Coroutine[Any, Any, int]], tell: Callable[[CutOffError, ExitCode], None] = _say_nothing
) -> int:
    """Runs a coroutine function in an event loop of its own.

    Args:
        work: What to run.
        tell: Told of the signal that ended it before its end, once all is cleaned up, and of the exit code.

    Returns:
        Its exit code, or that of the signal that came meanwhile.
    """
    received: list[signal.Signals] = []
    try:
        code = asyncio.run(_watched(work, received))
    except asyncio.CancelledError:
        if not received:
            raise
        return _cut_off(received[0], tell)
    except KeyboardInterrupt:  # Where loops have no signal handlers, asyncio.run has cancelled the work by itself.
        return _cut_off(signal.SIGINT, tell)
    return _CODES[received[0]] if received else code


def _cut_off(which: signal.Signals, tell: Callable[[CutOffError, ExitCode], None]) -> int:
    tell(CutOffError(_WORDS[which]), _CODES[which])
    return _CODES[which]


async def _watched(work: Callable[[], Coroutine[Any, Any, int]], received: list[signal.Signals]) -> int:
    task = asyncio.current_task()
    assert task is not None

    def interrupt(which: signal.Signals) -> None:
        received.append(which)
        Screen().err(_WORDS[which])
        for each in _CODES:
            signal.signal(each, signal.SIG_DFL)
        task.cancel()

    loop = asyncio.get_running_loop()
    for which in _CODES:
        with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows; or not in the main thread.
            loop.add_signal_handler(which, interrupt, which)
    return await work()
