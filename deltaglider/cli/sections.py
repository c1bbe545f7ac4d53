"""The parts of a command's help, as its ``--help`` and its page in the documents both have them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import asyncclick

from deltaglider.cli.exits import MEANINGS

OWN = "Options"
"""The heading of the options that have no other one."""


class Formatter(asyncclick.HelpFormatter):
    """Wraps lines between words only: ``--no-delta`` cut in two could not be copied."""

    _HYPHEN = "\u2011"

    def write_text(self, text: str) -> None:
        """Writes paragraphs."""
        super().write_text(text.replace("-", self._HYPHEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Writes terms with their meanings."""
        super().write_dl([(term, text.replace("-", self._HYPHEN)) for term, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """All that was written."""
        return str(super().getvalue()).replace(self._HYPHEN, "-")


class Context(asyncclick.Context):
    """A context whose help is wrapped so."""

    formatter_class = Formatter


def option_sections(
    command: asyncclick.Command, ctx: asyncclick.Context, *, without: Sequence[asyncclick.Parameter] = ()
) -> dict[str, list[tuple[str, str]]]:
    """The options of a command with their help, under their headings; a choice names what there is to choose from.

    Args:
        command: The command.
        ctx: A context of it.
        without: Options to leave out.

    Returns:
        Headings, and the options under each.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is None or parameter in without:
            continue
        names, text = record
        choices = getattr(parameter.type, "choices", ())
        if choices and not all(choice in names for choice in choices):
            text = f"{text} One of {', '.join(choices)}."
        found.setdefault(getattr(parameter, "section", OWN), []).append((names, text))
    return found


def exit_codes(command: Any) -> Iterator[tuple[int, str]]:
    """The exit codes of a command, its own ones before those of every command.

    Args:
        command: One of ours.

    Yields:
        Code and meaning.
    """
    yield 0, command.exits.get(0, "done")
    yield from sorted((code, meaning) for code, meaning in command.exits.items() if code)
    # 1 and 2 are told only where they can come.
    yield from ((int(code), meaning) for code, meaning in MEANINGS.items() if code > 2 and code not in command.exits)


def write_examples(examples: Sequence[str], formatter: asyncclick.HelpFormatter) -> None:
    """Writes commands to copy, unwrapped."""
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def write_options(of: asyncclick.Command, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter) -> None:
    """Writes the options of a command, each under its heading."""
    for heading, records in option_sections(of, ctx).items():
        with formatter.section(heading):
            formatter.write_dl(records)


def write_exits(command: Any, formatter: asyncclick.HelpFormatter) -> None:
    """Writes the exit codes that mean something of their own here."""
    if not command.exits:
        return
    rows = [(str(code), meaning) for code, meaning in exit_codes(command) if code in command.exits or not code]
    if not command.exits.keys() >= MEANINGS.keys():
        rows.append(("others", "see deltaglider --help"))
    with formatter.section("Exit codes"):
        formatter.write_dl(rows)
