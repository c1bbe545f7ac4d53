"""``migrate``: plain objects into delta storage."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import TRANSFER, ExitCode, code_of_summary, fatal_errors
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, DELTAS, FAIL_FAST, FILTERS, Given
from deltaglider.cli.session import open_session
from deltaglider.cli.sources import Patterns
from deltaglider.layout.uri import S3Uri

_DETAILS = """The objects of SOURCE are stored as deltas in TARGET, with their metadata, headers and tags; SOURCE is
left as it is. If both are the same place, what lies there whole becomes deltas where it lies: the whole object goes
when its delta can be read, and what no delta is worth keeping of stays as it is.

What TARGET holds already is passed over, so an interrupted migration is run again to finish it.

The last name of SOURCE is kept: s3://old/releases/ to s3://new/ goes to s3://new/releases/. With --no-preserve-prefix
it goes to s3://new/.
"""


async def migrate(
    given: Given,
    *,
    source: str,
    target: str,
    dryrun: bool,
    fail_fast: bool,
    yes: bool,
    preserve_prefix: bool,
    filters: Patterns,
) -> ExitCode:
    """Migrates; see the help."""
    here, there = paths.only_s3(source, usage="migrate"), paths.only_s3(target, usage="migrate")
    if preserve_prefix:
        there = _below(here, there)
    async with open_session(given, progress=True) as session:
        with fatal_errors():
            summary = await session.client.migrate(
                str(here),
                str(there),
                filters=filters,
                dryrun=dryrun,
                fail_fast=fail_fast,
                report=session.printer.outcome,
            )
        session.display.close()
        session.printer.migrated(summary, dryrun=dryrun)
        return code_of_summary(summary)


def _below(source: S3Uri, target: S3Uri) -> S3Uri:
    """The target with the last name of the source; the source itself for a migration of what lies there."""
    here, there = source.as_directory(), target.as_directory()
    name = here.key[:-1].rpartition("/")[2]
    return there if here == there or not name else there.child(f"{name}/")


command = make_command(
    "migrate",
    migrate,
    params=[
        asyncclick.Argument(["source"], metavar="SOURCE"),
        asyncclick.Argument(["target"], metavar="TARGET"),
        Option("--dryrun", "--dry-run", is_flag=True, help="Print what would be done, and do none of it."),
        Option(
            "--preserve-prefix/--no-preserve-prefix",
            default=True,
            help="Keep the last name of SOURCE below TARGET. Default: keep it.",
        ),
        FAIL_FAST,
        Option("--yes", "-y", is_flag=True, help="For scripts of earlier versions: nothing is asked."),
        *FILTERS,
        *DELTAS,
        *COMMON,
    ],
    summary="Bring plain objects into delta storage",
    details=_DETAILS,
    exits=TRANSFER,
    examples=[
        "deltaglider migrate s3://old-releases/ s3://releases/ --dryrun",
        "deltaglider migrate s3://old/app/ s3://new/",
        "deltaglider migrate s3://releases/ s3://releases/ --exclude '*.txt'",
    ],
    filters="filters",
)
