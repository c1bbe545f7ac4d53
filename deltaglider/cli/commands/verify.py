"""``verify``: reads objects back and proves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.kinds import Age
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.output import Verified
from deltaglider.cli.session import Session, open_session
from deltaglider.errors import BucketNotFoundError, NotFoundError
from deltaglider.layout.uri import S3Uri
from deltaglider.models import VerifyResult

_DETAILS = """One object, or all objects of a prefix, are read as a download on a new machine would, references
included, and compared with their recorded SHA-256; nothing is kept but a record of what was proven. A URL that is not
the key of an object is taken for a directory.
"""

_QUICK = Option(
    "--quick",
    is_flag=True,
    help="Read no bytes: only see that references are there and that what is recorded of objects fits together.",
)
_RESUME = Option(
    "--resume",
    is_flag=True,
    help="Go on where the last run for the same URL was interrupted. If it was not, begin anew.",
)
_OLDER_THAN = Option(
    "--older-than",
    metavar="AGE",
    type=Age(),
    help="Prove only what was not proven within this time, such as 7d or 12h. Of the rest, only that they and their "
    "references are there is checked.",
)
_RECORD = Option(
    "--record",
    metavar="FILE",
    type=asyncclick.Path(dir_okay=False),
    help="Where to record what was proven. Default: a file in the cache directory.",
)


async def verify(
    given: Given, *, target: str, quick: bool, resume: bool, older_than: float | None, record: str | None
) -> ExitCode:
    """Verifies; see the help."""
    if quick and (resume or older_than is not None or record is not None):
        raise asyncclick.UsageError(
            "--quick proves nothing, so --resume, --older-than and --record mean nothing with it."
        )
    uri = paths.bucket_or_prefix(target)
    verified = Verified()
    how = {"quick": quick, "resume": resume, "older_than": older_than, "record": record}
    async with open_session(given) as session:
        async with aclosing(_results(session, uri, how)) as results:  # type: ignore[type-var]
            async for result in results:
                verified.add(result)
                session.printer.verified(result)
        session.printer.verified_all(verified)
    nothing = bool(uri.key) and not verified.objects
    if verified.invalid or nothing:
        return ExitCode.FAILED
    return ExitCode.SKIPPED if verified.unread else ExitCode.DONE


async def _results(session: Session, uri: S3Uri, how: dict[str, Any]) -> AsyncIterator[VerifyResult]:
    missing: NotFoundError | None = None
    if not uri.is_directory:
        try:
            yield await session.client.verify(str(uri), quick=how["quick"])
        except BucketNotFoundError:
            raise
        except NotFoundError as error:
            missing = error
        else:
            return
    directory = session.client.verify_directory(str(uri.as_directory()), **how)
    async with aclosing(directory) as results:  # type: ignore[type-var]
        async for result in results:
            missing = None
            yield result
    if missing is not None:
        raise missing


command = make_command(
    "verify",
    verify,
    params=[asyncclick.Argument(["target"], metavar="S3URI"), _QUICK, _RESUME, _OLDER_THAN, _RECORD, *COMMON],
    summary="Read objects back and prove them",
    details=_DETAILS,
    exits={1: "an object is not sound, or nothing was found under the prefix", 2: "an object could not be read"},
    examples=[
        "deltaglider verify s3://releases/v2.0.0/app.zip",
        "deltaglider verify s3://releases/ --resume",
        "deltaglider verify s3://releases/ --older-than 7d",
        "deltaglider verify s3://releases/ --quick",
    ],
)
