"""``generate_presigned_url_with_rehydration``, ``rehydrate_for_download`` and ``purge_temp_files``."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from deltaglider.client.sharing import SharingMethods
from deltaglider.engine.locate import locate
from deltaglider.engine.presign import presign
from deltaglider.layout.keys import TEMPORARY_PREFIX, name_of


class ShareMethods(SharingMethods):
    """URLs of files, and what is put into a bucket for them."""

    async def generate_presigned_url_with_rehydration(self, Bucket: str, Key: str, ExpiresIn: int = 3600) -> str:
        """A URL that gives the original bytes of an object as a file of its name. ``presign`` is the newer word.

        Args:
            Bucket: The bucket.
            Key: The key.
            ExpiresIn: Seconds it is valid, 1 to 604800.

        Returns:
            The URL.

        Raises:
            NotFoundError: There is no such object.
            NotSupportedError: The embedded store has no URLs.
        """
        ctx, name = self._context(), name_of(Key)
        await locate(ctx, Bucket, Key)
        plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("\\", "_").replace('"', "_")
        disposition = f'attachment; filename="{plain}"'
        if plain != name:
            disposition += f"; filename*=UTF-8''{quote(name, safe='')}"
        parameters = {"ResponseContentDisposition": disposition}
        return (await presign(ctx, Bucket, Key, expires=ExpiresIn, parameters=parameters)).url

    async def rehydrate_for_download(self, Bucket: str, Key: str, ExpiresIn: int = 3600) -> str | None:
        """Puts the original file of an object stored as a delta into the bucket for a while.

        Args:
            Bucket: The bucket.
            Key: The key.
            ExpiresIn: Seconds it is to stay, 1 to 604800.

        Returns:
            The stored key of the file; ``None`` if the object is stored whole, under its own key.

        Raises:
            NotFoundError: There is no such object.
            NotSupportedError: The embedded store has no URLs, and so no use for such files.
        """
        ctx = self._context()
        await locate(ctx, Bucket, Key)
        made = await presign(ctx, Bucket, Key, expires=ExpiresIn)
        return made.stored_key if made.stored_key != Key else None

    async def purge_temp_files(self, Bucket: str) -> dict[str, Any]:
        """Removes the files made for URLs whose time is over. ``purge`` is the newer word.

        Args:
            Bucket: The bucket.

        Returns:
            ``bucket``, ``prefix``, ``deleted_count``, ``expired_count``, ``error_count``, ``total_size_freed`` (bytes),
            ``duration_seconds`` and ``errors``.

        Raises:
            BucketNotFoundError: There is no such bucket.
        """
        began = time.monotonic()
        summary = await self.purge(Bucket)
        return {
            "bucket": Bucket,
            "prefix": TEMPORARY_PREFIX,
            "deleted_count": summary.removed,
            "expired_count": summary.removed + summary.failed,
            "error_count": summary.failed,
            "total_size_freed": summary.size,
            "duration_seconds": time.monotonic() - began,
            "errors": [str(failure.error) for failure in summary.failures],
        }
