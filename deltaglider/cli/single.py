"""One object up, down or across: an outcome, as bulk work has one for each of its items."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

from deltaglider.cli import paths
from deltaglider.cli.exits import FatalError
from deltaglider.cli.options import Given
from deltaglider.cli.session import Session
from deltaglider.errors import (
    ClientStateError,
    ConfigurationError,
    DeltaGliderError,
    InvalidInputError,
    NotFoundError,
)
from deltaglider.events import AllFound, ItemFinished, ItemFound, ItemStarted
from deltaglider.layout.uri import S3Uri, is_s3_uri
from deltaglider.models import BulkSummary, Outcome

Work = Callable[[], Awaitable[tuple[int, int]]]
"""Does the work; gives the bytes of the file, and those stored or fetched for it."""


async def upload(
    session: Session,
    given: Given,
    path: Path,
    target: str,
    *,
    dryrun: bool,
    move: bool = False,
    preserve: bool = False,
    escape: bool = False,
) -> BulkSummary:
    """Uploads a file.

    Args:
        session: What does it.
        given: How it is stored.
        path: The file; it exists.
        target: As the user wrote it.
        dryrun: Only find out.
        move: Remove the source then.
        preserve: Keep the time and mode of the file.
        escape: The file's name stands for another one, as ``bulk.escape`` has it.

    Returns:
        What it came to.
    """
    uri = paths.object_target(target, _unescaped(path.absolute().name) if escape else path.absolute().name)
    planned = Outcome("move" if move else "upload", "planned", str(path), str(uri), path.stat().st_size)
    obstacle = _unreadable(path, planned, target)
    if obstacle is not None or dryrun:
        return told(session, obstacle or planned)

    async def work() -> tuple[int, int]:
        summary = await session.client.upload(path, str(uri), move=move, preserve=preserve, **given.for_uploads())
        return summary.original_size, summary.stored_size

    return await transfer(session, planned, work)


async def download(
    session: Session,
    uri: S3Uri,
    target: str,
    *,
    dryrun: bool,
    move: bool = False,
    preserve: bool = False,
    escape: bool = False,
) -> BulkSummary:
    """Downloads an object; the file gets its time.

    Args:
        session: What does it.
        uri: The object.
        target: As the user wrote it.
        dryrun: Only find out.
        move: Remove the source then.
        preserve: Give the file the time and mode kept with the object.
        escape: In a directory, give the file a name that every system takes.

    Returns:
        What it came to.

    Raises:
        NotFoundError: There is no such object.
    """
    # Imported here: mistakes on the command line need nothing of it.
    from deltaglider.bulk.escape import escaped
    from deltaglider.bulk.names import refusal

    name = escaped(uri.key.rsplit("/", 1)[-1]) if escape and not uri.is_directory else uri.key.rsplit("/", 1)[-1]
    path = paths.file_target(target, name)
    planned = Outcome(
        "move" if move else "download", "planned", str(uri), str(path), await _size_of(session, uri, dryrun=dryrun)
    )
    reason = refusal(name) if paths.takes_name(target) and not uri.is_directory else ""
    skipped = dataclasses.replace(planned, status="skipped", message=reason) if reason else None
    obstacle = skipped or _unwritable(path, planned)
    if obstacle is not None or dryrun:
        return told(session, obstacle or planned)

    async def work() -> tuple[int, int]:
        summary = await session.client.download(
            str(uri),
            path,
            keep_mtime=True,
            marker=True,
            move=move,
            preserve=preserve,
            no_overwrite=session.given.no_overwrite,
        )
        return summary.size, summary.fetched

    return await transfer(session, planned, work)


async def copy(
    session: Session, given: Given, uri: S3Uri, target: str, *, dryrun: bool, move: bool = False
) -> BulkSummary:
    """Copies an object.

    Args:
        session: What does it.
        given: How it is stored.
        uri: The object.
        target: As the user wrote it.
        dryrun: Only find out.
        move: Remove the source then.

    Returns:
        What it came to.

    Raises:
        NotFoundError: There is no such object.
    """
    to = paths.object_target(target, uri.key.rsplit("/", 1)[-1])
    planned = Outcome(
        "move" if move else "copy", "planned", str(uri), str(to), await _size_of(session, uri, dryrun=dryrun)
    )
    if dryrun:
        return told(session, planned)

    async def work() -> tuple[int, int]:
        summary = await session.client.copy(str(uri), str(to), marker=True, move=move, **given.for_copies())
        return summary.original_size, summary.stored_size

    return await transfer(session, planned, work)


def require_object(uri: S3Uri) -> None:
    """Checks that a source can be an object.

    Raises:
        FatalError: It is a bucket.
    """
    if not uri.key:
        remedy = "Add --recursive for all that is in it"
        raise FatalError(InvalidInputError("a bucket is not an object", uri=str(uri), remedy=remedy))


async def transfer(session: Session, planned: Outcome, work: Work, *, tell: bool = True) -> BulkSummary:
    """Does one piece of work and tells what became of it.

    Args:
        session: Who is told.
        planned: What is to be done.
        work: Does it.
        tell: Whether success is told too.

    Returns:
        What it came to.

    Raises:
        NotFoundError: The object to read is not there.
        ConfigurationError: Nothing can work.
    """
    session.display(ItemFound(planned.size))
    session.display(AllFound())
    session.display(ItemStarted(planned.action, planned.source, planned.target))
    try:
        size, stored = await work()
        outcome = dataclasses.replace(planned, status="done", size=size, stored=stored)
    except (ConfigurationError, ClientStateError):
        raise
    except DeltaGliderError as error:
        if isinstance(error, NotFoundError) and _needs_its_source(planned):
            _raise_if_missing(error, S3Uri.parse(planned.source))
        outcome = _left_alone(session.given, planned, error) or dataclasses.replace(
            planned, status="failed", message=str(error), error=error
        )
    session.display(ItemFinished(outcome))
    return told(session, outcome, tell=tell)


def told(session: Session, outcome: Outcome, *, tell: bool = True) -> BulkSummary:
    """Tells an outcome that is decided.

    Args:
        session: Who is told.
        outcome: The outcome.
        tell: Whether success is told too.

    Returns:
        What it comes to, all in all.
    """
    if tell or outcome.status != "done":
        session.printer.outcome(outcome)
    if outcome.status == "failed":
        return BulkSummary(failed=1, failures=(outcome,))
    if outcome.status == "done":
        return BulkSummary(done=1, size=outcome.size, stored=outcome.stored)
    return BulkSummary(skipped=int(outcome.status == "skipped"), unchanged=int(outcome.status == "unchanged"))


def _left_alone(given: Given, planned: Outcome, error: DeltaGliderError) -> Outcome | None:
    # Imported here: few transfers end like this.
    from deltaglider.bulk.leaving import left_alone

    return left_alone(planned, error, no_overwrite=given.no_overwrite, archived=given.archived)


def _unescaped(name: str) -> str:
    from deltaglider.bulk.escape import unescaped

    return unescaped(name)


async def _size_of(session: Session, uri: S3Uri, *, dryrun: bool) -> int:
    # The read itself tells; it is asked for before only where somebody wants to know before.
    if uri.is_directory or not (dryrun or session.display.wanted):
        return 0
    return (await session.client.head(str(uri))).size


def _needs_its_source(planned: Outcome) -> bool:
    """Whether a missing object ends all; to a stream it is the item's own failure, as in ``aws``."""
    return planned.action != "delete" and is_s3_uri(planned.source) and planned.target != paths.STREAM


def _raise_if_missing(error: NotFoundError, source: S3Uri) -> None:
    """Lets an error pass that says that there is no source, or no bucket for it; any other is the item's own."""
    if error.uri == str(source) and source.is_directory:
        remedy = "Add --recursive for all that is in it"
        raise NotFoundError(error.message, uri=error.uri, remedy=remedy) from error
    if error.uri in (str(source), str(S3Uri(source.bucket))):
        raise error


def _unreadable(path: Path, planned: Outcome, target: str) -> Outcome | None:
    """Why a file cannot be uploaded, in the words of ``aws s3``."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        message = "[Errno 21] Is a directory. Add --recursive for all that is in it"
        return dataclasses.replace(
            planned, status="failed", source=f"{path}/", target=str(S3Uri.parse(target)), message=message
        )
    reason = ""
    if not stat.S_ISREG(mode):
        reason = "File is character special device, block special device, FIFO, or socket."
    elif not os.access(path, os.R_OK):
        reason = "File/Directory is not readable."
    return dataclasses.replace(planned, status="skipped", message=reason) if reason else None


def _unwritable(path: Path, planned: Outcome) -> Outcome | None:
    if not path.is_dir():
        return None
    message = "[Errno 21] Is a directory. Name a file, or another directory"
    ending = "/" if planned.source.endswith("/") else ""  # The object has no name to take in the directory.
    return dataclasses.replace(planned, status="failed", target=f"{path}{ending}", message=message)
