"""Where the interpreter has another zlib, the project's own deflate takes its place, and the same bytes come out."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator

import pytest
from zlib_ng import zlib_ng

from deltaglider.archive.canaries import CANARIES, digest, text
from deltaglider.archive.deflate import Deflater
from deltaglider.archive.encoder import CHROMIUM, GZIP, ZLIB, Encoder
from deltaglider.archive.makers import Makers
from tests.archive.deflate import material
from tests.archive.deflate.material import by_zlib, deflated
from tests.archive.other import another_zlib
from tests.faults.scale import FULL

pytestmark = pytest.mark.faults

VARIANTS = {ZLIB: "zlib", GZIP: "gzip", CHROMIUM: "chromium"}
# Three levels of each maker; all that there is in the long run, as the makers' own tests have them, too.
SUNG = [encoder for encoder in CANARIES if FULL or (encoder.level in (1, 6, 9) and encoder[2:] == (8, 0))]


def named(encoder: Encoder) -> str:
    return "-".join([VARIANTS[encoder.maker], *map(str, encoder[1:])])


@pytest.fixture
def other_zlib() -> Iterator[None]:
    """The interpreter's zlib is zlib-ng."""
    with another_zlib():
        yield


@pytest.mark.parametrize("encoder", SUNG, ids=named)
def test_each_canary_sings_of_our_own(encoder: Encoder) -> None:
    deflater = Deflater(
        encoder.level, mem_level=encoder.memory, strategy=encoder.strategy, variant=VARIANTS[encoder.maker]
    )

    assert digest(deflated(deflater, [text()])) == CANARIES[encoder]


@pytest.mark.parametrize("encoder", [encoder for encoder in CANARIES if encoder.maker == ZLIB], ids=named)
def test_each_canary_sings_of_zlib(encoder: Encoder) -> None:
    assert digest(by_zlib([text()], encoder.level, encoder.memory, encoder.strategy)) == CANARIES[encoder]


def test_a_canary_tells_zlib_ng(other_zlib: None) -> None:
    levels = [Encoder(ZLIB, level) for level in range(1, 10)]

    assert [Makers().machine(encoder) for encoder in levels] == [None] * 9


@pytest.mark.parametrize("level", [1, 5, 6, 9])
def test_with_another_zlib_the_very_same_bytes_come_out(level: int, other_zlib: None) -> None:
    data = material.mixed(20_000, level)
    theirs = deflated(zlib_ng.compressobj(level, zlib_ng.DEFLATED, -15, 8, 0), [data])

    machine = Makers().any_machine(Encoder(ZLIB, level))
    assert isinstance(machine, Deflater)
    made = deflated(machine, [data])

    assert made == by_zlib([data], level)
    assert made != theirs
    assert zlib.decompress(theirs, -15) == zlib.decompress(made, -15) == data


def test_the_text_is_always_the_same() -> None:
    assert hashlib.sha256(text()).hexdigest().startswith("9f4cfe48e3e94117")
