"""Will a delta be worth it? Found out on samples, before xdelta3 spends its time on it.

xdelta3 takes 0.3 to 0.5 seconds a MB for what does not resemble the reference, the very files whose deltas are thrown
away. zstd, with a part of the reference as its prefix, tells in a millisecond a MB how much of some samples of the file
the reference holds, wherever it lies there. It finds what is as long as 16 bytes, and predicts within some per cent
what xdelta3 makes.

A quarter of the reference is looked at first: where that holds enough, or nothing at all, no more is asked.

What it cannot see: a file that does not resemble the reference, but repeats itself at distances over that of a sample.
"""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from deltaglider.codec.budget import Resources
from deltaglider.codec.kin import may_be_kin
from deltaglider.codec.zstd import library
from deltaglider.config import KIB, MIB
from deltaglider.errors import CodecMissingError
from deltaglider.files import local_errors, stop_if_cancelled

logger = logging.getLogger("deltaglider.codec")

LEAST = 64 * KIB
"""Smaller files are not looked at: xdelta3 is through with them as quickly."""

_SAMPLES, _LENGTH = 64, 16 * KIB
_PART = 32 * MIB  # Of the reference, looked at together: this bounds the memory.
_MEMORY = 3 * _PART
_STRIDE, _BLOCK = 4, 128 * KIB  # Of the reference, every fourth block is enough to tell whether there is anything.
_NOTHING = 0.999
_HOPELESS = 0.9
_SHORTEST_PREFIX = 8


class Gate:
    """Turns files away whose deltas would be thrown away.

    Args:
        resources: What it shares with the codecs.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def opens(self, reference: Path, target: Path, *, limit: int) -> bool:
        """Whether a delta may be worth it.

        Args:
            reference: The reference.
            target: The file.
            limit: Bytes that the delta may have.

        Returns:
            ``False`` only where the prediction is far over the limit.

        Raises:
            LocalFileError: A file cannot be read.
        """
        size = target.stat().st_size
        if size < LEAST:
            return True
        hopeless = hopeless_over(limit / size)
        if hopeless >= 1:
            return True
        try:
            ratio = await self._resources.thread(_MEMORY, partial(forecast, reference, target, enough=hopeless))
        except CodecMissingError:
            return True
        if ratio > hopeless:
            logger.debug("its delta would have %.0f %% of its size", 100 * ratio)
        return ratio <= hopeless

    async def opens_for_special(self, reference: Path, target: Path) -> bool:
        """Whether a codec that knows archives may find something in them; see ``kin``.

        Args:
            reference: The reference.
            target: The file.

        Returns:
            ``False`` only where the names of their members tell that they have nothing in common.

        Raises:
            LocalFileError: A file cannot be read.
        """
        return await self._resources.thread(_MEMORY, partial(may_be_kin, reference, target))


def hopeless_over(allowed: float) -> float:
    """The prediction over which a file is turned away.

    Args:
        allowed: The largest ratio of a delta that is kept.

    Returns:
        A ratio far enough over it that no error of the prediction matters; 1 or more turns nothing away.
    """
    return max(_HOPELESS, (1 + allowed) / 2)


def forecast(reference: Path, target: Path, *, enough: float = 0.0) -> float:
    """Predicts the ratio of a delta. For worker threads.

    Args:
        reference: The reference.
        target: The file, not empty.
        enough: A ratio that satisfies: what is left of the reference is not looked at then.

    Returns:
        The share of the samples that the reference does not hold, as far as they do not compress either.

    Raises:
        CodecMissingError: There is no zstd.
        LocalFileError: A file cannot be read.
    """
    zstd = library()
    samples = _samples(target)
    total = sum(map(len, samples))
    left = [len(sample) for sample in samples]

    def look(prefix: bytes) -> int:
        compressor = _compressor(zstd, prefix, total)
        for number, sample in enumerate(samples):
            size = len(compressor.compress(sample, zstd.ZstdCompressor.FLUSH_BLOCK))
            left[number] = min(left[number], size)
        stop_if_cancelled()
        return sum(left)

    with local_errors(str(reference), "cannot be read"), reference.open("rb", buffering=0) as file:
        some = _some(file)
        if len(some) >= _BLOCK and not enough * total < look(some) < _NOTHING * total:
            return sum(left) / total
        file.seek(0)
        while len(prefix := file.read(_PART)) >= _SHORTEST_PREFIX:
            if look(prefix) <= enough * total:
                break
    return sum(left) / total


def _some(file: BinaryIO) -> bytes:
    """Blocks of the reference, evenly spread: a quarter of it, or as much as is looked at together."""
    size = os.fstat(file.fileno()).st_size
    step = _BLOCK * max(_STRIDE, -(-size // _PART))
    blocks = []
    for at in range(0, size, step):
        file.seek(at)
        blocks.append(file.read(_BLOCK))
    return b"".join(blocks)


def _compressor(zstd: Any, prefix: bytes, size: int) -> Any:
    parameter = zstd.CompressionParameter
    options = {
        parameter.compression_level: 1,
        parameter.enable_long_distance_matching: 1,
        # With the default of 64 it would miss what resembles the reference in small pieces: records with a counter.
        parameter.ldm_min_match: 16,
        parameter.window_log: max(10, (len(prefix) + size - 1).bit_length()),
    }
    return zstd.ZstdCompressor(options=options, zstd_dict=zstd.ZstdDict(prefix, is_raw=True).as_prefix)


def _samples(path: Path) -> list[bytes]:
    """Pieces of a file, evenly spread. They do not overlap: what is in two of them would seem to repeat."""
    with local_errors(str(path), "cannot be read"), path.open("rb", buffering=0) as file:
        size = path.stat().st_size
        count = max(1, min(_SAMPLES, size // _LENGTH))
        found = []
        for number in range(count):
            file.seek(number * max(0, size - _LENGTH) // max(1, count - 1))
            found.append(file.read(_LENGTH))
    return found
