"""``website``: makes a bucket a web site."""

from __future__ import annotations

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session

_DETAILS = """"s3://" may be left out. The service hands out what lies whole in the bucket, and knows nothing of deltas:
store what it shall serve with --no-delta.
"""


async def website(given: Given, *, target: str, index_document: str | None, error_document: str | None) -> ExitCode:
    """Configures; see the help."""
    async with open_session(given) as session:
        await session.client.set_bucket_website(target, index_document=index_document, error_document=error_document)
        session.printer.bucket_done("website", paths.bucket_or_prefix(target).bucket)
    return ExitCode.DONE


command = make_command(
    "website",
    website,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        Option("--index-document", metavar="NAME", help="What is served for a directory, such as index.html."),
        Option("--error-document", metavar="KEY", help="What is served when something is not found."),
        *COMMON,
    ],
    summary="Make a bucket a web site",
    details=_DETAILS,
    examples=[
        "deltaglider website s3://www --index-document index.html",
        "deltaglider website s3://www --index-document index.html --error-document error.html",
    ],
)
