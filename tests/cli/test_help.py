"""The help teaches: what a command does, how it is called, what its options are, in lines that fit."""

from __future__ import annotations

import importlib
import pkgutil
import shlex

import asyncclick
import pytest
from asyncclick.testing import CliRunner

import deltaglider.cli.commands
from deltaglider.cli.app import GROUPS, app

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


@pytest.mark.parametrize("name", NAMES)
async def test_examples_are_commands_that_parse(name: str) -> None:
    command = app.commands[name]
    assert command.examples
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


async def test_the_version() -> None:
    result = await CliRunner().invoke(app, ["--debug", "--version"])
    assert (result.exit_code, result.stdout) == (0, f"deltaglider {deltaglider.__version__}\n")
