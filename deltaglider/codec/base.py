"""The codec contract: files in, files out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Codec(Protocol):
    """Makes a file from a reference and a delta, and the delta from the reference and the file.

    All paths are absolute. A call may be cancelled: its child process is then ended and waited for.
    """

    name: str
    """As recorded in the metadata."""

    command: str
    """What ``dg-delta-cmd`` records: the flags, without any path."""

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> bool:
        """Writes the delta that turns ``reference`` into ``target``.

        Args:
            reference: The reference.
            target: The file.
            delta: Where to write; made or overwritten.
            limit: Bytes. Encoding stops as soon as the delta is larger.

        Returns:
            Whether the delta is there: ``False`` if it grew over the limit or took longer than its deadline, so that
            it is not worth keeping.

        Raises:
            CodecMissingError: The program is not installed.
            CodecFailedError: The program failed.
            LocalFileError: A file cannot be read, or the disk is full.
        """

    async def decode(self, reference: Path, delta: Path, target: Path, *, size: int, recompress: bool = False) -> None:
        """Writes the file that ``delta`` makes of ``reference``.

        Args:
            reference: The reference.
            delta: The delta, not trusted.
            target: Where to write; made or overwritten.
            size: Bytes of the file, as recorded: the decoder is ended when it writes more.
            recompress: Undo what encoders do that unpack .gz, .bz2 and .xz inputs by themselves: pack the result again.

        Raises:
            CodecMissingError: The program is not installed.
            DeltaCorruptError: The delta does not decode, or to more than ``size`` bytes.
            CodecTimeoutError: It took longer than its deadline.
            LocalFileError: The disk is full, or has less room than ``size``.
        """

    async def self_test(self) -> str:
        """Proves that the program is there and that its deltas come back byte for byte.

        Returns:
            Its version.

        Raises:
            CodecError: It is not fit for use.
        """
