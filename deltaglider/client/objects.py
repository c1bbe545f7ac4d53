"""The methods for one object."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from deltaglider.client.arguments import check_summable, object_uri, upload_options
from deltaglider.client.base import ClientBase
from deltaglider.client.sources import Source, Target, as_file, as_path, local_path, name_of_source, pour
from deltaglider.client.streams import pieces_of_file
from deltaglider.engine import delete as deleting
from deltaglider.engine import download as downloading
from deltaglider.engine import inspect
from deltaglider.engine import upload as uploading
from deltaglider.engine.materialise import materialise
from deltaglider.engine.preserve import with_attributes
from deltaglider.errors import InvalidInputError, LocalFileExistsError
from deltaglider.layout.keys import name_of
from deltaglider.models import (
    DeleteSummary,
    DownloadSummary,
    ObjectInfo,
    RescueSummary,
    UploadSummary,
    VerifyResult,
)


class ObjectMethods(ClientBase):
    """One object at a time."""

    async def upload(
        self,
        file_path: Source,
        s3_url: str,
        tags: Mapping[str, str] | None = None,
        max_ratio: float | None = None,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        guess_content_type: bool = False,
        delta: bool | None = None,
        no_overwrite: bool = False,
        move: bool = False,
        preserve: bool = False,
    ) -> UploadSummary:
        """Stores a file: as a delta where that is worth it, whole where it is not. When this returns it is readable.

        Args:
            file_path: A path; or bytes, a binary file object, or an (asynchronous) iterable of bytes.
            s3_url: ``s3://bucket/key``. A URL that ends with a slash, or names only a bucket, takes the file's own
                name.
            tags: Tags, at most ten. A reference has none.
            max_ratio: The largest delta kept, as a share of the file's size. ``None``: the client's setting.
            metadata: User metadata; ASCII, 2 KB together with DeltaGlider's own.
            content_type: The media type to keep with it.
            headers: Further headers and write parameters, by boto3's names (``CacheControl``, ``StorageClass``, ...).
            guess_content_type: Keep the media type that the name of a file on disk suggests, or else the key, where
                none is given.
            delta: ``False`` stores it whole. ``None``: the client's setting.
            no_overwrite: Store it only where there is no object, whole or as a delta.
            move: Remove the file once the object is proven to be there.
            preserve: Keep the file's time and mode with it, as the metadata ``mtime`` and ``mode``.

        Returns:
            What was stored.

        Raises:
            InvalidInputError: The URL, the source or an option cannot mean anything.
            AlreadyExistsError: There is an object, and ``no_overwrite`` was given.
            LocalFileError: The file cannot be read.
            StoreError: The store refused or failed.
            SourceRemainsError: It is stored, but the file could not be removed.
        """
        ctx = self._context()
        uri = object_uri(s3_url, name_of_source(file_path))
        check_summable(headers)
        options = upload_options(
            metadata=metadata,
            content_type=content_type,
            headers=headers,
            tags=tags,
            delta=delta,
            max_ratio=max_ratio,
            guess_content_type=guess_content_type,
            no_overwrite=no_overwrite,
        )
        if move and not isinstance(file_path, str | os.PathLike):
            raise InvalidInputError("only a file can be moved, not a stream", remedy="Give a path, or leave out move")
        if isinstance(file_path, (str, os.PathLike)):
            options = dataclasses.replace(options, name=local_path(file_path).name)
        async with as_file(ctx, file_path) as path:
            if preserve:
                options = await ctx.thread(with_attributes, options, path)
            if move:
                from deltaglider.engine import move as moving  # Imported here, as others: few ask for them.

                return await moving.move_up(ctx, path, uri.bucket, uri.key, options=options)
            return await uploading.upload(ctx, path, uri.bucket, uri.key, options=options)

    async def download(
        self,
        s3_url: str,
        output_path: Target,
        *,
        keep_mtime: bool = False,
        marker: bool = False,
        no_overwrite: bool = False,
        move: bool = False,
        preserve: bool = False,
    ) -> DownloadSummary:
        """Gives back the original bytes of an object, proven by their SHA-256, or nothing.

        Args:
            s3_url: ``s3://bucket/key``.
            output_path: A path (an existing directory takes the object's own name), or an object open for writing
                bytes, which stays
                open and gets nothing before all is proven.
            keep_mtime: Give the file the object's time.
            marker: A URL that ends with a slash means the object of exactly that key, as some tools keep one for a
                directory.
            no_overwrite: Write no file that exists.
            move: Delete the object once the file is proven to be there.
            preserve: Give the file the time and mode that were kept with the object; the object's time, if none was.

        Returns:
            What was brought.

        Raises:
            NotFoundError: There is no such object.
            ArchivedError: It, or the reference it needs, has to be restored first.
            IntegrityError: Its bytes are not the recorded ones.
            LocalFileExistsError: The target exists, and ``no_overwrite`` was given.
            LocalFileError: The target cannot be written.
            InvalidInputError: The object is to be moved to a stream.
            SourceRemainsError: The file is written, but the object could not be deleted.
        """
        ctx = self._context()
        uri = object_uri(s3_url, marker=marker)
        path = as_path(output_path, name_of(uri.key))
        if no_overwrite and path is not None and os.path.lexists(path):
            raise LocalFileExistsError("exists already", uri=str(path), remedy="Name another target")
        if move:
            if path is None:
                raise InvalidInputError("an object cannot be moved to a stream", uri=s3_url, remedy="Give a path")
            from deltaglider.engine import move as moving

            return await moving.move_down(ctx, uri.bucket, uri.key, path, keep_mtime=keep_mtime, preserve=preserve)
        if path is not None:
            return await downloading.download(ctx, uri.bucket, uri.key, path, keep_mtime=keep_mtime, preserve=preserve)
        with ctx.spool.file() as temporary:
            original = await materialise(ctx, uri.bucket, uri.key, temporary)
            await pour(ctx, temporary, output_path)
        return downloading.summary_of(uri.bucket, uri.key, None, original)

    async def stream(self, s3_url: str) -> AsyncIterator[bytes]:
        """The original bytes of an object in pieces of 1 MiB. The first comes when all are proven.

        Args:
            s3_url: ``s3://bucket/key``.

        Yields:
            Pieces.

        Raises:
            NotFoundError: There is no such object.
            IntegrityError: Its bytes are not the recorded ones.
        """
        ctx = self._context()
        uri = object_uri(s3_url)
        with ctx.spool.file() as temporary:
            await materialise(ctx, uri.bucket, uri.key, temporary)
            async with aclosing(pieces_of_file(ctx, temporary)) as pieces:
                async for piece in pieces:
                    yield piece

    async def head(self, s3_url: str) -> ObjectInfo:
        """One object without its bytes.

        Args:
            s3_url: ``s3://bucket/key``.

        Returns:
            Its original size, time, metadata and headers, and how it is stored.

        Raises:
            NotFoundError: There is no such object.
        """
        uri = object_uri(s3_url)
        return await inspect.head(self._context(), uri.bucket, uri.key)

    async def verify(self, s3_url: str, *, quick: bool = False) -> VerifyResult:
        """Reads an object back as a download on a machine with an empty cache would, and keeps nothing.

        Args:
            s3_url: ``s3://bucket/key``.
            quick: Only look whether what is recorded of it fits together and its reference is there; read no bytes.

        Returns:
            What was proven. Wrong bytes are a result, not an error.

        Raises:
            NotFoundError: There is no such object.
            StoreError: The store failed, which proves nothing.
        """
        from deltaglider.engine import verify as verifying

        uri = object_uri(s3_url)
        if quick:
            return await verifying.check(self._context(), uri.bucket, uri.key)
        with verifying.afresh(self._context()) as cold:
            return await verifying.verify(cold, uri.bucket, uri.key)

    async def rescue(
        self,
        s3_url: str,
        output_path: str | os.PathLike[str] = ".",
        *,
        reference: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
    ) -> RescueSummary:
        """Hands out what can be had of an object that ``download`` refuses to give: its very bytes, if at all possible.

        Earlier tools lost how .gz, .bz2 and .xz files were packed. Where no known way of packing gives the recorded
        SHA-256, what the file held is written under another name (``app.tgz.unpacked.tar``), and ``exact`` is false.

        Args:
            s3_url: ``s3://bucket/key``; also that of a delta which was copied as a file.
            output_path: A path; an existing directory takes the object's own name.
            reference: A file to take for the reference, where that is gone or changed.
            overwrite: Replace the file if it exists.

        Returns:
            What was had.

        Raises:
            NotFoundError: There is no such object.
            IntegrityError: Nothing can be had.
            LocalFileError: The file exists, or cannot be written.
        """
        ctx = self._context()
        uri = object_uri(s3_url)
        target = as_path(output_path, name_of(uri.key))
        assert target is not None
        given = local_path(reference) if reference is not None else None
        from deltaglider.engine import rescue as rescuing

        return await rescuing.rescue(ctx, rescuing.Rescue(uri.bucket, uri.key, target, given, overwrite))

    async def delete(self, s3_url: str, *, marker: bool = False) -> DeleteSummary:
        """Deletes an object. Deleting what is absent is success; a reference goes with the last delta that needs it.

        Args:
            s3_url: ``s3://bucket/key``.
            marker: A URL that ends with a slash means the object of exactly that key, as some tools keep one for a
                directory.

        Returns:
            What was removed.

        Raises:
            ReservedKeyError: Other objects need what is stored there.
        """
        uri = object_uri(s3_url, marker=marker)
        return await deleting.delete(self._context(), uri.bucket, uri.key)
