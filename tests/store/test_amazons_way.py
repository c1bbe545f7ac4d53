"""What real AWS sees and no plain server does: TLS, checksums in trailers, checksums of answers."""

from __future__ import annotations

import gc
import socket
import ssl
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest

from deltaglider.config import MIB
from tests.contract.tools import noise, sha256
from tests.servers import S3Endpoint

PART = 5 * MIB

pytestmark = pytest.mark.endpoints("weed-tls")


@pytest.mark.parametrize("size", [0, 1, 3 * MIB + 1, 2 * PART + 7])
async def test_bodies_with_checksums_in_trailers_come_back(
    endpoint: S3Endpoint, bucket: str, tmp_path: Path, size: int
) -> None:
    body = noise(size)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(body)
    target.touch()
    store = endpoint.open_store(checksums="when_supported", multipart_threshold=PART, multipart_chunksize=PART)
    told: list[int] = []
    try:
        await store.put(bucket, "k", source, sha256=sha256(body), metadata={"a": "1"}, moved=told.append)
        info = await store.fetch(bucket, "k", target)
        assert target.read_bytes() == body
        assert (info.size, info.metadata, sum(told)) == (size, {"a": "1"}, size)
        async with store.open(bucket, "k") as opened:
            assert b"".join([piece async for piece in opened]) == body
        assert await store.delete_many(bucket, ["k"]) == []
        assert [page async for page in store.list_objects(bucket)] == []
    finally:
        await store.aclose()


async def test_no_connection_outlives_the_store(endpoint: S3Endpoint, bucket: str) -> None:
    def connections() -> list[socket.socket]:
        # asyncio's: those of the tests' own client are of another class.
        sockets = [thing for thing in gc.get_objects() if type(thing) is socket.socket]
        port = urlsplit(endpoint.url).port
        return [it for it in sockets if it.fileno() >= 0 and it.family == socket.AF_INET and _peer(it) == port]

    body = noise(4 * MIB)
    store = endpoint.open_store()
    scope = anyio.CancelScope()
    with scope:
        await store.put(bucket, "k", body, sha256=sha256(body), metadata={}, moved=lambda _: scope.cancel())
    assert scope.cancelled_caught
    assert connections()
    await store.aclose()
    assert connections() == []


def _peer(connection: socket.socket) -> int | None:
    try:
        return int(connection.getpeername()[1])
    except OSError:
        return None


async def test_a_url_over_tls_reads_without_credentials(endpoint: S3Endpoint, bucket: str) -> None:
    store = endpoint.open_store()
    try:
        await store.put(bucket, "k", b"hello", sha256=sha256(b"hello"), metadata={})
        url = await store.presign(bucket, "k")
    finally:
        await store.aclose()
    context = ssl.create_default_context(cafile=str(endpoint.ca_bundle))
    with urllib.request.urlopen(url, context=context) as answer:
        assert answer.read() == b"hello"
