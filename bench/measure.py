"""Whole processes, measured by turns.

One program after the other would charge each with what the machine happened to do in its minute; by turns, all share
it. The median of many rounds then ignores the rounds that were disturbed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.data import Data
from bench.watch import Watch

Command = Sequence[str | Path]


@dataclasses.dataclass(frozen=True)
class Tools:
    """What a case may use: the programs it compares, files to compare them with, and how thorough it shall be.

    Attributes:
        python: An interpreter that has this DeltaGlider installed.
        ours: This DeltaGlider's command.
        predecessor: The command of deltaglider 6.2.0.
        predecessor_python: An interpreter that has it installed.
        aws: The AWS command line.
        s5cmd: The command of that name.
        rclone: The command of that name.
        data: Releases and made files.
        scratch: A directory for what a case writes.
        rounds: How often each side is run, if the case shall not decide.
        quick: Whether to do with little: one round, and less data. It shows that a case works, and no figures.
    """

    python: Path
    ours: Path
    predecessor: Path
    predecessor_python: Path
    aws: Path
    s5cmd: Path
    rclone: Path
    data: Data
    scratch: Path
    rounds: int | None = None
    quick: bool = False

    def times(self, rounds: int) -> int:
        """How often each side is run, warm-up not counted.

        Args:
            rounds: What the case thinks right.

        Returns:
            That, unless something else was asked for.
        """
        return self.rounds or self.some(rounds, 1)

    def some(self, full: int, quick: int) -> int:
        """How much of something.

        Args:
            full: For figures.
            quick: To see whether it works.

        Returns:
            One of the two.
        """
        return quick if self.quick else full


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run of a process took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of CPU, its own and that of the children it waited for.
        peak: The most bytes of memory that it and its children held at one time.
        own: The most bytes that it held itself.
        ended: Whether it came to its end, and was not stopped at its deadline.
    """

    wall: float
    cpu: float
    peak: int = 0
    own: int = 0
    ended: bool = True


def run_once(
    command: Command, directory: Path, *, environ: Mapping[str, str] | None = None, deadline: float | None = None
) -> Cost:
    """Runs a program, its output thrown away.

    Args:
        command: The program and its arguments.
        directory: Where it runs. Not the checkout: ``python -c`` would import from there what is to be measured.
        environ: Its environment; that of this process if not given.
        deadline: Seconds after which it is stopped.

    Returns:
        What it took.

    Raises:
        RuntimeError: It failed; a program that fails quickly must not look fast.
    """
    nowhere = subprocess.DEVNULL
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=directory, env=environ, stdin=nowhere, stdout=nowhere, stderr=errors, start_new_session=True
        )
        watch = Watch(process.pid)
        with _deadline(process.pid, deadline) as passed:
            # Not reaped yet, so that its number stays its own until nobody looks at it any more.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            wall = time.perf_counter() - start
        watch.stop()
        # wait4 instead of wait: it alone gives the CPU time of this one child.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and not passed.is_set():
            errors.seek(0)
            said = errors.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"exit code {process.returncode} of {' '.join(map(str, command))}\n{said}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall=wall, cpu=cpu, peak=watch.tree, own=watch.own, ended=not passed.is_set())


def by_turns(
    commands: Sequence[Command], rounds: int, *, environs: Sequence[Mapping[str, str] | None] | None = None
) -> list[Cost]:
    """Runs programs by turns, after one round that warms the file cache and compiles bytecode.

    Args:
        commands: The programs.
        rounds: How often each is run.
        environs: The environment of each; that of this process if not given.

    Returns:
        The medians, in the order of the commands.
    """
    costs: list[list[Cost]] = [[] for _ in commands]
    with tempfile.TemporaryDirectory() as directory:
        for turn in range(rounds + 1):
            for taken, command, environ in zip(costs, commands, environs or [None] * len(commands), strict=True):
                cost = run_once(command, Path(directory), environ=environ)
                if turn:
                    taken.append(cost)
    return [median(taken) for taken in costs]


def median(costs: Iterable[Cost]) -> Cost:
    """Each figure's median; of memory the most.

    Args:
        costs: What the rounds took.

    Returns:
        One cost for all.
    """
    taken = list(costs)
    return Cost(
        wall=statistics.median(cost.wall for cost in taken),
        cpu=statistics.median(cost.cpu for cost in taken),
        peak=max(cost.peak for cost in taken),
        own=max(cost.own for cost in taken),
        ended=all(cost.ended for cost in taken),
    )


@contextlib.contextmanager
def _deadline(pid: int, seconds: float | None) -> Iterator[threading.Event]:
    """Kills the process and its children, which are a group, when the time is up; the event tells that it did."""
    passed = threading.Event()

    def kill() -> None:
        passed.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    timer = threading.Timer(seconds, kill) if seconds else None
    if timer:
        timer.start()
    try:
        yield passed
    finally:
        if timer:
            timer.cancel()
            timer.join()
