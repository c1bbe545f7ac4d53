"""No child takes more than it may, and none outlives the call that started it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from deltaglider.codec import process
from deltaglider.codec import xdelta3 as module
from deltaglider.codec.process import Limits
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import CodecFailedError, CodecTimeoutError, DeltaCorruptError, LocalFileError
from deltaglider.threads import in_thread
from tests.codec.material import (
    ids,
    is_gone,
    never_ready,
    noise,
    script,
    telling_its_id,
    wait_for_ids,
    write,
    xdelta3,
)

MIB = 1 << 20


@pytest.fixture
def codec(tmp_path: Path) -> Xdelta3:
    """A codec whose children tell their ids."""
    return Xdelta3(telling_its_id(tmp_path), processes=2)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A reference, and a delta of a few bytes that decodes to 256 MiB."""
    directory = tmp_path_factory.mktemp("bomb")
    reference, zeros, delta = write(directory / "reference", b""), directory / "zeros", directory / "delta"
    with zeros.open("wb") as file:
        file.truncate(256 * MIB)
    xdelta3("-e", "-D", "-A=", "-S", "djw", "-1", "-s", reference, zeros, delta)
    zeros.unlink()
    return reference, delta


def _limits(process: int) -> dict[str, tuple[str, str]]:
    """Soft and hard limits of a running process, by the kernel's names."""
    lines = Path(f"/proc/{process}/limits").read_text().splitlines()[1:]
    return {line[:25].strip(): (line[25:45].strip(), line[45:66].strip()) for line in lines}


async def test_a_decoder_runs_within_limits_of_the_kernel(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    async with anyio.create_task_group() as group:
        pipe = never_ready(tmp_path / "pipe")
        group.start_soon(lambda: codec.decode(reference, pipe, tmp_path / "result", size=10 * MIB))
        (child,) = await in_thread(wait_for_ids, tmp_path, 1, limiter=anyio.CapacityLimiter(1))
        limits = _limits(child)
        while limits["Max open files"][0] != "64":  # They are set from outside, a moment after it started.
            await anyio.sleep(0.005)
            limits = _limits(child)
        state = Path(f"/proc/{child}/status").read_text()
        group.cancel_scope.cancel()
    assert limits["Max address space"] == (str(2 << 30), str(2 << 30))
    # Of its messages: what it decodes goes through a pipe, and whoever reads there counts.
    assert limits["Max file size"] == (str(64 << 10), str(64 << 10))
    assert limits["Max core file size"] == ("0", "0")
    assert limits["Max open files"] == ("64", "64")
    # The deadline (60 s, and 10 MiB at 2 MiB a second) and a little more.
    assert limits["Max cpu time"] == ("67", "68")
    assert "\nNoNewPrivs:\t1\n" in state


async def test_a_child_that_may_gain_no_privileges_takes_them_from_nobody_else() -> None:
    limiter = anyio.CapacityLimiter(1)
    await process.run(["/bin/true"], Limits(10), limiter)
    with anyio.fail_after(10):
        # The kernel may still show the thread that started the child for a moment after it was joined.
        while any("NoNewPrivs:\t1" in text for text in _states_of_threads()):
            await anyio.sleep(0.01)
    assert _states_of_threads()


def _states_of_threads() -> list[str]:
    states = []
    for path in Path("/proc/self/task").glob("*/status"):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            states.append(path.read_text())
    return states


async def test_a_child_that_computes_too_long_is_ended_by_the_kernel(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where this process does not look: it may be stopped, or starved."""
    monkeypatch.setattr(process, "_SPARE_SECONDS", 0)
    monkeypatch.setattr(process.time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.5)
    program = script(tmp_path / "busy", "while :; do :; done")
    with pytest.raises(CodecTimeoutError, match=r"deadline.*Try again"):
        await Xdelta3(program).decode(reference, reference, tmp_path / "result", size=1000)


async def test_a_decoder_that_takes_too_much_memory_is_told(
    codec: Xdelta3, reference: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=MIB)
    monkeypatch.setattr(module, "_DECODE_ADDRESS_SPACE", 16 * MIB)
    program = script(tmp_path / "late", 'until [ "$(ulimit -n)" = 64 ]; do sleep 0.01; done; exec xdelta3 "$@"')
    with pytest.raises(DeltaCorruptError, match=r"does not decode: .*[Mm]emory"):
        await Xdelta3(program).decode(reference, delta, tmp_path / "result", size=target.stat().st_size)


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, 10**19 - 1])
async def test_a_recorded_size_no_disk_has_room_for_is_refused_at_once(
    size: int, codec: Xdelta3, bomb: tuple[Path, Path], tmp_path: Path
) -> None:
    result = tmp_path / "result"
    with pytest.raises(LocalFileError, match=rf"recorded to have {size} bytes.*DG_TEMP_DIR.*metadata is wrong"):
        await codec.decode(*bomb, result, size=size)
    assert ids(tmp_path) == []
    assert not result.exists()


async def test_where_the_free_space_is_not_known_writing_tells(
    codec: Xdelta3, bomb: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no recorded size is too large for the kernel's limits."""

    def unknown(path: Path) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(shutil, "disk_usage", unknown)
    result = tmp_path / "result"
    await codec.decode(*bomb, result, size=10**19 - 1)
    assert result.stat().st_size == 256 * MIB


async def test_encoding_stops_when_the_delta_is_not_worth_it(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    target, delta = write(tmp_path / "target", noise(2 * MIB, "other")), tmp_path / "delta"
    assert not await codec.encode(reference, target, delta, limit=100_000)
    assert delta.stat().st_size < MIB
    (child,) = ids(tmp_path)
    assert is_gone(child)


@pytest.mark.parametrize("over", [0, 1])
async def test_the_limit_is_exact(over: int, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=MIB)
    size = delta.stat().st_size
    assert await codec.encode(reference, target, delta, limit=size - over) is not bool(over)


async def test_a_bomb_does_not_go_off(codec: Xdelta3, bomb: tuple[Path, Path], tmp_path: Path) -> None:
    reference, delta = bomb
    assert delta.stat().st_size < 1000
    result = tmp_path / "result"
    with pytest.raises(DeltaCorruptError, match="more than the recorded 1000000 bytes"):
        await codec.decode(reference, delta, result, size=1_000_000)
    assert result.stat().st_size < 64 * MIB
    (child,) = ids(tmp_path)
    assert is_gone(child)


@pytest.mark.parametrize("less", [1, 40_000, 50_500])
async def test_a_file_a_little_larger_than_recorded_is_refused(
    less: int, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    delta, size = tmp_path / "delta", target.stat().st_size
    assert await codec.encode(reference, target, delta, limit=MIB)
    with pytest.raises(DeltaCorruptError, match=f"more than the recorded {size - less} bytes"):
        await codec.decode(reference, delta, tmp_path / "result", size=size - less)


async def test_an_encoder_that_never_ends_is_ended(
    codec: Xdelta3, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.1)
    assert not await codec.encode(reference, never_ready(tmp_path / "pipe"), tmp_path / "delta", limit=MIB)
    assert all(map(is_gone, ids(tmp_path)))


@pytest.mark.parametrize("told", [True, False])
async def test_the_end_of_a_child_is_seen_whether_or_not_the_system_tells_of_it(
    told: bool, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not told:
        monkeypatch.setattr(process, "_TELLS_OF_ENDS", False)
    assert await codec.encode(reference, target, tmp_path / "delta", limit=MIB)
    await codec.decode(reference, tmp_path / "delta", tmp_path / "result", size=target.stat().st_size)
    assert (tmp_path / "result").read_bytes() == target.read_bytes()
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.1)
    assert not await codec.encode(reference, never_ready(tmp_path / "pipe"), tmp_path / "delta", limit=MIB)
    assert all(map(is_gone, ids(tmp_path)))


async def test_a_decoder_that_says_no_more_and_does_not_end_is_ended(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.1)
    (tmp_path / "ids").mkdir()
    silent = Xdelta3(script(tmp_path / "silent", f'touch "{tmp_path}/ids/$$"; exec >&-; exec sleep 3600'))
    with pytest.raises(CodecTimeoutError, match="deadline"):
        await silent.decode(reference, reference, tmp_path / "result", size=1000)
    assert len(ids(tmp_path)) == 1
    assert all(map(is_gone, ids(tmp_path)))


async def test_a_decoder_that_never_ends_is_ended(
    codec: Xdelta3, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE_SECONDS", 0.1)
    with pytest.raises(CodecTimeoutError, match=r"deadline.*Try again"):
        await codec.decode(reference, never_ready(tmp_path / "pipe"), tmp_path / "result", size=1000)
    assert all(map(is_gone, ids(tmp_path)))


def _scope_cancelled(call: Callable[[], object], started: Callable[[], object]) -> object:
    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await started()
            group.cancel_scope.cancel()

    return run()


def _task_cancelled(call: Callable[[], object], started: Callable[[], object]) -> object:
    async def run() -> None:
        task = asyncio.ensure_future(call())
        await started()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    return run()


def _timed_out(call: Callable[[], object], started: Callable[[], object]) -> object:
    async def run() -> None:
        limit = asyncio.timeout(None)

        async def call_in_time() -> None:
            async with limit:
                task = asyncio.ensure_future(started())
                task.add_done_callback(lambda _: limit.reschedule(0))
                await call()

        with pytest.raises(TimeoutError):
            await call_in_time()

    return run()


@pytest.mark.parametrize("cancelled", [_scope_cancelled, _task_cancelled, _timed_out])
@pytest.mark.parametrize("operation", ["encode", "decode"])
async def test_cancelling_ends_the_child_first(
    cancelled: Callable[..., object], operation: str, codec: Xdelta3, reference: Path, tmp_path: Path
) -> None:
    pipe, out = never_ready(tmp_path / "pipe"), tmp_path / "out"

    async def call() -> None:
        if operation == "encode":
            await codec.encode(reference, pipe, out, limit=MIB)
        else:
            await codec.decode(reference, pipe, out, size=1000)

    async def started() -> None:
        await in_thread(wait_for_ids, tmp_path, 1, limiter=anyio.CapacityLimiter(1))

    await cancelled(call, started)
    (child,) = ids(tmp_path)
    assert is_gone(child)
    # Nothing it held is lost: neither its place among the processes nor its memory.
    assert codec._limiter.borrowed_tokens == 0
    assert codec._budget._free == codec._budget.total


async def test_what_the_child_started_ends_with_it(reference: Path, tmp_path: Path) -> None:
    """An xdelta3 that unpacks starts a gzip."""
    (tmp_path / "ids").mkdir()
    program = script(tmp_path / "parent", f'sleep 600 & touch "{tmp_path}/ids/$!" "{tmp_path}/ids/$$"; wait')
    task = asyncio.ensure_future(Xdelta3(program).encode(reference, reference, tmp_path / "delta", limit=MIB))
    await in_thread(wait_for_ids, tmp_path, 2, limiter=anyio.CapacityLimiter(1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The grandchild was killed too; it is reaped by another process, so all that is sure is that it no longer runs.
    with anyio.fail_after(30):
        for number in ids(tmp_path):
            while not (is_gone(number) or _state(number) in "ZX"):
                await anyio.sleep(0.01)


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"


async def test_a_child_that_is_killed_by_others_is_an_error(reference: Path, tmp_path: Path) -> None:
    program = script(tmp_path / "suicidal", "kill -SEGV $$")
    with pytest.raises(CodecFailedError, match=f"signal {signal.SIGSEGV:d}"):
        await Xdelta3(program).encode(reference, reference, tmp_path / "delta", limit=MIB)


async def test_a_full_disk_is_told_as_such(codec: Xdelta3, reference: Path, target: Path) -> None:
    with pytest.raises(LocalFileError, match=r"disk is full.*DG_TEMP_DIR") as raised:
        await codec.encode(reference, target, Path("/dev/full"), limit=MIB)
    assert raised.value.uri == "/dev"


async def test_a_full_disk_is_no_corrupt_delta(codec: Xdelta3, reference: Path, target: Path, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=MIB)
    with pytest.raises(LocalFileError, match="disk is full"):
        await codec.decode(reference, delta, Path("/dev/full"), size=target.stat().st_size)


@pytest.mark.parametrize("missing", ["reference", "target"])
async def test_an_input_that_vanished_is_named(
    missing: str, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    {"reference": reference, "target": target}[missing].unlink()
    with pytest.raises(LocalFileError, match=f"{missing}.bin: no such file"):
        await codec.encode(reference, target, tmp_path / "delta", limit=MIB)


async def test_never_more_children_than_allowed(reference: Path, target: Path, tmp_path: Path) -> None:
    """Each child counts those that run beside it, itself included."""
    running, counts = tmp_path / "running", tmp_path / "counts"
    running.mkdir()
    program = script(
        tmp_path / "counting",
        f'touch "{running}/$$"; ls "{running}" | wc -l >> "{counts}"; xdelta3 "$@"; s=$?; rm "{running}/$$"; exit $s',
    )
    codec = Xdelta3(program, processes=3)
    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(lambda delta=tmp_path / f"d{number}": codec.encode(reference, target, delta, limit=MIB))
    numbers = list(map(int, counts.read_text().split()))
    assert len(numbers) == 12
    assert max(numbers) <= 3


async def test_as_many_children_as_allowed(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    pipes = [never_ready(tmp_path / f"pipe-{number}") for number in range(3)]
    async with anyio.create_task_group() as group:
        for pipe in pipes:
            group.start_soon(lambda pipe=pipe: codec.encode(reference, pipe, tmp_path / "delta", limit=MIB))
        await in_thread(wait_for_ids, tmp_path, 2, limiter=anyio.CapacityLimiter(1))
        assert codec._limiter.statistics().tasks_waiting == 1
        group.cancel_scope.cancel()
    assert len(ids(tmp_path)) == 2
    assert all(map(is_gone, ids(tmp_path)))


async def test_children_share_the_memory_there_is(reference: Path, tmp_path: Path) -> None:
    """Two encoders of 3 bytes a byte do not fit at once, though two processes may run."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * MIB)
    codec = Xdelta3(telling_its_id(tmp_path), processes=2, memory=600 * MIB)
    async with anyio.create_task_group() as group:
        for number in range(2):
            pipe = never_ready(tmp_path / f"pipe-{number}")
            group.start_soon(lambda pipe=pipe: codec.encode(large, pipe, tmp_path / "delta", limit=MIB))
        await in_thread(wait_for_ids, tmp_path, 1, limiter=anyio.CapacityLimiter(1))
        assert len(codec._budget._waiting) == 1
        group.cancel_scope.cancel()
    assert len(ids(tmp_path)) == 1


async def test_no_child_leaves_a_core(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    out = tmp_path / "limits"
    program = script(tmp_path / "telling", f'sleep 0.1; ulimit -c > "{out}"; exec xdelta3 "$@"')
    assert await Xdelta3(program).encode(reference, reference, tmp_path / "delta", limit=MIB)
    assert out.read_text().strip() == "0"
