"""zstd with the reference as its prefix (what its program calls ``--patch-from``), inside this process.

It makes deltas many times faster than xdelta3, up to some per cent larger, and needs memory for the reference and the
file together; a file for which there is none is another codec's. A frame is written as the program writes it, and the
program reads it: ``zstd -d --long=31 --patch-from=REFERENCE DELTA -o FILE``.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from deltaglider.codec.base import Encoded
from deltaglider.codec.budget import Resources
from deltaglider.codec.output import REMEDY, Output
from deltaglider.config import GIB, MIB
from deltaglider.errors import CodecError, CodecFailedError, CodecMissingError, DeltaCorruptError
from deltaglider.files import CHUNK, local_errors, stop_if_cancelled

if TYPE_CHECKING:
    from types import ModuleType

COMMAND = "zstd -3 --long --patch-from"
"""What ``dg-delta-cmd`` records."""

# Level 1 costs the same, and makes deltas of what is not packed up to a tenth larger; from 5 on they cost more than
# they save.
_LEVEL = 3
_LONGEST_WINDOW = 2 * GIB  # Matches reach no further, and decoders take no larger windows.
_SHORTEST_PREFIX = 8  # zstd takes none that is shorter.
_BASE_MEMORY = 48 * MIB  # Tables.
_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_HEADER = 18


def library() -> ModuleType:
    """The zstd of Python: imported when it is first needed, which most commands never do.

    Raises:
        CodecMissingError: There is none.
    """
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise CodecMissingError(
            "this Python has no zstd, and deltas of that codec need it",
            remedy="Run 'pip install backports.zstd'" if sys.version_info < (3, 14) else "Install a Python with it",
        ) from error
    return zstd


class Zstd:
    """The codec.

    Args:
        resources: What it shares with other codecs.
    """

    name = "zstd"
    label = "zstd"
    is_costly = False  # The look of the gate takes a quarter of it, and in vain for most files.

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def takes(self, reference_size: int, target_size: int) -> bool:
        """See ``Codec.takes``: what fits into the memory and into one window."""
        fits = _memory(reference_size, target_size) <= self._resources.budget.total
        if not fits or reference_size + target_size > _LONGEST_WINDOW:
            return False
        with contextlib.suppress(CodecMissingError):
            library()
            return True
        return False

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """See ``Codec.encode``."""
        size = _size(reference)
        memory = _memory(size, max(size, _size(target)))  # The reference is there twice, before the file comes.
        kept = await self._resources.thread(memory, partial(_encode, reference, target, delta, limit))
        return Encoded(self.name, COMMAND) if kept else None

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """See ``Codec.decode``."""
        memory = _memory(_size(reference), min(size, _LONGEST_WINDOW))
        return await self._resources.thread(memory, partial(_decode, reference, delta, target, size))

    async def self_test(self) -> str:
        """See ``Codec.self_test``."""
        zstd = library()
        noise = random.Random(7).randbytes(50_000)  # noqa: S311 - not a secret, but the same each time
        changed = noise[20_000:] + noise[:20_000]
        frame = _compressor(zstd, noise, len(changed)).compress(changed, zstd.ZstdCompressor.FLUSH_FRAME)
        if len(frame) > len(noise) // 10 or _decompressor(zstd, noise).decompress(frame) != changed:
            raise CodecError("zstd does not give back what it was given", remedy="Install another version of it")
        return str(zstd.zstd_version)


def _memory(reference_size: int, target_size: int) -> int:
    return _BASE_MEMORY + reference_size + target_size


def _compressor(zstd: ModuleType, prefix: bytes, size: int) -> Any:
    parameter = zstd.CompressionParameter
    options = {
        parameter.compression_level: _LEVEL,
        parameter.enable_long_distance_matching: 1,
        parameter.window_log: _window_log(len(prefix) + size),
        # Tells a wrong reference at once, as the Adler-32 of VCDIFF does.
        parameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options, zstd_dict=_prefix(zstd, prefix))
    compressor.set_pledged_input_size(size)
    return compressor


def _decompressor(zstd: ModuleType, prefix: bytes) -> Any:
    options = {zstd.DecompressionParameter.window_log_max: _window_log(_LONGEST_WINDOW)}
    return zstd.ZstdDecompressor(options=options, zstd_dict=_prefix(zstd, prefix))


def _prefix(zstd: ModuleType, content: bytes) -> Any:
    return zstd.ZstdDict(content, is_raw=True).as_prefix if len(content) >= _SHORTEST_PREFIX else None


def _window_log(size: int) -> int:
    return max(10, min(31, (size - 1).bit_length()))


def _encode(reference: Path, target: Path, delta: Path, limit: int) -> bool:
    """Whether the delta is within the limit."""
    zstd = library()
    size, count = _size(target), 0
    # Not mapped: it may be the user's file, and reading a mapped file that its owner cuts short ends the process.
    with local_errors(str(reference), "cannot be read"):
        compressor = _compressor(zstd, reference.read_bytes(), size)
    with _writing(delta), delta.open("wb", buffering=0) as out:
        try:
            for chunk in _read(target):
                count += out.write(compressor.compress(chunk))
                if count > limit:
                    return False
            count += out.write(compressor.flush())
        except zstd.ZstdError as error:  # It has another size by now, or there is no memory left.
            raise CodecFailedError(f"zstd could not encode it: {error}", uri=str(target)) from error
    return count <= limit


def _decode(reference: Path, delta: Path, target: Path | None, size: int) -> str:
    """The SHA-256 of what comes out."""
    zstd = library()
    with local_errors(str(delta), "cannot be read"), delta.open("rb") as file:
        _check_header(file.read(_LONGEST_HEADER), size, _size(reference))
    with local_errors(str(reference), "cannot be read"):
        decompressor = _decompressor(zstd, reference.read_bytes())  # As in _encode: what is proven may be a first file.
    with Output(target, size) as output:
        try:
            for chunk in _read(delta):
                if decompressor.eof:
                    raise DeltaCorruptError("something follows the end of the delta")
                output.write(decompressor.decompress(chunk, CHUNK))
                while not (decompressor.needs_input or decompressor.eof):
                    stop_if_cancelled()
                    output.write(decompressor.decompress(b"", CHUNK))
        except zstd.ZstdError as error:
            if "memory" in str(error).lower():
                raise CodecFailedError(f"zstd could not decode it: {error}") from error
            raise DeltaCorruptError(f"the delta does not decode: {error}") from error
        if not decompressor.eof or decompressor.unused_data:
            raise DeltaCorruptError("the delta is cut off, or something follows its end")
        return output.sha256


def _check_header(start: bytes, size: int, reference_size: int) -> None:
    """Refuses a frame that asks for more memory than any honest one of this size would.

    Raises:
        DeltaCorruptError: It does, or it is none.
    """
    if len(start) < 6 or start[:4] != _MAGIC:
        raise DeltaCorruptError("it does not begin as a delta of zstd does")
    descriptor = start[4]
    single, at = bool(descriptor & 0x20), 5
    window = 0
    if not single:
        exponent, mantissa = start[5] >> 3, start[5] & 7
        window = (1 << (10 + exponent)) // 8 * (8 + mantissa)
        at = 6
    at += (0, 1, 2, 4)[descriptor & 3]
    length = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    content = int.from_bytes(start[at : at + length], "little") + (256 if length == 2 else 0)
    if length and content > size:
        raise DeltaCorruptError(f"the delta decodes to more than the recorded {size} bytes")
    if window > max(1 << 10, 1 << _window_log(reference_size + size)):
        raise DeltaCorruptError("the delta asks for more memory than a file of its size needs")


def _read(path: Path) -> Iterator[bytes]:
    with local_errors(str(path), "cannot be read"):
        file: BinaryIO = path.open("rb", buffering=0)
    with file:
        while True:
            stop_if_cancelled()
            with local_errors(str(path), "cannot be read"):
                chunk = file.read(CHUNK)
            if not chunk:
                return
            yield chunk


def _writing(path: Path) -> contextlib.AbstractContextManager[None]:
    return local_errors(str(path.parent), "cannot be written", REMEDY)


def _size(path: Path) -> int:
    with local_errors(str(path), "cannot be read"):
        return path.stat().st_size
