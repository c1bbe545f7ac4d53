"""Ctrl-C and SIGTERM: the first one cancels the work, which then cleans up; the second ends the process at once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.screen import Screen

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
_WORDS = {signal.SIGINT: "cancelled: ctrl-c received", signal.SIGTERM: "cancelled: terminated"}


def run_interruptibly(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Runs a coroutine function in an event loop of its own.

    Args:
        work: What to run.

    Returns:
        Its exit code, or that of the signal that ended it, once all is cleaned up.
    """
    received: list[signal.Signals] = []
    try:
        code = asyncio.run(_watched(work, received))
    except asyncio.CancelledError:
        if not received:
            raise
        code = ExitCode.INTERRUPTED
    except KeyboardInterrupt:  # Where loops have no signal handlers, asyncio.run has cancelled the work by itself.
        return ExitCode.INTERRUPTED
    return _CODES[received[0]] if received else code


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
