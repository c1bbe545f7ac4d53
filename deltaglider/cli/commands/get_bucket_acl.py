"""``get-bucket-acl``: who may do what with a bucket."""

from __future__ import annotations

import asyncclick

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """Prints a JSON document with the owner and the grants, as "aws s3api get-bucket-acl" does. "s3://" may be
left out. With --json it is on one line.
"""


async def get_bucket_acl(given: Given, *, target: str) -> ExitCode:
    """Asks; see the help."""
    async with open_session(given) as session:
        session.printer.acl(await session.client.bucket_acl(target))
    return ExitCode.DONE


command = make_command(
    "get-bucket-acl",
    get_bucket_acl,
    params=[asyncclick.Argument(["target"], metavar="BUCKET"), *COMMON],
    summary="Print the access control list of a bucket",
    details=_DETAILS,
    examples=["deltaglider get-bucket-acl releases", "deltaglider get-bucket-acl s3://releases --json"],
)
