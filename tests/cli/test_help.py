"""The help teaches: what a command does, how it is called, what its options are, in lines that fit."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import shlex

import asyncclick
import pytest
from asyncclick.testing import CliRunner

import deltaglider.cli.commands
from deltaglider.cli.app import GROUPS, app
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.kinds import Setting
from deltaglider.config import Settings

NAMES = sorted(app.commands)
WITHOUT_CLIENT = {"completion", "schema"}
"""They print something about the program itself."""


async def help_of(*path: str, columns: int = 200) -> str:
    result = await CliRunner(env={"COLUMNS": str(columns)}).invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    return result.stdout


def test_every_module_is_a_command() -> None:
    modules = sorted(
        module.name.replace("_", "-") for module in pkgutil.iter_modules(deltaglider.cli.commands.__path__)
    )
    assert modules == NAMES
    for name in NAMES:
        assert (
            importlib.import_module(f"deltaglider.cli.commands.{name.replace('-', '_')}").command is app.commands[name]
        )


async def test_the_root_names_every_command() -> None:
    text = await help_of()
    for name in NAMES:
        assert f"\n  {name} " in text
    assert "..." not in text.split("Examples:")[0].split("Transfer:")[1]
    for heading in GROUPS:
        assert f"\n{heading}:\n" in text


@pytest.mark.parametrize("name", NAMES)
async def test_a_command_has_words_examples_and_sections(name: str) -> None:
    text = await help_of(name)
    command = app.commands[name]
    assert isinstance(command.short_help, str)
    assert text.split("\n\n")[1].strip() == f"{command.short_help}."
    assert "Examples:\n  " in text
    for heading in ("Store", "Output"):
        assert (f"\n{heading}:\n" in text) == (name not in WITHOUT_CLIENT)


@pytest.mark.parametrize("name", ["", *NAMES])
async def test_lines_fit(name: str) -> None:
    path = [name] if name else []
    assert max(map(len, (await help_of(*path)).splitlines())) <= 100
    assert max(map(len, (await help_of(*path, columns=80)).splitlines())) <= 100


@pytest.mark.parametrize("name", ["", *NAMES])
async def test_no_word_is_cut_in_two(name: str) -> None:
    path = [name] if name else []
    cut = [line for line in (await help_of(*path, columns=80)).splitlines() if re.search(r"\w-$", line)]
    assert cut == []
    assert "\u2011" not in await help_of(*path)


@pytest.mark.parametrize("name", NAMES)
async def test_examples_are_commands_that_parse(name: str) -> None:
    command = app.commands[name]
    assert len(command.examples) >= 2
    for example in command.examples:
        words = shlex.split(example.rpartition(" | ")[2])
        assert words[:2] == ["deltaglider", name]
        context = await command.make_context(name, words[2:])
        assert isinstance(context, asyncclick.Context)


async def test_every_option_says_what_it_does() -> None:
    for name in NAMES:
        for parameter in app.commands[name].params:
            if isinstance(parameter, asyncclick.Option):
                assert parameter.help
                assert parameter.help.endswith("."), parameter.help


def values_of(name: str) -> list[asyncclick.Option]:
    """The options of a command that are shown and take a value."""
    command = app.commands[name] if name else app
    options = [each for each in command.params if isinstance(each, asyncclick.Option) and not each.hidden]
    return [each for each in options if not each.is_flag or each.secondary_opts]


@pytest.mark.parametrize("name", ["", *NAMES])
def test_options_say_what_they_default_to(name: str) -> None:
    """Where something holds that was not said: a default of the option, or a setting with a variable."""
    for option in values_of(name):
        variable = variable_of(option)
        holds = isinstance(option.default, str | int | float) and option.default != ""
        if holds or variable or option.secondary_opts:
            assert "Default: " in (option.help or ""), option.opts
        if holds and not isinstance(option.default, bool):
            assert f"Default: {option.default}" in (option.help or ""), option.opts
        assert not variable or variable in (option.help or ""), option.opts


def variable_of(option: asyncclick.Option) -> str:
    if not isinstance(option.type, Setting):
        return ""
    (field,) = [each for each in dataclasses.fields(Settings) if each.name == option.type.field]
    return str(field.metadata.get("env") or "")


async def test_choices_are_named_where_a_word_stands_for_them() -> None:
    text = " ".join((await help_of("cp")).split())
    assert "--acl ACL A canned ACL, such as public-read. References stay private. One of private, public-read" in text
    assert text.count("versioned|directory") == 1


async def test_exit_codes_are_told() -> None:
    for name in NAMES:
        for code, meaning in app.commands[name].exits.items():
            assert f"\n  {code:<6}  {meaning}\n" in await help_of(name)
    root = await help_of()
    for code in ExitCode:
        assert f"\n  {int(code):<3}  " in root


async def test_the_version() -> None:
    result = await CliRunner().invoke(app, ["--debug", "--version"])
    assert (result.exit_code, result.stdout) == (0, f"deltaglider {deltaglider.__version__}\n")


@pytest.mark.parametrize("name", ["", *NAMES])
async def test_every_terminal_can_show_the_help(name: str) -> None:
    assert (await help_of(*([name] if name else []))).isascii()
