"""Bytes to work on: the same in every run, made faster than ``random`` makes them."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import time
from pathlib import Path


def noise(size: int, seed: int | str = 0) -> bytes:
    """Bytes that no compressor makes smaller."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def text(lines: int, seed: int = 0) -> bytes:
    """Bytes that compress well, as logs and sources do."""
    return b"".join(b"%d: line %d of the file, %d\n" % (seed, number, number * 7919 % 1009) for number in range(lines))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def xdelta3(*arguments: str | Path) -> None:
    """Runs the program itself, as other tools do."""
    subprocess.run(["xdelta3", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def script(path: Path, text: str) -> str:
    """A program of one's own, to stand where xdelta3 does; says its name."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def telling_its_id(directory: Path) -> str:
    """A program that leaves an empty file named by its process id in ``directory``/ids, then becomes xdelta3."""
    (directory / "ids").mkdir()
    return script(directory / "xdelta3-with-id", f'touch "{directory}/ids/$$"; exec xdelta3 "$@"')


def ids(directory: Path) -> list[int]:
    """Of the children that ``telling_its_id`` started."""
    return [int(path.name) for path in (directory / "ids").iterdir()]


def is_gone(process: int) -> bool:
    """Whether a process has ended and been reaped."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def never_ready(path: Path) -> Path:
    """A file that whoever reads it waits for, for ever."""
    os.mkfifo(path)
    return path


def wait_for_ids(directory: Path, count: int, seconds: float = 30) -> list[int]:
    """Waits until ``count`` children have said their ids. Blocks."""
    end = time.monotonic() + seconds
    while len(found := ids(directory)) < count:
        assert time.monotonic() < end, "the children did not start"
        time.sleep(0.005)
    return found
