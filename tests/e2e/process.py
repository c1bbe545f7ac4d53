"""The command line as a process of its own, as users have it."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 60
"""Longer than anything here takes; only a hang is slower."""

# Warnings are errors in the child too; a deprecation in a library we import is not ours to answer for.
COMMAND = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-m", "deltaglider"]


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclasses.dataclass(frozen=True)
class Program:
    """Starts commands with one environment, in one directory.

    Attributes:
        environ: The whole environment.
        here: The working directory.
        temporary: Where the commands put their temporary files, and nobody else.
    """

    environ: Mapping[str, str]
    here: Path
    temporary: Path

    def start(self, *arguments: str | os.PathLike[str], **options: Any) -> subprocess.Popen[bytes]:
        """A process that is not waited for."""
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environ = {**self.environ, "DG_TEMP_DIR": str(self.temporary)}
        return subprocess.Popen([*COMMAND, *arguments], cwd=self.here, env=environ, **{**streams, **options})

    def __call__(self, *arguments: str | os.PathLike[str], input: bytes = b"") -> Ended:
        process = self.start(*arguments)
        return finish(process, input)

    def ok(self, *arguments: str | os.PathLike[str], input: bytes = b"") -> Ended:
        """A command that must succeed."""
        ended = self(*arguments, input=input)
        assert ended.code == 0, ended
        return ended

    def write(self, name: str, content: bytes) -> Path:
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def leftovers(self) -> list[str]:
        """Temporary files that were not removed."""
        return sorted(str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*"))


def finish(process: subprocess.Popen[bytes], input: bytes | None = None) -> Ended:
    """Waits for the end of a process."""
    try:
        stdout, stderr = process.communicate(input, SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, stdout or b"", (stderr or b"").decode(errors="replace"))


def wait_for(what: Any, process: subprocess.Popen[bytes]) -> Any:
    """Waits until ``what()`` gives something, while the process lives."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        assert process.poll() is None, f"it ended before: {finish(process)}"
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def children_of(pid: int) -> list[int]:
    """The processes a process has started, by number."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
