"""Whole commands as processes: what they print, their exit codes, and the bytes they leave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deltaglider import __version__
from tests.e2e.process import COMMAND, Program, finish


def test_two_versions_up_and_down(program: Program, bkt: str, pair: tuple[bytes, bytes]) -> None:
    program.write("dist/app-v1.zip", pair[0])
    program.write("dist/app-v2.zip", pair[1])

    up = program.ok("cp", "dist/app-v1.zip", f"s3://{bkt}/v1.0.0/")
    assert up.out == f"upload: dist/app-v1.zip to s3://{bkt}/v1.0.0/app-v1.zip\n"
    assert up.stderr == "Completed 1 file, 293.0 KiB stored as 293.0 KiB\n"
    up = program.ok("cp", "dist/app-v2.zip", f"s3://{bkt}/v2.0.0/")
    assert up.stderr.endswith(" % saved)\n")

    down = program.ok("sync", f"s3://{bkt}/", "mirror")
    assert sorted(down.out.splitlines()) == [
        f"download: s3://{bkt}/v1.0.0/app-v1.zip to mirror/v1.0.0/app-v1.zip",
        f"download: s3://{bkt}/v2.0.0/app-v2.zip to mirror/v2.0.0/app-v2.zip",
    ]
    assert (program.here / "mirror/v1.0.0/app-v1.zip").read_bytes() == pair[0]
    assert (program.here / "mirror/v2.0.0/app-v2.zip").read_bytes() == pair[1]
    assert program.leftovers() == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cp", "nofile", "s3://bkt/"], 255, "deltaglider: error: The user-provided path nofile does not exist.\n"),
        (["ls", "s3://nobucket/"], 254, "s3://nobucket/: the bucket does not exist. Check its name, or create it\n"),
        (["cp", "s3://nobucket/k", "x"], 1, "fatal error: "),
    ],
)
def test_exit_codes(program: Program, arguments: list[str], code: int, message: str) -> None:
    ended = program(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_version_in_both_ways_it_is_asked_for(program: Program) -> None:
    assert program.ok("--version").out == f"deltaglider {__version__}\n"
    assert program.ok("--debug", "--version").out == f"deltaglider {__version__}\n"


def test_names_that_are_no_text_are_skipped_and_do_not_crash(program: Program, bkt: str) -> None:
    directory = program.here / "d"
    directory.mkdir()
    Path(os.fsdecode(os.fsencode(directory) + b"/caf\xe9.txt")).write_bytes(b"content")
    program.write("d/good.txt", b"content")
    ended = program("cp", "d", f"s3://{bkt}/", "-r")
    assert ended.code == 2
    assert ended.out == f"upload: d/good.txt to s3://{bkt}/good.txt\n"
    assert f"warning: Skipping file {os.path.realpath(program.here)}/d/caf\\udce9.txt. " in ended.stderr
    ended = program("cp", b"d/caf\xe9.txt", f"s3://{bkt}/")  # type: ignore[arg-type]
    assert ended.code == 1
    assert ended.stderr.startswith("upload failed: d/caf\\xe9.txt to ")


def test_a_stdout_of_few_characters_does_not_crash(program: Program, bkt: str) -> None:
    program.write("naïve.txt", b"content")
    poor = Program({**program.environ, "PYTHONIOENCODING": "ascii"}, program.here, program.temporary)
    assert poor.ok("cp", "naïve.txt", f"s3://{bkt}/").out == f"upload: ./na\\xefve.txt to s3://{bkt}/na\\xefve.txt\n"


def test_closed_streams_do_not_crash(program: Program, bkt: str) -> None:
    command = subprocess.list2cmdline([*COMMAND, "ls"])
    for redirection in (">&-", "<&- >&- 2>&-"):
        process = subprocess.Popen(
            ["sh", "-c", f"{command} {redirection}"],
            cwd=program.here,
            env=program.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ended = finish(process)
        assert ended.code == 0
        assert "Traceback" not in ended.stderr


def test_a_full_disk_under_stdout_is_told(program: Program, bkt: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = finish(program.start("ls", stdout=full))
    assert ended.code == 255
    assert ended.stderr.startswith("deltaglider: error: standard output: cannot be written: No space left on device.")
    assert len(ended.stderr.splitlines()) == 1


def test_a_reader_that_leaves_ends_it_quietly(program: Program, bkt: str) -> None:
    reader, writer = os.pipe()
    process = program.start("ls", stdout=writer)
    os.close(writer)
    os.close(reader)
    ended = finish(process)
    assert (ended.code, ended.stderr) == (141, "")


def test_the_shell_completes_commands(program: Program) -> None:
    asking = {"_DELTAGLIDER_COMPLETE": "bash_complete", "COMP_WORDS": "deltaglider s", "COMP_CWORD": "1"}
    shell = Program({**program.environ, **asking}, program.here, program.temporary)
    assert shell.ok().out.splitlines() == ["plain,schema", "plain,stats", "plain,sync"]


LAZY = """
import sys
{work}
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"aiobotocore", "botocore", "aiohttp", "rich", "asyncclick", "anyio", "aiofiles"}}))
print(any(name.split(".")[1:2] in (["client"], ["bulk"], ["engine"], ["store"]) for name in sys.modules))
"""


@pytest.mark.parametrize(
    ("work", "loaded"),
    [
        ("import deltaglider.cli", "[]"),
        ("sys.argv = ['deltaglider', '--version']\nfrom deltaglider.cli import run\nrun()", "[]"),
        (
            (
                "sys.argv = ['deltaglider', 'cp', '--help']\nfrom deltaglider.cli import run\n"
                "try: run()\nexcept SystemExit: pass"
            ),
            "['asyncclick']",
        ),
    ],
)
def test_nothing_is_imported_before_it_is_needed(program: Program, work: str, loaded: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LAZY.format(work=work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.environ,
        cwd=program.here,
    )
    ended = finish(process)
    assert ended.out.splitlines()[-2:] == [loaded, "False"], ended


def test_the_client_comes_without_what_few_ask_for(program: Program) -> None:
    work = "import deltaglider.client.aio, sys; print([n for n in sys.modules if n.startswith(few)])"
    few = ("deltaglider.engine.doctor", "deltaglider.bulk.analyze", "deltaglider.bulk.migrate")
    process = subprocess.Popen(
        [sys.executable, "-c", f"few = {few}\n{work}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.environ,
        cwd=program.here,
    )
    assert finish(process).out.split() == ["[]"]
