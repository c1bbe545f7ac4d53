"""What the library logs, as lines of the command."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from deltaglider.cli.screen import Screen
from deltaglider.cli.words import printable

_LOGGER = "deltaglider"
_SILENT = ("aiobotocore", "botocore")


class _Lines(logging.Handler):
    """Prints each record on one line; with its traceback only when debugging."""

    def __init__(self, screen: Screen, *, debug: bool) -> None:
        super().__init__(logging.DEBUG if debug else logging.NOTSET)
        self._screen = screen
        self._debug = debug
        self._long = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record."""
        if self._debug:
            for line in self._long.format(record).splitlines():
                self._screen.err(printable(line))
        else:
            self._screen.err(f"{record.levelname.lower()}: {printable(record.getMessage())}")


@contextlib.contextmanager
def logs_on(screen: Screen, *, debug: bool) -> Iterator[None]:
    """Prints what ``deltaglider`` logs while the context lasts. Its client sets the level.

    Other libraries stay silent even when debugging: they log requests with their signatures and tokens, and the
    traceback of a login that is over, which is told as an error anyway.

    Args:
        screen: Where to.
        debug: With times, names and tracebacks.
    """
    logger = logging.getLogger(_LOGGER)
    handler = _Lines(screen, debug=debug)
    logger.addHandler(handler)
    nowhere = logging.NullHandler()  # Without any handler, Python itself would print warnings.
    for name in _SILENT:
        logging.getLogger(name).addHandler(nowhere)
    level, propagates = logger.level, logger.propagate
    logger.propagate = False
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagates
        logger.removeHandler(handler)
        for name in _SILENT:
            logging.getLogger(name).removeHandler(nowhere)
