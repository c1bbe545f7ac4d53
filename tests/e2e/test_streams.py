"""Standard input and output as source and target."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios

import pytest

from deltaglider import DeltaGliderClient
from tests.e2e.process import COMMAND, Program, finish, wait_for


def test_streams_go_up_as_deltas_and_come_back(
    program: Program, client: DeltaGliderClient, bkt: str, pair: tuple[bytes, bytes]
) -> None:
    for number, content in enumerate(pair):
        ended = program.ok("cp", "-", f"s3://{bkt}/dump-{number}.sql", input=content)
        assert (ended.out, ended.stderr) == ("", "")
    ended = program.ok("cp", f"s3://{bkt}/dump-1.sql", "-")
    assert ended.stdout == pair[1]
    assert ended.stderr == ""
    stats = client.stats(bkt)
    assert (stats.object_count, stats.delta_objects) == (2, 2)
    assert stats.compressed_size < 310_000
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


def test_an_empty_stream_is_an_empty_object(program: Program, client: DeltaGliderClient, bkt: str) -> None:
    program.ok("cp", "-", f"s3://{bkt}/empty")
    assert client.head(f"s3://{bkt}/empty").size == 0
    assert program.ok("cp", f"s3://{bkt}/empty", "-").stdout == b""


def test_errors_of_a_stream_go_to_stderr(program: Program, bkt: str) -> None:
    ended = program("cp", f"s3://{bkt}/nokey", "-")
    assert (ended.code, ended.stdout) == (1, b"")
    assert ended.stderr.startswith(f"download failed: s3://{bkt}/nokey to - no such object.")
    ended = program("cp", f"s3://{bkt}/nokey", "-", "--json")
    assert (ended.code, ended.stdout) == (1, b"")
    assert [json.loads(line)["type"] for line in ended.stderr.splitlines()] == ["item", "summary"]
    ended = program("cp", "-", "s3://nobucket/k", input=b"content")
    assert ended.code == 1
    assert ended.stderr.startswith("upload failed: - to s3://nobucket/k s3://nobucket/: the bucket does not exist.")


def test_a_reader_that_leaves_ends_the_stream_quietly(program: Program, client: DeltaGliderClient, bkt: str) -> None:
    client.upload(os.urandom(1_000_000), f"s3://{bkt}/large")
    process = program.start("cp", f"s3://{bkt}/large", "-")
    assert process.stdout
    assert process.stdout.read(100)
    process.stdout.close()
    process.stdout = None
    ended = finish(process)
    assert (ended.code, ended.stderr) == (141, "")
    assert program.leftovers() == []


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_waiting_for_input_can_be_interrupted(
    program: Program, client: DeltaGliderClient, bkt: str, which: signal.Signals, code: int
) -> None:
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
    assert client.stats(bkt).object_count == 0


def test_a_full_pipe_can_be_interrupted(program: Program, client: DeltaGliderClient, bkt: str) -> None:
    client.upload(os.urandom(1_000_000), f"s3://{bkt}/large")
    process = program.start("cp", f"s3://{bkt}/large", "-")
    assert process.stdout
    pipe = process.stdout.fileno()
    wait_for(lambda: _is_full(pipe), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130  # Nobody has read on.
    finish(process)
    assert program.leftovers() == []


def _is_full(pipe: int) -> bool:
    waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    return waiting > 60_000


def test_closed_streams_are_told(program: Program, client: DeltaGliderClient, bkt: str) -> None:
    client.upload(b"content", f"s3://{bkt}/f")
    for arguments in (f"cp - s3://{bkt}/k <&-", f"cp s3://{bkt}/f - >&-"):
        command = f"{subprocess.list2cmdline(COMMAND)} {arguments}"
        process = subprocess.Popen(
            ["sh", "-c", command], env=program.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=program.here
        )
        ended = finish(process)
        assert ended.code == 1
        assert "it is closed. Connect it to a file or pipe" in ended.stderr
    assert list(program.here.iterdir()) == []
