"""Uploads in parts that a client has begun: their parts wait on this machine until they are completed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from deltaglider.engine.spool import Spool
from deltaglider.files import CHUNK, digests_of, local_errors, stop_if_cancelled
from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        number: Its number, 1 to 10000.
        path: The file that holds it.
        md5: Of its bytes, in hex: its ETag.
        size: Its bytes.
        stored: When it came.
    """

    number: int
    path: Path
    md5: str
    size: int
    stored: datetime


@dataclass(slots=True, eq=False)
class Pending:
    """One upload.

    Attributes:
        bucket: The bucket.
        key: The object's key.
        directory: Where its parts are.
        held: Owns the directory.
        parameters: Of the object: metadata, headers, tags, by boto3's names.
        id: Its name.
        began: When.
        parts: Its parts, by their numbers.
        moved_to: The store's own name of the upload, once it was handed over to the store.
        lock: Held while it is completed or handed over.
    """

    bucket: str
    key: str
    directory: Path
    held: ExitStack
    parameters: Mapping[str, Any]
    id: str = dataclasses.field(default_factory=lambda: f"dg-{uuid.uuid4().hex}")
    began: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    parts: dict[int, Part] = dataclasses.field(default_factory=dict)
    moved_to: str = ""
    lock: anyio.Lock = dataclasses.field(default_factory=anyio.Lock)

    def add(self, number: int, source: Path, *, take: bool) -> Part:
        """Makes a file a part, in the place of an earlier one of that number. Blocks.

        Args:
            number: The part's number.
            source: The file.
            take: Whether it may be taken away; otherwise it is copied.

        Returns:
            The part.

        Raises:
            LocalFileError: There is no room for it.
        """
        path = self.directory / uuid.uuid4().hex
        with local_errors(str(self.directory), "a part cannot be kept"):
            if take:
                source.rename(path)
            else:
                shutil.copyfile(source, path)
            digests = digests_of(path)
        part = Part(number, path, digests.md5, digests.size, datetime.now(UTC).replace(microsecond=0))
        earlier = self.parts.get(number)
        self.parts[number] = part
        if earlier is not None:
            earlier.path.unlink(missing_ok=True)
        return part

    def join(self, parts: Sequence[Part], target: Path) -> None:
        """Writes parts to one file. Blocks.

        Args:
            parts: They, in order.
            target: The file.

        Raises:
            LocalFileError: There is no room for it.
        """
        with local_errors(str(target), "the parts cannot be put together"), target.open("wb") as out:
            for part in parts:
                with part.path.open("rb") as file:
                    while data := file.read(CHUNK):
                        out.write(data)
                        stop_if_cancelled()


class PendingUploads:
    """All of one client; they end with it, and after a crash they go like its other temporary files.

    Args:
        spool: Where parts wait.
    """

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._uploads: dict[str, Pending] = {}

    def begin(self, bucket: str, key: str, parameters: Mapping[str, Any]) -> Pending:
        """Begins an upload.

        Args:
            bucket: The bucket.
            key: The object's key.
            parameters: Of the object.

        Returns:
            The upload.
        """
        with ExitStack() as stack:
            directory = stack.enter_context(self._spool.directory())
            upload = Pending(bucket, key, directory, stack.pop_all(), parameters)
        self._uploads[upload.id] = upload
        return upload

    def find(self, bucket: str, key: str, name: str) -> Pending | None:
        """An upload of this client's.

        Args:
            bucket: The bucket.
            key: The object's key.
            name: The upload's.

        Returns:
            The upload; ``None`` if there is none of that name to that key.
        """
        upload = self._uploads.get(name)
        return upload if upload is not None and (upload.bucket, upload.key) == (bucket, key) else None

    def of(self, bucket: str) -> Iterator[Pending]:
        """Those to a bucket whose parts wait here, by key and age.

        Args:
            bucket: The bucket.

        Yields:
            Uploads.
        """
        found = [each for each in self._uploads.values() if each.bucket == bucket and not each.moved_to]
        yield from sorted(found, key=lambda each: (os.fsencode(each.key), each.began, each.id))

    def drop(self, upload: Pending) -> None:
        """Forgets an upload and its parts. Harmless if repeated.

        Args:
            upload: The upload.
        """
        self._uploads.pop(upload.id, None)
        upload.held.close()

    def close(self) -> None:
        """Forgets all. Harmless if repeated."""
        for upload in list(self._uploads.values()):
            self.drop(upload)
