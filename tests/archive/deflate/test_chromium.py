"""The variant "chromium" makes the very bytes of Chromium's zlib, as Node.js has it from version 18 on.

Node.js is not asked here: what it made of these is noted. Each digest is that of
``zlib.deflateRawSync(data, {level, memLevel, strategy})`` in Node.js 20.20.2 (zlib 1.3.1-e00f703).
"""

from __future__ import annotations

import hashlib

import pytest

from tests.archive.deflate import material
from tests.archive.deflate.material import by_us, by_zlib, in_pieces

MADE: dict[tuple[str, int, int, int, int], str] = {
    ("text", 9000, 1, 8, 0): "abd56f9d482341e2",
    ("text", 9000, 2, 8, 0): "9322c6a390a378b9",
    ("text", 9000, 3, 8, 0): "108d783da1a0a973",
    ("text", 9000, 4, 8, 0): "93ce2e17ce73f820",
    ("text", 9000, 5, 8, 0): "b26f52d6c74e10af",
    ("text", 9000, 6, 8, 0): "0a7d126249178fdd",
    ("text", 9000, 7, 8, 0): "d4be5972c31f8db0",
    ("text", 9000, 8, 8, 0): "44c6f18e7585f6d3",
    ("text", 9000, 9, 8, 0): "44c6f18e7585f6d3",
    ("records", 7000, 1, 8, 0): "acfe79b3e5cc1f7d",
    ("records", 7000, 2, 8, 0): "89310fc463326a62",
    ("records", 7000, 3, 8, 0): "93434405c8a7cfd0",
    ("records", 7000, 4, 8, 0): "dd31c4c1e2e73dde",
    ("records", 7000, 5, 8, 0): "1b566ad2739f4790",
    ("records", 7000, 6, 8, 0): "4699376c158a2e42",
    ("records", 7000, 7, 8, 0): "b15717576282ff9b",
    ("records", 7000, 8, 8, 0): "67167bcc20803ed0",
    ("records", 7000, 9, 8, 0): "67167bcc20803ed0",
    ("few", 5000, 1, 8, 0): "29f1457e960d3f91",
    ("few", 5000, 2, 8, 0): "f9954bb97032a3a1",
    ("few", 5000, 3, 8, 0): "94feb441d2026a6f",
    ("few", 5000, 4, 8, 0): "89d7ca30d1eec2f0",
    ("few", 5000, 5, 8, 0): "f33892380d787fc3",
    ("few", 5000, 6, 8, 0): "5cbafe9fbc03c67e",
    ("few", 5000, 7, 8, 0): "468a1bad9c54cb93",
    ("few", 5000, 8, 8, 0): "b0833a283334eaea",
    ("few", 5000, 9, 8, 0): "b0833a283334eaea",
    ("repeats", 6000, 1, 8, 0): "55481ba8893ab068",
    ("repeats", 6000, 2, 8, 0): "03fbe102f162f247",
    ("repeats", 6000, 3, 8, 0): "3f3be42d79bca675",
    ("repeats", 6000, 4, 8, 0): "10b2a47d5658ef3c",
    ("repeats", 6000, 5, 8, 0): "e9a4e7ff4fdfe262",
    ("repeats", 6000, 6, 8, 0): "30e51916f899e334",
    ("repeats", 6000, 7, 8, 0): "30e51916f899e334",
    ("repeats", 6000, 8, 8, 0): "93ee654c71da6dc2",
    ("repeats", 6000, 9, 8, 0): "93ee654c71da6dc2",
    ("mixed", 40000, 1, 8, 0): "72f5dfe6b1624131",
    ("mixed", 40000, 3, 9, 0): "c090d5dd76434cbf",
    ("mixed", 40000, 6, 9, 0): "5443538b597581e0",
    ("mixed", 40000, 9, 9, 0): "5b4ed172f6967bd4",
    ("mixed", 40000, 6, 8, 1): "343d2c9b40928e7e",
    ("mixed", 40000, 6, 8, 2): "d8c85c1fea17ccaa",
    ("mixed", 40000, 6, 8, 3): "63c030ae2b4446dc",
    ("mixed", 40000, 6, 8, 4): "84c2409e6e22947d",
    ("mixed", 40000, 9, 7, 0): "0b1d35fe627aa959",
    ("mixed", 40000, 6, 1, 0): "4b73e7cc5ea1553d",
    ("runs", 70000, 1, 8, 0): "0a5f41891eecd0c3",
    ("text", 66000, 2, 8, 0): "e212bb80f7c2af2b",
    ("text", 99000, 5, 8, 0): "8a31dd4a4e2d87ff",
    ("text", 100, 6, 8, 0): "21d904adcb7b766b",
    ("few", 10, 6, 8, 0): "0fd4dcac830365b8",
    ("noise", 0, 6, 8, 0): "5e3ca5d6f5c0295b",
}
"""By kind, size, level, memLevel and strategy: the beginning of the stream's SHA-256."""


def case(kind: str, size: int) -> bytes:
    """What is deflated; its last three bytes stood there before, so that the last hash takes in a byte behind them."""
    data = b"%d " % size + bytes(getattr(material, kind)(size))
    return data + b"|" + data[4:7]


@pytest.mark.parametrize(("kind", "size", "level", "mem_level", "strategy"), MADE)
def test_the_same_as_in_node(kind: str, size: int, level: int, mem_level: int, strategy: int) -> None:
    made = by_us([case(kind, size)], level, mem_level, strategy, variant="chromium")

    assert hashlib.sha256(made).hexdigest()[:16] == MADE[kind, size, level, mem_level, strategy]


def test_it_is_another_stream_than_zlibs() -> None:
    data = material.mixed(30_000)

    for level in (1, 6):
        assert by_us([data], level, variant="chromium") != by_zlib([data], level)


def test_pieces_do_not_matter() -> None:
    data = material.mixed(80_000)

    whole = by_us([data], 2, variant="chromium")

    assert by_us(in_pieces(data, 16384), 2, variant="chromium") == whole
