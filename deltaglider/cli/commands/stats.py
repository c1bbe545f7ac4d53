"""``stats``: what is stored, and what is saved."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """Objects and bytes of a bucket or prefix as users see them, and what they take in the bucket; references
count as stored. "s3://" may be left out.
"""


async def stats(given: Given, *, target: str) -> ExitCode:
    """Counts; see the help."""
    uri = paths.bucket_or_prefix(target)
    async with open_session(given) as session:
        session.printer.stats(await session.client.stats(str(uri)))
    return ExitCode.DONE


command = make_command(
    "stats",
    stats,
    params=[asyncclick.Argument(["target"], metavar="S3URI"), *COMMON],
    summary="Count what is stored and what is saved",
    details=_DETAILS,
    examples=["deltaglider stats releases", "deltaglider stats s3://releases/nightly/ --json"],
)
