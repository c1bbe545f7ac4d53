"""``stats``: what is stored, and what is saved."""

from __future__ import annotations

import asyncclick

from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session
from deltaglider.models import StatsMode

_DETAILS = """Objects and bytes of a bucket or prefix as users see them, and what they take in the bucket; references
count as stored. "s3://" may be left out.

What is stored is always exact. To know the sizes of the original files, each delta is looked at, a request each; so the
figures are kept in the bucket, and are taken from there as long as the listing shows that nothing has changed.
"""


async def stats(given: Given, *, target: str, mode: StatsMode, refresh: bool, use_cache: bool) -> ExitCode:
    """Counts; see the help."""
    if refresh and not use_cache:
        raise asyncclick.UsageError("--refresh keeps new figures, which --no-cache forbids: give one of them.")
    async with open_session(given) as session:
        session.printer.stats(await session.client.stats(target, mode=mode, use_cache=use_cache, refresh=refresh))
    return ExitCode.DONE


def _mode(name: StatsMode, text: str, *, default: bool = False) -> Option:
    return Option(f"--{name}", "mode", flag_value=name, default=default, type=str, help=text)


command = make_command(
    "stats",
    stats,
    params=[
        asyncclick.Argument(["target"], metavar="S3URI"),
        _mode("quick", "Look at no delta: those that this machine does not know count as large as their reference."),
        _mode("sampled", "Look at three deltas of each deltaspace, and estimate the others."),
        _mode("detailed", "Look at every delta. The default.", default=True),
        Option("--refresh", is_flag=True, help="Count anew, whatever was kept, and keep that."),
        Option("--no-cache", "use_cache", flag_value=False, default=True, help="Neither take nor keep figures."),
        *COMMON,
    ],
    summary="Count what is stored and what is saved",
    details=_DETAILS,
    examples=[
        "deltaglider stats releases",
        "deltaglider stats releases --sampled",
        "deltaglider stats s3://releases/nightly/ --json",
    ],
)
