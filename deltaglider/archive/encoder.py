"""The names of what makes deflate streams. Recipes hold these numbers, which never change their meaning."""

from __future__ import annotations

from typing import NamedTuple

ZLIB, GZIP, CHROMIUM = 0, 1, 2
"""The makers: zlib as its authors publish it; GNU gzip, whose deflate has rules of its own; and the zlib of Chromium,
which Node.js has, and so npm."""


class Encoder(NamedTuple):
    """One way of making a deflate stream.

    Attributes:
        maker: ``ZLIB``, ``GZIP`` or ``CHROMIUM``.
        level: 1 to 9.
        memory: zlib's memory level, 8 or 9.
        strategy: zlib's strategy, 0 to 3.
    """

    maker: int = ZLIB
    level: int = 6
    memory: int = 8
    strategy: int = 0
