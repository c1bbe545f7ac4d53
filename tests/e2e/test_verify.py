"""A verification that is ended, in whatever way, and gone on with."""

from __future__ import annotations

import dataclasses
import os
import signal

import pytest

from deltaglider import DeltaGliderClient
from tests.e2e.process import Program, children_of, finish, wait_for


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGKILL])
def test_what_was_proven_before_the_end_is_not_read_again(
    program: Program, client: DeltaGliderClient, bkt: str, pair: tuple[bytes, bytes], which: signal.Signals
) -> None:
    for number in range(8):
        client.upload(b"%d" % number, f"s3://{bkt}/a{number}.txt")
    client.upload(pair[0], f"s3://{bkt}/v1.zip")
    xdelta3 = program.write("slow-xdelta3", b"#!/bin/sh\nexec sleep 600\n")
    xdelta3.chmod(0o755)
    slow = dataclasses.replace(program, environ={**program.environ, "DG_XDELTA3": str(xdelta3)})
    # One object at a time: eight are a batch, and the ninth takes ten minutes.
    arguments = ["verify", f"s3://{bkt}/", "--concurrency", "1"]

    process = slow.start(*arguments)
    (child,) = wait_for(lambda: children_of(process.pid), process)
    process.send_signal(which)
    ended = finish(process)
    if which is signal.SIGKILL:
        os.kill(child, signal.SIGKILL)  # Nobody else ends it, but for the limit on its CPU time.
    assert ended.code == {signal.SIGINT: 130, signal.SIGKILL: -9}[which]
    assert ended.out.splitlines() == [f"verify: s3://{bkt}/a{number}.txt" for number in range(8)]

    *results, summary = program.ok(*arguments, "--resume", "--json").objects
    assert [result["state"] for result in results] == ["earlier"] * 8 + ["proven"]
    assert (summary["objects"], summary["earlier"], summary["proven"], summary["references"]) == (9, 8, 1, 1)
    # That one is through: all is read anew.
    assert program.ok(*arguments, "--resume", "--json").objects[-1]["proven"] == 9
    assert program.leftovers() == []
