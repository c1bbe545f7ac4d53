"""``rm``: deletes objects."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths, single
from deltaglider.cli.exits import ExitCode, fatal_errors
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, DRYRUN, FAIL_FAST, FILTERS, PAGE_SIZE, RECURSIVE, Given
from deltaglider.cli.session import Session, open_session
from deltaglider.cli.sources import Patterns, takes_key
from deltaglider.layout.uri import S3Uri
from deltaglider.models import BulkSummary, Outcome

_DETAILS = """One object, or with --recursive all objects of a prefix. Deleting what is not there is success. When the
last delta that needs a reference goes, so does the reference.
"""


async def rm(
    given: Given, *, target: str, recursive: bool, dryrun: bool, filters: Patterns, fail_fast: bool
) -> ExitCode:
    """Deletes; see the help."""
    uri = paths.only_s3(target, usage="rm")
    async with open_session(given, progress=recursive) as session:
        with fatal_errors():
            if recursive:
                summary = await session.client.delete_directory(
                    str(uri), filters=filters, dryrun=dryrun, fail_fast=fail_fast, report=session.printer.outcome
                )
            else:
                summary = await _one(session, uri, filters, dryrun=dryrun)
        return session.finish("rm", "delete", summary, dryrun=dryrun)


async def _one(session: Session, uri: S3Uri, filters: Patterns, *, dryrun: bool) -> BulkSummary:
    # A bucket alone names no object: there is nothing to delete, which is success.
    if not uri.key or not takes_key(filters, uri.key):
        return BulkSummary()
    planned = Outcome("delete", "planned", str(uri))
    if dryrun:
        return single.told(session, planned)
    found = False

    async def work() -> tuple[int, int]:
        nonlocal found
        found = (await session.client.delete(str(uri), marker=True)).deleted
        return 0, 0

    summary = await single.transfer(session, planned, work)
    if summary.failed:
        return summary
    return BulkSummary(done=1, deleted=1) if found else BulkSummary(unchanged=1)


command = make_command(
    "rm",
    rm,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        RECURSIVE,
        DRYRUN,
        FAIL_FAST,
        PAGE_SIZE,
        *FILTERS,
        *COMMON,
    ],
    summary="Delete objects",
    details=_DETAILS,
    exits={1: "something could not be deleted"},
    examples=[
        "deltaglider rm s3://releases/v1.0.0/app.zip",
        "deltaglider rm s3://releases/v1.0.0/ --recursive --exclude '*.txt'",
    ],
    filters="filters",
)
