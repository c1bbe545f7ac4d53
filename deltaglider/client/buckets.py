"""The methods for buckets as wholes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from deltaglider.bulk.buckets import remove_bucket
from deltaglider.bulk.run import Report, no_report
from deltaglider.client.arguments import bucket_name
from deltaglider.client.base import ClientBase
from deltaglider.errors import InvalidInputError
from deltaglider.models import BucketAcl, BucketInfo

Right = Literal["full_control", "read", "read_acp", "write", "write_acp"]
"""What a grant lets somebody do with a bucket."""

_GRANTS: Mapping[Right, str] = {
    "full_control": "GrantFullControl",
    "read": "GrantRead",
    "read_acp": "GrantReadACP",
    "write": "GrantWrite",
    "write_acp": "GrantWriteACP",
}


class BucketMethods(ClientBase):
    """Buckets, and what is said about them."""

    async def buckets(self, *, prefix: str = "", region: str = "") -> list[BucketInfo]:
        """All buckets, by name.

        Args:
            prefix: Only those whose names begin with it.
            region: Only those of this region, where the store tells of regions.

        Returns:
            Their names and ages.

        Raises:
            AccessDeniedError: They may not be listed.
            StoreError: The store failed.
        """
        buckets = await self._context().store.list_buckets(prefix=prefix, region=region)
        return [BucketInfo(bucket.name, bucket.created) for bucket in buckets]

    async def make_bucket(self, bucket: str, *, tags: Mapping[str, str] | None = None) -> None:
        """Makes a bucket, in the client's region.

        Args:
            bucket: Its name, or ``s3://name``.
            tags: Tags of it; it is made with all of them or not at all.

        Raises:
            AlreadyExistsError: It exists.
            NotSupportedError: The store has no tags.
        """
        await self._context().store.create_bucket(bucket_name(bucket), tags=tags)

    async def remove_bucket(self, bucket: str, *, force: bool = False, report: Report = no_report) -> None:
        """Removes a bucket that holds no object. What DeltaGlider keeps in it for objects that are gone goes with it.

        Args:
            bucket: Its name, or ``s3://name``.
            force: Delete all its objects first.
            report: Called with the outcome of each object deleted.

        Raises:
            StoreError: It is not empty, or not there; or not all of its objects could be deleted.
        """
        await remove_bucket(self._context(), bucket_name(bucket), force=force, report=report)

    async def bucket_acl(self, bucket: str) -> BucketAcl:
        """Who may do what with a bucket.

        Args:
            bucket: Its name, or ``s3://name``.

        Returns:
            Its owner and grants.

        Raises:
            NotSupportedError: The store has no access control lists.
        """
        name = bucket_name(bucket)
        found = await self._context().store.bucket_acl(name)
        return BucketAcl(name, found["Owner"], tuple(found["Grants"]))

    async def set_bucket_acl(
        self,
        bucket: str,
        *,
        acl: str | None = None,
        grants: Mapping[Right, str] | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        """Replaces the access control list of a bucket.

        Args:
            bucket: Its name, or ``s3://name``.
            acl: One that S3 has ready: ``private``, ``public-read``, ``public-read-write``, ``authenticated-read``.
            grants: To whom which right is given, such as ``{"read": "id=..."}``.
            policy: The whole list, as S3 names its parts: ``Owner`` and ``Grants``.

        Raises:
            InvalidInputError: None of these is given, or one together with ``policy``, or there is no such right.
            NotSupportedError: The store has no access control lists, or the bucket has them turned off.
        """
        store, name = self._context().store, bucket_name(bucket)
        for right in grants or {}:
            if right not in _GRANTS:
                raise InvalidInputError(f"there is no right {right!r}", remedy=f"Give {', '.join(_GRANTS)}")
        parameters: dict[str, Any] = {_GRANTS[right]: grantee for right, grantee in (grants or {}).items()}
        if acl:
            parameters["ACL"] = acl
        if bool(parameters) == bool(policy):
            raise InvalidInputError(
                "an access control list is wanted, in one form", remedy="Give acl or grants, or a whole policy"
            )
        if policy:
            parameters = {"AccessControlPolicy": dict(policy)}
        await store.set_bucket_acl(name, parameters)

    async def set_bucket_website(
        self, bucket: str, *, index_document: str | None = None, error_document: str | None = None
    ) -> None:
        """Makes a bucket a web site. Objects that are stored as deltas are not served by it: store those whole.

        Args:
            bucket: Its name, or ``s3://name``.
            index_document: What is served for a directory, such as ``index.html``.
            error_document: The key of what is served when something is not found.

        Raises:
            NotSupportedError: The store serves no web sites.
        """
        parameters: dict[str, Any] = {}
        if index_document is not None:
            parameters["IndexDocument"] = {"Suffix": index_document}
        if error_document is not None:
            parameters["ErrorDocument"] = {"Key": error_document}
        await self._context().store.set_bucket_website(bucket_name(bucket), parameters)
