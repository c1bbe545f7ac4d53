"""Copies inside the store: in one request, or in parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from deltaglider.store.base import HEADER_NAMES, PutResult, StoredObject
from deltaglider.store.s3 import multipart
from deltaglider.store.s3.answers import headed_object, put_result, quoted, require_etag, write_parameters
from deltaglider.store.s3.conditions import unless_refused
from deltaglider.store.s3.session import S3Session
from deltaglider.store.s3.unmixed import copy_one_generation


async def copy(
    session: S3Session,
    origin: tuple[str, str],
    target: tuple[str, str],
    *,
    metadata: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    if_match: str | None,
) -> PutResult:
    """See ``ObjectStore.copy``.

    Args:
        session: The session.
        origin: Bucket and key of the source.
        target: Bucket and key of the target.
        metadata: New user metadata; ``None`` keeps the source's metadata and headers.
        headers: New headers, with ``metadata``; write parameters, always.
        if_match: The ETag the source must have.

    Returns:
        What the store calls the result.
    """
    answer = await session.request("head_object", *origin)
    source = headed_object(*origin, answer)
    # Some stores ignore conditions on the source, and answer 500 where the target's bucket is missing.
    require_etag(source, if_match)
    if target[0] != origin[0]:
        await session.require_bucket(target[0])
    extra = {name: value for name, value in (headers or {}).items() if name not in HEADER_NAMES}
    if source.size > multipart.COPY_LIMIT:
        if metadata is None:
            parameters = write_parameters(source.metadata, {**source.headers, **extra})
        else:
            parameters = write_parameters(metadata, headers)
        if answer.get("TagCount") and "Tagging" not in extra:
            parameters["Tagging"] = await _tags(session, *origin)
        result = await multipart.copy_parts(session, source, *target, parameters)
    elif if_match and metadata is not None:
        # The bytes and what is said of them must not be of two generations.
        parameters = {"MetadataDirective": "REPLACE", **write_parameters(metadata, headers)} | _tagging(extra)
        return await copy_one_generation(session, source, target, parameters)
    else:
        result = await _copy_whole(session, source, target, metadata, headers, extra, if_match)
    if if_match and result.etag != source.etag:
        # The copy has an ETag of its own, or is of another generation: some stores ignore conditions on the source.
        require_etag(headed_object(*origin, await session.request("head_object", *origin)), if_match)
    return result


async def _copy_whole(
    session: S3Session,
    source: StoredObject,
    target: tuple[str, str],
    metadata: Mapping[str, str] | None,
    headers: Mapping[str, str] | None,
    extra: Mapping[str, Any],
    if_match: str | None,
) -> PutResult:
    parameters: dict[str, Any] = {"CopySource": {"Bucket": source.bucket, "Key": source.key}, **_tagging(extra)}
    if metadata is None:
        # The one header that S3 does not copy.
        redirect = {name: text for name, text in source.headers.items() if name == "WebsiteRedirectLocation"}
        parameters |= {"MetadataDirective": "COPY", **redirect, **extra}
    else:
        parameters |= {"MetadataDirective": "REPLACE", **write_parameters(metadata, headers)}
    send = partial(session.request, "copy_object", *target, **parameters)
    conditions = {"CopySourceIfMatch": quoted(if_match)} if if_match else {}
    answer = await unless_refused(session, send, **conditions)
    return put_result(answer, answer.get("CopyObjectResult", {}).get("ETag"))


def _tagging(extra: Mapping[str, Any]) -> dict[str, str]:
    return {"TaggingDirective": "REPLACE"} if "Tagging" in extra else {}


async def _tags(session: S3Session, bucket: str, key: str) -> str:
    answer = await session.request("get_object_tagging", bucket, key)
    return urlencode([(tag["Key"], tag["Value"]) for tag in answer.get("TagSet", [])])
