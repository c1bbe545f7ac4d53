"""The asynchronous client."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from deltaglider.client.boto import BotoMethods
from deltaglider.client.buckets import BucketMethods
from deltaglider.client.copying import CopyMethods
from deltaglider.client.earlier import EarlierMethods
from deltaglider.client.looking import LookingMethods
from deltaglider.client.objects import ObjectMethods
from deltaglider.client.saving import SavingMethods
from deltaglider.client.sharing import SharingMethods
from deltaglider.client.syncing import SyncMethods
from deltaglider.client.telling import told
from deltaglider.client.trees import TreeMethods
from deltaglider.config import Settings
from deltaglider.events import Observer, ignore


@told
class AsyncDeltaGliderClient(
    EarlierMethods,
    ObjectMethods,
    CopyMethods,
    BucketMethods,
    LookingMethods,
    SavingMethods,
    SharingMethods,
    TreeMethods,
    SyncMethods,
    BotoMethods,
):
    """Versioned binary data in S3, asynchronously. Made by ``create_async_client``.

    Use it as an asynchronous context manager, or call ``aclose`` at the end. It belongs to the event loop it is first
    used in, may be used by any number of its tasks, and opens nothing before the first call.

    Every method raises ``DeltaGliderError`` or one of its subclasses, which name the URI or path, the cause and the
    remedy; those that have the names of boto3's (``get_object``, ``put_object``, ...) raise botocore's errors.

    Args:
        settings: The settings.
        observer: Called with each event of ``deltaglider.events``.
    """


def create_async_client(
    endpoint_url: str | None = None,
    log_level: str | None = None,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
    region_name: str | None = None,
    *,
    profile_name: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    max_ratio: float | None = None,
    observer: Observer = ignore,
    settings: Settings | None = None,
    **more: Any,
) -> AsyncDeltaGliderClient:
    """An asynchronous client.

    What is not given comes from the ``DG_*`` variables, then from the defaults; credentials, region and profile from
    botocore's chain.

    Args:
        endpoint_url: ``None`` for AWS, ``https://host`` for an S3-compatible store, ``file:///path`` for the embedded
            one.
        log_level: Level of the ``deltaglider`` logger.
        aws_access_key_id: An access key.
        aws_secret_access_key: Its secret.
        aws_session_token: The session token of temporary credentials.
        region_name: The region.
        profile_name: A profile of the AWS configuration files.
        cache_dir: Where references are cached.
        max_ratio: The largest delta kept, as a share of the file's size.
        observer: Called with each event of ``deltaglider.events``, in the client's event loop.
        settings: All settings at once; then no other but ``observer`` may be given.
        **more: Any other field of ``Settings``. ``tool_version`` of earlier versions is taken and means nothing.

    Returns:
        The client; nothing is opened yet.

    Raises:
        ConfigurationError: A setting does not hold what it should.
        TypeError: An unknown keyword.
    """
    more.pop("tool_version", None)
    given = {
        "endpoint_url": endpoint_url,
        "log_level": log_level,
        "aws_access_key_id": aws_access_key_id,
        "aws_secret_access_key": aws_secret_access_key,
        "aws_session_token": aws_session_token,
        "region_name": region_name,
        "profile_name": profile_name,
        "cache_dir": cache_dir,
        "max_ratio": max_ratio,
        **more,
    }
    for name in more.keys() - {field.name for field in dataclasses.fields(Settings)}:
        raise TypeError(f"unexpected keyword argument {name!r}: there is no such setting")
    if settings is None:
        settings = Settings.from_env(**given)
    elif any(value is not None for value in given.values()):
        raise TypeError("give either settings or single keywords, not both")
    return AsyncDeltaGliderClient(settings, observer)
