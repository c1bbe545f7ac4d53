"""What ``cp`` and ``mv`` have in common: one file or object, or a tree of them, up, down, or across the store."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from deltaglider.cli import single
from deltaglider.cli.exits import ExitCode, fatal_errors
from deltaglider.cli.options import Given
from deltaglider.cli.session import Session, open_session
from deltaglider.cli.sources import Patterns, require_local, takes_file, takes_key
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Action, BulkSummary


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line says.

    Attributes:
        action: What a transfer in this direction is called.
        source: As the user wrote it.
        target: As the user wrote it.
        filters: Which names take part.
        recursive: Whether source and target are directories.
        dryrun: Only find out.
        follow_symlinks: Upload what symbolic links lead to.
        fail_fast: Begin nothing more after the first failure.
        move: Remove the source then.
        warning: What the user should know before; empty for nothing.
    """

    action: Action
    source: str
    target: str
    filters: Patterns
    recursive: bool
    dryrun: bool
    follow_symlinks: bool
    fail_fast: bool
    move: bool = False
    warning: str = ""


async def transfer(given: Given, request: Request) -> ExitCode:
    """Does what was asked for, and tells of it.

    Args:
        given: What the common options said.
        request: The rest.

    Returns:
        The exit code.

    Raises:
        SourceMissingError: There is no such local source.
        FatalError: What was to be transferred could not be found out.
    """
    if request.action == "upload":
        require_local(request.source)
    async with open_session(given, progress=True) as session:
        if request.warning:
            session.printer.warning(request.warning)
        with fatal_errors():
            summary = await (_tree if request.recursive else _one)(session, given, request)
        return session.finish("mv" if request.move else "cp", request.action, summary, dryrun=request.dryrun)


async def _one(session: Session, given: Given, request: Request) -> BulkSummary:
    target, how = request.target, {"dryrun": request.dryrun, "move": request.move}
    if request.action == "upload":
        path = Path(request.source)
        if not takes_file(request.filters, path, follow_symlinks=request.follow_symlinks):
            return BulkSummary()
        return await single.upload(session, given, path, target, **how)
    uri = S3Uri.parse(request.source)
    single.require_object(uri)
    if not takes_key(request.filters, uri.key):
        return BulkSummary()
    if request.action == "download":
        return await single.download(session, uri, target, **how)
    return await single.copy(session, given, uri, target, **how)


async def _tree(session: Session, given: Given, request: Request) -> BulkSummary:
    client, source, target = session.client, request.source, request.target
    common: dict[str, Any] = {
        "filters": request.filters,
        "dryrun": request.dryrun,
        "fail_fast": request.fail_fast,
        "move": request.move,
        "report": session.printer.outcome,
    }
    if request.action == "upload":
        return await client.upload_directory(
            source, target, follow_symlinks=request.follow_symlinks, **common, **given.for_uploads()
        )
    if request.action == "download":
        return await client.download_directory(source, target, **common)
    return await client.copy_directory(source, target, **common, **given.for_copies())
