"""Buckets, as boto3's client has them."""

from __future__ import annotations

from typing import Any, cast

from deltaglider.bulk.buckets import remove_bucket
from deltaglider.client.boto.base import ASKED, BotoBase
from deltaglider.client.boto.exceptions import client_error, response_metadata
from deltaglider.client.boto.parameters import check_parameters
from deltaglider.client.boto.shapes import Answer, CreateBucketOutput, HeadBucketOutput, ListBucketsOutput


class BucketCalls(BotoBase):
    """Buckets. With S3 all parameters are S3's own; the embedded store knows names alone."""

    async def head_bucket(self, /, *, Bucket: str, **parameters: Any) -> HeadBucketOutput:
        """Whether a bucket is there, as boto3's ``head_bucket``.

        Args:
            Bucket: The bucket.
            **parameters: ``ExpectedBucketOwner``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``404``, ``403``.
        """
        if self._on_server:
            return cast(
                "HeadBucketOutput", dict(await self._native("head_bucket", "HeadBucket", Bucket=Bucket, **parameters))
            )
        check_parameters("HeadBucket", parameters, ASKED)
        with self._call("HeadBucket", Bucket, asking=parameters):
            if not await self._context().store.bucket_exists(Bucket):
                raise client_error("HeadBucket", "404", 404, "Not Found")
        return {"ResponseMetadata": response_metadata(200)}

    async def create_bucket(self, /, *, Bucket: str, **parameters: Any) -> CreateBucketOutput:
        """Makes a bucket, as boto3's ``create_bucket``. ``make_bucket`` knows the client's region by itself.

        Args:
            Bucket: The bucket.
            **parameters: ``CreateBucketConfiguration``, ``ACL``, ...

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``BucketAlreadyOwnedByYou``, ``BucketAlreadyExists``, ...
        """
        if self._on_server:
            return cast(
                "CreateBucketOutput",
                dict(await self._native("create_bucket", "CreateBucket", Bucket=Bucket, **parameters)),
            )
        check_parameters("CreateBucket", parameters, ())
        with self._call("CreateBucket", Bucket):
            await self._context().store.create_bucket(Bucket)
        return {"ResponseMetadata": response_metadata(200), "Location": f"/{Bucket}"}

    async def delete_bucket(self, /, *, Bucket: str, **parameters: Any) -> Answer:
        """Removes an empty bucket, as boto3's ``delete_bucket``. ``remove_bucket`` can empty it first.

        Args:
            Bucket: The bucket. What DeltaGlider keeps in it for objects that are gone goes with it.
            **parameters: ``ExpectedBucketOwner``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: ``BucketNotEmpty``, ``NoSuchBucket``, ...
        """
        check_parameters("DeleteBucket", parameters, ASKED)
        with self._call("DeleteBucket", Bucket, asking=parameters):
            await remove_bucket(self._context(), Bucket)
        return {"ResponseMetadata": response_metadata(204)}

    async def list_buckets(self, /, **parameters: Any) -> ListBucketsOutput:
        """All buckets, as boto3's ``list_buckets``. ``buckets`` gives them as ``BucketInfo``, all pages at once.

        Args:
            **parameters: ``Prefix``, ``MaxBuckets``, ``ContinuationToken``, ``BucketRegion``.

        Returns:
            boto3's answer.

        Raises:
            ClientError: The store refused.
        """
        if self._on_server:
            return cast("ListBucketsOutput", dict(await self._native("list_buckets", "ListBuckets", **parameters)))
        check_parameters("ListBuckets", parameters, {"Prefix"})
        with self._call("ListBuckets"):
            found = await self._context().store.list_buckets(prefix=parameters.get("Prefix", ""))
        buckets = [{"Name": bucket.name, "CreationDate": bucket.created} for bucket in found]
        answer = {"ResponseMetadata": response_metadata(200), "Buckets": buckets, "Owner": {}}
        return cast("ListBucketsOutput", answer)
