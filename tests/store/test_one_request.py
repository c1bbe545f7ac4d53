"""Files that go up in one request though they might go in parts: read, proven and sent in one pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.config import MIB
from deltaglider.errors import ChecksumMismatchError
from deltaglider.store.s3 import S3Store
from deltaglider.tasks import together
from tests.contract.tools import md5, noise, sha256
from tests.store.fakes3 import FakeS3, Reply, Request, refusal
from tests.store.test_direct import beyond_the_first
from tests.store.test_multipart import Parts

BODY = noise(9 * MIB + 17)
ONE_REQUEST = "PUT object"
FEW = {"max_concurrent_requests": 2}
"""With which a file that is alone goes up in one request, too."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(BODY)
    return path


def accept(request: Request) -> Reply:
    return Reply(200, headers={"ETag": f'"{md5(request.body)}"'})


class Both(Parts):
    """A store that knows objects in one request, and in parts."""

    def answer(self, request: Request) -> Reply:
        return accept(request) if request.name == ONE_REQUEST else super().answer(request)


@asynccontextmanager
async def opened(handler: Any, **settings: Any) -> AsyncIterator[tuple[FakeS3, S3Store]]:
    async with beyond_the_first(handler, **{**FEW, **settings}) as (server, store):
        yield server, store


async def put(store: S3Store, path: Path, key: str = "k", body: bytes = BODY, **options: Any) -> str:
    return (await store.put("b", key, path, sha256=sha256(body), **{"metadata": {"a": "1"}, **options})).etag


async def test_the_request_is_signed_with_the_hash_of_the_file(source: Path) -> None:
    told: list[int] = []
    async with opened(accept) as (server, store):
        assert await put(store, source, moved=told.append) == md5(BODY)
    [request] = server.requests
    assert request.body == BODY
    assert request.headers["x-amz-content-sha256"] == hashlib.sha256(BODY).hexdigest()
    assert request.headers["content-length"] == str(len(BODY))
    assert request.headers["x-amz-meta-a"] == "1"
    assert sum(told) == len(BODY)
    assert max(told) <= MIB


async def test_files_beside_each_other_take_one_request_each(tmp_path: Path) -> None:
    bodies = {key: BODY + key.encode() for key in "abcd"}
    for key, body in bodies.items():
        (tmp_path / key).write_bytes(body)
    async with opened(accept, max_concurrent_requests=8) as (server, store):
        await together(*(partial(put, store, tmp_path / key, key, body) for key, body in bodies.items()))
    assert server.names() == [ONE_REQUEST] * 4
    assert {request.key: request.body for request in server.requests} == bodies


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"max_concurrent_requests": 8}, {}),  # Alone, its parts may go beside each other.
        ({"multipart_chunksize": 8 * MIB}, {}),  # Parts were asked for.
        ({"multipart_threshold": 8 * MIB}, {}),
        ({}, {"if_none_match": True}),  # Only of what was sent in parts it can be told whose it is.
    ],
)
async def test_other_files_go_in_parts(source: Path, settings: dict[str, Any], options: dict[str, Any]) -> None:
    parts = Both()
    async with opened(parts, **settings) as (server, store):
        await put(store, source, **options)
    assert ONE_REQUEST not in server.names()
    assert parts.objects["k"][0] == BODY


async def test_a_file_over_eight_parts_goes_in_parts(tmp_path: Path) -> None:
    body = bytes(64 * MIB + 1)
    (tmp_path / "large").write_bytes(body)
    parts = Both()
    async with opened(parts) as (server, store):
        await put(store, tmp_path / "large", body=body)
    assert ONE_REQUEST not in server.names()
    assert parts.objects["k"][0] == body


@pytest.mark.parametrize("reply", [refusal("SlowDown", 503), refusal("EntityTooLarge", 413), Reply(drop=True)])
async def test_what_the_store_does_not_take_in_one_request_goes_in_parts(source: Path, reply: Reply) -> None:
    parts, told = Both(), []
    parts.refuse(ONE_REQUEST, reply)
    async with opened(parts) as (server, store):
        await put(store, source, moved=told.append)
    assert server.names().count(ONE_REQUEST) == 1
    assert parts.objects["k"][0] == BODY
    assert sum(told) == len(BODY)
    assert min(told) > 0


@pytest.mark.parametrize("change", ["other bytes", "shorter"])
async def test_a_file_that_changed_is_never_sent_to_its_end(source: Path, change: str) -> None:
    if change == "shorter":
        opened_at = len(BODY)

        def cut(count: int) -> None:
            os.truncate(source, opened_at - MIB)

        options: dict[str, Any] = {"moved": cut}
        expected = BODY
    else:
        options, expected = {}, BODY[:-1] + b"?"
    async with opened(accept) as (server, store):
        with pytest.raises(ChecksumMismatchError, match=str(source)):
            await put(store, source, body=expected, **options)
        # The server got no complete request: neither the file in one piece, nor any of its parts.
        assert server.requests == []
        source.write_bytes(BODY)
        assert await put(store, source) == md5(BODY)


async def test_an_error_of_the_observer_ends_it_as_itself(source: Path) -> None:
    def fail(_: int) -> None:
        raise ValueError("on purpose")

    async with opened(accept) as (server, store):
        with pytest.raises(ValueError, match=r"^on purpose$"):
            await put(store, source, moved=fail)
        assert server.requests == []
        assert await put(store, source) == md5(BODY)


async def test_it_can_be_cancelled_and_nothing_stays_taken(source: Path) -> None:
    arrived = anyio.Event()

    async def never(request: Request) -> Reply:
        arrived.set()
        await anyio.sleep_forever()
        return accept(request)

    async with opened(never) as (server, store):
        async with anyio.create_task_group() as group:
            for _ in range(3):  # More than there are slots.
                group.start_soon(put, store, source)
            await arrived.wait()
            group.cancel_scope.cancel()
        server.handler = accept
        await together(*[partial(put, store, source)] * 3)
    assert server.requests[-1].body == BODY
