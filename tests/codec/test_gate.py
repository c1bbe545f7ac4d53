"""What the gate turns away, and what it must let through."""

from __future__ import annotations

import base64
import gzip
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from deltaglider.codec import gate as module
from deltaglider.codec.budget import Resources
from deltaglider.codec.gate import LEAST, Gate, forecast, hopeless_over
from deltaglider.codec.xdelta3 import Xdelta3
from deltaglider.config import GIB, KIB, MIB
from tests.codec.material import noise, text, write

SIZE = 2 * MIB
BASE = noise(SIZE)


def _records(data: bytes, length: int) -> bytes:
    """The same with one byte changed in each record."""
    chance, changed = random.Random(1), bytearray(data)
    for start in range(0, len(data) - length, length):
        changed[start + chance.randrange(length)] ^= 0xFF
    return bytes(changed)


def _edited(data: bytes, places: int) -> bytes:
    """The same with as many pieces of 16 KB replaced."""
    chance, changed = random.Random(1), bytearray(data)
    for number in range(places):
        at = chance.randrange(len(data) - 16 * KIB)
        changed[at : at + 16 * KIB] = noise(16 * KIB, number)
    return bytes(changed)


RESEMBLING = {
    "the same": BASE,
    "halves swapped": BASE[SIZE // 2 :] + BASE[: SIZE // 2],
    "a block moved": BASE[-300_000:] + BASE[:-300_000],
    "a third is new": noise(SIZE // 3, "new") + BASE[: 2 * SIZE // 3],
    "twice as large": BASE + noise(SIZE, "new"),
    "shifted": b"x" + BASE,
    "records of 32 bytes": _records(BASE, 32),
    "records of 100 bytes": _records(BASE, 100),
    "many edits": _edited(BASE, 60),
    "unrelated text": text(40_000),
    "zeros": bytes(SIZE),
}
STRANGE = {
    "unrelated": noise(SIZE, "other"),
    "unrelated and packed": gzip.compress(base64.b64encode(noise(SIZE, 5)), 6, mtime=0),
    "hardly anything shared": noise(SIZE, "other") + BASE[:40_000],
}


@pytest.fixture
def gate() -> Gate:
    return Gate(Resources(2, GIB))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "base", BASE)


@pytest.mark.parametrize("name", RESEMBLING)
async def test_what_resembles_the_reference_is_let_through(name: str, gate: Gate, base: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "target", RESEMBLING[name])
    assert await gate.opens(base, target, limit=int(0.75 * target.stat().st_size))


@pytest.mark.parametrize("name", STRANGE)
async def test_what_does_not_is_turned_away(name: str, gate: Gate, base: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "target", STRANGE[name])
    assert not await gate.opens(base, target, limit=int(0.75 * target.stat().st_size))


@pytest.mark.parametrize("name", ["halves swapped", "a third is new", "twice as large", "many edits"])
async def test_the_forecast_is_close_to_what_xdelta3_makes(name: str, base: Path, tmp_path: Path) -> None:
    target, delta = write(tmp_path / "target", RESEMBLING[name]), tmp_path / "delta"
    assert await Xdelta3().encode(base, target, delta, limit=8 * MIB)
    made = delta.stat().st_size / target.stat().st_size
    assert abs(forecast(base, target) - made) < 0.1


@pytest.mark.parametrize("part", [64 * KIB, 600_000])
async def test_a_large_reference_is_looked_at_part_by_part(
    part: int, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, where nothing is found; no more than is needed, where it is."""
    monkeypatch.setattr(module, "_PART", part)
    target = write(tmp_path / "target", RESEMBLING["halves swapped"])
    assert forecast(base, target) < 0.2
    assert 0.2 < forecast(base, target, enough=0.9) <= 0.9
    assert forecast(base, write(target, STRANGE["unrelated"])) > 0.99


@pytest.mark.parametrize("size", [1, 7, 8, 100, LEAST])
async def test_references_of_any_size_are_looked_at(size: int, gate: Gate, tmp_path: Path) -> None:
    target = write(tmp_path / "target", noise(100_000))
    reference = write(tmp_path / "reference", noise(size, "other"))
    assert not await gate.opens(reference, target, limit=75_000)
    assert not await gate.opens(write(reference, b""), target, limit=75_000)


async def test_small_files_are_not_looked_at(gate: Gate, base: Path, tmp_path: Path) -> None:
    assert await gate.opens(base, write(tmp_path / "target", noise(LEAST - 1, "other")), limit=1_000)


@pytest.mark.parametrize(
    ("allowed", "hopeless"), [(0.01, 0.9), (0.5, 0.9), (0.75, 0.9), (0.9, 0.95), (1.0, 1.0), (1.5, 1.25)]
)
def test_what_is_turned_away_is_far_over_the_limit(allowed: float, hopeless: float) -> None:
    assert hopeless_over(allowed) == pytest.approx(hopeless)


async def test_who_keeps_every_delta_has_nothing_turned_away(gate: Gate, base: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "target", STRANGE["unrelated"])
    assert await gate.opens(base, target, limit=target.stat().st_size)


async def test_without_zstd_the_gate_is_open(
    gate: Gate, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "compression" if sys.version_info >= (3, 14) else "backports", None)
    assert await gate.opens(base, write(tmp_path / "target", STRANGE["unrelated"]), limit=1_500_000)


def test_of_what_a_quarter_does_not_have_no_more_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    compressor = module._compressor

    def counted(zstd: Any, prefix: bytes, size: int) -> Any:
        looks.append(len(prefix))
        return compressor(zstd, prefix, size)

    monkeypatch.setattr(module, "_compressor", counted)
    size = 8 << 20
    reference = write(tmp_path / "reference", noise(size, "one"))
    assert forecast(reference, write(tmp_path / "other", noise(size, "other"))) > 0.99
    assert looks == [size // 4]
    # A tenth of it that lies in one place, wherever that is, is enough to look at all.
    for at in (0, size // 3, size - size // 10):
        part = noise(size, "one")[at : at + size // 10]
        looks.clear()
        found = forecast(reference, write(tmp_path / "part", noise(size - len(part), "other") + part))
        assert 0.85 < found < 0.95
        assert looks == [size // 4, size]
    # What a quarter holds enough of is let in at once.
    looks.clear()
    whole = write(tmp_path / "whole", noise(size, "one"))
    assert forecast(reference, whole, enough=0.9) == pytest.approx(0.75, abs=0.05)
    assert looks == [size // 4]
