"""``upload_file``, ``download_file`` and their like: what boto3 gives to its transfer manager."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from deltaglider.client.boto.base import ASKED, BotoBase
from deltaglider.client.boto.checksums import BODY_PARAMETERS, check_body
from deltaglider.client.boto.parameters import WRITE_PARAMETERS, check_extra
from deltaglider.client.boto.writing import write_options
from deltaglider.client.sources import Source, Target, as_file, local_path, pour
from deltaglider.client.watch import Callback, Watch
from deltaglider.engine import download as downloading
from deltaglider.engine import upload as uploading
from deltaglider.engine.materialise import materialise
from deltaglider.errors import InvalidInputError

_UPLOAD: Final = frozenset({*WRITE_PARAMETERS, *BODY_PARAMETERS, *ASKED, "Metadata", "Tagging"}) - {"ContentLength"}
_DOWNLOAD: Final = ASKED | {"ChecksumMode", "VersionId"}


class TransferMethods(BotoBase):
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
            ExtraArgs: ``Metadata``, ``Tagging``, headers, write parameters and checksums, by boto3's names.
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
            ExtraArgs: ``Metadata``, ``Tagging``, headers, write parameters and checksums, by boto3's names.
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
            ExtraArgs: ``VersionId``, ``RequestPayer``, ``ExpectedBucketOwner``; ``ChecksumMode`` means nothing here.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            ClientError: ``404``: there is no such object.
            OSError: The file cannot be written.
            ValueError: ``ExtraArgs`` has a key that is not known.
        """
        check_extra(ExtraArgs, _DOWNLOAD)
        path = local_path(Filename)
        version = (ExtraArgs or {}).get("VersionId")
        # boto3 asks for the head first, and so its errors are of that.
        with self._call("HeadObject", Bucket, Key, ExtraArgs):
            watch = Watch(self._context(), Callback, "down")
            await watch.expect(Bucket, Key, version)
            await downloading.download(watch.ctx, Bucket, Key, path, version=version)
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
            ExtraArgs: ``VersionId``, ``RequestPayer``, ``ExpectedBucketOwner``; ``ChecksumMode`` means nothing here.
            Callback: Called with the number of bytes done since the last call, in a thread of the client's.
            Config: Means nothing here.

        Raises:
            ClientError: ``404``: there is no such object.
            InvalidInputError: It cannot be written to; or ``ExtraArgs`` has a key that is not known (a ``ValueError``).
        """
        check_extra(ExtraArgs, _DOWNLOAD)
        if not hasattr(Fileobj, "write"):
            raise InvalidInputError("Fileobj must implement write", remedy="Give a file object, or use download_file")
        version = (ExtraArgs or {}).get("VersionId")
        with self._call("HeadObject", Bucket, Key, ExtraArgs):
            watch = Watch(self._context(), Callback, "down")
            await watch.expect(Bucket, Key, version)
            with watch.ctx.spool.file() as temporary:
                await materialise(watch.ctx, Bucket, Key, temporary, version=version)
                await pour(watch.ctx, temporary, Fileobj)
            watch.end()

    async def _send(
        self, source: Source, bucket: str, key: str, more: Mapping[str, Any] | None, callback: Callback | None
    ) -> None:
        check_extra(more, _UPLOAD)
        given = dict(more or {})
        with self._call("PutObject", bucket, key, given):
            options = write_options("PutObject", given.get("Metadata"), given)
            watch = Watch(self._context(), callback, "up")
            async with as_file(watch.ctx, source) as path:
                await watch.ctx.thread(check_body, "PutObject", path, given)
                watch.begin(path)
                await uploading.upload(watch.ctx, path, bucket, key, options=options)
                watch.end()
