"""``upload_batch``, ``download_batch`` and ``upload_chunked``."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from deltaglider.client.arguments import check_sources, object_uri, place_uri, upload_options
from deltaglider.client.objects import ObjectMethods
from deltaglider.client.sources import Directory, local_path
from deltaglider.client.watch import Watch
from deltaglider.engine import upload as uploading
from deltaglider.errors import InvalidInputError
from deltaglider.files import local_errors
from deltaglider.layout.keys import name_of
from deltaglider.models import UploadSummary
from deltaglider.tasks import map_bounded

T = TypeVar("T")
R = TypeVar("R")

BatchCallback = Callable[[str, int, int], object]
"""Told a file's name, its number from 1 on, and how many there are, when work on it begins."""

ChunkCallback = Callable[[int, int, int, int], object]
"""Told of a chunk that is done: its number from 1 on, how many there are, bytes done until then, and of the file."""


class StoreMethods(ObjectMethods):
    """Several files at once, and one with its progress."""

    async def upload_batch(
        self,
        files: Iterable[Directory],
        s3_prefix: str,
        max_ratio: float | None = None,
        progress_callback: BatchCallback | None = None,
    ) -> list[UploadSummary]:
        """Uploads files into one place, several at once; they share a reference. The first failure ends it.

        ``upload_directory`` has more to say, and one that fails does not stop the others.

        Args:
            files: Paths, each with another name.
            s3_prefix: ``s3://bucket/prefix``, with or without the slash at the end: each file goes below it, under its
                own name.
            max_ratio: The largest delta kept, as a share of the file's size. ``None``: the client's setting.
            progress_callback: Called with a file's name, its number from 1 on, and how many there are, as work on it
                begins; in the client's event loop.

        Returns:
            What was stored, in the order of the files.

        Raises:
            InvalidInputError: Two have the same name.
            LocalFileError: A file cannot be read.
            StoreError: The store refused or failed.
        """
        paths = [local_path(file) for file in files]
        place = place_uri(s3_prefix).as_directory()
        check_sources([str(path) for path in paths], str(place))

        async def store(path: Path) -> UploadSummary:
            return await self.upload(path, str(place.child(path.name)), max_ratio=max_ratio)

        limit = self.settings.max_concurrent_objects
        return await _each(paths, [path.name for path in paths], store, progress_callback, limit=limit)

    async def download_batch(
        self,
        s3_urls: Iterable[str],
        output_dir: Directory,
        progress_callback: BatchCallback | None = None,
    ) -> list[Path]:
        """Downloads objects into one directory, several at once. The first failure ends it.

        ``download_directory`` has more to say, and one that fails does not stop the others.

        Args:
            s3_urls: ``s3://bucket/key`` each, the last part of each key another.
            output_dir: The directory, made if need be.
            progress_callback: As for ``upload_batch``.

        Returns:
            The files, in the order of the objects.

        Raises:
            InvalidInputError: Two have the same name.
            NotFoundError: There is no such object.
            LocalFileError: The directory cannot be written.
        """
        urls, directory = list(s3_urls), local_path(output_dir)
        if not urls:
            return []
        check_sources(urls, str(directory))
        with local_errors(str(directory), "cannot be made"):
            await self._context().thread(lambda: directory.mkdir(parents=True, exist_ok=True))

        async def bring(url: str) -> Path:
            summary = await self.download(url, f"{directory}{os.sep}")
            assert summary.path is not None
            return Path(summary.path)

        limit = self.settings.max_concurrent_objects
        return await _each(urls, [name_of(url) for url in urls], bring, progress_callback, limit=limit)

    async def upload_chunked(
        self,
        file_path: Directory,
        s3_url: str,
        chunk_size: int = 5 << 20,
        progress_callback: ChunkCallback | None = None,
        max_ratio: float | None = None,
    ) -> UploadSummary:
        """Uploads a file as ``upload`` does, and tells how far it is.

        What is sent of a delta is less than the file: then the rest counts as done when the object can be read.

        Args:
            file_path: The file.
            s3_url: ``s3://bucket/key``; as for ``upload``.
            chunk_size: Bytes of the file that make a chunk. It tells how often the callback is called, not how much is
                sent at once.
            progress_callback: Called once for each chunk with its number from 1 on, how many there are, bytes done
                until then, and bytes of the file; in the client's event loop.
            max_ratio: The largest delta kept, as a share of the file's size. ``None``: the client's setting.

        Returns:
            What was stored.

        Raises:
            InvalidInputError: A chunk would be empty; or the URL cannot mean anything.
            LocalFileError: The file cannot be read.
            StoreError: The store refused or failed.
        """
        if chunk_size < 1:
            raise InvalidInputError(f"a chunk has {chunk_size} bytes", remedy="Give a number over 0")
        path = local_path(file_path)
        uri = object_uri(s3_url, path.name)
        options = upload_options(max_ratio=max_ratio)
        if progress_callback is None:
            return await uploading.upload(self._context(), path, uri.bucket, uri.key, options=options)
        with local_errors(str(path), "cannot be read"):
            chunks = _Chunks(path.stat().st_size, chunk_size, progress_callback)
        watch = Watch(self._context(), chunks.add, "up")
        watch.begin(path)
        summary = await uploading.upload(watch.ctx, path, uri.bucket, uri.key, options=options)
        watch.end()
        chunks.add(0)  # An empty file is one chunk, too.
        return summary


async def _each(
    items: Sequence[T],
    names: Sequence[str],
    work: Callable[[T], Awaitable[R]],
    callback: BatchCallback | None,
    *,
    limit: int,
) -> list[R]:
    """The results of work on each item, begun in their order."""

    async def begin(number: int) -> R:
        if callback is not None:
            callback(names[number], number + 1, len(items))
        return await work(items[number])

    return await map_bounded(begin, range(len(items)), limit=limit)


class _Chunks:
    """Turns bytes that are done into chunks that are done."""

    def __init__(self, size: int, chunk: int, callback: ChunkCallback) -> None:
        self._size = size
        self._chunk = chunk
        self._callback = callback
        self._done = 0
        self._told = 0
        self._count = max(1, -(-size // chunk))

    def add(self, count: int) -> None:
        """Tells of the chunks that these bytes complete."""
        self._done += count
        while self._told < self._count and self._done >= min((self._told + 1) * self._chunk, self._size):
            self._told += 1
            self._callback(self._told, self._count, min(self._told * self._chunk, self._size), self._size)
