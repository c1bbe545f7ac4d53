"""Damage to bytes and to metadata, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

Metadata = dict[str, str]

LONGEST_NUMBER = bytes([0x8F] + [0xFF] * 8 + [0x7F])
"""A number of VCDIFF with 64 bits set, and one of half that."""
LARGE_NUMBER = bytes([0x8F, 0xFF, 0xFF, 0xFF, 0x7F])


def damaged(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Bytes with one to three kinds of damage.

    Args:
        data: The bytes.
        other: Bytes of the same kind, to splice in.
        chance: What decides.

    Returns:
        Other bytes, as a rule.
    """
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(_DAMAGE)(data, other, chance)
    return data


def _flip(data: bytes, other: bytes, chance: random.Random) -> bytes:
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8)) if data else 0):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def _cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _drop(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.randrange(200) :]


def _insert(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    run = bytes([chance.randrange(256)]) * chance.choice((1, 9, 300, 70_000))
    return data[:at] + run + data[at:]


def _splice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _swap(data: bytes, other: bytes, chance: random.Random) -> bytes:
    a, b, c = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _header(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Another value in the first bytes: the magic, the indicators, the sizes of the first window."""
    content = bytearray(data)
    for _ in range(chance.choice((1, 2)) if data else 0):
        content[chance.randrange(min(len(content), 40))] = chance.choice((0, 1, 2, 4, 5, 7, 0x7F, 0x80, 0xFF))
    return bytes(content)


def _number(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A huge number where sizes and addresses are."""
    at = chance.randrange(min(len(data), 60) + 1)
    return data[:at] + chance.choice((LARGE_NUMBER, LONGEST_NUMBER)) + data[at + chance.randrange(3) :]


def _replace(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"", b"\0", b"\xd6\xc3\xc4", b"\xd6\xc3\xc4\0\0", chance.randbytes(2000), other, data * 2))


_DAMAGE: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _cut,
    _drop,
    _insert,
    _splice,
    _swap,
    _header,
    _header,
    _number,
    _number,
    _replace,
)


def lying(metadata: Mapping[str, str], wrong: Mapping[str, tuple[str, ...]], chance: random.Random) -> Metadata:
    """Metadata of which one to three things are not true.

    Args:
        metadata: What is true.
        wrong: Values that fit a field and are not true, such as other keys and hashes of the same bucket.
        chance: What decides.

    Returns:
        Names and values, not all of them such as an HTTP header can hold.
    """
    changed = dict(metadata)
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(sorted(changed)) if changed else "dg-note"
        kind = chance.randrange(10)
        if kind == 0:
            changed.pop(name, None)
        elif kind == 1:
            changed = chance.choice(
                ({}, {"dg-tool": "x"}, dict(chance.sample(sorted(changed.items()), len(changed) // 2)))
            )
        elif kind == 2:
            # The same field again, in the dialect of another era.
            changed[name.replace("dg-", "dg_").replace("-", "_")] = chance.choice(ANY_VALUES)
        elif kind == 3:
            changed = {key.removeprefix("dg-").replace("-", "_"): value for key, value in changed.items()}
        elif kind == 4:
            changed[name] = text(chance)
        elif kind == 5:
            field, value = chance.choice(KINDS)
            changed[field] = value
        elif kind == 6:
            changed[name] = chance.choice(ANY_VALUES)
        else:
            field = chance.choice(sorted(wrong))
            changed[field] = chance.choice(wrong[field])
    return changed


def text(chance: random.Random) -> str:
    """Text of any characters: control characters, of any plane, halves of pairs."""
    planes = ((0, 0x20), (0x20, 0x7F), (0x80, 0x2FF), (0x200B, 0x2070), (0xD800, 0xDFFF), (0x1F300, 0x1F6FF))
    count = chance.choice((0, 1, 8, 60, 3000))
    return "".join(chr(chance.randrange(*chance.choice(planes))) for _ in range(count))


KINDS = (
    ("dg-note", "reference"),
    ("dg-note", "passthrough"),
    ("dg-note", "direct"),
    ("dg-note", "delta"),
    ("dg-note", "zero-diff (reference identical)"),
    ("dg-note", "whatever"),
    ("dg-compression", "none"),
    ("dg-codec", "zstd"),
    ("dg-delta-cmd", "xdelta3 -e -9 -s reference.bin app.zip app.zip.delta"),
    ("dg-delta-cmd", "xdelta3 -R -n -A=/tmp/x -s / /"),
    ("dg-tool", "deltaglider_proxy/1.0"),
)
SIZES = (
    "0",
    "1",
    "-1",
    "29999",
    "30001",
    "9" * 18,
    "9" * 19,
    "9" * 400,
    "1e9",
    "0x10",
    "1.0",
    " 12 ",
    "１２",
    "many",
    "\u0664",
)
TIMES = ("9998-12-31T23:59:59.999999Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31", "now", "Z")
KEYS = (
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "//",
    "s3://other/reference.bin",
    "C:\\reference.bin",
    ".deltaglider/",
    "reference.bin",
    "x" * 1024,
    "x/" * 5000,
    "a\0b",
    "a\nb",
    "\x1b[31m",
    "\ud800",
    "%2e%2e%2f",
    "?versionId=1",
    "=?utf-8?b?Li4vLi4v?=",
    "=?utf-8?b?AA==?=",
    "=?utf-8?b?7aCA?=",
    "=?utf-8?q?=00=0D=0A?=",
)
HASHES = ("0" * 64, "f" * 63, "F" * 64, "../" * 20, "", "d41d8cd98f00b204e9800998ecf8427e")
ANY_VALUES = (*SIZES, *TIMES, *KEYS, *HASHES)
