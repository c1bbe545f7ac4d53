"""Completion for shells: what could stand where the cursor is.

A shell's script (``bash.sh``, ``zsh.sh``, ``fish.fish``, printed by ``deltaglider completion``) asks
``deltaglider completion SHELL --complete -- WORDS`` and gets a line a candidate. asyncclick knows the commands, options
and choices; its own scripts are not used, because they take ``s3://`` apart at the colon, and its completions cannot
wait for a store.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import asyncclick
from asyncclick.shell_completion import _resolve_context, _resolve_incomplete, split_arg_string

from deltaglider.cli.options import Given
from deltaglider.cli.session import Session, open_session
from deltaglider.late import dataclass
from deltaglider.models import Prefix

SHELLS = {"bash": "bash.sh", "zsh": "zsh.sh", "fish": "fish.fish"}
SECONDS = 3.0
"""How long a store may take: whoever waits for a shell would rather type."""
MOST = 200
"""So many names are given; more than that nobody reads."""

_SCHEME = "s3://"
_CURSOR = "\x01"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What could stand at the cursor.

    Attributes:
        kind: ``word``: not a candidate, but the word before the cursor, as it is without quotes. ``plain``: this value.
            ``file``: whatever files the shell finds.
        value: The whole word.
        help: What it means, in a few words.
    """

    kind: str
    value: str
    help: str = ""

    def __str__(self) -> str:
        return f"{self.kind}\t{self.value}\t{self.help}"


def script(shell: str) -> str:
    """The script that a shell has to run once."""
    return importlib.resources.files(__name__).joinpath(SHELLS[shell]).read_text(encoding="utf-8")


def split(line: str) -> list[str]:
    """The words of a line up to the cursor, the last of which (maybe empty) is being written; quotes may be open."""
    words = split_arg_string(line + _CURSOR)
    return [word.replace(_CURSOR, "") for word in words]


async def complete(app: asyncclick.Command, words: Sequence[str]) -> list[Candidate]:
    """What could stand in the place of the last word. Whatever goes wrong, there is just nothing to offer.

    Args:
        app: The program.
        words: The command line up to the cursor, the program's name included.

    Returns:
        The word itself, then what could stand there.
    """
    *before, current = words[1:] or [""]
    if before and before[0] == getattr(app, "optional_word", None):
        before = before[1:]
    found = [Candidate("word", current)]
    with contextlib.suppress(Exception):
        found += [each for each in await _candidates(app, before, current) if each.value.isprintable()]
    return found


async def _candidates(app: asyncclick.Command, before: list[str], current: str) -> list[Candidate]:
    given = Given()
    ctx = await _resolve_context(app, {"obj": given}, "deltaglider", before)
    at, text = _resolve_incomplete(ctx, list(before), current)
    option = current[: -len(text) or None] if current.startswith("--") and "=" in current else ""
    items = at.shell_complete(ctx, text)
    if items:
        return [Candidate(*_told(item, option)) for item in items]
    takes_places, takes_files = _takes(at)
    found = [Candidate("plain", place) for place in await _places(given, text)] if takes_places else []
    return [*found, Candidate("file", "")] if takes_files and not text.startswith(_SCHEME) else found


def _told(item: Any, option: str) -> tuple[str, str, str]:
    if item.type != "plain":
        return "file", "", ""
    return "plain", option + item.value, (item.help or "").split(". ")[0].rstrip(".")


def _takes(at: Any) -> tuple[bool, bool]:
    """Whether a parameter is a place in the store, and whether it is a file: its metavar says."""
    name = (getattr(at, "metavar", None) or "").strip("[]. ")
    if isinstance(at, asyncclick.Argument):
        return True, name not in ("S3URI", "BUCKET")
    return False, isinstance(at, asyncclick.Option) and name in ("FILE", "PATH", "DIRECTORY")


async def _places(given: Given, text: str) -> list[str]:
    """Buckets and keys that begin with a text, up to the next slash."""
    if not text.startswith(_SCHEME):
        return [_SCHEME] if _SCHEME.startswith(text) else []
    given.output = {"quiet": True}
    found: list[str] = []
    # What was found before the time ran out, or the store failed, is better than nothing.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(SECONDS), open_session(given) as session, aclosing(_names(session, text)) as names:
            async for name in names:
                found.append(name)
                if len(found) == MOST:
                    break
    return found


async def _names(session: Session, text: str) -> AsyncGenerator[str, None]:
    bucket, slash, _ = text.removeprefix(_SCHEME).partition("/")
    if not slash:
        for each in await session.client.buckets():
            if each.name.startswith(bucket):
                yield f"{_SCHEME}{each.name}/"
        return
    async with aclosing(session.client.list(text, recursive=False)) as entries:  # type: ignore[type-var]
        async for entry in entries:
            yield f"{_SCHEME}{bucket}/{entry.prefix if isinstance(entry, Prefix) else entry.key}"
