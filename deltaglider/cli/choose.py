"""Which printer and which display: by what the options say and the terminal can."""

from __future__ import annotations

import dataclasses
import sys

from deltaglider.cli.options import Given
from deltaglider.cli.output import Printer, Style
from deltaglider.cli.progress import Display, LineDisplay, NoDisplay
from deltaglider.cli.screen import Screen, is_terminal
from deltaglider.config import environment


def make_printer(given: Given, screen: Screen, style: Style) -> Printer:
    """The printer that was asked for.

    Args:
        given: What the options said.
        screen: Where it prints.
        style: How.

    Returns:
        The printer.
    """
    if given.says("only_show_errors"):
        style = dataclasses.replace(style, only_errors=True)
    if given.says("json"):
        from deltaglider.cli.jsonlines import JsonPrinter

        return JsonPrinter(screen, only_errors=style.only_errors)
    from deltaglider.cli.text import TextPrinter

    return TextPrinter(screen, style)


def make_display(wanted: bool | None) -> Display:
    """The display that fits stderr.

    Args:
        wanted: What the user asked for; ``None`` leaves it to the terminal.

    Returns:
        The display.
    """
    on_terminal = is_terminal(sys.stderr) and environment("TERM") != "dumb"
    if wanted is False or (wanted is None and not on_terminal):
        return NoDisplay()
    if not on_terminal:
        return LineDisplay()
    from deltaglider.cli.bar import BarDisplay

    return BarDisplay()
