"""``sync``: makes one side like the other."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode, fatal_errors
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, DELTAS, DRYRUN, FILTERS, FOLLOW, METADATA, Given
from deltaglider.cli.session import open_session
from deltaglider.cli.sources import Patterns, require_local

_DETAILS = """What is missing or different is copied. Upwards and between prefixes a file is different if its size
differs or the source is newer; downwards, if the size differs or the local file is newer. A downloaded file gets the
time of its object, so that the next sync has nothing to do. What filters exclude is not deleted either.

The exit code is 1 if something failed, 2 if something was skipped with a warning.
"""


async def sync(
    given: Given,
    *,
    source: str,
    target: str,
    delete: bool,
    dryrun: bool,
    size_only: bool,
    exact_timestamps: bool,
    follow_symlinks: bool,
    filters: Patterns,
) -> ExitCode:
    """Syncs; see the help."""
    action = paths.direction(source, target, usage="sync")
    if paths.STREAM in (source, target):
        raise asyncclick.UsageError("'-' is no directory")
    if action == "upload":
        require_local(source)
    async with open_session(given, progress=True) as session:
        with fatal_errors():
            summary = await session.client.sync(
                source,
                target,
                delete=delete,
                filters=filters,
                dryrun=dryrun,
                size_only=size_only,
                exact_timestamps=exact_timestamps,
                follow_symlinks=follow_symlinks,
                report=session.printer.outcome,
                **given.for_uploads(),
            )
        return session.finish("sync", action, summary, dryrun=dryrun)


command = make_command(
    "sync",
    sync,
    params=[
        asyncclick.Argument(["source"], metavar="SOURCE"),
        asyncclick.Argument(["target"], metavar="TARGET"),
        Option("--delete", is_flag=True, help="Delete what only the target has."),
        DRYRUN,
        Option("--size-only", is_flag=True, help="Let sizes alone decide."),
        Option("--exact-timestamps", is_flag=True, help="Downwards: let any difference of the times count."),
        FOLLOW,
        *FILTERS,
        *DELTAS,
        *METADATA,
        *COMMON,
    ],
    summary="Make a directory or prefix like another one",
    details=_DETAILS,
    examples=[
        "deltaglider sync ./dist s3://releases/v2.0.0/",
        "deltaglider sync s3://releases/ ./mirror --delete",
        "deltaglider sync s3://releases/ s3://archive/ --exclude '*' --include '*.zip' --dryrun",
    ],
    filters="filters",
)
