"""``presign``: a URL that needs no credentials."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """Prints a URL with which anyone can fetch the original bytes of an object, until it expires. "s3://" may be
left out.

For an object that is stored as a delta, its file is put into the bucket, under .deltaglider/tmp/, where "deltaglider
purge" removes it when its time is over. If nothing is stored under the key, a URL is printed all the same.
"""


class _Seconds(asyncclick.IntRange):
    name = "number of seconds"


async def presign(given: Given, *, target: str, expires: int) -> ExitCode:
    """Signs; see the help."""
    uri = paths.bucket_or_prefix(target)
    async with open_session(given) as session:
        session.printer.presigned(await session.client.presign(str(uri), expires=expires))
    return ExitCode.DONE


command = make_command(
    "presign",
    presign,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        Option(
            "--expires-in",
            "expires",
            metavar="SECONDS",
            type=_Seconds(1, 604800),
            default=3600,
            help="How long the URL is valid, 1 to 604800 (a week). Default: 3600.",
        ),
        *COMMON,
    ],
    summary="Make a URL that needs no credentials",
    details=_DETAILS,
    examples=[
        "deltaglider presign s3://releases/v2.0.0/app.zip",
        "deltaglider presign s3://releases/v2.0.0/app.zip --expires-in 604800",
    ],
)
