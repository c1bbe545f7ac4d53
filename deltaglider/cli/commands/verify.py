"""``verify``: reads objects back and proves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.output import Verified
from deltaglider.cli.session import Session, open_session
from deltaglider.errors import BucketNotFoundError, NotFoundError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import VerifyResult

_DETAILS = """One object, or all objects of a prefix, are read as a download would, and compared with their recorded
SHA-256; nothing is kept. A URL that is not the key of an object is taken for a directory.

The exit code is 1 if an object is not sound, or nothing was found under the prefix.
"""


async def verify(given: Given, *, target: str) -> ExitCode:
    """Verifies; see the help."""
    uri = paths.bucket_or_prefix(target)
    verified = Verified()
    async with open_session(given) as session:
        async with aclosing(_results(session, uri)) as results:  # type: ignore[type-var]
            async for result in results:
                verified.objects += 1
                verified.invalid += not result.valid
                verified.size += result.size if result.valid else 0
                session.printer.verified(result)
        session.printer.verified_all(verified)
    nothing = bool(uri.key) and not verified.objects
    return ExitCode.FAILED if verified.invalid or nothing else ExitCode.DONE


async def _results(session: Session, uri: S3Uri) -> AsyncIterator[VerifyResult]:
    missing: NotFoundError | None = None
    if not uri.is_directory:
        try:
            yield await session.client.verify(str(uri))
        except BucketNotFoundError:
            raise
        except NotFoundError as error:
            missing = error
        else:
            return
    directory = session.client.verify_directory(str(uri.as_directory()))
    async with aclosing(directory) as results:  # type: ignore[type-var]
        async for result in results:
            missing = None
            yield result
    if missing is not None:
        raise missing


command = make_command(
    "verify",
    verify,
    params=[asyncclick.Argument(["target"], metavar="S3URI"), *COMMON],
    summary="Read objects back and prove them",
    details=_DETAILS,
    examples=["deltaglider verify s3://releases/v2.0.0/app.zip", "deltaglider verify s3://releases/"],
)
