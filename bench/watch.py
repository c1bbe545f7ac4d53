"""How much memory a process and its children take, looked at while they run.

What the system remembers of a child's memory after its end counts the largest process alone, and begins with that of
whoever started it. So the tree is looked at, some dozen times a second.
"""

from __future__ import annotations

import threading
from pathlib import Path

INTERVAL = 0.03


class Watch:
    """Looks at a process and all below it until it is told to stop.

    Args:
        pid: The process.

    Attributes:
        tree: The most bytes that all of them held in memory at one time.
        own: The most that the process itself held.
    """

    def __init__(self, pid: int) -> None:
        self.tree = 0
        self.own = 0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the looking. The process must not have been waited for before: its number could be another's."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            held = {pid: memory(pid) for pid in family(self._pid)}
            now = sum(resident for resident, _ in held.values())
            # Between two looks there may have been more; each process's own highest is known.
            self.tree = max(self.tree, now, *(highest for _, highest in held.values()))
            self.own = max(self.own, *held[self._pid])
            if self._stop.wait(INTERVAL):
                return


def family(pid: int) -> list[int]:
    """A process and all that descend from it.

    Args:
        pid: The process.

    Returns:
        Their numbers, its own first.
    """
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def memory(pid: int) -> tuple[int, int]:
    """What a process holds in memory.

    Args:
        pid: The process.

    Returns:
        Bytes now, and the most so far, where the system tells; zeros if it has ended.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:  # No Linux, or the process has ended.
        return (0, 0) if Path("/proc/self/status").exists() else (_resident(pid), 0)
    fields = dict(line.split(":", 1) for line in text.splitlines() if line.startswith(("VmRSS:", "VmHWM:")))
    now, highest = (int(fields.get(name, "0 kB").split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, highest


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text(encoding="utf-8").split()]
    except OSError:  # No Linux, or the process has ended.
        if Path("/proc/self/task").exists():
            return []
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def _resident(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
