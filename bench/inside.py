"""Work inside of this process, by turns: without the start of an interpreter, which would drown what is measured."""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from bench.measure import Cost, median
from bench.server import REGION, Server

Work = Callable[[int], Awaitable[object]]


async def in_turns(works: Mapping[str, Work], rounds: int) -> dict[str, Cost]:
    """Does works by turns, after one round to warm up.

    Args:
        works: What to do; each is told the number of the round.
        rounds: How often each is done.

    Returns:
        The medians, children's CPU included.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            wall, cpu = time.perf_counter(), _cpu()
            await work(turn)
            cost = Cost(wall=time.perf_counter() - wall, cpu=_cpu() - cpu)
            if turn:
                costs[name].append(cost)
    return {name: median(taken) for name, taken in costs.items()}


def client_options(server: Server, directory: Path) -> dict[str, Any]:
    """Keywords for a client of ours that keeps its caches to itself.

    Args:
        server: The server.
        directory: For its cache.

    Returns:
        The keywords.
    """
    return {**raw_options(server), "cache_dir": directory}


def raw_options(server: Server) -> dict[str, Any]:
    """Keywords for a plain client.

    Args:
        server: The server.

    Returns:
        The keywords.
    """
    return {
        "endpoint_url": server.url,
        "region_name": REGION,
        "aws_access_key_id": server.access_key,
        "aws_secret_access_key": server.secret_key,
    }


class Encoder:
    """The bare program that makes deltas, with the flags that a client of ours gave it.

    Args:
        directory: For a script that stands in for the program, and writes down what it was called with.
    """

    def __init__(self, directory: Path) -> None:
        self._calls = directory / "xdelta3-calls"
        self.program = directory / "xdelta3"
        self._bare = shutil.which("xdelta3") or "xdelta3"
        # One line a call. Paths of ours have no line breaks.
        script = f'#!/bin/sh\nprintf \'%s\\t\' "$@" >> {self._calls}\necho >> {self._calls}\nexec {self._bare} "$@"\n'
        self.program.write_text(script, encoding="utf-8")
        self.program.chmod(0o700)

    def flags(self) -> list[str]:
        """What the last delta was made with: all in front of the files."""
        calls = [line.split("\t") for line in self._calls.read_text(encoding="utf-8").splitlines()]
        last = next(call for call in reversed(calls) if "-e" in call)
        return last[: last.index("-s")]

    def encode(self, reference: Path, target: Path, delta: Path) -> None:
        """Makes a delta as the last one was made.

        Args:
            reference: The reference.
            target: The file.
            delta: Where the delta goes.
        """
        delta.unlink(missing_ok=True)
        subprocess.run([self._bare, *self.flags(), "-s", str(reference), str(target), str(delta)], check=True)


def decode(reference: Path, delta: Path, target: Path) -> None:
    """The bare program that applies deltas.

    Args:
        reference: The reference.
        delta: The delta.
        target: Where the result goes.
    """
    subprocess.run(["xdelta3", "-d", "-f", "-q", "-D", "-s", str(reference), str(delta), str(target)], check=True)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
