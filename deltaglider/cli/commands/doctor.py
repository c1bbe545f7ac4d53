"""``doctor``: is this machine, and this store, fit for the work?"""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """xdelta3 has to make and apply a delta, the cache and temporary directories have to be usable, and the
store has to answer; with a bucket, list it. The exit code is 1 if a check failed; each says what to do.
"""


async def doctor(given: Given, *, target: str) -> ExitCode:
    """Checks; see the help."""
    bucket = f"s3://{paths.bucket_or_prefix(target).bucket}" if target else None
    async with open_session(given) as session:
        checks = await session.client.doctor(bucket)
        session.printer.checks(checks)
    return ExitCode.DONE if all(check.ok for check in checks) else ExitCode.FAILED


command = make_command(
    "doctor",
    doctor,
    params=[asyncclick.Argument(["target"], metavar="[S3URI]", required=False, default=""), *COMMON],
    summary="Check this machine and the store",
    details=_DETAILS,
    examples=["deltaglider doctor", "deltaglider doctor s3://releases --endpoint-url https://minio.example.com"],
)
