"""Requests past botocore: like those that it sends, only where it is known how, and handed back to it otherwise."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deltaglider.errors import InvalidInputError, NotFoundError, NotSupportedError, PreconditionFailedError, StoreError
from deltaglider.store.s3 import S3Store
from deltaglider.store.s3.wire import LARGEST_ANSWER
from tests.store.fakes3 import FakeS3, Handler, Reply, Request, object_reply, refusal

BODY = b"some bytes"
SHA256 = hashlib.sha256(BODY).hexdigest()
SIGNED = {"x-amz-date", "authorization"}
"""What differs from second to second."""
BOTOCORES = {"amz-sdk-invocation-id", "amz-sdk-request", "expect"}
"""What only it sends: marks of its attempts, and the question whether it may send a body, which costs a round trip."""
PROTECTING = {"content-md5", "x-amz-content-sha256"}
"""What protects a body on its way: one of the two."""


@asynccontextmanager
async def beyond_the_first(handler: Handler, **settings: Any) -> AsyncIterator[tuple[FakeS3, S3Store]]:
    """A store that has seen one request to the bucket ``b`` be answered."""
    first = FakeS3(lambda _: Reply(headers={"ETag": '"e1"'}))
    async with first as server, server.store(**{"max_attempts": 3, **settings}) as store:
        await put(store)
        assert is_botocores(server.requests.pop())
        server.handler = handler
        yield server, store


async def put(store: S3Store, key: str = "k", **options: Any) -> str:
    return (await store.put("b", key, BODY, sha256=SHA256, **{"metadata": {}, **options})).etag


def is_botocores(request: Request) -> bool:
    return "amz-sdk-request" in request.headers


def stored(request: Request, **options: Any) -> Reply:
    if request.method in ("PUT", "DELETE"):
        return Reply(200, headers={"ETag": '"e1"'})
    return object_reply(request, BODY, **options)


@pytest.mark.parametrize("key", ["k", "a/b c+d~é.zip", "100%.zip", "a//b/./c"])
async def test_requests_are_those_of_botocore(key: str) -> None:
    metadata = {"dg-tool": "x", "u": "two  spaces"}
    headers = {"ContentType": "application/zip", "Expires": "0", "StorageClass": "STANDARD_IA"}

    async def all_kinds(store: S3Store) -> list[object]:
        version = {"version_id": "v/1"}
        put = await store.put("b", key, BODY, sha256=SHA256, metadata=metadata, headers=headers, if_match="e1")
        head = await store.head("b", key, **version)
        async with store.open("b", key, start=2, length=3, if_match="e1") as body:
            read = b"".join([piece async for piece in body])
        delete = await store.delete("b", key, **version)
        return [put, dataclasses.replace(head, answered=None), body.info.metadata, body.info.size, read, delete]

    def handler(request: Request) -> Reply:
        told = {"x-amz-meta-Name": "value", "Expires": "soon", "x-amz-version-id": "v/1", "Content-Type": "a/b"}
        return stored(request, headers=told)

    async with FakeS3(handler) as server:
        async with server.store(max_attempts=1) as store:
            expected = await all_kinds(store)
        theirs = server.requests
        assert all(is_botocores(request) for request in theirs)
    async with beyond_the_first(handler) as (server, store):
        assert await all_kinds(store) == expected
        ours = server.requests
    assert not any(is_botocores(request) for request in ours)
    assert ours[0].headers["x-amz-content-sha256"] == SHA256
    for mine, botocores in zip(ours, theirs, strict=True):
        assert (mine.method, mine.path, mine.query, mine.body) == (
            botocores.method,
            botocores.path,
            botocores.query,
            botocores.body,
        )
        drop = SIGNED | BOTOCORES | PROTECTING | {"host"}
        assert {n: v for n, v in mine.headers.items() if n not in drop} == {
            n: v for n, v in botocores.headers.items() if n not in drop
        }


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal("NoSuchKey", 404), NotFoundError),
        (refusal("PreconditionFailed", 412), PreconditionFailedError),
        (refusal("NotImplemented", 501), NotSupportedError),
    ],
)
async def test_what_another_attempt_would_not_change_is_final(reply: Reply, error: type[StoreError]) -> None:
    async with beyond_the_first(lambda _: reply) as (server, store):
        with pytest.raises(error) as caught:
            async with store.open("b", "k"):
                pass
        assert caught.value.status == reply.status
        assert len(server.requests) == 1


async def test_a_head_that_finds_nothing_asks_no_more() -> None:
    async with beyond_the_first(lambda _: Reply(404)) as (server, store):
        with pytest.raises(NotFoundError, match="s3://b/k"):
            await store.head("b", "k")
        assert server.names() == ["HEAD object"]


@pytest.mark.parametrize(
    "first",
    [Reply(drop=True), Reply(500), Reply(503), refusal("SlowDown", 503), refusal("InternalError", 200), Reply(429)],
    ids=["dropped", "500", "503", "slow down", "failure in a success", "429"],
)
async def test_what_fails_is_sent_by_botocore_with_all_its_patience(first: Reply) -> None:
    replies = [first, Reply(503)]

    async with beyond_the_first(lambda request: replies.pop(0) if replies else stored(request)) as (server, store):
        assert await put(store) == "e1"
        assert [is_botocores(request) for request in server.requests] == [False, True, True]
        assert [request.body for request in server.requests] == [BODY] * 3


async def test_a_store_out_of_breath_is_left_to_botocore_for_a_while() -> None:
    replies = [Reply(503)]

    async with beyond_the_first(lambda request: replies.pop(0) if replies else stored(request)) as (server, store):
        for _ in range(3):
            await put(store)
        assert [is_botocores(request) for request in server.requests] == [False, True, True, True]


@pytest.mark.parametrize("status", [301, 307, 400, 403])
async def test_a_bucket_where_it_is_refused_is_left_to_botocore(status: int) -> None:
    def handler(request: Request) -> Reply:
        return stored(request) if is_botocores(request) else refusal("Odd", status)

    async with beyond_the_first(handler) as (server, store):
        for _ in range(3):
            await put(store)
        assert [is_botocores(request) for request in server.requests] == [False, True, True, True]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_attempts": 1},
        {"checksums": "when_supported"},
        {"sign_requests": False},
        {"max_attempts": 3, "proxy": True},
    ],
    ids=["one attempt", "checksums", "unsigned", "proxy"],
)
async def test_where_botocore_does_more_it_sends_all(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dict(settings)
    async with FakeS3(stored) as server:
        if settings.pop("proxy", False):
            monkeypatch.setenv("HTTP_PROXY", server.url)
            settings["endpoint_url"] = "http://store.invalid"
        async with server.store(**{"max_attempts": 3, **settings}) as store:
            for _ in range(3):
                await put(store)
        assert len(server.requests) == 3
        assert all(is_botocores(request) for request in server.requests)


async def test_who_listens_to_botocore_hears_of_all_requests() -> None:
    async with beyond_the_first(stored) as (server, store):
        heard: list[str] = []
        client = await store.native()
        client.meta.events.register("before-send.s3", lambda request, **_: heard.append(request.url))
        await put(store)
        assert len(heard) == len(server.requests) == 1


async def test_what_no_header_may_hold_is_for_botocore_to_refuse() -> None:
    async with beyond_the_first(stored) as (server, store):
        with pytest.raises(InvalidInputError, match="ascii"):
            await put(store, metadata={"name": "é"})
        assert not server.requests


async def test_each_bucket_is_learned_for_itself() -> None:
    async with beyond_the_first(stored) as (server, store):
        for _ in range(2):
            await store.head("other", "k")
        assert [is_botocores(request) for request in server.requests] == [True, False]


@pytest.mark.parametrize(
    "odd",
    [
        Reply(200, BODY, {"ETag": '"e1"', "Last-Modified": "some day"}),
        Reply(200, BODY, {"ETag": '"e1"', "x-amz-mp-parts-count": "many"}),
        Reply(404, b"x" * (LARGEST_ANSWER + 1)),
    ],
    ids=["no time", "no number", "without end"],
)
async def test_answers_that_make_no_sense_are_botocores_to_judge(odd: Reply) -> None:
    async with beyond_the_first(lambda request: stored(request) if is_botocores(request) else odd) as (server, store):
        async with store.open("b", "k") as body:
            assert b"".join([piece async for piece in body]) == BODY
        assert [is_botocores(request) for request in server.requests] == [False, True]


async def test_a_request_on_its_way_bears_that_its_bucket_is_left_to_botocore() -> None:
    async with beyond_the_first(stored) as (server, store):
        direct = store._session.connection.direct
        assert direct is not None
        assert direct.knows("head_object", {"Bucket": "b"})
        server.handler = lambda _: Reply(403)
        assert await direct.send("head_object", {"Bucket": "b", "Key": "k"}) is None
        assert await direct.send("head_object", {"Bucket": "b", "Key": "k"}) is None
        assert len(server.requests) == 1
