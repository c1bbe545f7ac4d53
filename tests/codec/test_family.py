"""Which codec writes, and which one reads."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from deltaglider.codec.base import Codec, Encoded
from deltaglider.codec.budget import Resources
from deltaglider.codec.family import Codecs
from deltaglider.codec.gate import Gate
from deltaglider.codec.xdelta3 import COMMAND, Xdelta3
from deltaglider.codec.zstd import Zstd
from deltaglider.config import GIB, MIB
from deltaglider.errors import CodecMissingError, DeltaCorruptError, UnknownFormatError
from tests.codec.material import noise, telling_its_id, write

VCDIFF, FRAME = b"\xd6\xc3\xc4\x00", b"\x28\xb5\x2f\xfd"


class Special(Codec):
    """Knows files of a megabyte and more."""

    name = "special"
    label = "special"
    is_costly = True

    def takes(self, reference_size: int, target_size: int) -> bool:
        return target_size >= MIB

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        delta.write_bytes(b"special")
        return Encoded(self.name, "special -1")


@pytest.fixture
def without_xdelta3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def codecs(*order: str, memory: int = GIB, program: str | None = None) -> Codecs:
    resources = Resources(2, memory)
    made: dict[str, Codec] = {"xdelta3": Xdelta3(program, resources=resources), "zstd": Zstd(resources)}
    return Codecs(*(made[name] for name in order), gate=Gate(resources))


@pytest.mark.parametrize(
    ("order", "encoded", "magic"),
    [
        (("xdelta3", "zstd"), Encoded("", COMMAND), VCDIFF),
        (("zstd", "xdelta3"), Encoded("zstd", "zstd -3 --long --patch-from"), FRAME),
    ],
)
async def test_the_first_writes_and_all_are_read(
    order: tuple[str, ...], encoded: Encoded, magic: bytes, reference: Path, target: Path, tmp_path: Path
) -> None:
    delta, result = tmp_path / "delta", tmp_path / "result"
    assert await codecs(*order).encode(reference, target, delta, limit=40_000) == encoded
    assert delta.read_bytes().startswith(magic)
    other = codecs(*reversed(order))
    await other.decode(reference, delta, result, size=target.stat().st_size, codec=encoded.codec)
    assert result.read_bytes() == target.read_bytes()
    wrong = "" if encoded.codec else "zstd"
    with pytest.raises(DeltaCorruptError):
        await other.decode(reference, delta, result, size=target.stat().st_size, codec=wrong)


@pytest.mark.usefixtures("without_xdelta3")
async def test_where_xdelta3_is_not_installed_zstd_takes_its_place_and_says_so_once(
    reference: Path, target: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    family, delta = codecs("xdelta3", "zstd"), tmp_path / "delta"
    for _ in range(2):
        encoded = await family.encode(reference, target, delta, limit=40_000)
        assert encoded is not None
        assert encoded.codec == "zstd"
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["xdelta3 cannot make all deltas here: zstd takes its place"]
    with pytest.raises(CodecMissingError, match="xdelta3"):
        await family.decode(reference, delta, None, size=10)


async def test_an_xdelta3_that_was_named_is_missed(reference: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(CodecMissingError, match="no-such-program"):
        await codecs("xdelta3", "zstd", program="no-such-program").encode(
            reference, target, tmp_path / "delta", limit=40_000
        )


@pytest.mark.usefixtures("without_xdelta3")
async def test_where_no_codec_takes_a_file_the_reason_is_told(tmp_path: Path) -> None:
    """Neither is xdelta3 installed, nor is there memory for zstd."""
    large = write(tmp_path / "large", bytes(40 * MIB))
    with pytest.raises(CodecMissingError, match="xdelta3"):
        await codecs("xdelta3", "zstd", memory=64 * MIB).encode(large, large, tmp_path / "delta", limit=MIB)


async def test_what_is_too_large_for_zstd_is_made_by_xdelta3(tmp_path: Path) -> None:
    large, delta = write(tmp_path / "large", bytes(10 * MIB)), tmp_path / "delta"
    encoded = await codecs("zstd", "xdelta3", memory=64 * MIB).encode(large, large, delta, limit=MIB)
    assert encoded == Encoded("", COMMAND)


class Telling(Gate):
    """Remembers what it looked at."""

    looks = 0

    async def opens(self, reference: Path, target: Path, *, limit: int) -> bool:
        self.looks += 1
        return await super().opens(reference, target, limit=limit)


async def test_what_does_not_resemble_the_reference_meets_no_costly_codec(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    family = codecs("xdelta3", "zstd", program=telling_its_id(tmp_path / "bin"))
    reference, target = write(tmp_path / "reference", noise(MIB)), write(tmp_path / "target", noise(MIB, "other"))
    delta = tmp_path / "delta"
    assert await family.encode(reference, target, delta, limit=3 * MIB // 4) is None
    assert not list((tmp_path / "bin" / "ids").iterdir())
    assert not delta.exists()


@pytest.mark.parametrize(("first", "looks"), [("zstd", 0), ("xdelta3", 2)])
async def test_what_costs_little_is_tried_without_a_look_and_given_up_at_the_limit(
    first: str, looks: int, tmp_path: Path
) -> None:
    resources = Resources(2, GIB)
    gate, delta = Telling(resources), tmp_path / "delta"
    family = Codecs(Zstd(resources) if first == "zstd" else Xdelta3(resources=resources), gate=gate)
    reference = write(tmp_path / "reference", noise(MIB))
    same, other = write(tmp_path / "same", noise(MIB) + b"!"), write(tmp_path / "other", noise(MIB, "other"))
    assert await family.encode(reference, same, delta, limit=MIB // 2)
    assert await family.encode(reference, other, delta, limit=MIB // 2) is None
    assert gate.looks == looks


async def test_a_special_codec_is_asked_first_and_before_the_gate(reference: Path, tmp_path: Path) -> None:
    resources = Resources(1, GIB)
    family = Codecs(Xdelta3(resources=resources), special=(Special(),), gate=Gate(resources))
    delta = tmp_path / "delta"
    special = write(tmp_path / "special", b"special" + noise(MIB, "other"))
    assert await family.encode(reference, special, delta, limit=MIB // 2) == Encoded("special", "special -1")
    assert await family.encode(reference, reference, delta, limit=MIB // 2) == Encoded("", COMMAND)
    assert [codec.name for codec in family] == ["special", ""]


async def test_an_unknown_codec_is_refused_by_name(reference: Path) -> None:
    family = codecs("xdelta3", "zstd")
    family.check("")
    family.check("zstd")
    with pytest.raises(UnknownFormatError, match=r"s3://b/k.*'bsdiff'.*Update deltaglider"):
        family.check("bsdiff", uri="s3://b/k")
    with pytest.raises(UnknownFormatError, match="'bsdiff'"):
        await family.decode(reference, reference, None, size=10, codec="bsdiff")
