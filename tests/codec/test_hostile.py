"""Deltas are not trusted: whatever they hold, decoding ends, with bytes or with an error of ours."""

from __future__ import annotations

import contextlib
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.errors import CodecTimeoutError, DeltaCorruptError, LocalFileNotFoundError
from tests.codec.material import noise, text, write, xdelta3


async def test_a_cut_delta_is_told(codec: Xdelta3, reference: Path, target: Path, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=1 << 20)
    whole = delta.read_bytes()
    for length in (1, 4, 10, len(whole) // 2, len(whole) - 1):
        write(delta, whole[:length])
        with pytest.raises(DeltaCorruptError, match="does not decode"):
            await codec.decode(reference, delta, tmp_path / "result", size=target.stat().st_size)


async def test_an_empty_delta_gives_nothing_of_the_file(
    codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    """To xdelta3 it is a delta of nothing; the engine's hash tells the difference."""
    result = write(tmp_path / "result", b"of an earlier attempt")
    with contextlib.suppress(DeltaCorruptError):
        await codec.decode(reference, write(tmp_path / "d", b""), result, size=target.stat().st_size)
    assert result.read_bytes() == b""


@pytest.mark.parametrize(
    "content", [b"not a delta", noise(10_000), b"\xd6\xc3\xc4", b"\xd6\xc3\xc4\x00" + noise(500)], ids=repr
)
async def test_what_is_no_delta_is_told(content: bytes, codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    with pytest.raises(DeltaCorruptError, match=r"does not decode: ."):
        await codec.decode(reference, write(tmp_path / "delta", content), tmp_path / "result", size=1000)


@pytest.mark.parametrize("size", [0, 1, 40])
async def test_the_reason_is_told_however_small_the_file(
    size: int, codec: Xdelta3, reference: Path, tmp_path: Path
) -> None:
    """The limit on what a child writes is not one on what it says."""
    with pytest.raises(DeltaCorruptError, match="not a VCDIFF input"):
        await codec.decode(reference, write(tmp_path / "delta", b"not a delta"), tmp_path / "result", size=size)


async def test_a_wrong_reference_is_told(codec: Xdelta3, reference: Path, target: Path, tmp_path: Path) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=1 << 20)
    others = [noise(50_000, "other"), b"", noise(50_000)[:-30_000], b"\0" + noise(50_000)]
    for number, content in enumerate(others):
        other = write(tmp_path / f"other-{number}", content)
        with pytest.raises(DeltaCorruptError, match="does not decode"):
            await codec.decode(other, delta, tmp_path / "result", size=target.stat().st_size)


async def test_one_wrong_byte_of_the_reference_is_told(codec: Xdelta3, tmp_path: Path) -> None:
    content = noise(50_000)
    reference, delta = write(tmp_path / "reference", content), tmp_path / "delta"
    assert await codec.encode(reference, write(tmp_path / "target", content[100:]), delta, limit=1 << 20)
    write(reference, content[:25_000] + bytes([content[25_000] ^ 1]) + content[25_001:])
    with pytest.raises(DeltaCorruptError, match="checksum mismatch"):
        await codec.decode(reference, delta, tmp_path / "result", size=49_900)


@pytest.mark.parametrize("missing", ["reference", "delta"])
async def test_a_file_that_vanished_is_no_damage(
    missing: str, codec: Xdelta3, reference: Path, target: Path, tmp_path: Path
) -> None:
    delta = tmp_path / "delta"
    assert await codec.encode(reference, target, delta, limit=1 << 20)
    gone = {"reference": reference, "delta": delta}[missing]
    gone.unlink()
    with pytest.raises(LocalFileNotFoundError) as raised:
        await codec.decode(reference, delta, tmp_path / "result", size=target.stat().st_size)
    assert raised.value.uri == str(gone)


async def test_an_error_names_no_path_of_ours(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    """They are temporary files, of which the reader knows nothing."""
    with pytest.raises(DeltaCorruptError) as raised:
        await codec.decode(reference, write(tmp_path / "delta", b"not a delta"), tmp_path / "result", size=10)
    assert str(tmp_path) not in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_delta_cannot_name_the_file_to_write(codec: Xdelta3, reference: Path, tmp_path: Path) -> None:
    """An application header may: ``-A=output//reference/``."""
    target, delta = write(tmp_path / "target", noise(1_000)), tmp_path / "delta"
    victim = write(tmp_path / "victim", b"precious")
    xdelta3("-e", "-f", "-D", f"-A={victim}//{reference}/", "-s", reference, target, delta)
    await codec.decode(reference, delta, tmp_path / "result", size=1_000)
    assert (tmp_path / "result").read_bytes() == target.read_bytes()
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("header", ["-A={victim}/G/{reference}/G", "-A=/G//G", "-A={victim}/X/{reference}/B"])
async def test_a_delta_cannot_choose_what_is_written_though_it_may_be_packed_again(
    header: str, codec: Xdelta3, reference: Path, tmp_path: Path
) -> None:
    """Deltas of earlier tools may need that, and what says so is not trusted either."""
    target, delta = write(tmp_path / "target", noise(1_000)), tmp_path / "delta"
    victim, result, before = write(tmp_path / "victim", b"precious"), tmp_path / "result", reference.read_bytes()
    named = header.format(victim=victim, reference=reference)
    xdelta3("-e", "-f", "-D", named, "-s", reference, target, delta)
    with contextlib.suppress(DeltaCorruptError):
        await codec.decode(reference, delta, result, size=1_000, recompress=True)
    assert victim.read_bytes() == b"precious"
    assert reference.read_bytes() == before
    assert not result.exists() or result.stat().st_size <= 64 << 10
    await codec.decode(reference, delta, result, size=1_000)
    assert result.read_bytes() == target.read_bytes()


class Samples:
    """Deltas of each kind of secondary compression, with what they belong to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.reference = write(directory / "reference", text(3_000))
        self.target = write(directory / "target", text(3_000)[40_000:] + text(800, 2) + noise(3_000))
        self.deltas = []
        for secondary in ("djw", "lzma", "fgk", "none"):
            delta = directory / f"delta-{secondary}"
            xdelta3("-e", "-f", "-D", "-A=", "-S", secondary, "-s", self.reference, self.target, delta)
            self.deltas.append(delta.read_bytes())


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("samples"))


MUTATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.floats(0, 1), st.integers(1, 255)),
        st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 200)),
        st.tuples(st.just("insert"), st.floats(0, 1), st.integers(0, 255)),
        # The headers decide about sizes and memory.
        st.tuples(st.just("flip"), st.floats(0, 0.02), st.integers(1, 255)),
    ),
    min_size=1,
    max_size=4,
)


def _mutated(delta: bytes, mutations: list[tuple[str, float, int]]) -> bytes:
    content = bytearray(delta)
    for kind, where, value in mutations:
        place = min(int(where * len(content)), len(content) - 1)
        if kind == "flip":
            content[place] ^= value
        elif kind == "cut":
            del content[place : place + min(value, len(content) - 1)]
        else:
            content[place:place] = bytes([value] * 9)  # As long as the longest number of the format.
    return bytes(content)


@given(which=st.integers(0, 3), mutations=MUTATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
async def test_a_damaged_delta_ends_in_bytes_or_in_an_error_of_ours(
    which: int, mutations: list[tuple[str, float, int]], samples: Samples, codec: Xdelta3
) -> None:
    delta, result = samples.directory / "damaged", samples.directory / "result"
    write(delta, _mutated(samples.deltas[which], mutations))
    size = samples.target.stat().st_size
    try:
        with anyio.fail_after(60):
            await codec.decode(samples.reference, delta, result, size=size)
    except (DeltaCorruptError, CodecTimeoutError):
        return
    assert result.stat().st_size <= size
