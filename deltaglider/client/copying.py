"""``copy``: from URL to URL, or as boto3's client has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from deltaglider.client.arguments import CopyProps, object_uri, upload_options
from deltaglider.client.boto.copying import CopyCalls
from deltaglider.client.watch import Callback
from deltaglider.engine import copy as copying
from deltaglider.engine import move as moving
from deltaglider.engine.options import Directive
from deltaglider.layout.keys import name_of
from deltaglider.models import UploadSummary


class CopyMethods(CopyCalls):
    """One object from one place to another."""

    @overload
    async def copy(
        self,
        source_url: str,
        target_url: str,
        /,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        metadata_directive: Directive | None = None,
        copy_props: CopyProps | None = None,
        delta: bool | None = None,
        max_ratio: float | None = None,
        no_overwrite: bool = False,
        marker: bool = False,
        move: bool = False,
    ) -> UploadSummary: ...

    @overload
    async def copy(
        self,
        CopySource: Mapping[str, str],
        Bucket: str,
        Key: str,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        SourceClient: Any = None,
        Config: Any = None,
    ) -> None: ...

    async def copy(
        self,
        CopySource: str | Mapping[str, str],
        Bucket: str,
        Key: str | None = None,
        ExtraArgs: Mapping[str, Any] | None = None,
        Callback: Callback | None = None,
        SourceClient: Any = None,
        Config: Any = None,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        metadata_directive: Directive | None = None,
        copy_props: CopyProps | None = None,
        delta: bool | None = None,
        max_ratio: float | None = None,
        no_overwrite: bool = False,
        marker: bool = False,
        move: bool = False,
    ) -> UploadSummary | None:
        """Copies an object, inside the store where that is possible. It is called in either of two ways.

        ``copy("s3://bucket/key", "s3://bucket/other", ...)`` gives an ``UploadSummary``. With a ``CopySource``, a
        bucket and a key it is boto3's ``copy``, which gives nothing, and raises botocore's errors.

        Args:
            CopySource: ``s3://bucket/key``; as boto3's: ``{"Bucket": ..., "Key": ..., "VersionId": ...}``.
            Bucket: ``s3://bucket/key``, of which one that ends with a slash takes the source's name; as boto3's: the
                target's bucket.
            Key: As boto3's: the target's key.
            ExtraArgs: As boto3's: ``Metadata``, ``MetadataDirective``, ``Tagging``, headers and write parameters.
            Callback: As boto3's: called with the number of bytes once they are copied.
            SourceClient: As boto3's, where it asks for the source's size; means nothing here.
            Config: As boto3's; means nothing here.
            metadata: Replaces the source's user metadata.
            content_type: Replaces the source's headers, together with ``headers``.
            headers: Replace the source's headers. Write parameters (``StorageClass``, ``ACL``, ...) may be among them,
                and replace none.
            tags: Replace the source's tags.
            metadata_directive: ``COPY`` keeps the source's metadata and headers, whatever is given; ``REPLACE`` keeps
                none of them. ``None``: what is given replaces the source's, metadata and headers each for themselves.
            copy_props: What goes along, in the words of ``aws s3``: ``none``; ``metadata-directive`` (metadata and
                headers); ``default`` and ``all`` (tags, too). Unless it is ``none``, only ``metadata`` that is given
                replaces anything. Means nothing beside ``metadata_directive``.
            delta: ``False`` stores a plain file whole. ``None``: the client's setting.
            max_ratio: As for ``upload``.
            no_overwrite: Store it only where there is no object, whole or as a delta.
            marker: A source URL that ends with a slash means the object of exactly that key, as some tools keep one for
                a directory.
            move: Delete the source once the target is proven to be there.

        Returns:
            What was stored; as boto3's: nothing.

        Raises:
            NotFoundError: The source is not there.
            AlreadyExistsError: There is an object under the target, and ``no_overwrite`` was given.
            ArchivedError: The source, or the reference it needs, has to be restored first.
            SourceRemainsError: It is copied, but could not be deleted.
            ClientError: As boto3's: ``404`` where there is no source, ...
            TypeError: The arguments are of both ways.
        """
        if isinstance(CopySource, Mapping) and Key is not None:
            await self._managed_copy(CopySource, Bucket, Key, ExtraArgs, Callback)
            return None
        if not isinstance(CopySource, str) or Key is not None or ExtraArgs or Callback or SourceClient or Config:
            raise TypeError("give two URLs; or a CopySource as a mapping, a Bucket and a Key, as to boto3's copy")
        source = object_uri(CopySource, marker=marker)
        target = object_uri(Bucket, name_of(source.key))
        options = upload_options(
            metadata=metadata,
            content_type=content_type,
            headers=headers,
            tags=tags,
            delta=delta,
            max_ratio=max_ratio,
            no_overwrite=no_overwrite,
            metadata_directive=metadata_directive,
            copy_props=copy_props,
        )
        verb = moving.move_across if move else copying.copy
        return await verb(self._context(), source.bucket, source.key, target.bucket, target.key, options=options)
