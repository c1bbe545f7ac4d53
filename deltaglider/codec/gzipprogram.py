"""GNU gzip, as the encoder that only it is: its deflate is not zlib's."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from deltaglider.codec.process import Limits, run_here
from deltaglider.config import KIB, MIB

logger = logging.getLogger("deltaglider.codec")

_GRACE_SECONDS, _SLOWEST = 60.0, 500 * KIB  # Bytes a second: a tenth of the slowest measured.


class GzipProgram:
    """The program; see ``archive.batches.Program``.

    Args:
        name: Its name or path.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, sources: Sequence[Path], output: Path, level: int) -> bool:
        """Packs files into gzip members."""
        program = shutil.which(self._name)
        if program is None:
            return False
        size = sum(source.stat().st_size for source in sources)
        output.touch()
        limits = Limits(_GRACE_SECONDS + size / _SLOWEST, output, 2 * size + MIB)
        argv = [program, "-n", "-c", "-q", f"-{level}", "--", *(str(source.absolute()) for source in sources)]
        try:
            ended = run_here(argv, limits, stdout=output)
        except OSError as error:
            logger.info("%s could not be started: %s", program, error)
            return False
        return not ended.stopped and ended.code == 0
