"""``sync``: makes one side like the other."""

from __future__ import annotations

from typing import Any

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import TRANSFER, ExitCode, fatal_errors
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import (
    COMMON,
    DELTAS,
    DRYRUN,
    FAIL_FAST,
    FILE_NAMES,
    FILTERS,
    FOLLOW,
    PAGE_SIZE,
    PRESERVE,
    Given,
)
from deltaglider.cli.session import open_session
from deltaglider.cli.sources import require_local
from deltaglider.cli.writing import METADATA, READING

_DETAILS = """What is missing or different is copied. Upwards and between prefixes a file is different if its size
differs or the source is newer; downwards, if the size differs or the local file is newer. A downloaded file gets the
time of its object, so that the next sync has nothing to do. What filters exclude is not deleted either.

With --delete, what only the target has is deleted at the end, once both sides were listed. If the source is empty,
nothing is, unless --force is given: unlike "aws s3 sync", which would empty the target.

With --checksum, files of one size are different if their SHA-256 is, whatever their times. Local files are read for it
once, and again when they changed. Of objects it is recorded where DeltaGlider stored them; of others the MD5 counts,
where the ETag is one, else size and time.
"""


async def sync(given: Given, *, source: str, target: str, dryrun: bool, **options: Any) -> ExitCode:
    """Syncs; see the help."""
    action = paths.direction(source, target, usage="sync")
    given.check(action)
    if paths.STREAM in (source, target):
        raise asyncclick.UsageError("'-' is no directory")
    if action == "upload":
        require_local(source)
    async with open_session(given, progress=True) as session:
        with fatal_errors():
            summary = await session.client.sync(
                source,
                target,
                dryrun=dryrun,
                report=session.printer.outcome,
                **options,
                **given.for_syncs(),
            )
        return session.finish("sync", action, summary, dryrun=dryrun)


command = make_command(
    "sync",
    sync,
    params=[
        asyncclick.Argument(["source"], metavar="SOURCE"),
        asyncclick.Argument(["target"], metavar="TARGET"),
        Option("--delete", is_flag=True, help="Delete what only the target has."),
        Option(
            "--max-delete",
            metavar="N|N%",
            help="Delete nothing, and exit with 1, if more than this would be deleted: a number of files, or a share "
            "of those that the target holds. What is to be copied is copied all the same.",
        ),
        Option("--force", is_flag=True, help="With --delete: delete everything if the source is empty."),
        DRYRUN,
        FAIL_FAST,
        Option("--size-only", is_flag=True, help="Let sizes alone decide."),
        Option("--exact-timestamps", is_flag=True, help="Downwards: let any difference of the times count."),
        Option("--checksum", is_flag=True, help="Of files of one size, let the content decide: their SHA-256."),
        FOLLOW,
        PRESERVE,
        *FILE_NAMES,
        PAGE_SIZE,
        *FILTERS,
        *DELTAS,
        *METADATA,
        *READING,
        *COMMON,
    ],
    summary="Make a directory or prefix like another one",
    details=_DETAILS,
    exits=TRANSFER,
    examples=[
        "deltaglider sync ./dist s3://releases/v2.0.0/",
        "deltaglider sync s3://releases/ ./mirror --delete",
        "deltaglider sync s3://releases/ s3://archive/ --exclude '*' --include '*.zip' --dryrun",
    ],
    filters="filters",
)
