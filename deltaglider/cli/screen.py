"""Lines to stdout and stderr, above the progress display if there is one."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Protocol, TextIO

from deltaglider.errors import LocalFileError

WINDOWS = os.name == "nt"


class OutputClosedError(Exception):
    """Nobody reads stdout any more."""


class Above(Protocol):
    """What may stand on the terminal while lines are printed."""

    @property
    def shown(self) -> bool:
        """Whether it stands there now."""

    def above(self, line: str) -> None:
        """Prints a line above it."""


class Screen:
    """Where lines go.

    Args:
        display: What they have to be printed above.
        silent: Print nothing at all.
        results_to_stderr: Stdout carries the bytes of an object.
    """

    def __init__(self, display: Above | None = None, *, silent: bool = False, results_to_stderr: bool = False) -> None:
        self._display = display
        self._silent = silent
        self._results_to_stderr = results_to_stderr

    def out(self, line: str, *, flush: bool = False) -> None:
        """A line of results.

        Args:
            line: Without its end.
            flush: It is news that somebody may wait for.

        Raises:
            OutputClosedError: Nobody reads them.
            LocalFileError: They cannot be written, to a full disk for example.
        """
        if self._silent:
            return
        if self._results_to_stderr:
            self.err(line)
        elif self._display is not None and self._display.shown and is_terminal(sys.stdout):
            self._display.above(line)
        else:
            try:
                print(line, flush=flush)
            except OSError as error:
                raise unwritable(error) from error

    def err(self, line: str) -> None:
        """A line of anything but results.

        Args:
            line: Without its end.
        """
        if self._silent:
            return
        if self._display is not None and self._display.shown:
            self._display.above(line)
            return
        # Whoever closed stderr wants none of it; print would take None for stdout.
        if sys.stderr is not None:
            try:
                print(line, file=sys.stderr, flush=True)
            except OSError as error:
                if not is_closed(error):
                    raise


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream of this process is there, and is a terminal."""
    return stream is not None and stream.isatty()


def prepare_streams() -> None:
    """Lets nothing that is printed fail for its characters."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush_stdout() -> None:
    """Writes what is still buffered. Where that fails, Python's own attempt at exit is silenced.

    Raises:
        OutputClosedError: Nobody reads it.
        LocalFileError: It cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        _discard(sys.stdout)
        raise unwritable(error) from error


def is_closed(error: OSError, *, windows: bool = WINDOWS) -> bool:
    """Whether a stream cannot be written because nobody reads it any more.

    Args:
        error: The failure.
        windows: Whether the system says so with "invalid argument", too.
    """
    return isinstance(error, BrokenPipeError) or (windows and error.errno == errno.EINVAL)


def unwritable(error: OSError) -> OutputClosedError | LocalFileError:
    """What a failure to write results is called.

    Args:
        error: The failure.

    Returns:
        The error to raise.
    """
    if is_closed(error):
        return OutputClosedError()
    return LocalFileError(
        f"cannot be written: {error.strerror}", uri="standard output", remedy="Free some space, or send it elsewhere"
    )


def _discard(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
