"""``ls``: buckets, prefixes and objects."""

from __future__ import annotations

from contextlib import aclosing

import asyncclick

from deltaglider.cli import paths
from deltaglider.cli.exits import ExitCode
from deltaglider.cli.framework import Option, make_command
from deltaglider.cli.options import COMMON, PAGE_SIZE, Given
from deltaglider.cli.output import Listed, Style
from deltaglider.cli.session import Session, open_session
from deltaglider.layout.uri import S3Uri
from deltaglider.models import ObjectInfo, Prefix

_DETAILS = """Sizes are those of the original files, and times are local. A URL that does not end with a slash is the
beginning of names: s3://releases/v1 also lists v1.zip and v10/. "s3://" may be left out.
"""


async def ls(
    given: Given,
    *,
    target: str,
    recursive: bool,
    human_readable: bool,
    summarize: bool,
    name_prefix: str,
    bucket_region: str,
) -> ExitCode:
    """Lists; see the help."""
    uri = paths.bucket_or_prefix(target) if target.removeprefix("s3://").strip("/") else None
    style = Style(human_readable=human_readable, full_keys=recursive, totals=summarize)
    async with open_session(given, style=style) as session:
        if uri is None:
            session.printer.buckets(await session.client.buckets(prefix=name_prefix, region=bucket_region))
            return ExitCode.DONE
        listed = await _list(session, uri, recursive=recursive)
    return ExitCode.FAILED if uri.key and not (listed.objects or listed.prefixes) else ExitCode.DONE


async def _list(session: Session, uri: S3Uri, *, recursive: bool) -> Listed:
    listed = Listed()
    page: list[ObjectInfo | Prefix] = []
    # As aws prints it: of each page the prefixes first.
    most = session.client.settings.page_size
    async with aclosing(session.client.list(str(uri), recursive=recursive)) as entries:  # type: ignore[type-var]
        async for entry in entries:
            page.append(entry)
            if isinstance(entry, ObjectInfo):
                listed.objects += 1
                listed.size += entry.size
            else:
                listed.prefixes += 1
            if len(page) == most:
                session.printer.page(page)
                page = []
    session.printer.page(page)
    session.printer.listed(listed)
    return listed


command = make_command(
    "ls",
    ls,
    params=[
        asyncclick.Argument(["target"], metavar="[S3URI]", required=False, default=""),
        Option("--recursive", "-r", is_flag=True, help="All objects, by their full keys."),
        Option("--human-readable", "-h", is_flag=True, help="Sizes as 1.5 KiB."),
        Option("--summarize", is_flag=True, help="The number and size of all objects at the end."),
        PAGE_SIZE,
        Option(
            "--bucket-name-prefix",
            "name_prefix",
            metavar="PREFIX",
            default="",
            help="Without a URL: only the buckets whose names begin with this.",
        ),
        Option(
            "--bucket-region",
            metavar="REGION",
            default="",
            help="Without a URL: only the buckets of this region, where the store tells of regions.",
        ),
        *COMMON,
    ],
    summary="List buckets, prefixes and objects",
    details=_DETAILS,
    exits={1: "a prefix was named, and nothing begins with it"},
    examples=[
        "deltaglider ls",
        "deltaglider ls s3://releases/v1.0.0/",
        "deltaglider ls s3://releases --recursive --human-readable --summarize",
    ],
)
