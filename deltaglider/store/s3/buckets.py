"""Buckets as wholes: listed, made, removed, and what S3 keeps about them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import anyio

from deltaglider.errors import AlreadyExistsError, BucketNotFoundError, DeltaGliderError, StoreError
from deltaglider.store.buckets import ListedBucket
from deltaglider.store.s3.answers import utc
from deltaglider.store.s3.session import S3Session

_CLEANUP = 20.0  # Seconds that removing a bucket that lacks its tags may take when nobody waits any more.


async def list_buckets(session: S3Session, prefix: str, region: str) -> list[ListedBucket]:
    """See ``BucketStore.list_buckets``."""
    found: list[ListedBucket] = []
    wanted = {name: value for name, value in (("Prefix", prefix), ("BucketRegion", region)) if value}
    further: dict[str, str] = {}
    while True:
        answer = await session.request("list_buckets", **wanted, **further)
        for entry in answer.get("Buckets", []):
            created = entry.get("CreationDate")
            # Some stores list all, whatever they are asked.
            elsewhere = region and entry.get("BucketRegion", region) != region
            if entry["Name"].startswith(prefix) and not elsewhere:
                found.append(ListedBucket(entry["Name"], utc(created) if created else None))
        if not answer.get("ContinuationToken"):
            return sorted(found, key=lambda bucket: bucket.name)
        further = {"ContinuationToken": answer["ContinuationToken"]}


async def bucket_exists(session: S3Session, bucket: str) -> bool:
    """See ``BucketStore.bucket_exists``."""
    try:
        await session.request("head_bucket", bucket)
    except BucketNotFoundError:
        session.forget_bucket(bucket)
        return False
    return True


async def create_bucket(session: S3Session, bucket: str, tags: Mapping[str, str]) -> None:
    """See ``BucketStore.create_bucket``."""
    # Amazon's oldest region, and some stores, call it a success to make one's own bucket again.
    if await _seen(session, bucket):
        raise AlreadyExistsError(
            "the bucket exists already", uri=f"s3://{bucket}", status=409, s3_code="BucketAlreadyOwnedByYou"
        )
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    on_aws = session.connection.on_aws
    # Elsewhere tags in the request that makes a bucket may be passed over without a word.
    with_tags = {"Tags": listed} if listed and on_aws else {}
    place = {"LocationConstraint": session.connection.region}
    if session.connection.region in ("", "us-east-1", "aws-global"):
        place = {}
    try:
        await _create(session, bucket, {**place, **with_tags})
    except StoreError as error:
        if not place or on_aws or "LocationConstraint" not in error.s3_code:
            raise
        await _create(session, bucket, {})
    if listed and not on_aws:
        await _tag(session, bucket, listed)


async def _seen(session: S3Session, bucket: str) -> bool:
    try:
        return await bucket_exists(session, bucket)
    except StoreError:
        return False  # Making it will tell.


async def _create(session: S3Session, bucket: str, configuration: Mapping[str, Any]) -> None:
    given: dict[str, Any] = {"CreateBucketConfiguration": configuration} if configuration else {}
    await session.request("create_bucket", bucket, **given)


async def _tag(session: S3Session, bucket: str, tags: list[dict[str, str]]) -> None:
    try:
        await session.request("put_bucket_tagging", bucket, Tagging={"TagSet": tags})
    except BaseException:
        with anyio.CancelScope(deadline=anyio.current_time() + _CLEANUP, shield=True):
            with contextlib.suppress(DeltaGliderError):
                await delete_bucket(session, bucket)
        raise


async def delete_bucket(session: S3Session, bucket: str) -> None:
    """See ``BucketStore.delete_bucket``."""
    await session.request("delete_bucket", bucket)
    session.forget_bucket(bucket)


async def bucket_acl(session: S3Session, bucket: str) -> dict[str, Any]:
    """See ``BucketStore.bucket_acl``."""
    answer = await session.request("get_bucket_acl", bucket)
    return {"Owner": answer.get("Owner", {}), "Grants": answer.get("Grants", [])}


async def set_bucket_acl(session: S3Session, bucket: str, parameters: Mapping[str, Any]) -> None:
    """See ``BucketStore.set_bucket_acl``."""
    await session.request("put_bucket_acl", bucket, **parameters)


async def set_bucket_website(session: S3Session, bucket: str, parameters: Mapping[str, Any]) -> None:
    """See ``BucketStore.set_bucket_website``."""
    await session.request("put_bucket_website", bucket, WebsiteConfiguration=dict(parameters))
