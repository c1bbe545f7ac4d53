"""Versions: what a store that keeps them gives, and that one that keeps none says so."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deltaglider.errors import NotFoundError, NotSupportedError
from deltaglider.store.base import ObjectStore
from deltaglider.store.besides import Native
from tests.servers import Endpoint


async def _put(store: ObjectStore, bucket: str, body: bytes) -> str | None:
    sha256 = hashlib.sha256(body).hexdigest()
    return (await store.put(bucket, "key", body, sha256=sha256, metadata={"n": str(len(body))})).version_id


async def _read(store: ObjectStore, bucket: str, version: str | None, **ends: Any) -> bytes:
    async with store.open(bucket, "key", version_id=version, **ends) as body:
        return b"".join([piece async for piece in body])


@pytest.mark.endpoints("directory", "moto", "weed")
async def test_versions(store: ObjectStore, endpoint: Endpoint, bucket: str, tmp_path: Path) -> None:
    if not isinstance(store, Native):
        await _refuses(store, bucket, tmp_path)
        return
    client = await store.native()
    await client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old, new, empty = [await _put(store, bucket, body) for body in (b"old one", b"new", b"")]
    assert old
    assert len({old, new, empty}) == 3
    assert (await store.head(bucket, "key", version_id=old)).metadata == {"n": "7"}
    assert (await store.head(bucket, "key", version_id=new)).version_id == new
    assert await _read(store, bucket, old) == b"old one"
    assert await _read(store, bucket, old, start=4, length=2) == b"on"
    assert await _read(store, bucket, empty) == b""
    assert await _read(store, bucket, new, length=0) == b""
    (tmp_path / "file").touch()
    assert (await store.fetch(bucket, "key", tmp_path / "file", version_id=old)).size == 7
    assert (tmp_path / "file").read_bytes() == b"old one"
    await _deletes(store, bucket, old, new)


async def _deletes(store: ObjectStore, bucket: str, old: str, new: str | None) -> None:
    marked = await store.delete(bucket, "key")
    assert marked.marker
    assert marked.version_id
    with pytest.raises(NotFoundError):
        await store.head(bucket, "key")
    assert (await store.delete(bucket, "key", version_id=old)).version_id in (old, None)
    with pytest.raises(NotFoundError):
        await store.head(bucket, "key", version_id=old)
    assert await _read(store, bucket, new) == b"new"


async def _refuses(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    await _put(store, bucket, b"body")
    (tmp_path / "file").touch()
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.head(bucket, "key", version_id="1"),
        lambda: store.fetch(bucket, "key", tmp_path / "file", version_id="1"),
        lambda: store.delete(bucket, "key", version_id="1"),
        lambda: _read(store, bucket, "1"),
    ]
    for call in calls:
        with pytest.raises(NotSupportedError, match="no versions"):
            await call()
    deleted = await store.delete(bucket, "key")
    assert (deleted.version_id, deleted.marker) == (None, False)
