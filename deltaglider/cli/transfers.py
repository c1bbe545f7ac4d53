"""What ``cp`` and ``mv`` have in common: one file or object, several, or a tree of them, up, down, or across."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncclick

from deltaglider.cli import paths, single
from deltaglider.cli.exits import ExitCode, fatal_errors
from deltaglider.cli.names import names_from
from deltaglider.cli.options import Given
from deltaglider.cli.session import Session, open_session
from deltaglider.cli.sources import Patterns, require_local, takes_file, takes_key
from deltaglider.late import dataclass
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Action, BulkSummary

if TYPE_CHECKING:
    from deltaglider.bulk.caseconflict import CaseConflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line says.

    Attributes:
        action: What a transfer in this direction is called.
        sources: As the user wrote them.
        target: As the user wrote it.
        filters: Which names take part.
        recursive: Whether source and target are directories.
        dryrun: Only find out.
        follow_symlinks: Upload what symbolic links lead to.
        fail_fast: Begin nothing more after the first failure.
        files_from: Where the names are of what is to be transferred; ``None`` for all that is there.
        from0: Names there end with NUL characters.
        preserve: Keep times and modes of files, and give them back.
        escape_names: Write and read keys as names of files that every system takes.
        case_conflict: What becomes of objects whose names differ only by case.
        move: Remove the source then.
        warning: What the user should know before; empty for nothing.
    """

    action: Action
    sources: tuple[str, ...]
    target: str
    filters: Patterns
    recursive: bool
    dryrun: bool
    follow_symlinks: bool
    fail_fast: bool
    files_from: str | None = None
    from0: bool = False
    preserve: bool = False
    escape_names: bool = False
    case_conflict: CaseConflict = "ignore"
    move: bool = False
    warning: str = ""

    @classmethod
    def of(cls, sources: Sequence[str], target: str, *, usage: str, **options: Any) -> Request:
        """What the command line says, once it is sure that it can mean something.

        Args:
            sources: As the user wrote them.
            target: As the user wrote it.
            usage: The command.
            **options: The other attributes.

        Returns:
            The request.

        Raises:
            asyncclick.UsageError: It cannot.
            InvalidUriError: One is an ``s3://`` URI that cannot be.
        """
        action, *others = [paths.direction(source, target, usage=usage) for source in sources]
        request = cls(action=action, sources=tuple(sources), target=target, **options)
        if any(other != action for other in others):
            raise asyncclick.UsageError("Some sources are files here, some are objects: transfer them apart")
        if request.files_from is not None and (others or paths.STREAM in (*sources, target)):
            raise asyncclick.UsageError("--files-from takes one source, which is a directory or prefix")
        if others and paths.STREAM in (*sources, target):
            raise asyncclick.UsageError("'-' is one object: it goes alone")
        if others and not request.recursive and not paths.takes_several(target):
            raise asyncclick.UsageError(f"{target} is no directory: end it with a slash to take several files")
        return request

    @property
    def source(self) -> str:
        """The one there is."""
        (source,) = self.sources
        return source


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
        for source in request.sources:
            require_local(source)
    async with open_session(given, progress=True) as session:
        if request.warning:
            session.printer.warning(request.warning)
        with fatal_errors():
            summary = await _done(session, given, request)
        return session.finish("mv" if request.move else "cp", request.action, summary, dryrun=request.dryrun)


async def _done(session: Session, given: Given, request: Request) -> BulkSummary:
    if request.recursive or request.files_from is not None:
        whole = BulkSummary()
        for source in request.sources:
            if not (request.fail_fast and whole.failed):
                whole += await _tree(session, given, dataclasses.replace(request, sources=(source,)))
        return whole
    return await (_one if len(request.sources) == 1 else _several)(session, given, request)


async def _several(session: Session, given: Given, request: Request) -> BulkSummary:
    options = given.for_syncs()
    return await session.client.transfer(
        request.sources,
        request.target,
        follow_symlinks=request.follow_symlinks,
        preserve=request.preserve,
        escape_names=request.escape_names,
        case_conflict=request.case_conflict,
        **_common(session, request),
        **options,
    )


async def _one(session: Session, given: Given, request: Request) -> BulkSummary:
    target, how = request.target, {"dryrun": request.dryrun, "move": request.move}
    local = {**how, "preserve": request.preserve, "escape": request.escape_names}
    if request.action == "upload":
        path = Path(request.source)
        if not takes_file(request.filters, path, follow_symlinks=request.follow_symlinks):
            return BulkSummary()
        return await single.upload(session, given, path, target, **local)
    uri = S3Uri.parse(request.source)
    single.require_object(uri)
    if not takes_key(request.filters, uri.key):
        return BulkSummary()
    if request.action == "download":
        return await single.download(session, uri, target, **local)
    return await single.copy(session, given, uri, target, **how)


async def _tree(session: Session, given: Given, request: Request) -> BulkSummary:
    client, source, target = session.client, request.source, request.target
    common = _common(session, request)
    if request.files_from is not None:
        common["names"] = names_from(request.files_from, zero=request.from0)
    if request.action != "copy":
        common |= {"preserve": request.preserve, "escape_names": request.escape_names}
    if request.action == "download":
        common["case_conflict"] = request.case_conflict
    if request.action == "upload":
        return await client.upload_directory(
            source, target, follow_symlinks=request.follow_symlinks, **common, **given.for_uploads()
        )
    if request.action == "download":
        return await client.download_directory(source, target, **common, **given.for_downloads())
    return await client.copy_directory(source, target, **common, **given.for_copies(), archived=given.archived)


def _common(session: Session, request: Request) -> dict[str, Any]:
    return {
        "filters": request.filters,
        "dryrun": request.dryrun,
        "fail_fast": request.fail_fast,
        "move": request.move,
        "report": session.printer.outcome,
    }
