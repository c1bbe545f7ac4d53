"""The ways between two places: up, down, and across the store; of trees, and of some files or objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from deltaglider.bulk.caseconflict import told_apart
from deltaglider.bulk.destination import Destination
from deltaglider.bulk.entries import Entry, LocalEntry, RemoteEntry
from deltaglider.bulk.escape import unescaped
from deltaglider.bulk.jobs import JobMaker
from deltaglider.bulk.named import below, local_named, remote_named, under
from deltaglider.bulk.options import BulkOptions
from deltaglider.bulk.plan import Delete, Entries, files_only, filtered
from deltaglider.bulk.remote import downloadable, remote_entries, with_metadata
from deltaglider.bulk.run import Job
from deltaglider.bulk.verbs import Verbs
from deltaglider.bulk.walk import Links, local_entries, require_directory
from deltaglider.errors import InvalidInputError
from deltaglider.late import dataclass
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Action
from deltaglider.threads import in_thread

S = TypeVar("S", bound=Entry)
T = TypeVar("T", bound=Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way(Generic[S]):
    """What is to be transferred, and how.

    Attributes:
        action: What a transfer is called.
        sources: Walks or lists the source, filters applied.
        transfer: The job of a transfer.
    """

    action: Action
    sources: Callable[[], Entries[S]]
    transfer: Callable[[S], Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Way[S], Generic[S, T]):
    """A source and a target, and how to get from one to the other.

    Attributes:
        target: Path or URI of the target.
        targets: Walks or lists the target, filters applied.
        delete: The job of a delete in the target.
        deletable: Whether an entry of the target may be deleted at all.
        create: The job of a transfer to where the listing of the target shows nothing; ``None``: like any.
    """

    target: str
    targets: Callable[[], Entries[T]]
    delete: Callable[[Delete], Job]
    deletable: Callable[[T], bool]
    create: Callable[[S], Job] | None = None


async def up(verbs: Verbs, source: Path, target: S3Uri, options: BulkOptions) -> Route[LocalEntry, RemoteEntry]:
    """From a local directory to a place in the store.

    Raises:
        LocalFileError: The source is not a directory, or is missing.
    """
    await in_thread(require_directory, source, limiter=verbs.files)
    place, keeps, make = target.as_directory(), options.filters.rooted(source), JobMaker(verbs, options)
    links = _links(options)
    return Route(
        action="upload",
        target=str(place),
        sources=lambda: filtered(_files_of(verbs, source, options, links), keeps),
        targets=lambda: _targets(verbs, place, keeps, options),
        transfer=lambda entry: make.upload(entry, place),
        create=lambda entry: make.upload(entry, place, is_new=True),
        delete=lambda step: make.delete(step, place),
        deletable=lambda entry: True,
    )


async def down(verbs: Verbs, source: S3Uri, target: Path, options: BulkOptions) -> Route[RemoteEntry, LocalEntry]:
    """From a place in the store to a local directory, which is made unless the run is dry.

    Raises:
        LocalFileError: The target cannot be made, or is not a directory.
    """
    destination = Destination(target, escape=options.escape_names)
    await in_thread(destination.check if options.dryrun else destination.create, limiter=verbs.files)
    place, keeps, make = source.as_directory(), options.filters.rooted(target), JobMaker(verbs, options)
    return Route(
        action="download",
        target=str(target),
        sources=lambda: files_only(
            told_apart(
                downloadable(
                    _timed(filtered(_objects_of(verbs, place, options.names), keeps), verbs, options),
                    destination.local_name,
                ),
                destination,
                options.case_conflict,
                limiter=verbs.files,
            )
        ),
        targets=lambda: filtered(
            local_entries(target, limiter=verbs.files, links="inside", escape=options.escape_names), keeps
        ),
        transfer=lambda entry: make.download(entry, destination),
        delete=lambda step: make.remove(step, destination),
        # What is seen through a link has its own name elsewhere in the tree, and is judged there.
        deletable=lambda entry: not entry.linked,
    )


async def across(verbs: Verbs, source: S3Uri, target: S3Uri, options: BulkOptions) -> Route[RemoteEntry, RemoteEntry]:
    """From one place in the store to another.

    Where the target lies inside the source, what is in it is no part of the source: it would be copied into itself
    without end. Where the source lies inside the target, nothing in the source is deleted.

    Raises:
        InvalidInputError: They are the same place.
    """
    here, there = source.as_directory(), target.as_directory()
    if here == there:
        raise InvalidInputError("source and target are the same place", uri=str(here), remedy="Name another target")
    keeps, make = options.filters.rooted(), JobMaker(verbs, options)
    target_in_source, source_in_target = _inside(there, here), _inside(here, there)
    return Route(
        action="copy",
        target=str(there),
        sources=lambda: _timed(
            filtered(_objects_of(verbs, here, options.names, without=target_in_source), keeps), verbs, options
        ),
        targets=lambda: _targets(verbs, there, keeps, options),
        transfer=lambda entry: make.copy(entry, there),
        delete=lambda step: make.delete(step, there),
        deletable=lambda entry: source_in_target is None or not entry.name.startswith(source_in_target),
    )


def files_up(verbs: Verbs, files: Sequence[Path], target: S3Uri, options: BulkOptions) -> Way[LocalEntry]:
    """Some files to a place in the store, each under its own name."""
    place, make = target.as_directory(), JobMaker(verbs, options)
    names = [path.absolute().name for path in files]
    named = list(zip(map(unescaped, names) if options.escape_names else names, files, strict=True))
    keeps = options.filters.rooted(*{path.absolute().parent for path in files})
    return Way(
        action="upload",
        sources=lambda: filtered(local_named(named, limiter=verbs.files, links=_links(options)), keeps),
        transfer=lambda entry: make.upload(entry, place),
    )


async def objects_down(verbs: Verbs, objects: Sequence[S3Uri], target: Path, options: BulkOptions) -> Way[RemoteEntry]:
    """Some objects to a local directory, each under its own name.

    Raises:
        LocalFileError: The target cannot be made, or is not a directory.
    """
    destination = Destination(target, escape=options.escape_names)
    await in_thread(destination.check if options.dryrun else destination.create, limiter=verbs.files)
    make, keeps = JobMaker(verbs, options), options.filters.rooted(target)
    return Way(
        action="download",
        sources=lambda: told_apart(
            downloadable(filtered(_asked_for(verbs, _named(objects)), keeps), destination.local_name),
            destination,
            options.case_conflict,
            limiter=verbs.files,
        ),
        transfer=lambda entry: make.download(entry, destination),
    )


def objects_across(verbs: Verbs, objects: Sequence[S3Uri], target: S3Uri, options: BulkOptions) -> Way[RemoteEntry]:
    """Some objects to another place in the store, each under its own name."""
    place, make, keeps = target.as_directory(), JobMaker(verbs, options), options.filters.rooted()
    return Way(
        action="copy",
        sources=lambda: filtered(_asked_for(verbs, _named(objects)), keeps),
        transfer=lambda entry: make.copy(entry, place),
    )


def _links(options: BulkOptions) -> Links:
    return "follow" if options.follow_symlinks else "skip"


def _files_of(verbs: Verbs, root: Path, options: BulkOptions, links: Links) -> Entries[LocalEntry]:
    if options.names is None:
        return local_entries(root, limiter=verbs.files, links=links, escape=options.escape_names)
    return local_named(below(root, options.names, escape=options.escape_names), limiter=verbs.files, links=links)


def _objects_of(
    verbs: Verbs, place: S3Uri, names: Iterable[str] | None, *, without: str | None = None
) -> Entries[RemoteEntry]:
    if names is None:
        return remote_entries(verbs.listing, place, without=without)
    return _asked_for(verbs, under(place, names))


def _targets(verbs: Verbs, place: S3Uri, keeps: Callable[[str], bool], options: BulkOptions) -> Entries[RemoteEntry]:
    return _timed(filtered(remote_entries(verbs.listing, place), keeps), verbs, options)


def _timed(entries: Entries[RemoteEntry], verbs: Verbs, options: BulkOptions) -> Entries[RemoteEntry]:
    """The entries, with the metadata that tell the times of files if these are to be compared."""
    return with_metadata(entries, verbs.contents.stored) if options.preserve else entries


def _named(objects: Sequence[S3Uri]) -> list[tuple[str, S3Uri]]:
    return [(uri.key.rsplit("/", 1)[-1], uri) for uri in objects]


def _asked_for(verbs: Verbs, objects: Iterable[tuple[str, S3Uri]]) -> Entries[RemoteEntry]:
    return remote_named(objects, verbs.head, limiter=verbs.files, workers=verbs.workers)


def _inside(inner: S3Uri, outer: S3Uri) -> str | None:
    """The name of a place inside another one; ``None`` if it does not lie there."""
    lies_there = inner.bucket == outer.bucket and inner.key.startswith(outer.key)
    return inner.key[len(outer.key) :] if lies_there else None
