"""zstd with the reference as its prefix: what goes in comes out, whatever the delta claims."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.codec import zstd as module
from deltaglider.codec.base import Encoded
from deltaglider.codec.budget import Resources
from deltaglider.codec.zstd import Zstd, library
from deltaglider.config import GIB, KIB, MIB
from deltaglider.errors import CodecFailedError, CodecMissingError, DeltaCorruptError, LocalFileError
from tests.codec.material import noise, text, write

MAGIC = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def codec() -> Zstd:
    return Zstd(Resources(2, GIB))


@pytest.fixture
async def delta(codec: Zstd, reference: Path, target: Path, tmp_path: Path) -> Path:
    path = tmp_path / "delta"
    assert await codec.encode(reference, target, path, limit=100_000) == Encoded("zstd", module.COMMAND)
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_a_file_comes_back_and_moved_parts_cost_little(
    codec: Zstd, reference: Path, target: Path, delta: Path, tmp_path: Path
) -> None:
    result, content = tmp_path / "result", target.read_bytes()
    assert delta.stat().st_size < 1_000
    assert await codec.decode(reference, delta, result, size=len(content)) == sha256(content)
    assert result.read_bytes() == content


async def test_a_proof_writes_nothing(codec: Zstd, reference: Path, target: Path, delta: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    content = target.read_bytes()
    assert await codec.decode(reference, delta, None, size=len(content)) == sha256(content)
    assert set(tmp_path.iterdir()) == before


CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda seed, size: noise(size, seed), st.integers(0, 3), st.integers(0, 3_000)),
    st.builds(text, st.integers(0, 100), st.integers(0, 2)),
)


@given(before=CONTENTS, inserted=CONTENTS, start=st.integers(0, 3_000), end=st.integers(0, 3_000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
async def test_any_file_comes_back(
    before: bytes, inserted: bytes, start: int, end: int, codec: Zstd, tmp_path: Path
) -> None:
    after = before[start:] + inserted + before[:end]
    reference, target = write(tmp_path / "before", before), write(tmp_path / "after", after)
    delta, result = tmp_path / "made", tmp_path / "back"
    assert await codec.encode(reference, target, delta, limit=len(after) + 100)
    assert await codec.decode(reference, delta, result, size=len(after)) == sha256(after)
    assert result.read_bytes() == after


async def test_a_block_moved_over_many_mebibytes_is_found(codec: Zstd, tmp_path: Path) -> None:
    content = noise(24 * MIB)
    reference, target = write(tmp_path / "far", content), write(tmp_path / "moved", content[-MIB:] + content[:-MIB])
    delta = tmp_path / "made"
    assert await codec.encode(reference, target, delta, limit=MIB)
    assert delta.stat().st_size < 20 * KIB
    assert await codec.decode(reference, delta, None, size=len(content)) == sha256(target.read_bytes())


async def test_the_limit_is_exact_and_stops_early(codec: Zstd, reference: Path, target: Path, tmp_path: Path) -> None:
    delta = tmp_path / "made"
    assert await codec.encode(reference, target, delta, limit=MIB)
    size = delta.stat().st_size
    assert await codec.encode(reference, target, delta, limit=size)
    assert await codec.encode(reference, target, delta, limit=size - 1) is None
    other = write(tmp_path / "other", noise(8 * MIB, "other"))
    assert await codec.encode(reference, other, delta, limit=1_000) is None
    assert delta.stat().st_size <= 3 * MIB


async def test_the_program_reads_it(reference: Path, target: Path, delta: Path, tmp_path: Path) -> None:
    """Where it is installed; the format is its own, not ours."""
    program = shutil.which("zstd")
    frame = library().get_frame_info(delta.read_bytes()[:18])
    assert frame.decompressed_size == target.stat().st_size
    if program is not None:
        result = tmp_path / "result"
        command = [program, "-d", "-q", "--long=31", f"--patch-from={reference}", str(delta), "-o", str(result)]
        subprocess.run(command, check=True, timeout=60)
        assert result.read_bytes() == target.read_bytes()


async def test_a_wrong_reference_is_told(codec: Zstd, target: Path, delta: Path, tmp_path: Path) -> None:
    for content in (b"", noise(50_000, "other"), noise(50_000)[:-1], noise(50_000) + b"\0"):
        other = write(tmp_path / "other", content)
        with pytest.raises(DeltaCorruptError, match="does not decode"):
            await codec.decode(other, delta, None, size=target.stat().st_size)


@pytest.mark.parametrize("less", [1, 40_000, 50_500])
async def test_more_than_is_recorded_is_refused_before_it_is_written(
    less: int, codec: Zstd, reference: Path, target: Path, delta: Path, tmp_path: Path
) -> None:
    size, result = target.stat().st_size - less, tmp_path / "result"
    with pytest.raises(DeltaCorruptError, match=f"more than the recorded {size} bytes"):
        await codec.decode(reference, delta, result, size=size)
    assert not result.exists()


async def test_a_bomb_does_not_go_off(codec: Zstd, reference: Path, tmp_path: Path) -> None:
    """One whose header does not tell: it is stopped at the recorded size."""
    compressor = library().ZstdCompressor()
    frame = compressor.compress(bytes(64 * MIB)) + compressor.flush()
    assert len(frame) < 16 * KIB
    result = tmp_path / "result"
    with pytest.raises(DeltaCorruptError, match="more than the recorded 1000000 bytes"):
        await codec.decode(reference, write(tmp_path / "bomb", frame), result, size=1_000_000)
    assert result.stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (b"", "does not begin"),
        (MAGIC, "does not begin"),
        (b"\xd6\xc3\xc4\x00 a delta of another kind", "does not begin"),
        (MAGIC + b"\x00\xa8" + bytes(20), "more memory"),  # A window of 2 GiB.
        (MAGIC + b"\xe0" + b"\xff" * 8, "more than the recorded"),  # A content of 2**64 - 1.
        (MAGIC + b"\xa0" + (10).to_bytes(4, "little"), "cut off"),
    ],
)
async def test_what_is_no_honest_frame_is_refused(
    frame: bytes, problem: str, codec: Zstd, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(DeltaCorruptError, match=problem):
        await codec.decode(reference, write(tmp_path / "frame", frame), tmp_path / "result", size=1_000)


async def test_what_follows_the_end_is_refused(codec: Zstd, reference: Path, target: Path, delta: Path) -> None:
    for more in (b"!", delta.read_bytes()):
        delta.write_bytes(delta.read_bytes() + more)
        with pytest.raises(DeltaCorruptError, match="follows"):
            await codec.decode(reference, delta, None, size=target.stat().st_size)


@given(where=st.floats(0, 1), value=st.integers(1, 255), kind=st.sampled_from(["flip", "cut", "insert"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
async def test_a_damaged_delta_ends_in_an_error_of_ours(
    where: float, value: int, kind: str, codec: Zstd, reference: Path, target: Path, delta: Path, tmp_path: Path
) -> None:
    content = bytearray(delta.read_bytes())
    at = min(int(where * len(content)), len(content) - 1)
    if kind == "flip":
        content[at] ^= value
    elif kind == "cut":
        del content[at : at + value]
    else:
        content[at:at] = bytes([value])
    damaged, result = write(tmp_path / "damaged", bytes(content)), tmp_path / "result"
    size = target.stat().st_size
    try:
        found = await codec.decode(reference, damaged, result, size=size)
    except DeltaCorruptError:
        return
    assert found == sha256(result.read_bytes())
    assert result.stat().st_size <= size


async def test_files_that_vanish_are_no_damage(codec: Zstd, reference: Path, target: Path, delta: Path) -> None:
    for gone in (delta, reference):
        gone.unlink()
        with pytest.raises(LocalFileError) as raised:
            await codec.decode(reference, delta, None, size=target.stat().st_size)
        assert raised.value.uri == str(gone)
        gone.write_bytes(b"x")


async def test_a_file_that_grows_while_it_is_encoded_fails(
    codec: Zstd, reference: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def and_more(path: Path) -> Iterator[bytes]:
        yield path.read_bytes()
        yield b"more"

    monkeypatch.setattr(module, "_read", and_more)
    with pytest.raises(CodecFailedError, match="could not encode"):
        await codec.encode(reference, target, tmp_path / "made", limit=MIB)


@pytest.mark.parametrize(
    ("sizes", "taken"),
    [
        ((MIB, MIB), True),
        ((100 * MIB, 300 * MIB), True),
        ((400 * MIB, 600 * MIB), False),  # There is not as much memory.
    ],
)
def test_what_does_not_fit_into_the_memory_is_anothers(sizes: tuple[int, int], taken: bool, codec: Zstd) -> None:
    assert codec.takes(*sizes) is taken


def test_what_does_not_fit_into_a_window_is_anothers_whatever_the_memory() -> None:
    codec = Zstd(Resources(1, 64 * GIB))
    assert codec.takes(GIB, GIB)
    assert not codec.takes(GIB, GIB + 1)


async def test_memory_is_waited_for(reference: Path, target: Path, tmp_path: Path) -> None:
    resources = Resources(2, 60 * MIB)  # Enough for one at a time.
    codec = Zstd(resources)
    async with resources.budget.take(20 * MIB):
        with anyio.move_on_after(0.2) as waited:
            await codec.encode(reference, target, tmp_path / "made", limit=MIB)
        assert waited.cancelled_caught
    assert await codec.encode(reference, target, tmp_path / "made", limit=MIB)


async def test_cancelling_ends_the_work(
    codec: Zstd, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pieces of the file, in a thread that nobody abandons."""
    started, pieces = anyio.Event(), 0

    def endless(path: Path) -> Iterator[bytes]:
        nonlocal pieces
        while True:
            module.stop_if_cancelled()
            pieces += 1
            if pieces == 3:
                anyio.from_thread.run_sync(started.set)
            yield noise(100_000, pieces)

    monkeypatch.setattr(module, "_read", endless)
    monkeypatch.setattr(module, "_size", lambda path: GIB // 4)
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: codec.encode(reference, reference, tmp_path / "made", limit=GIB))
        await started.wait()
        group.cancel_scope.cancel()
    assert codec._resources.limiter.borrowed_tokens == 0
    assert codec._resources.budget._free == codec._resources.budget.total


async def test_the_self_test_tells_the_version(codec: Zstd) -> None:
    assert (await codec.self_test()).startswith("1.")


async def test_a_python_without_zstd_is_told(
    codec: Zstd, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "compression" if sys.version_info >= (3, 14) else "backports"
    monkeypatch.setitem(sys.modules, name, None)
    assert not codec.takes(1, 1)
    for call in (
        codec.self_test(),
        codec.encode(reference, reference, tmp_path / "made", limit=1_000),
        codec.decode(reference, write(tmp_path / "delta", MAGIC + b"\x20\x01\0"), None, size=1_000),
    ):
        with pytest.raises(CodecMissingError, match="zstd"):
            await call


def test_it_is_imported_when_it_is_needed_and_not_before() -> None:
    code = (
        "import sys, deltaglider.client.assemble as assemble; from deltaglider.config import Settings;"
        "assemble.assemble(Settings());"
        "assert not [name for name in sys.modules if name.endswith('zstd') and 'deltaglider' not in name]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "DG_CACHE_DIR": "/nonexistent"})
