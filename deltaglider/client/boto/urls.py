"""URLs that need no credentials, as boto3's client makes them: of an object stored as a delta, of its original file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from deltaglider.client.boto.exceptions import client_error
from deltaglider.client.boto.multipart import MultipartCalls
from deltaglider.client.boto.native import BY_STORED_KEY
from deltaglider.client.boto.shapes import PresignedPost
from deltaglider.engine.locate import locate
from deltaglider.engine.presign import presign
from deltaglider.errors import NotFoundError

_READS: Final = frozenset({"get_object", "head_object"})
_BY_STORED_KEY: Final = BY_STORED_KEY | {"delete_object"}


class UrlCalls(MultipartCalls):
    """URLs for those who have no credentials."""

    async def generate_presigned_url(
        self,
        ClientMethod: str,
        Params: Mapping[str, Any] | None = None,
        ExpiresIn: int = 3600,
        HttpMethod: str | None = None,
    ) -> str:
        """A signed URL, as boto3's ``generate_presigned_url``; of the asynchronous client it is awaited.

        ``get_object`` and ``head_object`` of an object stored as a delta lead to its original file, which is put into
        the bucket for as long as the URL is valid, as by ``presign``. What is sent to a URL of ``put_object`` goes past
        this client and is stored whole. An upload in parts that was begun here becomes the store's own.

        Args:
            ClientMethod: boto3's name of the operation.
            Params: Its parameters.
            ExpiresIn: Seconds it is valid; of reads at most 604800.
            HttpMethod: Another verb than the operation's own.

        Returns:
            The URL.

        Raises:
            ClientError: ``NotImplemented``: of the embedded store, or of an earlier version that is a delta.
            UnknownClientMethodError: S3 has no such operation.
            ParamValidationError: A parameter is unknown, or missing.
        """
        given = dict(Params or {})
        bucket, key = given.get("Bucket", ""), given.get("Key", "")
        upload = self._pending.find(bucket, key, given.get("UploadId", ""))
        if upload is not None:
            given["UploadId"] = await self._hand_over(upload)
        if bucket and key and ClientMethod in _READS | _BY_STORED_KEY:
            with self._call("GeneratePresignedUrl", bucket, key):
                given["Key"] = await self._key_to_sign(ClientMethod, given, ExpiresIn)
        url = await self._native(
            "generate_presigned_url",
            "GeneratePresignedUrl",
            ClientMethod=ClientMethod,
            Params=given,
            ExpiresIn=ExpiresIn,
            HttpMethod=HttpMethod,
        )
        return str(url)

    async def _key_to_sign(self, method: str, given: Mapping[str, Any], expires: int) -> str:
        bucket, key, version = given["Bucket"], given["Key"], given.get("VersionId")
        if method in _READS and version is None:
            return (await presign(self._context(), bucket, key, expires=expires)).stored_key
        try:
            form = await locate(self._context(), bucket, key, version)
        except NotFoundError:
            return str(key)
        if method in _READS and form.is_delta:
            message = "This version is stored as a delta: copy it to a key of its own, and sign that"
            raise client_error("GeneratePresignedUrl", "NotImplemented", 501, message)
        return form.stored.key

    async def generate_presigned_post(
        self,
        Bucket: str,
        Key: str,
        Fields: Mapping[str, Any] | None = None,
        Conditions: Sequence[Any] | None = None,
        ExpiresIn: int = 3600,
    ) -> PresignedPost:
        """What a form needs to upload a file, as boto3's ``generate_presigned_post``. It is stored whole.

        Args:
            Bucket: The bucket.
            Key: The key; it may end with ``${filename}``.
            Fields: Fields of the form that are given.
            Conditions: What the fields must hold.
            ExpiresIn: Seconds it is valid.

        Returns:
            ``url`` and ``fields``.

        Raises:
            ClientError: ``NotImplemented`` of the embedded store.
        """
        made = await self._native(
            "generate_presigned_post",
            "GeneratePresignedPost",
            Bucket=Bucket,
            Key=Key,
            Fields=dict(Fields) if Fields is not None else None,
            Conditions=list(Conditions) if Conditions is not None else None,
            ExpiresIn=ExpiresIn,
        )
        return cast("PresignedPost", dict(made))
