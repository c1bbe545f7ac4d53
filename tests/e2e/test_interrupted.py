"""Ctrl-C and SIGTERM in the middle of the work: nothing of it is left, and the exit code tells."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys

import pytest

from deltaglider import DeltaGliderClient
from tests.e2e.process import Program, children_of, finish, is_alive, wait_for

SIGNALS = [(signal.SIGINT, 130, "cancelled: ctrl-c received"), (signal.SIGTERM, 143, "cancelled: terminated")]


@pytest.fixture
def slow(program: Program, client: DeltaGliderClient, bkt: str, pair: tuple[bytes, bytes]) -> Program:
    """A first version is stored, and from here on xdelta3 takes ten minutes."""
    client.upload(program.write("v1.zip", pair[0]), f"s3://{bkt}/v1/")
    program.write("v2.zip", pair[1])
    xdelta3 = program.here / "slow-xdelta3"
    xdelta3.write_text("#!/bin/sh\nexec sleep 600\n")
    xdelta3.chmod(0o755)
    return dataclasses.replace(program, environ={**program.environ, "DG_XDELTA3": str(xdelta3)})


@pytest.mark.parametrize(("which", "code", "message"), SIGNALS)
def test_an_upload_leaves_nothing(
    slow: Program, client: DeltaGliderClient, bkt: str, which: signal.Signals, code: int, message: str
) -> None:
    before = client.stats(bkt)
    process = slow.start("cp", "v2.zip", f"s3://{bkt}/v2/")
    (child,) = wait_for(lambda: children_of(process.pid), process)
    process.send_signal(which)
    ended = finish(process)

    assert (ended.code, ended.out, ended.stderr) == (code, "", f"{message}\n")
    assert not is_alive(child)
    assert slow.leftovers() == []
    assert client.stats(bkt) == before
    assert [(result.key, result.valid) for result in client.verify_directory(f"s3://{bkt}/")] == [("v1/v1.zip", True)]


@pytest.mark.parametrize(("which", "code", "message"), SIGNALS)
def test_the_last_line_of_json_says_so(slow: Program, bkt: str, which: signal.Signals, code: int, message: str) -> None:
    (slow.here / "many").mkdir()
    (slow.here / "many" / "a.txt").write_bytes(b"done at once")
    os.link(slow.here / "v2.zip", slow.here / "many" / "b.zip")
    process = slow.start("sync", "many", f"s3://{bkt}/v2", "--json")
    wait_for(lambda: children_of(process.pid), process)
    process.send_signal(which)
    ended = finish(process)

    assert (ended.code, ended.stderr) == (code, f"{message}\n")
    *items, last = ended.objects
    assert last == {"type": "error", "code": "interrupted", "message": message, "uri": None, "exit_code": code}
    assert {item["status"] for item in items} <= {"done"}


def test_a_first_upload_leaves_no_reference(slow: Program, client: DeltaGliderClient, bkt: str) -> None:
    process = slow.start("cp", "v2.zip", f"s3://{bkt}/elsewhere/")
    wait_for(lambda: children_of(process.pid), process)
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 130
    stats = client.stats(f"s3://{bkt}/elsewhere/")
    assert (stats.object_count, stats.reference_objects, stats.compressed_size) == (0, 0, 0)


def test_bulk_work_leaves_nothing_half_done(slow: Program, client: DeltaGliderClient, bkt: str) -> None:
    (slow.here / "many").mkdir()
    for number in range(4):
        os.link(slow.here / "v2.zip", slow.here / "many" / f"{number}.zip")
    process = slow.start("sync", "many", f"s3://{bkt}/v2")
    children = wait_for(lambda: children_of(process.pid), process)
    process.send_signal(signal.SIGINT)
    ended = finish(process)

    assert (ended.code, ended.stderr) == (130, "cancelled: ctrl-c received\n")
    assert not any(is_alive(child) for child in children)
    assert slow.leftovers() == []
    assert [(result.key, result.valid) for result in client.verify_directory(f"s3://{bkt}/")] == [("v1/v1.zip", True)]


def test_a_download_leaves_nothing(slow: Program, bkt: str) -> None:
    process = slow.start("cp", f"s3://{bkt}/v1/v1.zip", "out/v1.zip")
    wait_for(lambda: children_of(process.pid), process)
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 143
    assert list((slow.here / "out").iterdir()) == []
    assert slow.leftovers() == []


def test_the_second_one_ends_it_at_once(program: Program) -> None:
    # Deaf to the first one, as clean-up that hangs would be.
    deaf = (
        "import asyncio, signal, sys\n"
        "from deltaglider.cli.signals import run_interruptibly\n"
        "async def work():\n"
        "    print('ready', flush=True)\n"
        "    while True:\n"
        "        try: await asyncio.sleep(600)\n"
        "        except asyncio.CancelledError: print('deaf', flush=True)\n"
        "sys.exit(run_interruptibly(work))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", deaf], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environ
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"deaf\n"
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (ended.code, ended.stderr) == (-signal.SIGINT, "cancelled: ctrl-c received\n")
