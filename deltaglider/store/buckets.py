"""The part of the store contract that is about buckets; see ``base`` for how all methods behave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class ListedBucket:
    """One bucket.

    Attributes:
        name: Its name.
        created: When it was made.
    """

    name: str
    created: datetime | None


class BucketStore(Protocol):
    """Buckets, and what is said about them as wholes."""

    async def list_buckets(self, *, prefix: str = "", region: str = "") -> list[ListedBucket]:
        """All buckets, by name.

        Args:
            prefix: Only those whose names begin with it.
            region: Only those of this region, where the store tells of regions.
        """

    async def bucket_exists(self, bucket: str) -> bool:
        """Whether a bucket exists. An error other than a 404 is raised."""

    async def create_bucket(self, bucket: str, *, tags: Mapping[str, str] | None = None) -> None:
        """Makes a bucket, with all its tags or not at all.

        Args:
            bucket: The bucket.
            tags: Tags of it.

        Raises:
            AlreadyExistsError: It exists.
            NotSupportedError: The store has no tags.
        """

    async def delete_bucket(self, bucket: str) -> None:
        """Removes an empty bucket.

        Raises:
            StoreError: It is not empty (``s3_code`` is ``BucketNotEmpty``).
        """

    async def bucket_acl(self, bucket: str) -> dict[str, Any]:
        """Who may do what with a bucket: ``Owner`` and ``Grants``, as S3 names their parts.

        Raises:
            NotSupportedError: The store has no access control lists.
        """

    async def set_bucket_acl(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """Replaces the access control list of a bucket.

        Args:
            bucket: The bucket.
            parameters: By S3's names: ``ACL``, ``GrantRead`` and the others, or ``AccessControlPolicy``.

        Raises:
            NotSupportedError: The store has no access control lists.
        """

    async def set_bucket_website(self, bucket: str, parameters: Mapping[str, Any]) -> None:
        """Makes a bucket a web site.

        Args:
            bucket: The bucket.
            parameters: By S3's names: ``IndexDocument``, ``ErrorDocument``.

        Raises:
            NotSupportedError: The store serves no web sites.
        """
