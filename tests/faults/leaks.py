"""What a process holds that it should give back: children, threads, sockets, memory. For Linux."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from pathlib import Path


def children() -> set[int]:
    """The ids of the child processes, those not yet reaped included."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found |= {int(number) for number in (task / "children").read_text().split()}
    return found


def sockets() -> int:
    """How many sockets are open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += os.readlink(descriptor).startswith("socket:")
    return count


def threads() -> set[str]:
    """The names of the threads that run."""
    return {thread.name for thread in threading.enumerate()}


def resident() -> int:
    """Bytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def largest_child() -> int:
    """Bytes of memory that the largest child used of those that have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
