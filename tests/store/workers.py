"""What other processes do to an embedded store; run as ``python -m tests.store.workers TASK ROOT [ARGUMENT ...]``.

Each prints a line for each thing it knows to be done.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

from deltaglider.errors import AlreadyExistsError, DeltaGliderError, PreconditionFailedError
from deltaglider.store.directory import DirectoryStore
from deltaglider.store.directory.blobs import Blobs, Draft
from tests.contract.tools import Box

BUCKET = "bucket"
MIB = 1 << 20


def say(*words: object) -> None:
    print(*words, flush=True)


def generation(key: str, number: int, size: int) -> bytes:
    """A body that tells what it is, and whether it is whole."""
    line = f"{key} {number}\n".encode()
    return (line * (size // len(line) + 1))[:size]


def is_whole(key: str, body: bytes) -> bool:
    number = int(body[: body.index(b"\n")].split()[1])
    return body == generation(key, number, len(body))


async def create(box: Box, who: str) -> None:
    """Makes the store, races for the bucket, and adds keys of its own."""
    try:
        await box.store.create_bucket(BUCKET)
        say("made", who)
    except AlreadyExistsError:
        pass
    for number in range(15):
        await box.put(f"{who}/{number}", f"{who} {number}".encode())


async def claim(box: Box, who: str) -> None:
    """Races for keys that only one may have."""
    for number in range(15):
        try:
            await box.put(f"{number}", who.encode(), if_none_match=True)
            say("won", number)
        except PreconditionFailedError:
            pass


async def count(box: Box, who: str) -> None:
    """Counts up, with nothing but If-Match to keep others out."""
    done = 0
    while done < 8:
        found = await box.head("counter")
        value = int((await box.fetch("counter", if_match=None))[1])
        try:
            await box.put("counter", f"{value + 1}".encode(), if_match=found.etag)
            done += 1
        except PreconditionFailedError:
            pass


async def churn(box: Box, who: str) -> None:
    """Writes, overwrites, copies and deletes until it is killed."""
    for number in range(10**6):
        key = f"k{number % 4}"
        await box.put(key, generation(key, number, 64 * 1024 + number * 7919 % MIB))
        say("put", key, number)
        if number % 5 == 4:
            await box.store.delete(BUCKET, "k3")
            say("deleted", "k3", number)


async def replace(box: Box, who: str) -> None:
    """Replaces one key many times."""
    for number in range(40):
        await box.put("k", generation("k", number, 20_000))


async def die(box: Box, where: str) -> None:
    """Replaces ``k`` and is killed at one point on the way."""

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "settled":
        Draft.is_there = kill  # type: ignore[assignment,method-assign]
    elif where == "committed":
        Blobs.remove = kill  # type: ignore[assignment,method-assign]
    await box.put("k", generation("k", 2, 3 * MIB), moved=kill if where == "sending" else None)


async def fill(box: Box, limit: str) -> None:
    """Writes until no file may grow any more."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    for number in range(10**6):
        try:
            await box.put(f"small {number}", b"x", metadata={"long": "m" * 1500})
        except DeltaGliderError as error:
            say("full", type(error).__name__, error)
            break
        say("put", number)
    try:
        await box.put("big", bytes(int(limit) + 1))
    except DeltaGliderError as error:
        say("full", type(error).__name__, error)


async def fork(box: Box, who: str) -> None:
    """Uses a store, forks, and uses it on in the child, which has a loop of its own."""
    await box.put("parent", b"1")
    await asyncio.gather(*(box.read("parent") for _ in range(8)))
    inherited = connections(box)
    assert inherited
    child = os.fork()
    if child:
        # The child runs to its end while the parent keeps its connections.
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        await box.put("parent", b"2")
        assert await box.read("child") == b"3"
        say("done")
        return
    try:
        asyncio._set_running_loop(None)  # The parent's loop is not the child's.
        asyncio.run(_in_child(box, inherited))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


async def _in_child(box: Box, inherited: set[int]) -> None:
    assert await box.read("parent") == b"1"
    await box.put("child", b"3")
    # SQLite must not use a connection on the other side of a fork: the locks stay behind.
    assert connections(box)
    assert not connections(box) & inherited
    await box.store.aclose()


def connections(box: Box) -> set[int]:
    assert isinstance(box.store, DirectoryStore)
    return {id(connection) for _, connection in box.store._embedded.index._idle}


async def main(task: str, root: str, argument: str = "") -> None:
    store = DirectoryStore(Path(root))
    begin = Path(root).parent / "begin"
    if begin.exists():
        say("ready")
        while begin.exists():
            time.sleep(0.001)
    await globals()[task](Box(store, BUCKET, Path(root).parent), argument)
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
