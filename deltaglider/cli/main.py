"""From the arguments to the exit code: what commands raise becomes one line and a number here, and nowhere else."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Sequence

import asyncclick

from deltaglider.cli.choose import make_printer
from deltaglider.cli.exits import CutOffError, ExitCode, FatalError, SourceMissingError, code_of_error
from deltaglider.cli.options import Given
from deltaglider.cli.output import Style
from deltaglider.cli.screen import OutputClosedError, Screen, flush_stdout, prepare_streams
from deltaglider.cli.signals import run_interruptibly
from deltaglider.cli.words import printable
from deltaglider.errors import DeltaGliderError, LocalFileError

PROGRAM = "deltaglider"


def main(arguments: Sequence[str]) -> int:
    """Runs the command line in a process of its own.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    prepare_streams()
    given = Given()

    def tell(error: CutOffError, code: ExitCode) -> None:
        # People have been told when the signal came.
        if _wants_json(given, arguments):
            _tell(error, PROGRAM, str(error), code, given, arguments)

    code = run_interruptibly(lambda: execute(arguments, given), tell)
    try:
        flush_stdout()
    except OutputClosedError:
        return code or ExitCode.OUTPUT_CLOSED
    except LocalFileError as error:
        if not code:
            Screen().err(f"{PROGRAM}: error: {error}")
        return code or ExitCode.OTHER
    return code


async def execute(arguments: Sequence[str], given: Given | None = None) -> int:
    """Runs the command line in the running loop.

    Args:
        arguments: Without the program's name.
        given: Keeps what the common options say.

    Returns:
        The exit code.
    """
    from deltaglider.cli.app import app

    given = given or Given()
    try:
        code = await app.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=given)
    except OutputClosedError:
        return ExitCode.OUTPUT_CLOSED
    except SystemExit as error:  # asyncclick's answer to a shell's completion; and to help that nobody reads.
        return ExitCode.OUTPUT_CLOSED if error.code else ExitCode.DONE
    except asyncclick.ClickException as error:
        return _report_usage(error, given, arguments)
    except Exception as error:  # noqa: BLE001 - The boundary: whatever it is becomes a line and a code.
        return _report(_plain(error), given, arguments)
    return int(code or ExitCode.DONE)


def _plain(error: Exception) -> BaseException:
    if not isinstance(error, ExceptionGroup):
        return error
    from deltaglider.tasks import plain_error

    return plain_error(error)


def _report_usage(error: asyncclick.ClickException, given: Given, arguments: Sequence[str]) -> int:
    if isinstance(error, asyncclick.exceptions.NoArgsIsHelpError):
        error.show()
        return ExitCode.USAGE
    if not _wants_json(given, arguments) and isinstance(error, asyncclick.UsageError) and error.ctx is not None:
        Screen().err(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n")
    message = printable(" ".join(error.format_message().split()))
    _tell(error, f"{PROGRAM}: error", message, ExitCode.USAGE, given, arguments)
    return ExitCode.USAGE


def _report(error: BaseException, given: Given, arguments: Sequence[str]) -> int:
    code = code_of_error(error)
    if given.says("debug"):
        for line in traceback.format_exception(error):
            Screen().err(line.rstrip("\n"))
    if isinstance(error, FatalError):
        if not given.says("quiet"):
            _tell(error.error, "fatal error", printable(str(error)), code, given, arguments)
        return code
    _tell(error, f"{PROGRAM}: error", _message(error), code, given, arguments)
    return code


def _message(error: BaseException) -> str:
    if isinstance(error, DeltaGliderError | SourceMissingError):
        return printable(str(error))
    if isinstance(error, OSError):
        return printable(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    name = type(error).__name__
    return printable(
        f"this is a bug in {PROGRAM}: {name}: {error}. Please report it, with what the same command prints with --debug"
    )


def _tell(
    error: BaseException, label: str, message: str, code: ExitCode, given: Given, arguments: Sequence[str]
) -> None:
    given.output["json"] = _wants_json(given, arguments)
    printer = make_printer(given, Screen(results_to_stderr=given.says("bytes_on_stdout")), Style())
    with contextlib.suppress(OutputClosedError, LocalFileError):
        printer.error(error, label=label, message=message, exit_code=code)


def _wants_json(given: Given, arguments: Sequence[str]) -> bool:
    # The command line may have been left before its --json was read.
    return given.says("json") or "--json" in arguments
