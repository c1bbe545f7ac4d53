"""``schema``: prints the JSON Schema of what a command prints with ``--json``."""

from __future__ import annotations

import json

import asyncclick

from deltaglider.cli import schemas
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import Given
from deltaglider.cli.screen import Screen

_DETAILS = """With --json, commands print one JSON object a line; each of these lines is valid against the schema of its
command (JSON Schema, draft 2020-12). Fields may be added within a major version, and none is removed or changed.
"""


async def schema(_: Given, *, name: str) -> ExitCode:
    """Prints; see the help."""
    Screen().out(json.dumps(schemas.load(name), indent=2))
    return ExitCode.DONE


command = make_command(
    "schema",
    schema,
    params=[asyncclick.Argument(["name"], metavar="COMMAND", type=asyncclick.Choice(schemas.commands()))],
    summary="Print the JSON Schema of a command's --json lines",
    details=_DETAILS,
    examples=["deltaglider schema ls", "deltaglider schema sync"],
)
