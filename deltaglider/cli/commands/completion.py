"""``completion``: prints what a shell needs to complete the commands."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import completion as shells
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import Given
from deltaglider.cli.screen import Screen

_DETAILS = """Commands, options and their choices, local files, and buckets and keys are completed. For the latter the
store is asked, with the options that stand on the line; it gets three seconds.

For bash, put into ~/.bashrc: eval "$(deltaglider completion bash)"

For zsh, put into ~/.zshrc, after compinit: eval "$(deltaglider completion zsh)"

For fish, put into ~/.config/fish/config.fish: deltaglider completion fish | source
"""


async def completion(_: Given, *, shell: str, words: tuple[str, ...], complete: bool) -> ExitCode:
    """Prints; see the help."""
    screen = Screen()
    if not complete:
        if words:
            raise asyncclick.UsageError("completion takes one shell")
        screen.out(shells.script(shell).rstrip("\n"))
        return ExitCode.DONE
    from deltaglider.cli.app import app

    line = shells.split(" ".join(words)) if shell == "bash" else words
    for candidate in await shells.complete(app, line):
        screen.out(str(candidate))
    return ExitCode.DONE


command = make_command(
    "completion",
    completion,
    params=[
        asyncclick.Argument(["shell"], metavar="SHELL", type=asyncclick.Choice(list(shells.SHELLS))),
        asyncclick.Argument(["words"], metavar="", nargs=-1, type=asyncclick.UNPROCESSED),
        Option("--complete", is_flag=True, hidden=True, help="For the scripts."),
    ],
    summary="Print the script that completes commands in a shell",
    details=_DETAILS,
    examples=["deltaglider completion bash", "deltaglider completion fish"],
)
