"""On a terminal: a progress bar with the results above it; and no trace of it where it is not wanted."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deltaglider import DeltaGliderClient
from tests.e2e.process import Program

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(program: Program, *arguments: str, stdout: Any = None) -> tuple[int, bytes, bytes]:
    """Runs a command whose stderr, and without another one its stdout, is a terminal.

    Returns:
        Exit code, what the terminal got, what stdout got.
    """
    master, slave = pty.openpty()
    terminal = Program(
        {**program.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}, program.here, program.temporary
    )
    process = terminal.start(*arguments, stdin=slave, stderr=slave, stdout=stdout or slave)
    os.close(slave)
    seen = b""
    try:
        while piece := os.read(master, 65536):
            seen += piece
    except OSError:  # The last one has closed it.
        pass
    finally:
        os.close(master)
    out = process.stdout.read() if process.stdout else b""
    if process.stdout:
        process.stdout.close()
    return process.wait(60), seen, out


@pytest.fixture
def tree(program: Program) -> Path:
    for number in range(6):
        program.write(f"d/{number:02}.bin", os.urandom(20_000))
    return program.here / "d"


def test_results_stand_above_the_bar(program: Program, bkt: str, tree: Path) -> None:
    code, seen, _ = on_terminal(program, "cp", "d", f"s3://{bkt}/", "-r", "--concurrency", "1")
    assert code == 0
    assert b"\x1b[" in seen
    assert b"files left" in seen
    plain = ESCAPES.sub(b"", seen).replace(b"\r", b"\n").decode()
    for number in range(6):
        assert f"\nupload: d/{number:02}.bin to s3://{bkt}/{number:02}.bin\n" in f"\n{plain}"
    assert plain.rstrip("\n").endswith("Completed 6 files, 117.2 KiB stored as 117.2 KiB")
    assert seen.endswith(b"117.2 KiB\r\n")


def test_a_pipe_gets_the_results_and_nothing_else(program: Program, bkt: str, tree: Path) -> None:
    code, seen, out = on_terminal(program, "cp", "d", f"s3://{bkt}/", "-r", stdout=subprocess.PIPE)
    assert code == 0
    assert sorted(out.decode().splitlines()) == [
        f"upload: d/{number:02}.bin to s3://{bkt}/{number:02}.bin" for number in range(6)
    ]
    assert b"upload:" not in seen


def test_programs_get_no_bar(program: Program, bkt: str) -> None:
    program.write("f", b"content")
    code, seen, out = on_terminal(program, "cp", "f", f"s3://{bkt}/", "--json", stdout=subprocess.PIPE)
    assert (code, seen) == (0, b"")
    assert [json.loads(line)["type"] for line in out.splitlines()] == ["item", "summary"]


def test_names_cannot_drive_the_terminal(program: Program, client: DeltaGliderClient, bkt: str) -> None:
    client.upload(b"content", f"s3://{bkt}/\x1b[2Jevil\x07")
    for arguments in (["ls", bkt], ["cp", f"s3://{bkt}", "out", "-r", "--no-progress"]):
        code, seen, _ = on_terminal(program, *arguments)
        assert code == 0
        assert b"\\x1b[2Jevil\\x07" in seen
        assert b"\x1b" not in seen


def test_progress_where_it_is_asked_for(program: Program, bkt: str, tree: Path) -> None:
    ended = program.ok("cp", "d", f"s3://{bkt}/", "-r", "--progress")
    assert "\x1b" not in ended.stderr
    assert "\r" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == "Completed 6 files, 117.2 KiB stored as 117.2 KiB"
