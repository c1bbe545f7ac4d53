"""One child process, run from a worker thread; the only place that starts programs.

A thread waits for the child and looks, while it waits, whether the caller was cancelled: the child is then killed and
reaped before the cancellation goes on. (``abandon_on_cancel`` would leave an orphan, and a plain ``subprocess.run``
would not notice.)
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Literal

import anyio
from anyio import from_thread

from deltaglider.codec.output import Output
from deltaglider.config import KIB, child_environment
from deltaglider.errors import DeltaCorruptError
from deltaglider.files import CHUNK, local_errors
from deltaglider.late import dataclass
from deltaglider.threads import in_thread

_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.05  # Seconds between looks: a small delta takes milliseconds.
_STDERR_KEPT = 2000  # Bytes.
_LEAST_FILE_LIMIT = 64 * KIB  # The kernel's limit holds for every file of a child, that of its messages too.
_LARGEST_LIMIT = 2**63 - 1  # Of what the kernel takes; what metadata records may be more.
_OPEN_FILES = 64  # Three files, three streams, and pipes to a program that unpacks.
_SPARE_SECONDS = 2  # Of CPU over the wall time: the deadline is ours to enforce, this is for when we cannot.
_TELLS_OF_ENDS = hasattr(os, "pidfd_open")
_PR_SET_NO_NEW_PRIVS = 38
_F_SETPIPE_SZ = 1031  # Of Linux: a pipe holds 64 KiB otherwise, and each fill is two switches of context.


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child process ended.

    Attributes:
        code: Its exit code; negative for a signal.
        output: What it wrote to stdout, where that was asked for, else the end of what it wrote to stderr.
        stopped: Why it was killed, if it was.
    """

    code: int
    output: str
    stopped: Literal["", "limit", "deadline"] = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child process may take.

    Besides these, it has no core file, few open files, and no way to gain privileges, where the platform has that.

    Attributes:
        seconds: Wall time; and CPU time, where the platform can limit it, should this process not be there to look.
        output: A file it writes.
        output_bytes: Bytes that file may have.
        memory: Bytes of address space, where the platform can limit it.
    """

    seconds: float
    output: Path | None = None
    output_bytes: int | None = None
    memory: int | None = None


async def run(
    argv: Sequence[str],
    limits: Limits,
    limiter: anyio.CapacityLimiter,
    *,
    stdout: Path | None = None,
    output: Output | None = None,
) -> Ended:
    """Runs a program to its end, its limits or the cancellation of the caller, whichever is first.

    Args:
        argv: The program, by absolute path, and its arguments. No shell is involved.
        limits: What it may take.
        limiter: Bounds how many run at once.
        stdout: An existing file for what it writes to stdout, where that is its result and no message.
        output: Takes what it writes to stdout as it comes. The program is ended when that is too much.

    Returns:
        How it ended.

    Raises:
        OSError: It could not be started.
        LocalFileError: There is no place for what it says, or gives.
    """
    return await in_thread(_run, argv, limits, stdout, output, limiter=limiter)


def run_here(argv: Sequence[str], limits: Limits, *, stdout: Path) -> Ended:
    """The same in the worker thread that calls it, which ends early if its caller is cancelled.

    Args:
        argv: The program, by absolute path, and its arguments.
        limits: What it may take.
        stdout: An existing file for what it writes to stdout.

    Returns:
        How it ended.

    Raises:
        OSError: It could not be started.
        LocalFileError: There is no place for what it says.
    """
    return _run(argv, limits, stdout, None)


def _run(argv: Sequence[str], limits: Limits, stdout: Path | None, output: Output | None) -> Ended:
    if limits.output is not None:
        # What is there already must not count as written by the child. Where this fails, the child will say why.
        with contextlib.suppress(OSError):
            os.truncate(limits.output, 0)
    with contextlib.ExitStack() as stack:
        with local_errors(tempfile.gettempdir(), "no temporary file can be made", "Set TMPDIR to another directory"):
            noise = stack.enter_context(tempfile.TemporaryFile())
            result = stack.enter_context(stdout.open("wb")) if stdout is not None else noise
        if output is not None:
            stack.enter_context(output)
        # A group of its own: Ctrl-C on the terminal must reach us, who then end it in order, and a kill must reach its
        # children.
        own_group = {"process_group": 0} if sys.platform != "win32" else {}
        child = _started(
            lambda: subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=result if output is None else subprocess.PIPE,
                stderr=noise,
                env=child_environment(),
                cwd=os.sep,
                **own_group,  # type: ignore[call-overload]
            )
        )
        reader = _Reader(child.stdout, output) if output is not None and child.stdout is not None else None
        try:
            _restrict(child.pid, limits)
            stopped = _watch(child, limits, reader)
        finally:
            _end(child, reader)
        if reader is not None and reader.error is not None:
            raise reader.error
        size = noise.seek(0, os.SEEK_END)
        noise.seek(max(0, size - _STDERR_KEPT))
        said = noise.read().decode("utf-8", "replace").strip()
    if not stopped and (child.returncode == -getattr(signal, "SIGXFSZ", 0) or _too_large(limits)):
        stopped = "limit"  # Between two looks.
    if not stopped and child.returncode == -getattr(signal, "SIGXCPU", 0):
        stopped = "deadline"
    return Ended(child.returncode, said, stopped)


class _Reader(threading.Thread):
    """Takes what a child writes. A thread of its own, since not every platform can wait for a pipe and a child at once.

    It holds the child's end of the matter no longer than the child and its children do.

    Args:
        pipe: The child's stdout; closed at its end.
        output: Where it goes.
    """

    def __init__(self, pipe: IO[bytes], output: Output) -> None:
        super().__init__(name="deltaglider-reads-a-child", daemon=True)
        self._pipe = pipe
        self._output = output
        self.overflowed = False
        self.error: Exception | None = None
        if sys.platform == "linux":
            import fcntl

            with contextlib.suppress(OSError):  # More than this user may have.
                fcntl.fcntl(pipe, _F_SETPIPE_SZ, CHUNK)
        self.start()

    def run(self) -> None:
        """Reads to the end, or until there is too much."""
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        try:
            with self._pipe:
                while count := self._pipe.readinto(buffer):  # type: ignore[attr-defined]
                    self._output.write(view[:count])
        except DeltaCorruptError:
            self.overflowed = True
        except Exception as error:  # noqa: BLE001 - Raised by the thread that waits.
            self.error = error


def _started(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Starts a child that can gain no privileges, by way of a thread that renounces them.

    The promise is a thread's, holds for ever, and is inherited. The threads we run in are shared with the program we
    are part of, whose own children may need what is renounced here; and between fork and exec no code of ours may run.
    """
    if sys.platform != "linux":
        return start()
    outcome: Future[subprocess.Popen[bytes]] = Future()

    def renounce_and_start() -> None:
        try:
            # Imported here: most clients never start a child.
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            outcome.set_result(start())
        except BaseException as error:  # noqa: BLE001 - Raised by the thread that asked.
            outcome.set_exception(error)

    thread = threading.Thread(target=renounce_and_start, name="deltaglider-starts-a-child", daemon=True)
    thread.start()
    thread.join()
    return outcome.result()


def _watch(child: subprocess.Popen[bytes], limits: Limits, reader: _Reader | None) -> Literal["", "limit", "deadline"]:
    end = time.monotonic() + limits.seconds
    wait = _FIRST_WAIT
    while True:
        if _ended(child, reader, wait):
            return "limit" if reader is not None and reader.overflowed else ""
        wait = min(wait * 2, _LONGEST_WAIT)
        from_thread.check_cancelled()
        if _too_large(limits) or (reader is not None and reader.overflowed):
            return "limit"
        if reader is not None and reader.error is not None:
            return ""
        if time.monotonic() > end:
            return "deadline"


def _ended(child: subprocess.Popen[bytes], reader: _Reader | None, seconds: float) -> bool:
    """Waits for the end of a child and of what it writes, and is told of it at once: ``child.wait`` alone would look.

    Where it writes to us, the end of that tells. Elsewhere the system can, if it is Linux.
    """
    if reader is not None:
        reader.join(seconds)
        if reader.is_alive():
            return False
    elif sys.platform == "linux" and _TELLS_OF_ENDS:
        with contextlib.suppress(OSError):  # No more files may be open, or it is forbidden: then it is looked at.
            handle = os.pidfd_open(child.pid)
            try:
                waiting = select.poll()
                waiting.register(handle, select.POLLIN)
                waiting.poll(seconds * 1000)
            finally:
                os.close(handle)
            return child.poll() is not None
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _too_large(limits: Limits) -> bool:
    if limits.output is None or limits.output_bytes is None:
        return False
    try:
        return limits.output.stat().st_size > limits.output_bytes
    except OSError:
        return False  # Not made yet.


def _restrict(pid: int, limits: Limits) -> None:
    """Limits of the kernel's own, set from outside: a process with threads must run no code between fork and exec."""
    if sys.platform != "linux":
        return
    import resource

    seconds = math.ceil(limits.seconds) + _SPARE_SECONDS
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: _OPEN_FILES, resource.RLIMIT_CPU: seconds}
    if limits.memory is not None:
        wanted[resource.RLIMIT_AS] = limits.memory
    if limits.output_bytes is not None:
        wanted[resource.RLIMIT_FSIZE] = min(max(limits.output_bytes + 1, _LEAST_FILE_LIMIT), _LARGEST_LIMIT)
    for which, amount in wanted.items():
        with contextlib.suppress(OSError, ValueError):  # It ended already, or a lower limit is in force.
            # The kernel kills at the hard limit; at the soft one it says why.
            resource.prlimit(pid, which, (amount, amount + (which == resource.RLIMIT_CPU)))


def _end(child: subprocess.Popen[bytes], reader: _Reader | None) -> None:
    if child.returncode is None or (reader is not None and reader.is_alive()):
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
        child.kill()
        child.wait()
    if reader is not None:
        reader.join()
