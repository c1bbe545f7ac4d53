"""The ways of packing a file that can be repeated, each with every setting that makes other bytes.

Measured: GNU gzip's deflate is not zlib's (another rule for where blocks end), and neither is that of Node.js, which
packs what npm publishes; these two are repeated by the programs themselves, where they are installed. bzip2 and a
single-threaded xz give the bytes of the libraries; xz with threads cuts its input into blocks, and only xz itself does
that here.
"""

from __future__ import annotations

import bz2
import lzma
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from deltaglider.codec.programs import GZIP, NODE, arguments
from deltaglider.codec.unpack import Packing
from deltaglider.files import CHUNK, stop_if_cancelled
from deltaglider.late import dataclass

GZIP_HEADER = 10
"""Bytes of a gzip header without a name; every packer of gzip here writes such a one."""

Program = Literal["gzip", "node", "xz"]
Check = Literal["none", "crc32", "crc64", "sha256"]

CHECKS: dict[Check, int] = {"crc64": lzma.CHECK_CRC64, "crc32": lzma.CHECK_CRC32, "none": lzma.CHECK_NONE}
CHECKS["sha256"] = lzma.CHECK_SHA256
CHECK_BYTES: dict[Check, int] = {"none": 0, "crc32": 4, "crc64": 8, "sha256": 32}


@dataclass(frozen=True, slots=True)
class Packer:
    """One way of packing, with its setting.

    Attributes:
        packing: The format.
        maker: The library or program: ``zlib``, ``bz2``, ``lzma``, or a ``Program``.
        level: Its level or preset.
        memory: zlib's memory level.
        extreme: Of xz: ``-e``.
        check: Of xz: the integrity check.
    """

    packing: Packing
    maker: str
    level: int
    memory: int = 8
    extreme: bool = False
    check: Check = "crc64"

    def __str__(self) -> str:
        text = f"{self.maker} -{self.level}{'e' if self.extreme else ''}"
        text += f" memLevel {self.memory}" if self.memory != 8 else ""
        text += " -T2" if self.maker == "xz" else ""
        return text + (f" --check={self.check}" if self.check != "crc64" else "")

    @property
    def program(self) -> str | None:
        """The absolute path of its program; ``None`` if it needs none, or that is not installed."""
        return shutil.which(self.maker) if self.maker in ("gzip", "node", "xz") else None

    @property
    def available(self) -> bool:
        """Whether it can be used here."""
        return self.maker in ("zlib", "bz2", "lzma") or self.program is not None

    def command(self, source: Path) -> list[str]:
        """The command line that writes the packed file to stdout, for those that are programs."""
        program = str(self.program)
        if self.maker == "xz":
            level = f"-{self.level}{'e' if self.extreme else ''}"
            return [program, "-z", "-c", "-q", "-T2", level, f"--check={self.check}", "--", str(source)]
        return [program, *arguments(GZIP if self.maker == "gzip" else NODE, self.level), str(source)]

    def pack(self, source: Path, target: Path, limit: int) -> bool:
        """Packs a file, for those that are libraries. For worker threads: ends when its caller is cancelled.

        Args:
            source: What to pack.
            target: Where to write; made or overwritten.
            limit: Bytes: it ends as soon as there are more.

        Returns:
            Whether all of it was packed, within the limit.
        """
        with source.open("rb") as plain, target.open("wb") as out:
            written = 0
            for piece in self._pieces(plain):
                written += out.write(piece)
                stop_if_cancelled()
                if written > limit:
                    return False
        return True

    def _pieces(self, plain: BinaryIO) -> Iterator[bytes]:
        chunks = iter(lambda: plain.read(CHUNK), b"")
        if self.packing == "gzip":
            yield from _gzip(chunks, zlib.compressobj(self.level, zlib.DEFLATED, -zlib.MAX_WBITS, self.memory))
            return
        machine: _Machine
        if self.packing == "bzip2":
            machine = bz2.BZ2Compressor(self.level)
        else:
            preset = self.level | (lzma.PRESET_EXTREME if self.extreme else 0)
            machine = lzma.LZMACompressor(lzma.FORMAT_XZ, CHECKS[self.check], preset)
        for chunk in chunks:
            yield machine.compress(chunk)
        yield machine.flush()


class _Machine(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def _gzip(chunks: Iterable[bytes], machine: _Machine) -> Iterator[bytes]:
    yield b"\x1f\x8b\x08" + bytes(GZIP_HEADER - 3)
    checksum, size = 0, 0
    for chunk in chunks:
        checksum, size = zlib.crc32(chunk, checksum), size + len(chunk)
        yield machine.compress(chunk)
    yield machine.flush() + struct.pack("<II", checksum, size & 0xFFFFFFFF)


def packers_of(packing: Packing, like: bytes = b"") -> list[Packer]:
    """All packers of a format, the likeliest first.

    Args:
        packing: The format.
        like: The first bytes of a file that was probably packed in the same way, if there is one.

    Returns:
        The packers; some may not be available.
    """
    if packing == "gzip":
        levels = _gzip_levels(like)
        first = levels[:1] if like else levels[:2]
        return [
            *(Packer("gzip", maker, level) for level in first for maker in ("zlib", "node", "gzip")),
            *(Packer("gzip", maker, level) for level in levels[len(first) :] for maker in ("zlib", "gzip", "node")),
            *(Packer("gzip", "zlib", level, memory=9) for level in levels),
        ]
    if packing == "bzip2":
        level = int(like[3:4]) if like[3:4].isdigit() and like[3:4] != b"0" else 9
        return [Packer("bzip2", "bz2", each) for each in dict.fromkeys([level, *range(9, 0, -1)])]
    levels = [6, 9, 0, 1, 2, 3, 4, 5, 7, 8]
    return [
        # With threads each takes over a gigabyte at the higher levels.
        *(Packer("xz", maker, 6) for maker in ("lzma", "xz")),
        *(Packer("xz", "lzma", 9, extreme=extreme) for extreme in (False, True)),
        *(Packer("xz", maker, 6, extreme=True) for maker in ("lzma", "xz")),
        *(
            Packer("xz", maker, level)
            for level in levels[2:]
            for maker in ("lzma", "xz")
            if maker == "lzma" or level < 6
        ),
        *(Packer("xz", "lzma", level, extreme=True) for level in levels[2:]),
    ]


def _gzip_levels(like: bytes) -> list[int]:
    """The levels, in the order that the header's note on the effort spent suggests: 2 is the best, 4 the fastest."""
    hint = like[8] if len(like) > 8 else None
    order = {2: [9, 6], 4: [1, 6], 0: [6, 9]}.get(hint if hint is not None else -1, [9, 6])
    return list(dict.fromkeys([*order, 9, 6, 1, 5, 8, 7, 4, 3, 2]))
