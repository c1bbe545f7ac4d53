"""Exit codes: those of ``aws`` version 2."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator, Mapping

from deltaglider.errors import (
    ClientStateError,
    ConfigurationError,
    DeltaGliderError,
    InvalidInputError,
    LocalFileNotFoundError,
    NotSupportedError,
    StoreError,
    StoreUnavailableError,
    TransferBrokenError,
)
from deltaglider.models import BulkSummary


class ExitCode(enum.IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    """Something failed, was not found by ``ls``, or is not sound."""
    SKIPPED = 2
    """Something was skipped with a warning."""
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    """Nobody reads the output any more (``| head``): what shells report for SIGPIPE."""
    TERMINATED = 143
    USAGE = 252
    CONFIGURATION = 253
    SERVICE = 254
    OTHER = 255


MEANINGS: Mapping[int, str] = {
    ExitCode.FAILED: "something failed",
    ExitCode.SKIPPED: "something was skipped with a warning",
    ExitCode.INTERRUPTED: "interrupted, by Ctrl-C",
    ExitCode.OUTPUT_CLOSED: "nobody reads the output any more",
    ExitCode.TERMINATED: "terminated, by SIGTERM",
    ExitCode.USAGE: "wrong usage",
    ExitCode.CONFIGURATION: "configuration or credentials are missing or wrong",
    ExitCode.SERVICE: "the service refused",
    ExitCode.OTHER: "anything else",
}
"""What they mean where a command says nothing else; 0 is done."""

TRANSFER: Mapping[int, str] = {code: MEANINGS[code] for code in (ExitCode.FAILED, ExitCode.SKIPPED)}
"""Of commands that do something with each of many files or objects."""


class FatalError(Exception):
    """What ended a transfer before its items were known, or with all of them: ``aws`` says "fatal error", and 1.

    Args:
        error: What it was.
    """

    def __init__(self, error: DeltaGliderError) -> None:
        self.error = error
        super().__init__(str(error))


class SourceMissingError(Exception):
    """The user named a local source that is not there, which ``aws`` treats unlike all other failures.

    Args:
        path: As the user wrote it.
    """

    code = LocalFileNotFoundError.code

    def __init__(self, path: str) -> None:
        super().__init__(f"The user-provided path {path} does not exist.")


class CutOffError(Exception):
    """A signal ended the command before its end.

    Args:
        words: Which signal, and what became of the command.
    """

    code = "interrupted"

    def __init__(self, words: str) -> None:
        super().__init__(words)


@contextlib.contextmanager
def fatal_errors() -> Iterator[None]:
    """Marks the errors of a transfer as such.

    Raises:
        FatalError: In place of all errors but those of the command line and the configuration.
    """
    try:
        yield
    except (ConfigurationError, InvalidInputError, ClientStateError):
        raise
    except DeltaGliderError as error:
        raise FatalError(error) from error


def code_of_error(error: BaseException) -> ExitCode:
    """The exit code for an error that ended a command.

    Args:
        error: Any error, ours or not.

    Returns:
        The code.
    """
    if isinstance(error, FatalError):
        return ExitCode.FAILED
    if isinstance(error, InvalidInputError):
        return ExitCode.USAGE
    if isinstance(error, ConfigurationError):
        return ExitCode.CONFIGURATION
    if isinstance(error, StoreUnavailableError | TransferBrokenError | NotSupportedError) and not error.status:
        return ExitCode.OTHER  # No service has answered.
    return ExitCode.SERVICE if isinstance(error, StoreError) else ExitCode.OTHER


def code_of_summary(summary: BulkSummary) -> ExitCode:
    """The exit code for what a transfer came to."""
    if summary.failed:
        return ExitCode.FAILED
    return ExitCode.SKIPPED if summary.skipped else ExitCode.DONE
