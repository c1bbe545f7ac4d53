"""One run of a command: its client, its printer, and the display of its progress."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from deltaglider.cli.choose import make_display, make_printer
from deltaglider.cli.exits import ExitCode, code_of_summary
from deltaglider.cli.logs import logs_on
from deltaglider.cli.options import Given
from deltaglider.cli.output import Printer, Style
from deltaglider.cli.progress import Display, NoDisplay
from deltaglider.cli.screen import Screen
from deltaglider.config import Settings
from deltaglider.late import dataclass
from deltaglider.lean import load_anyio
from deltaglider.models import Action, BulkSummary
from deltaglider.startup import all_is_loaded, is_own_process

if TYPE_CHECKING:
    from deltaglider.client.aio import AsyncDeltaGliderClient


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Attributes:
        client: The client.
        printer: Who tells what happens.
        display: The observer that shows progress.
        given: What the options said.
    """

    client: AsyncDeltaGliderClient
    printer: Printer
    display: Display
    given: Given

    def finish(self, command: str, action: Action, summary: BulkSummary, *, dryrun: bool) -> ExitCode:
        """Tells what a transfer came to, after all of its items.

        Args:
            command: The command.
            action: What its transfers are called.
            summary: What it came to.
            dryrun: Whether nothing was done.

        Returns:
            The exit code.
        """
        self.display.close()
        self.printer.transferred(command, action, summary, dryrun=dryrun)
        return code_of_summary(summary)


@contextlib.asynccontextmanager
async def open_session(
    given: Given, *, style: Style | None = None, progress: bool = False, bytes_on_stdout: bool = False
) -> AsyncIterator[Session]:
    """Makes what a command works with, and cleans up after it, however it ends.

    Args:
        given: What the options said.
        style: How results look.
        progress: Whether this command shows its progress.
        bytes_on_stdout: Stdout carries an object, so that everything else goes to stderr.

    Yields:
        The session.

    Raises:
        ConfigurationError: A setting does not hold what it should.
    """
    debug = given.says("debug")
    given.output["bytes_on_stdout"] = bytes_on_stdout
    settings = _settings(given, debug=debug)
    silent = given.says("quiet")
    hidden = silent or given.says("only_show_errors") or given.says("json") or bytes_on_stdout
    display = make_display(given) if progress and not hidden else NoDisplay()
    screen = Screen(display, silent=silent, results_to_stderr=bytes_on_stdout)
    printer = make_printer(given, screen, style or Style())
    if settings.verify is False and settings.embedded_root is None:
        printer.warning("The server's certificate is not checked (--no-verify-ssl).")

    # Imported here: the help and mistakes on the command line need nothing of it.
    if is_own_process():
        load_anyio()
    from deltaglider.client.piecemeal import create_piecemeal_client

    with display, logs_on(Screen(display, silent=silent and not debug), debug=debug):
        async with create_piecemeal_client(settings, display) as client:
            if settings.embedded_root is not None:
                all_is_loaded()  # The other store's libraries come with its first request.
            yield Session(client, printer, display, given)


def _settings(given: Given, *, debug: bool) -> Settings:
    level = {"log_level": "DEBUG"} if debug else {}
    return Settings.from_env(**{**given.settings, **level})
