"""``analyze``: what delta storage would save."""

from __future__ import annotations

import asyncclick

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.kinds import Size
from deltaglider.cli.options import COMMON, DELTAS, Given
from deltaglider.cli.session import open_session
from deltaglider.cli.sources import require_local
from deltaglider.layout.uri import S3Uri, is_s3_uri

_DETAILS = """Of each deltaspace, the file that would become the reference and a few others are read and really encoded;
the rest is estimated from them. TARGET is a bucket, a prefix, or a directory of this machine. Nothing is written there.
"""


async def analyze(given: Given, *, target: str, sample: int, max_bytes: int | None) -> ExitCode:
    """Analyzes; see the help."""
    if is_s3_uri(target):
        S3Uri.parse(target)
    else:
        require_local(target)
    async with open_session(given) as session:
        limit = {"max_bytes": max_bytes} if max_bytes is not None else {}
        analysis = await session.client.analyze(target, sample=sample, **limit)
        session.printer.analysis(analysis)
    return ExitCode.SKIPPED if analysis.skipped else ExitCode.DONE


command = make_command(
    "analyze",
    analyze,
    params=[
        asyncclick.Argument(["target"], metavar="TARGET"),
        Option(
            "--sample",
            metavar="N",
            type=asyncclick.IntRange(min=1),
            default=3,
            help="Files of each deltaspace to encode. Default: 3.",
        ),
        Option(
            "--max-bytes",
            metavar="SIZE",
            type=Size(),
            help="Read no more than this in all, such as 500MB. The largest deltaspaces go first. Default: 1 GiB.",
        ),
        *DELTAS,
        *COMMON,
    ],
    summary="Estimate what delta storage would save",
    details=_DETAILS,
    exits={2: "files could not be read"},
    examples=[
        "deltaglider analyze s3://old-releases",
        "deltaglider analyze ./dist --sample 10",
        "deltaglider analyze s3://backups/ --max-bytes 10GB --json",
    ],
)
