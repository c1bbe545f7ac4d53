"""Which printer and which display: by what the options say and the terminal can."""

from __future__ import annotations

import dataclasses
import sys

from deltaglider.cli.options import Given
from deltaglider.cli.output import Printer, Style
from deltaglider.cli.progress import LINE_SECONDS, Display, LineDisplay, NoDisplay
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


def make_display(given: Given) -> Display:
    """The display that was asked for, or fits stderr.

    Args:
        given: What the options said.

    Returns:
        The display.
    """
    lines, seconds = given.says("progress_multiline"), given.output.get("progress_frequency")
    # Whoever says how progress is to be shown wants to see it.
    wanted = given.output.get("progress", True if lines or seconds is not None else None)
    on_terminal = is_terminal(sys.stderr) and environment("TERM") != "dumb"
    if wanted is False or (wanted is None and not on_terminal):
        return NoDisplay()
    if lines or not on_terminal:
        return LineDisplay(seconds or LINE_SECONDS)
    from deltaglider.cli.bar import BAR_SECONDS, BarDisplay

    return BarDisplay(seconds or BAR_SECONDS, color={"on": True, "off": False}.get(given.output.get("color", "auto")))
