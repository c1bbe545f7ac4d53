"""Standard input and output as source and target."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.process import Program, finish, read_until, wait_for


def test_a_stream_goes_up_as_a_delta_and_comes_back(program: Program, bkt: str, pair: tuple[bytes, bytes]) -> None:
    for number, content in enumerate(pair):
        ended = program.ok("cp", "-", f"s3://{bkt}/dump-{number}.sql", input=content)
        assert (ended.out, ended.stderr) == ("", "")
    for number, content in enumerate(pair):
        ended = program.ok("cp", f"s3://{bkt}/dump-{number}.sql", "-")
        assert ended.stdout == content
        assert ended.stderr == ""
    stats = program.ok("stats", bkt, "--json").objects[0]
    assert (stats["object_count"], stats["delta_objects"]) == (2, 2)
    assert stats["compressed_size"] < 310_000
    assert program.leftovers() == []


def test_a_stream_from_and_to_files(program: Program, bkt: str, pair: tuple[bytes, bytes]) -> None:
    source = program.write("source", pair[0])
    with source.open("rb") as stdin:
        assert finish(program.start("cp", "-", f"s3://{bkt}/k", stdin=stdin)).code == 0
    target = program.here / "target"
    with target.open("wb") as stdout:
        ended = finish(program.start("cp", f"s3://{bkt}/k", "-", "--json", stdout=stdout))
    assert ended.code == 0
    assert target.read_bytes() == pair[0]


def test_an_empty_stream_is_an_empty_object(program: Program, bkt: str) -> None:
    program.ok("cp", "-", f"s3://{bkt}/empty")
    assert program.ok("cp", f"s3://{bkt}/empty", "-").stdout == b""
    assert program.ok("ls", f"s3://{bkt}/empty").out.endswith("          0 empty\n")


def test_errors_of_a_stream_go_to_stderr(program: Program, bkt: str) -> None:
    ended = program("cp", f"s3://{bkt}/nokey", "-")
    assert (ended.code, ended.stdout) == (1, b"")
    assert ended.stderr.startswith(f"fatal error: s3://{bkt}/nokey: no such object.")
    ended = program("cp", "-", "s3://nobucket/k", input=b"content")
    assert ended.code == 1
    assert ended.stderr.startswith("upload failed: - to s3://nobucket/k s3://nobucket/: the bucket does not exist.")


def test_a_reader_that_leaves_ends_the_stream_quietly(program: Program, bkt: str) -> None:
    program.write("large", os.urandom(1_000_000))
    program.ok("cp", "large", f"s3://{bkt}/")
    process = program.start("cp", f"s3://{bkt}/large", "-")
    assert process.stdout
    assert process.stdout.read(100)
    process.stdout.close()
    process.stdout = None
    ended = finish(process)
    assert (ended.code, ended.stderr) == (141, "")
    assert program.leftovers() == []


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_input_can_be_interrupted(program: Program, bkt: str, which: signal.Signals, code: int) -> None:
    process = program.start("cp", "-", f"s3://{bkt}/k")
    assert process.stdin
    process.stdin.write(b"the beginning")
    process.stdin.flush()
    wait_for(lambda: any(path.is_file() for path in program.temporary.rglob("*")), process)
    process.send_signal(which)
    code_seen = process.wait(30)  # Its input is still open.
    process.stdin.close()
    process.stdin = None
    assert code_seen == code
    finish(process)
    assert program.leftovers() == []
    assert program("ls", f"s3://{bkt}/k").code == 1


def test_a_full_pipe_can_be_interrupted(program: Program, bkt: str) -> None:
    program.write("large", os.urandom(1_000_000))
    program.ok("cp", "large", f"s3://{bkt}/")
    process = program.start("cp", f"s3://{bkt}/large", "-")
    assert process.stdout
    read_until(process.stdout, b"")
    wait_for(lambda: _is_full(process.stdout.fileno()), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130  # Nobody has read on.
    finish(process)
    assert program.leftovers() == []


def _is_full(pipe: int) -> bool:
    import fcntl
    import struct
    import termios

    waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    return waiting > 60_000


def test_closed_streams_are_told(program: Program, bkt: str) -> None:
    import subprocess

    from tests.e2e.process import COMMAND

    program.write("f", b"content")
    program.ok("cp", "f", f"s3://{bkt}/f")
    for arguments in (f"cp - s3://{bkt}/k <&-", f"cp s3://{bkt}/f - >&-"):
        command = f"{subprocess.list2cmdline(COMMAND)} {arguments}"
        process = subprocess.Popen(
            ["sh", "-c", command], env=program.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=program.here
        )
        ended = finish(process)
        assert ended.code == 1
        assert "it is closed. Connect it to a file or pipe" in ended.stderr
    assert sorted(Path(program.here).iterdir()) == [program.here / "f"]
