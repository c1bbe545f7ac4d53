"""``upload_file``, ``download_file`` and their like: what boto3 gives to its transfer manager."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from deltaglider.client.arguments import upload_options
from deltaglider.client.base import ClientBase
from deltaglider.client.boto.exceptions import client_errors
from deltaglider.client.boto.writing import WRITE_PARAMETERS
from deltaglider.client.sources import Source, Target, as_file, local_path, pour
from deltaglider.client.watch import Callback, Watch
from deltaglider.engine import download as downloading
from deltaglider.engine import upload as uploading
from deltaglider.engine.materialise import materialise
from deltaglider.errors import InvalidInputError

_UPLOAD: Final = frozenset({*WRITE_PARAMETERS, "Metadata"})
_DOWNLOAD: Final = frozenset({"ChecksumMode", "RequestPayer"})


class TransferMethods(ClientBase):
    """Files and file objects, up and down. ``Config`` is taken and left: the client's settings say how it is done."""

    async def upload_file(
        self,
        Filename: str | os.PathLike[str],
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Uploads a file, as boto3's ``upload_file``: as a delta where that is worth it.

        Args:
            Filename: The file.
            Bucket: The bucket.
            Key: The key.
            ExtraArgs: ``Metadata``, headers and write parameters, by boto3's names.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            FileNotFoundError: There is no such file.
            ClientError: The store refused.
            ValueError: ``ExtraArgs`` has a key that is not known.
        """
        await self._send(local_path(Filename), Bucket, Key, ExtraArgs, Callback)

    async def upload_fileobj(
        self,
        Fileobj: Source,
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Uploads what a file object gives, from where it stands, as boto3's ``upload_fileobj``. It stays open.

        Args:
            Fileobj: Open for reading bytes; its ``read`` may be awaited.
            Bucket: The bucket.
            Key: The key.
            ExtraArgs: ``Metadata``, headers and write parameters, by boto3's names.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            ClientError: The store refused.
            InvalidInputError: It cannot be read; or ``ExtraArgs`` has a key that is not known (a ``ValueError``).
        """
        if not hasattr(Fileobj, "read"):
            raise InvalidInputError("Fileobj must implement read", remedy="Give a file object, or use upload_file")
        await self._send(Fileobj, Bucket, Key, ExtraArgs, Callback)

    async def download_file(
        self,
        Bucket: str,
        Key: str,
        Filename: str | os.PathLike[str],
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Downloads an object, as boto3's ``download_file``: whole and proven, or not at all.

        Args:
            Bucket: The bucket.
            Key: The key.
            Filename: The file.
            ExtraArgs: ``ChecksumMode`` and ``RequestPayer`` mean nothing here.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            ClientError: ``404``: there is no such object.
            OSError: The file cannot be written.
            ValueError: ``ExtraArgs`` has a key that is not known.
        """
        _check(ExtraArgs, _DOWNLOAD)
        path = local_path(Filename)
        # boto3 asks for the head first, and so its errors are of that.
        with client_errors("HeadObject", Bucket, Key):
            watch = Watch(self._context(), Callback, "down")
            await watch.expect(Bucket, Key)
            await downloading.download(watch.ctx, Bucket, Key, path)
            watch.end()

    async def download_fileobj(
        self,
        Bucket: str,
        Key: str,
        Fileobj: Target,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        Config: Any = None,
    ) -> None:
        """Downloads an object into a file object, as boto3's ``download_fileobj``, once it is proven. It stays open.

        Args:
            Bucket: The bucket.
            Key: The key.
            Fileobj: Open for writing bytes; its ``write`` may be awaited.
            ExtraArgs: ``ChecksumMode`` and ``RequestPayer`` mean nothing here.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            ClientError: ``404``: there is no such object.
            InvalidInputError: It cannot be written to; or ``ExtraArgs`` has a key that is not known (a ``ValueError``).
        """
        _check(ExtraArgs, _DOWNLOAD)
        if not hasattr(Fileobj, "write"):
            raise InvalidInputError("Fileobj must implement write", remedy="Give a file object, or use download_file")
        with client_errors("HeadObject", Bucket, Key):
            watch = Watch(self._context(), Callback, "down")
            await watch.expect(Bucket, Key)
            with watch.ctx.spool.file() as temporary:
                await materialise(watch.ctx, Bucket, Key, temporary)
                await pour(watch.ctx, temporary, Fileobj)
            watch.end()

    async def _send(
        self, source: Source, bucket: str, key: str, more: Mapping[str, Any] | None, callback: Callback | None
    ) -> None:
        _check(more, _UPLOAD)
        headers = dict(more or {})
        metadata = headers.pop("Metadata", None)
        with client_errors("PutObject", bucket, key):
            options = upload_options(metadata=metadata, headers=headers)
            watch = Watch(self._context(), callback, "up")
            async with as_file(watch.ctx, source) as path:
                watch.begin(path)
                await uploading.upload(watch.ctx, path, bucket, key, options=options)
                watch.end()


def _check(more: Mapping[str, Any] | None, allowed: Iterable[str]) -> None:
    names = sorted(allowed)
    for name in more or ():
        if name not in names:
            raise InvalidInputError(f"Invalid extra_args key {name!r}, must be one of: {', '.join(names)}")
