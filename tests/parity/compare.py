"""What is the same on both sides, and what is not. Pure.

``aws`` of PyPI is version 1; its exit codes are turned into those of version 2. Of errors the kind is compared, not the
words: ours say more.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

USAGE, CONFIGURATION, SERVICE, OTHER = 252, 253, 254, 255

_MISUSE = (
    "usage:",
    "Unknown options",
    "Parameter validation failed",
    "Invalid bucket",
    "Error: Invalid argument type",
    "Error parsing parameter",
    "cannot be",
    "can only be",
    "must be",
    "Cannot specify",
    "Expected",
    "Streaming currently is only compatible with",
    "Invalid argument",
    "aws: error",
    "Please specify a valid bucket name only",
    "Cannot mv a file onto itself",
)
_UNCONFIGURED = (
    "Unable to locate credentials",
    "The config profile",
    "You must specify a region",
    "Partial credentials",
)
_PROGRESS = re.compile(r"Completed .*(remaining|file\(s\)).*")
_SUMMARY = re.compile(r"(Completed \d|Deleted \d|Nothing to do\b).*")
_FAILED = re.compile(r"(\w+ failed: \S+(?: to \S+)?)( .*)?")
_MISSING = re.compile(r".*(The user-provided path .* does not exist\.)")
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?= )")


class Ended(Protocol):
    """How a command line ended."""

    @property
    def code(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


@dataclasses.dataclass(frozen=True)
class View:
    """One command line's end, comparable."""

    code: int
    stdout: tuple[str, ...]
    stderr: tuple[str, ...]


def code_of_version_2(code: int, stderr: str) -> int:
    """The exit code that version 2 of ``aws`` has where version 1 had this one."""
    if code == 2 and "usage:" in stderr:
        return USAGE
    if code != OTHER:
        return code
    if any(text in stderr for text in _UNCONFIGURED):
        return CONFIGURATION
    if "An error occurred (" in stderr:
        return SERVICE
    if "The user-provided path" not in stderr and any(text in stderr for text in _MISUSE):
        return USAGE
    return OTHER


def view_of(
    ended: Ended,
    *,
    code: int,
    now: datetime,
    names: Mapping[str, str],
    fetched: Mapping[str, str],
    ordered: bool,
    silent: bool,
) -> View:
    """What is compared of a command line's end.

    Args:
        ended: How it ended.
        code: Its exit code, in version 2's numbers.
        now: When it ran, UTC.
        names: What stands for what is called otherwise on the other side.
        fetched: What the URLs on stdout gave.
        ordered: Whether the order of the lines on stdout counts.
        silent: Whether it was told to say nothing of what went well.

    Returns:
        The view.
    """
    stdout, stderr = ended.stdout, ended.stderr
    out = [_timed(_url(line, now, fetched), now) for line in _lines(stdout)]
    err = list(_kinds(stderr, code, silent=silent))
    for name, short in names.items():
        out = [line.replace(name, short) for line in out]
        err = [line.replace(name, short) for line in err]
    # Where progress was, it may leave an empty line.
    return View(code, tuple(out if ordered else sorted(filter(None, out))), tuple(sorted(err)))


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        *progress, rest = line.split("\r")
        yield from (each for each in progress if each.strip() and not _PROGRESS.match(each))
        if not _PROGRESS.match(rest):
            # Blanks cover what progress has left on the line.
            yield rest.rstrip() if progress or rest.endswith("  ") else rest


def _timed(line: str, now: datetime) -> str:
    found = _MOMENT.match(line)
    if found is None:
        return line
    moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    hours, seconds = divmod(round((moment - now).total_seconds()) + 900, 3600)
    return f"{'now' if seconds < 1800 else 'some time'}{hours:+03}h{'':14}{line[found.end() :]}"


def _url(line: str, now: datetime, fetched: Mapping[str, str]) -> str:
    if line not in fetched:
        return line
    query = parse_qs(urlsplit(line).query)
    if "X-Amz-Expires" in query:
        seconds = float(query["X-Amz-Expires"][0])
    else:
        seconds = float(query["Expires"][0]) - now.timestamp()
    return f"URL for {round(seconds / 60)} minutes, gives {fetched[line]}"


def _kinds(stderr: str, code: int, *, silent: bool) -> Iterator[str]:
    lines = [line for line in stderr.replace("\r", "\n").split("\n") if line.strip()]
    if code in (USAGE, CONFIGURATION, SERVICE) and lines:
        yield {USAGE: "usage", CONFIGURATION: "configuration", SERVICE: "service"}[code]
        return
    within = False  # A failure's message may have more lines.
    for line in lines:
        failed, missing = _FAILED.fullmatch(line), _MISSING.fullmatch(line)
        if failed:
            within = True
            yield failed[1]
        elif missing:
            yield missing[1]
        elif line.startswith("fatal error: "):
            yield "fatal error"
        elif line.startswith("warning: "):
            yield line.rstrip()
        elif _SUMMARY.fullmatch(line):
            if silent:
                yield line
        elif not within:
            yield "error" if code == OTHER else line


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, str]:
    """What differs, by aspect.

    Args:
        theirs: Of each aspect what ``aws`` came to.
        ours: The same of ours.

    Returns:
        Of each aspect that differs, what was on either side.
    """
    return {
        aspect: f"aws:  {theirs[aspect]!r}\nours: {ours[aspect]!r}"
        for aspect in theirs
        if theirs[aspect] != ours[aspect]
    }
