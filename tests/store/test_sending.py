"""Request bodies: what goes over the wire, what is told of it, and what happens when it stops."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path

import anyio
import pytest

from deltaglider.config import KIB, MIB
from deltaglider.errors import (
    ChecksumMismatchError,
    InvalidInputError,
    LocalFileError,
    LocalFileNotFoundError,
    PreconditionFailedError,
    StoreUnavailableError,
)
from deltaglider.store.s3 import session as session_module
from deltaglider.store.s3.sending import SendBody
from tests.contract.tools import md5, noise, sha256
from tests.store.fakes3 import LAST_MODIFIED, FakeS3, Reply, Request, refusal

BODY = noise(3 * MIB + 17)


def accept(request: Request) -> Reply:
    return Reply(200, headers={"ETag": f'"{md5(request.body)}"'})


async def put(store, body=BODY, **options):
    return await store.put("b", "k", body, **{"sha256": sha256(body), "metadata": {}, **options})


async def test_a_body_arrives_whole_with_its_length_and_sums() -> None:
    async with FakeS3(accept) as server, server.store() as store:
        result = await put(store)
    assert result.etag == md5(BODY)
    [request] = server.requests
    assert request.body == BODY
    assert request.headers["content-md5"] == base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert "content-md5" in request.headers["authorization"]
    assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert "x-amz-checksum-crc32" not in request.headers


async def test_amazons_checksum_goes_along_where_it_is_wanted() -> None:
    async with FakeS3(accept) as server, server.store(checksums="when_supported") as store:
        await put(store)
    [request] = server.requests
    assert request.body == BODY
    assert "x-amz-checksum-crc32" in request.headers
    assert "content-md5" not in request.headers


async def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    async with FakeS3(accept) as server, server.store() as store:
        await store.put("b", "k", path, sha256=sha256(BODY), metadata={"A": "1"}, headers={"ContentType": "x/y"})
    [request] = server.requests
    assert request.body == BODY
    assert request.headers["x-amz-meta-a"] == "1"
    assert request.headers["content-type"] == "x/y"


@pytest.mark.parametrize("expires", ["0", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
async def test_expires_is_the_text_of_the_header(expires: str) -> None:
    def handler(request: Request) -> Reply:
        if request.method == "HEAD":
            return Reply(200, headers={"ETag": '"e"', "Last-Modified": LAST_MODIFIED, "Expires": expires})
        return accept(request)

    async with FakeS3(handler) as server, server.store() as store:
        await put(store, b"x", headers={"Expires": expires})
        assert server.requests[0].headers["expires"] == expires
        assert (await store.head("b", "k")).headers["Expires"] == expires


async def test_each_byte_is_told_once_though_it_is_sent_twice() -> None:
    replies = [503]

    def handler(request: Request) -> Reply:
        return refusal("SlowDown", replies.pop()) if replies else accept(request)

    told: list[int] = []
    async with FakeS3(handler) as server, server.store(max_attempts=2) as store:
        await put(store, moved=told.append)
        assert len(server.requests) == 2
        assert all(request.body == BODY for request in server.requests)
    assert sum(told) == len(BODY)
    assert all(count > 0 for count in told)
    assert len(told) > 5


async def test_an_error_of_the_observer_ends_the_request_as_itself() -> None:
    def fail(_: int) -> None:
        raise ValueError("on purpose")

    async with FakeS3(accept) as server, server.store(max_attempts=3) as store:
        with pytest.raises(ValueError, match=r"^on purpose$"):
            await put(store, moved=fail)
        with pytest.raises(ValueError, match=r"^on purpose$"):
            await put(store, b"last slice is the first", moved=fail)
        await put(store)


async def test_a_server_that_stops_taking_the_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_LONGEST_BACKOFF", 0.0)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            await asyncio.sleep(3600)
        finally:
            writer.close()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    try:
        fake = FakeS3(accept)
        fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with fake.store(connect_timeout=0.2, read_timeout=0.8, multipart_threshold=64 * MIB) as store:
            body = bytes(32 * MIB)
            with anyio.fail_after(60), pytest.raises(StoreUnavailableError, match="stopped taking data"):
                await put(store, body)
    finally:
        server.close()


async def test_a_file_that_changed_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    async with FakeS3(accept) as server, server.store() as store:
        with pytest.raises(ChecksumMismatchError, match=str(path)):
            await store.put("b", "k", path, sha256=sha256(b"before"), metadata={})
        with pytest.raises(ChecksumMismatchError):
            await store.put("b", "k", b"now", sha256=sha256(b"before"), metadata={})
        assert server.requests == []


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    async with FakeS3(accept) as server, server.store() as store:
        with pytest.raises(LocalFileNotFoundError, match="absent"):
            await store.put("b", "k", tmp_path / "absent", sha256="", metadata={})
        with pytest.raises(LocalFileError, match=str(tmp_path)):
            await store.put("b", "k", tmp_path, sha256="", metadata={})
        import os

        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(LocalFileError, match="pipe"):
            await store.put("b", "k", tmp_path / "pipe", sha256="", metadata={})
        assert server.requests == []


async def test_conditions_are_sent() -> None:
    async with FakeS3(accept) as server, server.store() as store:
        await put(store, b"x", if_none_match=True)
        await put(store, b"x", if_match="abc")
        await put(store, b"x")
    assert [(request.headers.get("if-none-match"), request.headers.get("if-match")) for request in server.requests] == [
        ("*", None),
        (None, '"abc"'),
        (None, None),
    ]


@pytest.mark.parametrize("mine", [True, False])
async def test_a_condition_that_fails_because_of_our_own_first_attempt_holds(mine: bool) -> None:
    answers = [refusal("InternalError", 500), refusal("PreconditionFailed", 412)]

    def handler(request: Request) -> Reply:
        if request.method == "HEAD":
            etag = md5(BODY) if mine else md5(b"somebody else's")
            headers = {
                "ETag": f'"{etag}"',
                "Last-Modified": LAST_MODIFIED,
                "x-amz-meta-when": "now" if mine else "then",
            }
            return Reply(200, BODY, headers)
        return answers.pop(0)

    async with FakeS3(handler) as server, server.store(max_attempts=2) as store:
        if mine:
            assert (await put(store, if_none_match=True, metadata={"when": "now"})).etag == md5(BODY)
        else:
            with pytest.raises(PreconditionFailedError):
                await put(store, if_none_match=True, metadata={"when": "now"})
        assert server.names() == ["PUT object", "PUT object", "HEAD object"]


async def test_a_condition_that_fails_at_once_is_not_questioned() -> None:
    async with FakeS3(lambda _: refusal("PreconditionFailed", 412)) as server, server.store() as store:
        with pytest.raises(PreconditionFailedError):
            await put(store, if_none_match=True)
        assert server.names() == ["PUT object"]


async def test_a_url_cannot_be_valid_for_ever() -> None:
    async with FakeS3(accept) as server, server.store() as store:
        for seconds in (0, -1, 604801):
            with pytest.raises(InvalidInputError, match="604800"):
                await store.presign("b", "k", expires=seconds)


def test_a_body_reads_like_a_file() -> None:
    body = SendBody(b"0123456789")
    assert len(body) == 10
    assert bool(SendBody(b""))
    assert body.read(3) == b"012"
    assert body.tell() == 3
    assert body.seek(-2, 2) == 8
    assert body.read() == b"89"
    assert body.read(5) == b""
    assert body.seek(1) == 1
    assert body.seek(2, 1) == 3
    assert body.read(-1) == b"3456789"


async def test_a_body_goes_out_in_slices_from_the_start_each_time() -> None:
    data = noise(700 * KIB)
    body = SendBody(data)
    body.read(100)
    for _ in range(2):
        pieces = [bytes(piece) async for piece in body]
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 256 * KIB
