"""What makes deflate streams on this machine, each proven by its canary before it is used.

A zlib that fails (zlib-ng, Apple's, one in hardware) is replaced by the project's own deflate, which is slow and always
there; so is a program that is missing, or is another than it should be.
"""

from __future__ import annotations

import functools
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deltaglider.archive.batches import Bench, Program
from deltaglider.archive.canaries import CANARIES, digest, text
from deltaglider.archive.encoder import CHROMIUM, GZIP, ZLIB, Encoder
from deltaglider.errors import CodecError

_VARIANTS = {ZLIB: "zlib", GZIP: "gzip", CHROMIUM: "chromium"}


class Machine(Protocol):
    """Deflates what it is given in pieces."""

    def compress(self, data: bytes, /) -> bytes:
        """Takes some bytes, and gives what it has ready."""

    def flush(self) -> bytes:
        """The rest."""


class Makers:
    """The encoders that can be used here.

    Args:
        programs: The programs to ask, by maker.
    """

    def __init__(self, programs: Mapping[int, Program] | None = None) -> None:
        self._programs = dict(programs or {})
        self._proven: dict[Encoder, bool] = {}

    def machine(self, encoder: Encoder) -> Machine | None:
        """What makes the same in this process, at full speed.

        Args:
            encoder: What is wanted.

        Returns:
            A new machine; ``None`` if there is none here, or it makes other bytes.
        """
        return _zlib(encoder) if _zlib_is_proven(encoder) else None

    def any_machine(self, encoder: Encoder) -> Machine | None:
        """What makes the same in this process, however slowly.

        Args:
            encoder: What is wanted.

        Returns:
            A new machine; ``None`` for an encoder that is not known here.
        """
        if encoder not in CANARIES:
            return None
        quick = self.machine(encoder)
        if quick is not None:
            return quick
        # Imported here: hardly any machine needs it.
        from deltaglider.archive.deflate import Deflater

        try:
            return Deflater(
                encoder.level, mem_level=encoder.memory, strategy=encoder.strategy, variant=_VARIANTS[encoder.maker]
            )
        except ValueError:
            return None

    def check_own(self) -> None:
        """Proves the project's own deflate, where it takes the place of a zlib that packs otherwise.

        Raises:
            CodecError: It does not give what it should.
        """
        encoder = Encoder()
        machine = self.any_machine(encoder)
        if machine is None or digest(machine.compress(text()) + machine.flush()) != CANARIES[encoder]:
            raise CodecError("streams of archives do not come back as they were")

    def program(self, encoder: Encoder) -> Program | None:
        """The program that makes the same.

        Args:
            encoder: What is wanted.

        Returns:
            The program; ``None`` if there is none here, or it makes other bytes.
        """
        program = self._programs.get(encoder.maker)
        if program is None or encoder not in CANARIES:
            return None
        if encoder not in self._proven:
            self._proven[encoder] = _proves(program, encoder)
        return program if self._proven[encoder] else None


def _zlib(encoder: Encoder) -> Machine:
    return zlib.compressobj(encoder.level, zlib.DEFLATED, -zlib.MAX_WBITS, encoder.memory, encoder.strategy)


@functools.cache
def _zlib_is_proven(encoder: Encoder) -> bool:
    if encoder.maker != ZLIB or encoder not in CANARIES:
        return False
    machine = _zlib(encoder)
    return digest(machine.compress(text()) + machine.flush()) == CANARIES[encoder]


def _proves(program: Program, encoder: Encoder) -> bool:
    with Bench(Path(tempfile.gettempdir())) as bench:
        made = bench.pack(program, encoder.level, [[text()]])
        return made is not None and digest(b"".join(made[0].pieces())) == CANARIES[encoder]
