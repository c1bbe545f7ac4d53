"""``rb``: removes an empty bucket."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session
from deltaglider.errors import ConfigurationError, DeltaGliderError


async def rb(given: Given, *, target: str) -> ExitCode:
    """See the help."""
    bucket = paths.only_bucket(target, usage="rb").bucket
    async with open_session(given) as session:
        try:
            await session.client.delete_bucket(bucket)
        except ConfigurationError:
            raise
        except DeltaGliderError as error:
            session.printer.bucket_failed("rb", f"s3://{bucket}", error)
            return ExitCode.FAILED
        session.printer.bucket_done("rb", bucket)
    return ExitCode.DONE


command = make_command(
    "rb",
    rb,
    params=[asyncclick.Argument(["target"], metavar="S3URI"), *COMMON],
    summary="Remove an empty bucket",
    examples=["deltaglider rb s3://releases", "deltaglider rb s3://releases --endpoint-url https://minio.example.com"],
)
