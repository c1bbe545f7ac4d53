"""VCDIFF by the xdelta3 program: its command lines, its memory, its deadlines.

Why each flag is there (all measured on 3.0.11):

- ``-D``: without it xdelta3 unpacks .gz, .bz2 and .xz inputs and packs the result again on decoding, with other bytes.
- ``-R``: without it a delta made without ``-D`` has xdelta3 start the compressor that its header names.
- ``-A=``: no application header. It holds file names, which leak, and which decoders obey.
- ``-S djw``: the secondary compression every build can read; lzma is missing from many, and costs more CPU than it
  saves bytes.
- ``-I 0``: an unbounded instruction buffer; a bounded one loses matches in large windows.
- ``-B``: the source window. What moved further than this is not found, so it covers the whole reference where memory
  allows. The size of xdelta3's hash table follows from it, and in one of four times the size fewer positions meet in
  one place: on 20 botocore wheels, 40 % less CPU and 0.25 % fewer bytes (of twice the size: 27 % and 0.16 %).
- ``-W``: the input window, lowered for small files: the default of 8 MiB costs them most of their time.
- ``-3 -N`` for packed files (zip, gzip, xz and their like), which are most of what is stored: nothing in them repeats,
  so that looking for that costs time and gives nothing. Measured on 20 botocore wheels of 12 MB against one of them:
  10.7 CPU seconds instead of 26.0 with ``-6``, and 0.7 % more bytes (of the 6.2.0 tool: 39.3, and 0.9 % fewer).
- never ``-n``: the Adler-32 it would drop tells a wrong reference at once.
"""

from __future__ import annotations

import contextlib
import filecmp
import gzip
import random
import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from deltaglider.codec.base import Encoded
from deltaglider.codec.budget import Resources
from deltaglider.codec.output import Output, require_room
from deltaglider.codec.packed import is_packed
from deltaglider.codec.process import Ended, Limits, run
from deltaglider.config import GIB, KIB, MIB
from deltaglider.errors import (
    CodecError,
    CodecFailedError,
    CodecMissingError,
    CodecTimeoutError,
    DeltaCorruptError,
    LocalFileError,
)
from deltaglider.files import local_errors, sha256_of
from deltaglider.threads import in_thread

_SMALLEST_WINDOW, _LARGEST_WINDOW = MIB, 2 * GIB  # What xdelta3 accepts for -B, above its least of 512 KiB.
_INPUT_WINDOW = 8 * MIB
_BASE_MEMORY = 64 * MIB
_DECODE_MEMORY = 128 * MIB  # Measured: 73 MB, whatever the window.
_DECODE_ADDRESS_SPACE = 2 * GIB  # A hostile delta's; far over what any honest one needs.
# Level -> bytes of hash table for a byte of window (measured 1.03, 0.52 and 0.13). The source takes its own size.
_TABLE = {6: 1.1, 3: 0.6, 1: 0.2}
_ANY, _PACKED = (6, 1), (3, 1)
"""Levels, the one to be preferred first."""
_WIDER, _WIDEST = 2, 4  # Times the window that the source needs: more makes no delta sooner.
_WIDEST_TO = 64 * MIB  # With larger windows, four times would gain little more than twice, and take the memory.
_SMALL = MIB  # A source whose table lies in the processor's cache as it is.
_ENCODE = ("-e", "-f", "-D", "-A=", "-S", "djw", "-I", "0")
_FIND = ("-e", "-f", "-D", "-A=", "-S", "none", "-I", "0")
_DECODE = ("-d", "-c", "-D", "-R")
_RECOMPRESS = ("-d", "-f")
COMMAND = "xdelta3 -e -D -S djw"
"""What ``dg-delta-cmd`` records of a delta of ours."""

_OLDEST = (3, 0, 9)
_GRACE_SECONDS = 60.0
_SLOWEST_ENCODE, _SLOWEST_DECODE = 200 * KIB, 2 * MIB  # Bytes a second: a tenth of the slowest measured.

INSTALL = {
    "linux": "Run 'apt-get install xdelta3' (Debian), 'dnf install xdelta' (Fedora), 'apk add xdelta3' (Alpine)",
    "darwin": "Run 'brew install xdelta'",
    "win32": "Run 'scoop install xdelta' or put xdelta3.exe on the PATH",
}


def window(
    reference_size: int, memory: int, *, levels: tuple[int, ...] = _ANY, at_once: int = 1
) -> tuple[int, int, int]:
    """How to encode against a reference within a memory budget.

    Args:
        reference_size: Bytes of the reference.
        memory: Bytes that all encoders may use together.
        levels: The levels to choose from, the best first.
        at_once: Encoders that run at the same time. If there is memory for so many, the hash table is made larger.

    Returns:
        The source window (``-B``, bytes: a power of two, 1 MiB to 2 GiB, at or above the reference's size as far as the
        budget allows), the level, and the bytes of memory to expect: 64 MiB, the reference as far as the window goes,
        and 1.1, 0.6 or 0.2 bytes (levels 6, 3, 1) for each of the window.
    """
    wanted = max(_SMALLEST_WINDOW, min(_LARGEST_WINDOW, 1 << max(reference_size - 1, 1).bit_length()))
    level = next((level for level in levels if _needed(reference_size, wanted, level) <= memory), levels[-1])
    while wanted > _SMALLEST_WINDOW and _needed(reference_size, wanted, level) > memory:
        wanted //= 2
    most = min(max(_WIDER * wanted, min(_WIDEST * wanted, _WIDEST_TO)), _LARGEST_WINDOW)
    while reference_size > _SMALL and wanted < most and at_once * _needed(reference_size, 2 * wanted, level) <= memory:
        wanted *= 2
    return wanted, level, _needed(reference_size, wanted, level)


def _needed(reference_size: int, size: int, level: int) -> int:
    return _BASE_MEMORY + min(size, reference_size) + int(_TABLE[level] * size)


class Xdelta3:
    """The codec.

    Args:
        program: The program; ``None`` for the first ``xdelta3`` on the PATH.
        processes: Children at once.
        memory: Bytes all of them may use together.
        resources: Both, where they are shared with other codecs.
    """

    name = ""
    label = "xdelta3"
    is_costly = True

    def __init__(
        self,
        program: str | None = None,
        *,
        processes: int = 1,
        memory: int = GIB,
        resources: Resources | None = None,
    ) -> None:
        self._wanted = program
        self._program: str | None = None
        resources = resources or Resources(processes, memory)
        self._limiter = resources.limiter
        self._budget = resources.budget

    @property
    def program(self) -> str:
        """The absolute path of the program.

        Raises:
            CodecMissingError: It is not installed.
        """
        if self._program is None:
            found = shutil.which(self._wanted or "xdelta3")
            if found is None:
                raise CodecMissingError(
                    f"the program {self._wanted or 'xdelta3'!r} is not installed, and deltas need it",
                    remedy=INSTALL.get(sys.platform, "Install xdelta3") + ", or store files whole with --no-delta",
                )
            self._program = str(Path(found).absolute())
        return self._program

    @property
    def installed(self) -> bool:
        """Whether there is such a program."""
        return self._program is not None or shutil.which(self._wanted or "xdelta3") is not None

    def takes(self, reference_size: int, target_size: int) -> bool:
        """See ``Codec.takes``: files of any size, but a program that was named must be there, or that be said."""
        return self._wanted is not None or self.installed

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """See ``Codec.encode``."""
        reference_size, target_size = _size(reference), _size(target)
        packed = await in_thread(is_packed, target, limiter=self._limiter)
        source_window, level, memory = self._window(reference_size, _PACKED if packed else _ANY)
        argv = [self.program, *_ENCODE, f"-{level}", *(["-N"] if packed else []), "-B", str(source_window)]
        if target_size < _INPUT_WINDOW:
            argv += ["-W", str(max(64 * KIB, 1 << max(target_size - 1, 1).bit_length()))]
        argv += ["-s", *_absolute(reference, target, delta)]
        seconds = _GRACE_SECONDS + (reference_size + target_size) / _SLOWEST_ENCODE
        ended = await self._run(argv, Limits(seconds, delta, limit), memory)
        if ended.stopped:
            return None
        if ended.code:
            self._check_disk(ended, delta)
            raise CodecFailedError(f"xdelta3 could not encode it: {_reason(ended)}", uri=str(target))
        return Encoded(self.name, COMMAND) if delta.stat().st_size <= limit else None

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """See ``Codec.decode``."""
        if recompress:
            assert target is not None
            return await self._decode_and_pack(reference, delta, target, size)
        output = Output(target, size)
        # What is written to stdout counts for us; to a file it writes nothing.
        limits = Limits(_seconds(size), None, 0, _DECODE_ADDRESS_SPACE)
        argv = [self.program, *_DECODE, "-s", *_absolute(reference, delta)]
        ended = await self._run(argv, limits, _DECODE_MEMORY, output)
        self._check_decoded(ended, reference, delta, target, size)
        return output.sha256

    async def _decode_and_pack(self, reference: Path, delta: Path, target: Path, size: int) -> str:
        """Through a file: the program that packs writes to what it was given, whatever that is."""
        require_room(target.parent, size)
        limits = Limits(_seconds(size), target, size, _DECODE_ADDRESS_SPACE)
        argv = [self.program, *_RECOMPRESS, "-s", *_absolute(reference, delta, target)]
        ended = await self._run(argv, limits, _DECODE_MEMORY)
        self._check_decoded(ended, reference, delta, target, size)
        return await in_thread(sha256_of, target, limiter=self._limiter)

    def _check_decoded(self, ended: Ended, reference: Path, delta: Path, target: Path | None, size: int) -> None:
        if ended.stopped == "deadline":
            raise CodecTimeoutError(
                "the delta did not decode within its deadline", remedy="Try again when the machine is less busy"
            )
        if ended.stopped == "limit":
            raise DeltaCorruptError(f"the delta decodes to more than the recorded {size} bytes")
        if ended.code:
            self._check_disk(ended, target or delta)
            for path in (reference, delta):
                _size(path)  # A file that vanished is no damage.
            raise DeltaCorruptError(f"the delta does not decode: {_reason(ended)}")

    async def find(self, reference: Path, target: Path, delta: Path, *, limit: int) -> bool:
        """Writes a delta whose instructions can be read: without secondary compression.

        Args:
            reference: The reference.
            target: The file.
            delta: Where to write; made or overwritten.
            limit: Bytes. It is given up as soon as the delta is larger.

        Returns:
            Whether the delta is there.

        Raises:
            CodecMissingError: The program is not installed.
            CodecFailedError: The program failed.
            LocalFileError: A file cannot be read, or the disk is full.
        """
        reference_size, target_size = _size(reference), _size(target)
        source_window, level, memory = self._window(reference_size, _ANY)
        argv = [self.program, *_FIND, f"-{level}", "-B", str(source_window), "-s"]
        seconds = _GRACE_SECONDS + (reference_size + target_size) / _SLOWEST_ENCODE
        ended = await self._run([*argv, *_absolute(reference, target, delta)], Limits(seconds, delta, limit), memory)
        if ended.code and not ended.stopped:
            self._check_disk(ended, delta)
            raise CodecFailedError(f"xdelta3 could not compare it: {_reason(ended)}", uri=str(target))
        return not ended.stopped

    def _window(self, reference_size: int, levels: tuple[int, ...]) -> tuple[int, int, int]:
        at_once = int(self._limiter.total_tokens)
        return window(reference_size, self._budget.total, levels=levels, at_once=at_once)

    async def self_test(self) -> str:
        """See ``Codec.self_test``."""
        version = await self._run([self.program, "-V"], Limits(_GRACE_SECONDS), 0)
        found = re.search(r"version (\d[\w.]*)", version.output)
        if found is None:
            raise CodecFailedError(f"{self.program} is not xdelta3: {_reason(version)}")
        if _numbers(found[1]) < _OLDEST:
            raise CodecError(
                f"xdelta3 {found[1]} has a known hole: a delta can make it run code (CVE-2014-9765)",
                remedy="Install version 3.0.11 or later",
            )
        with contextlib.ExitStack() as stack:
            with local_errors(tempfile.gettempdir(), "no temporary directory can be made"):
                directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deltaglider-self-test-")))
                pairs = await in_thread(_samples, directory, limiter=self._limiter)
            for reference, target in pairs:
                await self._prove(reference, target, directory)
        return found[1]

    async def _prove(self, reference: Path, target: Path, directory: Path) -> None:
        delta, result, size = directory / "delta", directory / "result", target.stat().st_size
        cause: Exception | None = None
        try:
            if await self.encode(reference, target, delta, limit=size + MIB) is None:
                raise CodecFailedError("xdelta3 did not finish a small delta")
            await self.decode(reference, delta, result, size=size)
        except DeltaCorruptError as error:
            cause = error
        if cause or not await in_thread(partial(filecmp.cmp, target, result, shallow=False), limiter=self._limiter):
            raise CodecError(
                "xdelta3 does not give back what it was given", remedy="Install version 3.0.11 or later"
            ) from cause

    async def _run(self, argv: list[str], limits: Limits, memory: int, output: Output | None = None) -> Ended:
        try:
            async with self._budget.take(memory):
                return await run(argv, limits, self._limiter, output=output)
        except OSError as error:
            if isinstance(error, LocalFileError):
                raise
            raise CodecFailedError(f"{argv[0]} could not be started: {error.strerror or error}") from error

    @staticmethod
    def _check_disk(ended: Ended, path: Path) -> None:
        if "No space left" in ended.output or "quota exceeded" in ended.output:
            raise LocalFileError(
                "the disk is full",
                uri=str(path.parent),
                remedy="Free some space, or set temp_dir (DG_TEMP_DIR) to a larger disk",
            )


def _size(path: Path) -> int:
    with local_errors(str(path), "cannot be read"):
        return path.stat().st_size


def _seconds(size: int) -> float:
    return _GRACE_SECONDS + size / _SLOWEST_DECODE


def _absolute(*paths: Path) -> list[str]:
    """Paths that no file name makes an option, and that hold in the directory the child runs in."""
    return [str(path.absolute()) for path in paths]


def _reason(ended: Ended) -> str:
    if ended.code < 0:
        return f"it was ended by signal {-ended.code}"
    lines = [line for line in ended.output.splitlines() if line.strip()]
    # xdelta3 names its temporary files and repeats itself; the first line says why.
    return re.sub(r"/\S+/", "", lines[0].removeprefix("xdelta3: ")) if lines else f"exit code {ended.code}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _samples(directory: Path) -> list[tuple[Path, Path]]:
    """Pairs that xdelta3 is known to fail on when it is run wrongly: packed files, an empty one, and one byte."""
    noise = random.Random(7).randbytes(20_000)  # noqa: S311 - not a secret, but the same each time
    contents = [
        (noise, noise[5_000:] + noise[:5_000]),
        (gzip.compress(noise, 9, mtime=1), gzip.compress(noise + b"!", 1, mtime=2)),
        (noise, b""),
        (b"", b"x"),
    ]
    pairs = []
    for number, pair in enumerate(contents):
        paths = (directory / f"reference-{number}", directory / f"target-{number}")
        for path, content in zip(paths, pair, strict=True):
            path.write_bytes(content)
        pairs.append(paths)
    return pairs
