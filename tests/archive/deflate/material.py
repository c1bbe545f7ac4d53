"""What is deflated in these tests: made of little, always the same, and none of it easy."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable

from deltaglider.archive.deflate import Deflater
from deltaglider.archive.makers import Machine

WORDS = (
    b"the window slides when the end is near and what was far is out of reach import from return self none "
    b"match chain hash literal distance length block tree code stored fixed dynamic level memory strategy"
).split()


def text(size: int, seed: int = 1) -> bytes:
    """Words, lines and indents, as in a program."""
    chance = random.Random(seed)
    lines = []
    while size > 0:
        line = b" " * (4 * chance.randrange(4)) + b" ".join(chance.choices(WORDS, k=chance.randrange(1, 12))) + b"\n"
        lines.append(line)
        size -= len(line)
    return b"".join(lines)[: size or None]


def records(size: int, seed: int = 2) -> bytes:
    """Small numbers in fixed places, noise beside them, as in a table or a program's code."""
    chance = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        out += chance.choice((b"\x48\x89\xe5", b"\x0f\x1f\x44\x00\x00", b"\xe8")) + chance.randbytes(
            chance.choice((1, 2, 4))
        )
        out += bytes(chance.randrange(5))
    return bytes(out[:size])


def noise(size: int, seed: int = 3) -> bytes:
    """Nothing to be found in it."""
    return random.Random(seed).randbytes(size)


def runs(size: int, seed: int = 4) -> bytes:
    """Runs of all lengths, of few bytes."""
    chance = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        out += bytes([chance.randrange(3)]) * int(chance.paretovariate(0.6))
        del out[size:]
    return bytes(out)


def repeats(size: int, seed: int = 5) -> bytes:
    """Pieces of itself from all distances, near the reach of the window, too, with new bytes in between."""
    chance = random.Random(seed)
    out = bytearray(chance.randbytes(64))
    while len(out) < size:
        distance = min(len(out), chance.choice((1, 2, 3, 100, 4095, 4096, 4097, 32505, 32506, 32507, 32768)))
        distance = min(len(out), chance.choice((distance, chance.randrange(1, 33000))))
        begin = len(out) - distance
        out += out[begin : begin + chance.choice((3, 3, 4, 5, 7, 8, 9, 16, 33, 130, 257, 258, 259, 600))]
        out += chance.randbytes(chance.randrange(4))
    return bytes(out[:size])


def few(size: int, seed: int = 6) -> bytes:
    """Four letters, one of them often: chains are long, and most of what is in them nearly fits."""
    return bytes(random.Random(seed).choices(b"abcd", weights=(8, 4, 2, 1), k=size))


def skewed(size: int) -> bytes:
    """Each letter about half as often as the one before, so that codes get as long as they may."""
    out = bytearray()
    for letter in range(40):
        out += bytes([letter]) * max(1, int(size * 0.618 / 1.618**letter))
    shuffled = random.Random(7).sample(list(out), len(out))
    return bytes(shuffled[:size])


def mixed(size: int, seed: int = 8) -> bytes:
    """Some of everything."""
    chance = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        kind = chance.choice((text, records, noise, runs, repeats, few))
        out += kind(chance.randrange(1, 6000), chance.randrange(1 << 30))
    return bytes(out[:size])


KINDS = (text, records, noise, runs, repeats, few, mixed)


def deflated(deflater: Machine, pieces: Iterable[bytes]) -> bytes:
    """The stream that comes of some pieces."""
    return b"".join([*map(deflater.compress, pieces), deflater.flush()])


def by_zlib(pieces: Iterable[bytes], level: int, mem_level: int = 8, strategy: int = 0, window_bits: int = 15) -> bytes:
    """The stream of the interpreter's zlib."""
    return deflated(zlib.compressobj(level, zlib.DEFLATED, -window_bits, mem_level, strategy), pieces)


def by_us(
    pieces: Iterable[bytes],
    level: int,
    mem_level: int = 8,
    strategy: int = 0,
    window_bits: int = 15,
    variant: str = "zlib",
) -> bytes:
    """Our own."""
    return deflated(
        Deflater(level, mem_level=mem_level, strategy=strategy, window_bits=window_bits, variant=variant), pieces
    )


def in_pieces(data: bytes, size: int) -> list[bytes]:
    """Bytes, cut."""
    return [data[begin : begin + size] for begin in range(0, len(data), size)]
