"""The codec contract: files in, files out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol, runtime_checkable

from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is recorded of a delta.

    Attributes:
        codec: The format of its bytes, as ``dg-codec`` has it; empty for plain VCDIFF.
        command: How it was made, as ``dg-delta-cmd`` has it: the flags, without any path.
        shortcuts: What its codec may use to prove it (``Proving``); not recorded.
    """

    codec: str
    command: str
    shortcuts: object = dataclasses.field(default=None, repr=False, compare=False)


class Codec(Protocol):
    """Makes a file from a reference and a delta, and the delta from the reference and the file.

    All paths are absolute. A call may be cancelled: its child process or thread is then ended and waited for.
    """

    name: str
    """The format it reads and writes, as ``dg-codec`` has it."""

    label: str
    """What people call it."""

    is_costly: bool
    """Whether making a delta costs so much that it pays to find out first whether it will be worth it."""

    def takes(self, reference_size: int, target_size: int) -> bool:
        """Whether it can encode files of these sizes here and now: its program is installed, its memory suffices.

        Args:
            reference_size: Bytes of the reference.
            target_size: Bytes of the file.

        Returns:
            Whether ``encode`` may be called.
        """

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """Writes the delta that turns ``reference`` into ``target``.

        Args:
            reference: The reference.
            target: The file.
            delta: Where to write; made or overwritten.
            limit: Bytes. Encoding stops as soon as the delta is larger.

        Returns:
            What to record of the delta; ``None`` if it grew over the limit or took longer than its deadline, so that it
            is not worth keeping.

        Raises:
            CodecMissingError: The program is not installed.
            CodecFailedError: The program failed.
            LocalFileError: A file cannot be read, or the disk is full.
        """

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """Writes the file that ``delta`` makes of ``reference``.

        Args:
            reference: The reference.
            delta: The delta, not trusted.
            target: Where to write; made or overwritten. ``None``: nowhere, the file is only hashed.
            size: Bytes of the file, as recorded: decoding ends when there are more.
            recompress: Undo what encoders do that unpack .gz, .bz2 and .xz inputs by themselves: pack the result again.
                Of plain VCDIFF only.

        Returns:
            The SHA-256 of the file, in hex.

        Raises:
            CodecMissingError: The program is not installed.
            DeltaCorruptError: The delta does not decode, or to more than ``size`` bytes.
            CodecTimeoutError: It took longer than its deadline.
            LocalFileError: The disk is full, or has less room than ``size``.
        """

    async def self_test(self) -> str:
        """Proves that the codec is there and that its deltas come back byte for byte.

        Returns:
            Its version.

        Raises:
            CodecError: It is not fit for use.
        """


@runtime_checkable
class Proving(Protocol):
    """A codec that proves what it has just encoded at less cost than by decoding it."""

    async def prove(self, reference: Path, delta: Path, shortcuts: object, *, size: int) -> str:
        """Makes the file of a delta, as ``Codec.decode`` does, from what is in these two files.

        Args:
            reference: The reference.
            delta: The delta.
            shortcuts: Those of its ``Encoded``: results that encoding had, of steps which give the same result for the
                same input.
            size: Bytes of the file.

        Returns:
            The SHA-256 of the file, in hex.

        Raises:
            DeltaGliderError: As ``Codec.decode``.
        """
