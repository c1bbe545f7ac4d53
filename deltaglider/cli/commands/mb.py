"""``mb``: makes a bucket."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session
from deltaglider.errors import ConfigurationError, DeltaGliderError

_DETAILS = """It is made in the region that --region or the configuration names.
"""


async def mb(given: Given, *, target: str, tags: tuple[tuple[str, str], ...]) -> ExitCode:
    """See the help."""
    bucket = paths.only_s3(target, usage="mb").bucket
    async with open_session(given) as session:
        try:
            await session.client.make_bucket(bucket, tags=dict(tags))
        except ConfigurationError:
            raise
        except DeltaGliderError as error:
            session.printer.bucket_failed("mb", f"s3://{bucket}", error)
            return ExitCode.FAILED
        session.printer.bucket_done("mb", bucket)
    return ExitCode.DONE


command = make_command(
    "mb",
    mb,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        Option("--tags", nargs=2, multiple=True, metavar="KEY VALUE", help="A tag of the bucket. May be given again."),
        *COMMON,
    ],
    summary="Make a bucket",
    details=_DETAILS,
    exits={1: "the bucket could not be made"},
    examples=["deltaglider mb s3://releases", "deltaglider mb s3://releases --region eu-central-1 --tags team core"],
)
