"""What a process takes, together with its children."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.measure import Cost, by_turns, median, run_once
from bench.watch import Watch

MIB = 1 << 20
# A parent of its own size, and a child that is larger; both stay until they are told to end.
FAMILY = """
import subprocess, sys
held = bytearray(b"x") * (40 << 20)
child = "held = bytearray(b'x') * (80 << 20); input()"
subprocess.run([sys.executable, "-c", child], check=True)
"""


def test_the_memory_of_children_counts() -> None:
    with subprocess.Popen([sys.executable, "-c", FAMILY], stdin=subprocess.PIPE) as process:
        watch = Watch(process.pid)
        deadline = time.monotonic() + 60
        while watch.tree < 120 * MIB and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        watch.stop()
    assert process.returncode == 0
    assert 40 * MIB < watch.own < 80 * MIB
    assert 120 * MIB < watch.tree < 240 * MIB


def test_the_time_of_children_counts(tmp_path: Path) -> None:
    child = "import time\nwhile time.process_time() < 0.2: pass"
    cost = run_once(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"], tmp_path
    )
    assert cost.ended
    assert cost.cpu >= 0.2
    assert cost.wall > 0


def test_a_program_that_fails_is_no_quick_program(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"exit code 3 .*\n.*out of luck"):
        run_once([sys.executable, "-c", "import sys; print('out of luck', file=sys.stderr); sys.exit(3)"], tmp_path)


def test_a_program_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    # The child holds the lock until it is gone.
    lock = tmp_path / "lock"
    lock.touch()
    held = "import fcntl, sys, time; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {held!r}, sys.argv[1]])"
    cost = run_once([sys.executable, "-c", parent, str(lock)], tmp_path, deadline=1)
    assert not cost.ended
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def test_turns_take_the_environment_of_each(tmp_path: Path) -> None:
    script = f'echo "$SIDE" >> "{tmp_path / "log"}"'
    commands = [["/bin/sh", "-c", script]] * 2
    costs = by_turns(commands, 2, environs=[{"SIDE": "a"}, {"SIDE": "b"}])
    assert len(costs) == 2
    assert (tmp_path / "log").read_text().split() == ["a", "b"] * 3


def test_the_median_is_of_each_figure_and_memory_the_most() -> None:
    costs = [Cost(1, 9, 5, 1), Cost(3, 7, 1, 2), Cost(2, 8, 3, 1)]
    assert median(costs) == Cost(2, 8, 5, 2)
    assert not median([*costs, Cost(9, 9, ended=False)]).ended
