"""Deletes: in batches, one by one where a store or a key needs it, and with every failure named."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

import pytest

from deltaglider.errors import AccessDeniedError, BucketNotFoundError, StoreError, StoreUnavailableError
from tests.store.fakes3 import FakeS3, Reply, Request, document, refusal


def keys_of(request: Request) -> list[str]:
    return [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", request.body.decode(), re.DOTALL)]


def gone(_: Request) -> Reply:
    return document("<DeleteResult></DeleteResult>")


async def test_keys_go_in_batches_of_a_thousand() -> None:
    keys = [f"k{number}" for number in range(2500)]
    async with FakeS3(gone) as server, server.store() as store:
        assert await store.delete_many("b", keys) == []
    assert sorted(len(keys_of(request)) for request in server.requests) == [500, 1000, 1000]
    assert sorted(key for request in server.requests for key in keys_of(request)) == sorted(keys)
    assert all("<Quiet>true</Quiet>" in request.body.decode() for request in server.requests)


async def test_other_stores_get_the_md5_they_insist_on() -> None:
    async with FakeS3(gone) as server, server.store() as store:
        await store.delete_many("b", ["k"])
    [request] = server.requests
    assert request.headers["content-md5"] == base64.b64encode(hashlib.md5(request.body).digest()).decode()
    assert not [name for name in request.headers if "checksum" in name]


async def test_where_checksums_are_wanted_they_are_sent() -> None:
    async with FakeS3(gone) as server, server.store(checksums="when_supported") as store:
        await store.delete_many("b", ["k"])
    assert "x-amz-checksum-crc32" in server.requests[0].headers


async def test_nothing_to_delete_is_no_request() -> None:
    async with FakeS3(gone) as server, server.store() as store:
        assert await store.delete_many("b", []) == []
    assert server.requests == []


async def test_failures_are_named_and_absence_is_none() -> None:
    def handler(_: Request) -> Reply:
        return document(
            "<DeleteResult><Error><Key>locked</Key><Code>AccessDenied</Code><Message>No.</Message></Error>"
            "<Error><Key>absent</Key><Code>NoSuchKey</Code></Error>"
            "<Error><Key>late</Key><Code>InternalError</Code></Error></DeleteResult>"
        )

    async with FakeS3(handler) as server, server.store() as store:
        failures = await store.delete_many("b", ["locked", "absent", "late", "fine"])
    assert [(failure.key, type(failure.error)) for failure in failures] == [
        ("locked", AccessDeniedError),
        ("late", StoreUnavailableError),
    ]
    assert "s3://b/locked" in str(failures[0].error)


@pytest.mark.parametrize("reply", [refusal("NotImplemented", 501), refusal("MethodNotAllowed", 405), Reply(501)])
async def test_a_store_without_bulk_deletes_gets_single_ones(reply: Reply) -> None:
    def handler(request: Request) -> Reply:
        if request.method == "POST":
            return reply
        return refusal("AccessDenied", 403) if request.key == "locked" else Reply(204)

    async with FakeS3(handler) as server, server.store() as store:
        failures = await store.delete_many("b", ["a", "locked", "c"])
    assert [failure.key for failure in failures] == ["locked"]
    assert sorted(request.key for request in server.requests if request.method == "DELETE") == ["a", "c", "locked"]


async def test_keys_that_xml_cannot_hold_go_one_by_one() -> None:
    odd = ["a\x01", "b\x1f/x", "c\ufffe"]
    async with FakeS3(lambda r: gone(r) if r.method == "POST" else Reply(204)) as server, server.store() as store:
        assert await store.delete_many("b", ["plain", "nl\nx", *odd]) == []
    [batch] = [request for request in server.requests if request.method == "POST"]
    assert len(keys_of(batch)) == 2
    assert sorted(request.key for request in server.requests if request.method == "DELETE") == sorted(odd)


async def test_a_missing_bucket_ends_it_all() -> None:
    async with FakeS3(lambda _: refusal("NoSuchBucket", 404)) as server, server.store() as store:
        with pytest.raises(BucketNotFoundError):
            await store.delete_many("b", ["a", "b\x01"])
        with pytest.raises(BucketNotFoundError):
            await store.delete("b", "a")


async def test_an_absent_key_is_deleted() -> None:
    def handler(request: Request) -> Reply:
        return refusal("NoSuchKey", 404) if request.key else Reply(200)

    async with FakeS3(handler) as server, server.store() as store:
        await store.delete("b", "a")
    assert server.names() == ["DELETE object"]


async def test_a_delete_that_fails_says_so() -> None:
    async with FakeS3(lambda _: refusal("InternalError", 500)) as server, server.store() as store:
        with pytest.raises(StoreError, match="s3://b/a"):
            await store.delete("b", "a")
        with pytest.raises(StoreUnavailableError):
            await store.delete_many("b", ["a"])


async def test_a_condition_on_a_delete_travels_in_quotes() -> None:
    async with FakeS3(lambda _: Reply(204)) as server, server.store() as store:
        await store.delete("b", "k", if_match="e1")
        await store.delete("b", "k")
    assert [request.headers.get("if-match") for request in server.requests] == ['"e1"', None]


async def test_a_store_without_conditions_deletes_unconditionally_and_is_asked_once() -> None:
    def handler(request: Request) -> Reply:
        return refusal("NotImplemented", 501) if "if-match" in request.headers else Reply(204)

    async with FakeS3(handler) as server, server.store() as store:
        await store.delete("b", "k", if_match="e1")
        await store.delete("b", "k2", if_match="e2")
    asked = [(request.key, request.headers.get("if-match")) for request in server.requests]
    assert asked == [("k", '"e1"'), ("k", None), ("k2", None)]
