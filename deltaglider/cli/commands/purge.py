"""``purge``: removes what presigned URLs have left."""

from __future__ import annotations

import asyncclick

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.kinds import Age
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """The files that "presign" puts into a bucket stay until their time is over, and are then removed by this.
So is what broken-off work has left in the same place, once it is old. Nothing else is touched, and no URL that is still
valid is broken. "s3://" may be left out.
"""


async def purge(given: Given, *, target: str, older_than: float, dryrun: bool) -> ExitCode:
    """Removes; see the help."""
    async with open_session(given) as session:
        summary = await session.client.purge(
            target, older_than=older_than, dryrun=dryrun, report=session.printer.outcome
        )
        session.printer.purged(summary, dryrun=dryrun)
    return ExitCode.FAILED if summary.failed else ExitCode.DONE


command = make_command(
    "purge",
    purge,
    params=[
        asyncclick.Argument(["target"], metavar="BUCKET"),
        Option("--dryrun", "--dry-run", is_flag=True, help="Print what would be removed, and remove nothing."),
        Option(
            "--older-than",
            "older_than",
            metavar="AGE",
            type=Age(),
            default="1d",
            help="How old a thing has to be (12h, 1d) of which nothing says how long it is to stay. Default: 1d.",
        ),
        *COMMON,
    ],
    summary="Remove the files made for presigned URLs whose time is over",
    details=_DETAILS,
    exits={1: "something could not be removed"},
    examples=["deltaglider purge releases", "deltaglider purge s3://releases --dryrun"],
)
