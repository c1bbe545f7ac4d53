"""Loading libraries without what no command needs. Each case is a process: modules load once."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from deltaglider import lean


def told_by(program: str) -> Any:
    """What a program prints, in an interpreter of its own."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


LEANLY = "from deltaglider import lean\nlean.load_anyio()\n"
USING_ANYIO = """
import json, sys
import anyio, anyio.lowlevel
async def main():
    sender, receiver = anyio.create_memory_object_stream[int](2)
    limiter, told = anyio.CapacityLimiter(3), []
    async with limiter, sender, receiver, anyio.create_task_group() as group:
        group.start_soon(sender.send, 1)
        told.append(await receiver.receive())
        told.append([repr(anyio.Event().statistics()), limiter.statistics() == limiter.statistics()])
        told.append(await anyio.to_thread.run_sync(lambda: 5))
        told.append([repr(sender.statistics()), sender == sender, sender == receiver])
        with anyio.move_on_after(0) as scope:
            await anyio.sleep(10)
        told.append(scope.cancelled_caught)
    try:
        anyio.Event().statistics().tasks_waiting = 1
    except AttributeError as error:
        told.append(str(error))
    return told
print(json.dumps(anyio.run(main)))
"""


def test_anyio_does_the_same() -> None:
    assert told_by(LEANLY + USING_ANYIO) == told_by(USING_ANYIO)


def test_of_anyio_nothing_is_compiled_that_is_not_used() -> None:
    program = """
import sys, json
compiled = []
def count(event, given):
    if event == "compile" and b"__create_fn__" in (given[0] or b""):
        compiled.append(1)
sys.addaudithook(count)
{load}
print(json.dumps([len(compiled), "typing_extensions" in sys.modules]))
"""
    leanly = told_by(program.format(load=LEANLY))
    plainly = told_by(program.format(load="import anyio._backends._asyncio"))
    assert leanly == [0, False]
    assert plainly[0] > 10


def test_a_version_that_does_not_bear_it_is_loaded_as_ever() -> None:
    program = """
import json, sys, types
from deltaglider import lean
lean._WITH_DATACLASSES = ("anyio._core._synchronization",)
lean.DATACLASSES = {"dataclasses": types.ModuleType("odd")}
lean.load_anyio()
ours = [str(each) for each in sys.meta_path if "deltaglider" in type(each).__module__]
print(json.dumps(["anyio" in sys.modules, ours]))
"""
    assert told_by(program) == [False, []]
    assert told_by(program.replace("print(", "import anyio.lowlevel\nprint(")) == [True, []]


def test_what_is_late_is_loaded_when_it_is_used() -> None:
    late = lean.Late("json")
    assert late.loads("[1]") == [1]
    assert late.decoder.JSONDecoder().decode("2") == 2
    assert lean.Late("xml").etree.ElementTree.fromstring("<a/>").tag == "a"
    assert late.JSONDecodeError | None is Any  # type: ignore[comparison-overlap]
    assert late.JSONDecoder[int] is Any


def test_what_is_like_a_module_is_another_one() -> None:
    changed = lean.like(json, loads=len)
    assert changed.loads("abc") == 3
    assert changed.dumps is json.dumps
    assert json.loads("1") == 1
