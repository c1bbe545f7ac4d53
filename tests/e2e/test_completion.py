"""The completion of bash, run by bash itself with the real program."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deltaglider import DeltaGliderClient
from tests.e2e.process import Program

# What readline does with a line: words end at these characters, too, and the last part alone is replaced.
ASK = r"""
source ./script
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
compopt() { :; }
COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:3}") COMP_CWORD=$(($# - 3))
_deltaglider_completion deltaglider "$2" ""
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def bash(program: Program, tmp_path: Path) -> Program:
    """The program under its name on the PATH."""
    shims = tmp_path / "shims"
    shims.mkdir()
    shim = shims / "deltaglider"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m deltaglider "$@"\n')
    shim.chmod(0o755)
    root = Path(__file__).parents[2]
    environ = {**program.environ, "PATH": f"{shims}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(root)}
    made = Program(environ, program.here, program.temporary)
    made.write("script", made.ok("completion", "bash").stdout)
    return made


def replies(bash: Program, line: str, part: str, *words: str) -> list[str]:
    """What bash would put in the place of the part of the line before the cursor."""
    command = ["bash", "--norc", "-c", ASK, "bash", line, part, *words]
    ended = subprocess.run(
        command, env=bash.environ, cwd=bash.here, capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_bash(bash: Program, client: DeltaGliderClient, bkt: str) -> None:
    client.upload(b"x", f"s3://{bkt}/v1/my file.txt")
    bash.write("a file", b"")
    assert replies(bash, "deltaglider sy", "sy", "deltaglider", "sy") == ["sync"]
    # The part before the colon stands already.
    line = f"deltaglider ls s3://{bkt[:8]}"
    assert replies(bash, line, f"//{bkt[:8]}", "deltaglider", "ls", "s3", ":", f"//{bkt[:8]}") == [f"//{bkt}/"]
    key = f"//{bkt}/v1/m"
    assert replies(bash, f"deltaglider ls s3:{key}", key, "deltaglider", "ls", "s3", ":", key) == [
        f"//{bkt}/v1/my\\ file.txt"
    ]
    assert replies(bash, "deltaglider cp --deltaspace=d", "d", "deltaglider", "cp", "--deltaspace", "=", "d") == [
        "directory"
    ]
    # Files, which bash quotes by itself; and both, which are quoted here.
    assert replies(bash, "deltaglider cp a", "a", "deltaglider", "cp", "a") == ["a file"]
    assert replies(bash, "deltaglider cp ", "", "deltaglider", "cp", "") == ["s3://", "a\\ file", "script"]
    assert replies(bash, "deltaglider ls x", "x", "deltaglider", "ls", "x") == [""]


def test_the_script_is_good_bash(bash: Program) -> None:
    command = ["bash", "-n", "script"]
    assert subprocess.run(command, cwd=bash.here, capture_output=True, timeout=60, check=True).stderr == b""
