"""``rb``: removes a bucket."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session
from deltaglider.errors import BucketNotFoundError, ConfigurationError, DeltaGliderError

_DETAILS = """A bucket that holds an object stays, unless --force is given. What is kept in it for objects that are
gone, such as files made for presigned URLs, goes with it. Earlier versions of objects, in a versioned bucket, are not
deleted.
"""


async def rb(given: Given, *, target: str, force: bool) -> ExitCode:
    """See the help."""
    bucket = paths.only_bucket(target, usage="rb").bucket
    async with open_session(given, progress=force) as session:
        try:
            await session.client.remove_bucket(bucket, force=force, report=session.printer.outcome)
        except ConfigurationError:
            raise
        except DeltaGliderError as error:
            if force and isinstance(error, BucketNotFoundError):
                raise  # As of the listing that comes first.
            session.printer.bucket_failed("rb", f"s3://{bucket}", error)
            return ExitCode.FAILED
        session.printer.bucket_done("rb", bucket)
    return ExitCode.DONE


command = make_command(
    "rb",
    rb,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        Option("--force", is_flag=True, help="Delete all objects of the bucket first."),
        *COMMON,
    ],
    summary="Remove a bucket",
    details=_DETAILS,
    exits={1: "the bucket could not be removed"},
    examples=["deltaglider rb s3://releases", "deltaglider rb s3://releases --force"],
)
