"""``rescue``: what can be had of an object that does not read."""

from __future__ import annotations

from pathlib import Path

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode, fatal_errors
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, Given
from deltaglider.cli.session import open_session
from deltaglider.cli.single import require_object

_DETAILS = """Writes the very bytes that were stored, if they can be had in any way; that is proven by their SHA-256.

DeltaGlider before version 7 lost how .gz, .bz2 and .xz files were packed. All known ways are tried, with patience; with
gzip, xz and node installed there are more of them. If none gives the recorded SHA-256, what the file held is written
instead, under another name (app.tgz.unpacked.tar), and the exit code is 2.

A delta whose reference is gone is decoded against --reference FILE: the file that was first stored in its directory.
A delta that was copied as a file, or lost its metadata, is tried against the references of its place; no SHA-256 can
prove the result then, and the exit code is 2.
"""


async def rescue(given: Given, *, source: str, target: str, reference: str, overwrite: bool) -> ExitCode:
    """Rescues; see the help."""
    uri = paths.only_s3(source, usage="rescue")
    if uri.is_directory and uri.key:
        raise asyncclick.UsageError(f"rescue takes one object; {source} is a place")
    if reference and not Path(reference).is_file():
        raise asyncclick.UsageError(f"--reference {reference!r} is not a file")
    async with open_session(given) as session:
        with fatal_errors():
            require_object(uri)
            summary = await session.client.rescue(
                str(uri), target or ".", reference=reference or None, overwrite=overwrite
            )
        session.printer.rescued(summary)
    return ExitCode.DONE if summary.exact else ExitCode.SKIPPED


command = make_command(
    "rescue",
    rescue,
    params=[
        asyncclick.Argument(["source"], metavar="S3URI"),
        asyncclick.Argument(["target"], metavar="[TARGET]", required=False, default=""),
        Option(
            "--reference",
            metavar="FILE",
            default="",
            help="A file to take for the reference, where that is gone or changed.",
        ),
        Option("--overwrite", is_flag=True, help="Replace the file if it exists."),
        *COMMON,
    ],
    summary="Hand out what can be had of a damaged object",
    details=_DETAILS,
    exits={1: "nothing could be had", 2: "what was written is not proven to be the very file that was stored"},
    examples=[
        "deltaglider rescue s3://releases/v1.0.0/app.tgz",
        "deltaglider rescue s3://releases/v2.0.0/app.zip . --reference old/app-1.0.0.zip",
    ],
)
