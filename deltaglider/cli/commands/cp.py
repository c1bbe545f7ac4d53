"""``cp``: files up, down, and between places in the store; one, a tree of them, or a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any, cast

import asyncclick

from deltaglider.cli import paths, single
from deltaglider.cli.exits import TRANSFER, ExitCode, code_of_summary, fatal_errors
from deltaglider.cli.framework import make_command
from deltaglider.cli.options import (
    COMMON,
    DELTAS,
    DRYRUN,
    FAIL_FAST,
    FILE_NAMES,
    FILES_FROM,
    FILTERS,
    FOLLOW,
    PAGE_SIZE,
    PRESERVE,
    RECURSIVE,
    SOURCES,
    Given,
)
from deltaglider.cli.session import open_session
from deltaglider.cli.transfers import Request, transfer
from deltaglider.cli.writing import EXPECTED_SIZE, METADATA, READING
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Outcome

_DETAILS = """One file, or several into a directory, or with --recursive all files of a directory or prefix.

A target that ends with a slash, and a local directory, takes the file under its own name; any other target is the new
name, exactly as written. "-" is standard input or output. With --recursive both sides are directories, and names are
relative to them.
"""


async def cp(given: Given, *, sources: Sequence[str], target: str, **options: Any) -> ExitCode:
    """Copies; see the help."""
    request = Request.of(sources, target, usage="cp", **options)
    given.check(request.action)
    if paths.STREAM not in (*sources, target):
        return await transfer(given, request)
    if request.recursive:
        raise asyncclick.UsageError("'-' is one object and cannot be copied recursively")
    if request.action == "download" and given.no_overwrite:
        raise asyncclick.UsageError("--no-overwrite means nothing to standard output, which holds no file")
    return await _stream(given, request)


async def _stream(given: Given, request: Request) -> ExitCode:
    """Standard input up, or an object to standard output. As in ``aws``, people are told of errors only."""
    from deltaglider.cli.streams import Stdout, stdin_chunks

    uploads = request.action == "upload"
    uri = S3Uri.parse(request.target if uploads else request.source)
    if uri.is_directory:
        raise asyncclick.UsageError(f"{uri} names a place, and '-' has no name to take there: add one")
    planned = Outcome(request.action, "planned", request.source, request.target)
    async with open_session(given, bytes_on_stdout=not uploads and not request.dryrun) as session:

        async def work() -> tuple[int, int]:
            if uploads:
                options = {**given.for_uploads(), "guess_content_type": False}
                up = await session.client.upload(stdin_chunks(), request.target, **options)
                return up.original_size, up.stored_size
            down = await session.client.download(request.source, cast("IO[bytes]", Stdout()))
            return down.size, down.fetched

        with fatal_errors():
            if request.dryrun:
                summary = single.told(session, planned)
            else:
                summary = await single.transfer(session, planned, work, tell=given.says("json"))
        if given.says("json"):
            return session.finish("cp", request.action, summary, dryrun=request.dryrun)
        return code_of_summary(summary)


command = make_command(
    "cp",
    cp,
    params=[
        SOURCES,
        asyncclick.Argument(["target"], metavar="TARGET"),
        RECURSIVE,
        DRYRUN,
        FAIL_FAST,
        *FILES_FROM,
        FOLLOW,
        PRESERVE,
        *FILE_NAMES,
        PAGE_SIZE,
        *FILTERS,
        *DELTAS,
        *METADATA,
        *READING,
        EXPECTED_SIZE,
        *COMMON,
    ],
    summary="Copy files up, down, and between places in the store",
    details=_DETAILS,
    exits=TRANSFER,
    examples=[
        "deltaglider cp app.zip s3://releases/v1.0.0/",
        "deltaglider cp s3://releases/v1.0.0/app.zip .",
        "deltaglider cp ./dist s3://releases/v2.0.0/ --recursive --exclude '*' --include '*.zip'",
        "deltaglider cp s3://releases/v1.0.0/ s3://archive/v1.0.0/ --recursive",
        "pg_dump shop | deltaglider cp - s3://backups/2026-11-22/shop.sql",
    ],
    filters="filters",
)
