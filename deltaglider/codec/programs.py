"""Programs that pack as nothing else does: GNU gzip, whose deflate is its own, and Node.js, which packs for npm."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from deltaglider.codec.process import Limits, run_here
from deltaglider.config import KIB, MIB

logger = logging.getLogger("deltaglider.codec")

GZIP = ("gzip", "-n", "-c", "-q", "-{level}", "--")
"""GNU gzip's command line, but for the files."""

NODE = (
    "node",
    "-e",
    (
        "const z=require('zlib'),f=require('fs'),{pipeline}=require('stream/promises');"
        "const [level,...files]=process.argv.slice(1);"
        "(async()=>{for(const file of files)"
        "await pipeline(f.createReadStream(file),z.createGzip({level:+level,memLevel:8}),process.stdout,{end:false})"
        "})()"
        ".catch(()=>{process.exitCode=1})"
    ),
    "--",
    "{level}",
)
"""The same of Node.js, whose zlib is Chromium's."""

_GRACE_SECONDS, _SLOWEST = 60.0, 500 * KIB  # Bytes a second: a tenth of the slowest measured.


def arguments(command: Sequence[str], level: int) -> list[str]:
    """The arguments of one of these programs, but for the files.

    Args:
        command: ``GZIP`` or ``NODE``.
        level: How hard it tries.
    """
    return [word.replace("{level}", str(level)) for word in command[1:]]


class PackProgram:
    """A program that writes gzip members to its stdout; see ``archive.batches.Program``.

    Args:
        command: Its command line, but for the files at its end.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    def __call__(self, sources: Sequence[Path], output: Path, level: int) -> bool:
        """Packs files into gzip members."""
        program = shutil.which(self._command[0])
        if program is None:
            return False
        size = sum(source.stat().st_size for source in sources)
        output.touch()
        limits = Limits(_GRACE_SECONDS + size / _SLOWEST, output, 2 * size + MIB)
        try:
            ended = run_here(
                [program, *arguments(self._command, level), *(str(source.absolute()) for source in sources)],
                limits,
                stdout=output,
            )
        except OSError as error:
            logger.info("%s could not be started: %s", program, error)
            return False
        return not ended.stopped and ended.code == 0
