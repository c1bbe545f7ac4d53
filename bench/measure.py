"""Whole processes, measured by turns.

One program after the other would charge each with what the machine happened to do in its minute; by turns, all share
it. The median of many rounds then ignores the rounds that were disturbed.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Tools:
    """The programs a case may compare.

    Attributes:
        python: An interpreter that has this DeltaGlider installed.
        ours: This DeltaGlider's command.
        predecessor: The command of deltaglider 6.2.0.
        predecessor_python: An interpreter that has it installed.
        aws: The AWS command line.
        rounds: How often each program is run, warm-up not counted.
    """

    python: Path
    ours: Path
    predecessor: Path
    predecessor_python: Path
    aws: Path
    rounds: int


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run of a process took.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: Seconds of CPU, its own and that of the children it waited for.
    """

    wall: float
    cpu: float


def run_once(command: Sequence[str | Path], directory: Path) -> Cost:
    """Runs a program, its output thrown away.

    Args:
        command: The program and its arguments.
        directory: Where it runs. Not the checkout: ``python -c`` would import from there what is to be measured.

    Returns:
        What it took.

    Raises:
        RuntimeError: It failed; a program that fails quickly must not look fast.
    """
    start = time.perf_counter()
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=directory, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    # wait4 instead of wait: it alone gives the CPU time of this one child.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode} of {' '.join(map(str, command))}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)


def by_turns(commands: Sequence[Sequence[str | Path]], rounds: int) -> list[Cost]:
    """Runs programs by turns, after one round that warms the file cache and compiles bytecode.

    Args:
        commands: The programs.
        rounds: How often each is run.

    Returns:
        The medians, in the order of the commands.
    """
    costs: list[list[Cost]] = [[] for _ in commands]
    with tempfile.TemporaryDirectory() as directory:
        for turn in range(rounds + 1):
            for taken, command in zip(costs, commands, strict=True):
                cost = run_once(command, Path(directory))
                if turn:
                    taken.append(cost)
    return [
        Cost(wall=statistics.median(c.wall for c in taken), cpu=statistics.median(c.cpu for c in taken))
        for taken in costs
    ]
