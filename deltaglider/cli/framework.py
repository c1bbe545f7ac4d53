"""asyncclick as it is used here: options in sections, examples in the help, filters in order, commands on demand."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import asyncclick

from deltaglider.cli import sections
from deltaglider.cli.exits import MEANINGS

SETTINGS = {"max_content_width": 100}


class Option(asyncclick.Option):
    """An option that is shown under a heading of its own.

    Args:
        *declarations: ``--name``.
        section: The heading.
        **attributes: As asyncclick has them.
    """

    def __init__(self, *declarations: str, section: str = sections.OWN, **attributes: Any) -> None:
        super().__init__(list(declarations), **attributes)
        self.section = section


class FilterOption(Option):
    """``--include`` or ``--exclude``: together they make one list, in the order of the command line.

    Args:
        verdict: Which.
        **attributes: As asyncclick has them.
    """

    def __init__(self, verdict: Literal["include", "exclude"], **attributes: Any) -> None:
        super().__init__(f"--{verdict}", multiple=True, metavar="PATTERN", expose_value=False, **attributes)
        self.verdict = verdict


class WordsOption(Option):
    """An option that may be given several values at once: all words after it that look like ``name=value``.

    Args:
        name: ``--name``.
        **attributes: As asyncclick has them.
    """

    def __init__(self, name: str, **attributes: Any) -> None:
        super().__init__(name, multiple=True, **attributes)

    _VALUE = re.compile(r"\w+=")

    def spread(self, args: Sequence[str]) -> list[str]:
        """The same command line with the option before each of its values.

        Args:
            args: The command line.

        Returns:
            What asyncclick can parse.
        """
        spread: list[str] = []
        taking = False
        for arg in args:
            if taking and self._VALUE.match(arg) and spread[-1] not in self.opts:
                spread.append(self.opts[0])
            taking = arg.partition("=")[0] in self.opts or (taking and self._VALUE.match(arg) is not None)
            spread.append(arg)
        return spread


class _Abbreviated(dict[str, Any]):
    """The long options of a parser by name, or by the beginning of a name that no other one has."""

    def __contains__(self, name: object) -> bool:
        return self._full(name) is not None

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._full(name) or name)

    def _full(self, name: object) -> str | None:
        if not isinstance(name, str) or super().__contains__(name):
            return name if isinstance(name, str) else None
        found = [full for full in self if full.startswith(name)] if name[:2] == "--" and name[2:] else []
        if len(found) > 1:
            raise asyncclick.UsageError(f"ambiguous option: {name} could match {', '.join(sorted(found))}")
        return found[0] if found else None


class _TakesAbbreviations(asyncclick.Command):
    """A command whose options may be abbreviated, as those of ``aws`` may."""

    def make_parser(self, ctx: asyncclick.Context) -> Any:
        """The parser."""
        parser = super().make_parser(ctx)
        parser._long_opt = _Abbreviated(parser._long_opt)  # noqa: SLF001 - asyncclick has no other way in.
        return parser


class Command(_TakesAbbreviations):
    """A command whose help has sections and examples.

    Args:
        name: Its name.
        examples: Lines of its help: commands to copy.
        exits: Exit codes that mean something of their own here.
        filters: The name of the parameter that takes the filters, where it has any.
        **attributes: As asyncclick has them.
    """

    context_class = sections.Context

    def __init__(
        self,
        name: str,
        *,
        examples: Sequence[str] = (),
        exits: Mapping[int, str] | None = None,
        filters: str = "",
        **attributes: Any,
    ) -> None:
        super().__init__(name, context_settings=dict(SETTINGS), **attributes)
        self.examples = examples
        self.exits = exits or {}
        self.filters = filters

    async def parse_args(self, ctx: asyncclick.Context, args: list[str]) -> list[str]:
        """Parses as ever, and keeps the order of the filters, which asyncclick keeps for each of the two alone."""
        for option in self.get_params(ctx):
            if isinstance(option, WordsOption):
                args = option.spread(args)
        filters = await self._filters_in_order(ctx, args) if self.filters else []
        rest: list[str] = await super().parse_args(ctx, args)
        if self.filters:
            ctx.params[self.filters] = filters
        return rest

    async def _filters_in_order(self, ctx: asyncclick.Context, args: list[str]) -> list[tuple[str, str]]:
        parsed: Any = self.make_parser(ctx).parse_args(list(args))
        values, _, order = await parsed if inspect.isawaitable(parsed) else parsed
        patterns = {option: iter(values.get(option.name, ())) for option in order if isinstance(option, FilterOption)}
        return [(option.verdict, next(patterns[option])) for option in order if isinstance(option, FilterOption)]

    def format_options(self, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter) -> None:
        """Examples first, then the options under their headings, then the exit codes."""
        sections.write_examples(self.examples, formatter)
        sections.write_options(self, ctx, formatter)
        sections.write_exits(self, formatter)


class LazyCommands(dict[str, asyncclick.Command]):
    """The commands of a group by name, each imported when it is looked up.

    Args:
        modules: Where each command is: the attribute ``command`` of a module.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        super().__init__()
        self._modules = modules

    def __missing__(self, name: str) -> asyncclick.Command:
        module = importlib.import_module(self._modules[name])
        command: asyncclick.Command = module.command
        self[name] = command
        return command

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def get(self, name: str, default: Any = None) -> Any:
        """The command; ``default`` if there is none."""
        return self[name] if name in self._modules else default


class Group(_TakesAbbreviations, asyncclick.Group):
    """The root: what its commands have in common may be said before their names too.

    Args:
        name: Its name.
        groups: Its commands, under the headings of the help.
        examples: Lines of its help.
        optional_word: What may stand before the name of a command and means nothing.
        **attributes: As asyncclick has them.
    """

    context_class = sections.Context

    def __init__(
        self,
        name: str,
        *,
        groups: Mapping[str, Sequence[str]],
        examples: Sequence[str] = (),
        optional_word: str = "",
        **attributes: Any,
    ) -> None:
        super().__init__(name, context_settings=dict(SETTINGS), **attributes)
        self.groups = groups
        self.examples = examples
        self.exits = MEANINGS
        self.optional_word = optional_word

    async def resolve_command(
        self, ctx: asyncclick.Context, args: list[str]
    ) -> tuple[str | None, asyncclick.Command | None, list[str]]:
        """The command that the arguments name, and its own arguments."""
        if args[0] == self.optional_word:
            args = await asyncclick.Command.parse_args(self, ctx, args[1:])
            ctx.args = []
            if not args:
                ctx.fail("Missing command.")
        return await super().resolve_command(ctx, args)

    def format_commands(self, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter) -> None:
        """The commands under their headings, all in one pair of columns."""
        width = max(len(name) for name in self.commands)
        for heading, names in self.groups.items():
            with formatter.section(heading):
                rows = [(name.ljust(width), self.commands[name].get_short_help_str(100)) for name in names]
                formatter.write_dl(rows)

    def format_options(self, ctx: asyncclick.Context, formatter: asyncclick.HelpFormatter) -> None:
        """Commands first: they are what is looked for."""
        self.format_commands(ctx, formatter)
        sections.write_examples(self.examples, formatter)
        sections.write_options(self, ctx, formatter)
        sections.write_exits(self, formatter)


def make_command(
    name: str,
    function: Callable[..., Awaitable[int]],
    *,
    params: Sequence[asyncclick.Parameter],
    summary: str,
    details: str = "",
    examples: Sequence[str],
    exits: Mapping[int, str] | None = None,
    filters: str = "",
) -> Command:
    """A command of a function that takes what the common options gave, then its parameters, and gives the exit code.

    Args:
        name: The command's name.
        function: What it does.
        params: Its parameters; those the function takes have the names of its arguments.
        summary: What it does, in the list of commands and in its help.
        details: What more its help says.
        examples: Commands to copy.
        exits: Exit codes that mean something of their own here: code and meaning.
        filters: The name of the argument that takes the filters.

    Returns:
        The command.
    """

    @functools.wraps(function)
    @asyncclick.pass_obj
    async def callback(given: Any, /, **arguments: Any) -> int:
        return await function(given, **arguments)

    return Command(
        name,
        examples=examples,
        exits=exits,
        filters=filters,
        callback=callback,
        params=list(params),
        short_help=summary,
        help=f"{summary}.\n\n{details}",
    )
