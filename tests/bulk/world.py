"""Little real verbs for bulk work: a store that is a dict, and files in temporary directories."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.bulk.entries import LocalEntry, Problem, RemoteEntry
from deltaglider.bulk.verbs import Verbs
from deltaglider.errors import LocalFileNotFoundError, NotFoundError, StoreUnavailableError
from deltaglider.events import Event
from deltaglider.layout.keys import sort_key
from deltaglider.layout.uri import S3Uri
from deltaglider.models import DownloadSummary, ObjectInfo, Outcome, Prefix, UploadSummary

X = TypeVar("X")

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def info(key: str, size: int = 3, modified: datetime = NOON, bucket: str = "b") -> ObjectInfo:
    return ObjectInfo(bucket, key, size, modified, "etag")


def remote(name: str, size: int = 3, modified: datetime = NOON) -> RemoteEntry:
    return RemoteEntry(name, info(name, size, modified))


def local(name: str, size: int = 3, modified: datetime = NOON, *, linked: bool = False) -> LocalEntry:
    return LocalEntry(name, size, modified, Path("/tree") / name, linked)


def problem(name: str, message: str = "File does not exist.") -> Problem:
    return Problem(name, f"/tree/{name}", message)


async def stream(items: Iterable[X]) -> AsyncGenerator[X, None]:
    for item in items:
        yield item


async def collect(items: AsyncIterable[X]) -> list[X]:
    return [item async for item in items]


def write(root: Path, files: dict[str, str | bytes], modified: datetime = NOON) -> Path:
    """Makes files with their contents; the directory too, if there are none."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (modified.timestamp(), modified.timestamp()))
    return root


def read(root: Path) -> dict[str, str]:
    """All regular files below a directory, links not followed."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                found[path.relative_to(root).as_posix()] = path.read_text()
    return found


@dataclasses.dataclass
class World:
    """One store and what happened in it.

    Attributes:
        objects: Content and time by URI.
        clock: What the next object stored gets as its time.
        listing_breaks_after: Objects of each listing after which it fails.
        errors: What fails, by key or path name, and how.
        held: What waits for an event before it is done, by key.
        retired: How often the deletes were finished.
    """

    objects: dict[str, tuple[bytes, datetime]] = dataclasses.field(default_factory=dict)
    clock: datetime = NOON
    listing_breaks_after: dict[str, int] = dataclasses.field(default_factory=dict)
    errors: dict[str, Exception] = dataclasses.field(default_factory=dict)
    retire_error: Exception | None = None
    retired: int = 0
    events: list[Event] = dataclasses.field(default_factory=list)
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    workers: int = 4
    temp_dir: Path | None = None

    def put(self, objects: dict[str, str], modified: datetime | None = None, bucket: str = "b") -> None:
        for key, content in objects.items():
            self.objects[f"s3://{bucket}/{key}"] = (content.encode(), modified or self.clock)

    def keys(self, bucket: str = "b") -> dict[str, str]:
        start = f"s3://{bucket}/"
        return {uri[len(start) :]: data.decode() for uri, (data, _) in self.objects.items() if uri.startswith(start)}

    def verbs(self) -> Verbs:
        return Verbs(
            upload=self._upload,
            download=self._download,
            copy=self._copy,
            delete=self._delete,
            retire=self._retire,
            head=self._head,
            listing=self._list,
            workers=self.workers,
            observer=self.events.append,
            temp_dir=self.temp_dir,
        )

    def report(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def lines(self) -> list[str]:
        """The outcomes, sorted, in a form that is easy to compare."""
        return sorted(
            f"{outcome.status} {outcome.action} {outcome.source}" + (f" {outcome.target}" if outcome.target else "")
            for outcome in self.outcomes
        )

    async def _upload(self, path: Path, uri: S3Uri) -> UploadSummary:
        await self._maybe_fail(path.name)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise LocalFileNotFoundError("no such file", uri=str(path)) from None
        return self._store(content, uri)

    async def _copy(self, source: ObjectInfo, uri: S3Uri) -> UploadSummary:
        await self._maybe_fail(source.key)
        return self._store(self.objects[source.url][0], uri)

    async def _download(self, source: ObjectInfo, path: Path) -> DownloadSummary:
        await self._maybe_fail(source.key)
        content, modified = self.objects[source.url]
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(content)
        os.utime(temporary, (modified.timestamp(), modified.timestamp()))
        temporary.replace(path)
        sha256 = hashlib.sha256(content).hexdigest()
        return DownloadSummary(source.bucket, source.key, str(path), len(content), len(content) // 2, sha256, True)

    async def _delete(self, uri: S3Uri) -> None:
        await self._maybe_fail(uri.key)
        self.objects.pop(str(uri), None)

    async def _retire(self) -> None:
        self.retired += 1
        if self.retire_error is not None:
            raise self.retire_error

    async def _head(self, uri: S3Uri) -> ObjectInfo:
        await self._maybe_fail(uri.key)
        if str(uri) not in self.objects:
            raise NotFoundError("no such object", uri=str(uri))
        content, modified = self.objects[str(uri)]
        return info(uri.key, len(content), modified, uri.bucket)

    async def _list(self, place: S3Uri) -> AsyncIterator[ObjectInfo | Prefix]:
        start = f"s3://{place.bucket}/"
        left = self.listing_breaks_after.get(place.bucket)
        for uri in sorted(self.objects, key=sort_key):
            if not uri.startswith(str(place)):
                continue
            if left == 0:
                raise StoreUnavailableError("the store went away", uri=str(place))
            left = None if left is None else left - 1
            await anyio.sleep(0)
            content, modified = self.objects[uri]
            yield info(uri[len(start) :], len(content), modified, place.bucket)
        if left == 0:
            raise StoreUnavailableError("the store went away", uri=str(place))

    async def _maybe_fail(self, name: str) -> None:
        await anyio.sleep(0)
        if name in self.errors:
            raise self.errors[name]

    def _store(self, content: bytes, uri: S3Uri) -> UploadSummary:
        self.objects[str(uri)] = (content, self.clock)
        size = len(content)
        return UploadSummary("upload_direct", uri.bucket, uri.key, size, size // 2, False)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
