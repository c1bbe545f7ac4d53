"""Standard input and output as bytes, in worker threads that notice when nobody waits for them any more.

A thread inside a blocking ``read`` or ``write`` cannot be ended: Ctrl-C would wait for the other side of the pipe. So
it is asked first whether the pipe is ready.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import TextIO

from anyio import from_thread

from deltaglider.cli.screen import OutputClosedError, is_closed
from deltaglider.errors import LocalFileError
from deltaglider.files import CHUNK, WINDOWS, local_errors, stop_if_cancelled

_LOOK_SECONDS = 0.1
_AT_ONCE = getattr(select, "PIPE_BUF", 512)  # Windows does not say, and cannot be asked whether a pipe is ready.
_STDIN = "standard input"


def stdin_chunks() -> Iterator[bytes]:
    """What comes in, in pieces. For worker threads.

    Yields:
        Pieces.

    Raises:
        LocalFileError: It cannot be read.
    """
    descriptor = _descriptor(sys.stdin, _STDIN)
    with local_errors(_STDIN, "cannot be read"):
        while True:
            if descriptor is None:
                chunk = sys.stdin.buffer.read(CHUNK)
            else:
                _wait(descriptor, writing=False)
                chunk = os.read(descriptor, CHUNK)
            if not chunk:
                return
            yield chunk


class Stdout:
    """Standard output as a target of downloads. For worker threads."""

    name = "standard output"

    def __init__(self) -> None:
        self._descriptor = _descriptor(sys.stdout, self.name)
        sys.stdout.flush()
        # A pipe that is ready takes this much at once without blocking; a file takes anything.
        self._piece = CHUNK if self._descriptor is None or _is_file(self._descriptor) else _AT_ONCE

    def write(self, data: bytes) -> int:
        """Writes all of it.

        Args:
            data: The bytes.

        Returns:
            Their number.

        Raises:
            OutputClosedError: Nobody reads them.
        """
        try:
            if self._descriptor is None:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                self._write_out(self._descriptor, memoryview(data))
        except OSError as error:
            if is_closed(error):
                raise OutputClosedError from None
            raise
        return len(data)

    def _write_out(self, descriptor: int, data: memoryview) -> None:
        while data:
            _wait(descriptor, writing=True)
            data = data[os.write(descriptor, data[: self._piece]) :]


def _wait(descriptor: int, *, writing: bool, windows: bool = WINDOWS) -> None:
    if windows:  # Only sockets can be asked there: a read may outlast Ctrl-C until the other side moves.
        stop_if_cancelled()
        return
    inputs, outputs = ([], [descriptor]) if writing else ([descriptor], [])
    while not any(select.select(inputs, outputs, [], _LOOK_SECONDS)):
        from_thread.check_cancelled()


def _is_file(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _descriptor(stream: TextIO | None, name: str) -> int | None:
    """Of one of the process's own streams; whoever replaced it has something without one.

    Raises:
        LocalFileError: It is closed.
    """
    if stream is None:
        raise LocalFileError("it is closed", uri=name, remedy="Connect it to a file or pipe")
    try:
        return stream.fileno()
    except io.UnsupportedOperation:
        return None
