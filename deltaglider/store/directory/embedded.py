"""What the embedded store does, step by step, blocking: it is for worker threads. ``directory`` is its async face.

    <root>/index.db     what is stored: keys, metadata, conditions, order (``index``, ``catalog``, ``pages``)
    <root>/blobs/       the bodies, one file each, never changed (``blobs``)

A write brings its body to the disk and then changes the index in one transaction: at every moment, for every process,
an object is there whole or not at all. Whoever is killed in between leaves a file that nothing names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from io import FileIO
from pathlib import Path
from typing import BinaryIO, TypeVar

from anyio import from_thread

from deltaglider.errors import ChecksumMismatchError, IntegrityError, StoreError
from deltaglider.files import CHUNK, local_errors, settle_names
from deltaglider.late import dataclass
from deltaglider.store.base import StoredObject
from deltaglider.store.directory import catalog
from deltaglider.store.directory.blobs import Blobs, Draft
from deltaglider.store.directory.catalog import Condition, Entry, location
from deltaglider.store.directory.disk import is_full
from deltaglider.store.directory.index import Index, IndexMissingError

T = TypeVar("T")

Progress = Callable[[int], None]
"""Told of each piece of a body, in bytes; raises to stop the work."""

ORPHAN_AGE = 24 * 3600
"""Seconds after which a body that the index does not name is that of a dead writer; also how often one looks."""

logger = logging.getLogger("deltaglider.store")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a copy goes, and what it does not have from its source.

    Attributes:
        bucket: The bucket.
        key: The key.
        described: New metadata and headers; ``None`` for those of the source.
        tags: New tags; ``None`` for those of the source.
    """

    bucket: str
    key: str
    described: tuple[Mapping[str, str], Mapping[str, str]] | None
    tags: Mapping[str, str] | None


class Embedded:
    """One store, as one process sees it.

    Args:
        root: Its directory.
        timeout: Seconds to wait for other writers.
    """

    def __init__(self, root: Path, timeout: float) -> None:
        self.root = root
        self.index = Index(root / "index.db", timeout)
        self.blobs = Blobs(root / "blobs")
        self._upkeep_due = 0.0

    def read(self, bucket: str, query: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a query of ``catalog`` or ``pages``.

        Raises:
            BucketNotFoundError: There is no store yet, hence no bucket.
        """
        try:
            return self.index.read(query)
        except IndexMissingError:
            raise catalog.bucket_missing(bucket) from None

    def write(self, bucket: str, change: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a change of ``catalog``; the rest is as for ``read``."""
        try:
            return self.index.write(change)
        except IndexMissingError:
            raise catalog.bucket_missing(bucket) from None

    def create_bucket(self, bucket: str) -> None:
        """Makes a bucket, and the store with the first one."""
        catalog.check_bucket_name(bucket)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.blobs.create()
        self.index.create()
        settle_names(self.root)
        self.index.write(partial(catalog.create_bucket, bucket=bucket))

    def open(self, bucket: str, key: str, if_match: str | None) -> tuple[StoredObject, FileIO]:
        """An object and its body, of one generation."""
        entry, body = self._with_body(bucket, key, if_match, lambda entry: self.blobs.open(entry.blob))
        if os.fstat(body.fileno()).st_size != entry.info.size:
            body.close()
            raise self._lost(entry, "has another size than was stored")
        return entry.info, body

    def fetch(self, bucket: str, key: str, path: Path, if_match: str | None, progress: Progress) -> StoredObject:
        """Copies a body into a file."""
        info, body = self.open(bucket, key, if_match)
        buffer = memoryview(bytearray(min(CHUNK, info.size) or 1))
        left = info.size
        with body, contextlib.ExitStack() as stack:
            with local_errors(str(path), "cannot be written"):
                target = stack.enter_context(path.open("wb", buffering=0))
            while left:
                count = body.readinto(buffer)
                if not count:
                    raise ended_early(info)
                left -= count
                with local_errors(str(path), "cannot be written"):
                    _write_all(target, buffer[:count])
                progress(count)
        return info

    def put(self, target: Entry, source: Path | bytes, sha256: str, condition: Condition, progress: Progress) -> str:
        """Stores a body and what ``target`` says about it; body, size, ETag and time of ``target`` are left out.

        Returns:
            The ETag.

        Raises:
            ChecksumMismatchError: The source changed while it was read.
        """
        # Before the body is copied: a write that cannot be shall not take long to say so.
        info = target.info
        self.read(info.bucket, partial(catalog.check, bucket=info.bucket, key=info.key, condition=condition))
        self._upkeep()
        with self.blobs.draft() as draft, draft.write() as file:
            size, found, etag = _fill(file, source, progress)
            if found != sha256.lower():
                raise ChecksumMismatchError(
                    f"{source if isinstance(source, Path) else 'the source'} changed while it was being stored",
                    uri=location(info.bucket, info.key),
                    remedy="Try again when nothing writes to it",
                )
            draft.settle(file)
            from_thread.check_cancelled()
            self._enter(
                draft, Entry(dataclasses.replace(info, size=size, etag=etag), draft.name, target.tags), condition
            )
        return etag

    def copy(self, origin: tuple[str, str], if_match: str | None, target: Target, condition: Condition) -> str:
        """Stores the body of an object under another key too.

        Args:
            origin: The source's bucket and key.
            if_match: The ETag the source must have.
            target: Where to, and what is new.
            condition: What must hold of the target.

        Returns:
            The ETag.
        """
        self._upkeep()
        with self.blobs.draft() as draft:
            entry, _ = self._with_body(*origin, if_match, lambda entry: draft.link(entry.blob))
            info = dataclasses.replace(entry.info, bucket=target.bucket, key=target.key)
            if target.described is not None:
                metadata, headers = target.described
                info = dataclasses.replace(info, metadata=metadata, headers=headers)
            tags = entry.tags if target.tags is None else target.tags
            self._enter(draft, Entry(info, draft.name, tags), condition)
        return entry.info.etag

    def delete(self, bucket: str, keys: Sequence[str], etag: str | None = None) -> None:
        """Deletes objects in one transaction; see ``catalog.delete``."""
        self._upkeep()
        for name in self.write(bucket, partial(catalog.delete, bucket=bucket, keys=keys, etag=etag)):
            self.blobs.remove(name)

    def collect_orphans(self, age: float) -> None:
        """Removes the bodies that dead writers left.

        Args:
            age: Seconds; younger ones may belong to a writer that has not got to the index yet.
        """
        self.orphans(age, remove=True)

    def orphans(self, age: float, *, remove: bool) -> int:
        """Finds the bodies that dead writers left.

        Args:
            age: Seconds; younger ones may belong to a writer that has not got to the index yet.
            remove: Remove them, too.

        Returns:
            Their number.
        """
        drafts = self.blobs.abandoned_drafts(age)
        found = len(drafts)
        if remove:
            self.blobs.remove_drafts(drafts)
        for shard in self.blobs.shards():
            from_thread.check_cancelled()
            known = self.index.read(partial(catalog.blobs_between, first=shard, last=shard + "g"))
            strangers = self.blobs.strangers(shard, known, age)
            found += len(strangers)
            if strangers and remove:
                self.index.write(partial(self._remove_unnamed, names=strangers))
        return found

    def _remove_unnamed(self, connection: sqlite3.Connection, names: list[str]) -> None:
        # Inside a write transaction: no other process can enter one of them now, and a late one finds it gone.
        for name in names:
            if not catalog.blobs_between(connection, name, name + "\0"):
                self.blobs.remove(name)

    def _upkeep(self) -> None:
        """Collects orphans once a day, whichever process comes first."""
        if time.monotonic() < self._upkeep_due:
            return
        self._upkeep_due = time.monotonic() + ORPHAN_AGE
        due = partial(catalog.is_due, name="orphans", seconds=ORPHAN_AGE)
        take_turn = partial(catalog.take_turn, name="orphans", seconds=ORPHAN_AGE)
        try:
            if self.index.read(due) and self.index.write(take_turn):
                self.collect_orphans(ORPHAN_AGE)
        except IndexMissingError:
            return
        except (OSError, sqlite3.Error) as error:
            logger.warning("%s: orphans could not be collected: %s", self.root, error)

    def _with_body(self, bucket: str, key: str, if_match: str | None, take: Callable[[Entry], T]) -> tuple[Entry, T]:
        """Looks up an object and takes its body; again if it was replaced between the two."""
        gone = ""
        while True:
            entry = self.read(bucket, partial(catalog.find, bucket=bucket, key=key, if_match=if_match))
            try:
                return entry, take(entry)
            except FileNotFoundError:
                if entry.blob == gone:
                    raise self._lost(entry, "is gone") from None
                gone = entry.blob

    def _enter(self, draft: Draft, entry: Entry, condition: Condition) -> None:
        info = entry.info

        def change(connection: sqlite3.Connection) -> str | None:
            if not draft.is_there():
                raise StoreError(
                    "the write was suspended for so long that another process cleared its body away",
                    uri=location(info.bucket, info.key),
                    remedy="Try again",
                )
            return catalog.replace(connection, entry, condition)

        try:
            replaced = self.write(info.bucket, change)
        except sqlite3.Error as error:
            # Whether the index names it is known only where the disk had no room for that. If not, it is an orphan.
            if not is_full(error) or self._is_named(draft.name):
                draft.keep()
            raise
        draft.keep()
        if replaced:
            self.blobs.remove(replaced)

    def _is_named(self, name: str) -> bool:
        try:
            return bool(self.index.read(partial(catalog.blobs_between, first=name, last=name + "\0")))
        except (sqlite3.Error, IndexMissingError):
            return True  # As far as one can tell.

    def _lost(self, entry: Entry, what: str) -> IntegrityError:
        return IntegrityError(
            f"the body {self.blobs.path(entry.blob)} {what}",
            uri=location(entry.info.bucket, entry.info.key),
            remedy="Put it back from a backup, or delete the object",
        )


def ended_early(info: StoredObject) -> IntegrityError:
    """The error for a body that got shorter while it was read."""
    return IntegrityError(
        f"the body ended before its {info.size} bytes were read",
        uri=location(info.bucket, info.key),
        remedy="Put it back from a backup, or delete the object",
    )


def _fill(file: BinaryIO, source: Path | bytes, progress: Progress) -> tuple[int, str, str]:
    """Copies a source into a file.

    Returns:
        Its size, SHA-256 and MD5.
    """
    size, sha256, md5 = 0, hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with contextlib.closing(_pieces(source)) as pieces:
        for piece in pieces:
            sha256.update(piece)
            md5.update(piece)
            file.write(piece)
            size += len(piece)
            progress(len(piece))
    return size, sha256.hexdigest(), md5.hexdigest()


def _pieces(source: Path | bytes) -> Generator[memoryview, None, None]:
    if not isinstance(source, Path):
        yield from (memoryview(source)[at : at + CHUNK] for at in range(0, len(source), CHUNK))
        return
    buffer = memoryview(bytearray(CHUNK))
    with local_errors(str(source), "cannot be read"), source.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield buffer[:count]


def _write_all(file: FileIO, piece: memoryview) -> None:
    while piece:
        piece = piece[file.write(piece) :]
