"""Downloads over connections that break, from stores that heed nothing."""

from __future__ import annotations

import hashlib
import random
from functools import partial
from pathlib import Path

import anyio
import pytest

from deltaglider.config import MIB
from deltaglider.errors import (
    LocalFileError,
    LocalFileNotFoundError,
    NotFoundError,
    PreconditionFailedError,
    StoreError,
    TransferBrokenError,
)
from deltaglider.files import Hashing
from deltaglider.tasks import together
from tests.store.fakes3 import FakeS3, Reply, Request, object_reply, refusal

PART = 5 * MIB
NOISE = random.Random(7).randbytes(2 * PART + 12345)
PARTS = {"multipart_threshold": PART, "multipart_chunksize": PART}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.write_bytes(b"what was there before")
    return path


async def read(store, **options) -> bytes:
    async with store.open("b", "k", **options) as body:
        return b"".join([piece async for piece in body])


async def test_a_body_that_breaks_off_is_resumed_where_it_stopped(target: Path) -> None:
    body = NOISE[: 3 * MIB]
    cuts = [MIB + 17, 5, MIB]

    def handler(request: Request) -> Reply:
        return object_reply(request, body, cut=cuts.pop(0) if cuts else None)

    async with FakeS3(handler) as server, server.store(max_attempts=4) as store:
        told: list[int] = []
        info = await store.fetch("b", "k", target, moved=told.append)
        assert target.read_bytes() == body
        assert (info.size, sum(told)) == (len(body), len(body))
        ranges = [request.headers.get("range") for request in server.requests]
    last = 8 * MIB - 1
    assert ranges == [
        f"bytes=0-{last}",
        *(f"bytes={start}-{len(body) - 1}" for start in (MIB + 17, MIB + 22, 2 * MIB + 22)),
    ]
    assert [request.headers.get("if-match") for request in server.requests] == [None, *['"e1"'] * 3]


async def test_an_open_body_is_resumed_too() -> None:
    cuts = [10, 20]

    def handler(request: Request) -> Reply:
        return object_reply(request, NOISE[:1000], cut=cuts.pop(0) if cuts else None)

    async with FakeS3(handler) as server, server.store(max_attempts=3) as store:
        assert await read(store, start=100, length=500) == NOISE[100:600]
        assert [request.headers["range"] for request in server.requests] == [
            "bytes=100-599",
            "bytes=110-599",
            "bytes=130-599",
        ]


async def test_parallel_ranges_are_resumed_each_for_itself(target: Path) -> None:
    broken: set[str] = set()

    def handler(request: Request) -> Reply:
        asked = request.headers["range"]
        first = asked.split("-")[0]
        cut = None if first in broken or len(broken) > 2 else 2 * MIB
        broken.add(first)
        return object_reply(request, NOISE, cut=cut)

    async with FakeS3(handler) as server, server.store(max_attempts=3, **PARTS) as store:
        info = await store.fetch("b", "k", target)
    assert target.read_bytes() == NOISE
    assert info.size == len(NOISE)
    assert len(server.requests) == 5  # The third range is shorter than the cut.
    assert {request.headers.get("if-match") for request in server.requests[1:]} == {'"e1"'}


class InOrder(Hashing):
    """Hashing that never has to read what was written."""

    def follow(self, path: Path, end: int) -> None:
        assert self.position >= end, "the bytes did not come in their order"


async def test_objects_fetched_beside_each_other_come_in_order_and_are_read_once(tmp_path: Path) -> None:
    bodies = {"a": NOISE * 4 + b"a", "b": NOISE * 4 + b"b"}
    hashings = {key: InOrder() for key in bodies}

    async def fetch(key: str) -> None:
        (tmp_path / key).touch()
        await store.fetch("b", key, tmp_path / key, hashing=hashings[key])

    handler = lambda request: object_reply(request, bodies[request.key])  # noqa: E731
    async with FakeS3(handler) as server, server.store(max_concurrent_requests=2, **PARTS) as store:
        await together(*(partial(fetch, key) for key in bodies))
    for key, body in bodies.items():
        assert (tmp_path / key).read_bytes() == body
        assert hashings[key].finish(tmp_path / key, len(body)).sha256 == hashlib.sha256(body).hexdigest()
        asked = [(request.headers["range"], request.headers.get("if-match")) for request in server.requests]
    # As long as there is one request for each, it asks for many parts.
    assert asked.count((f"bytes=0-{8 * PART - 1}", None)) == 2
    assert asked.count((f"bytes={8 * PART}-{len(bodies['a']) - 1}", '"e1"')) == 2
    assert len(asked) == 4


async def test_an_object_alone_is_fetched_in_parallel_and_hashed_whatever_comes_first(target: Path) -> None:
    others, hashing = anyio.Event(), Hashing()

    async def handler(request: Request) -> Reply:
        if request.headers["range"].startswith(f"bytes={PART}-"):
            await others.wait()  # The range behind it is on its way before this one is answered.
        if not request.headers["range"].startswith("bytes=0-"):
            others.set()
        return object_reply(request, NOISE)

    async with FakeS3(handler) as server, server.store(max_concurrent_requests=3, **PARTS) as store:
        await store.fetch("b", "k", target, hashing=hashing)
    assert target.read_bytes() == NOISE
    assert hashing.finish(target, len(NOISE)).sha256 == hashlib.sha256(NOISE).hexdigest()
    assert len(server.requests) == 3


async def test_a_body_that_keeps_breaking_off_is_given_up(target: Path) -> None:
    async with FakeS3(lambda r: object_reply(r, NOISE[:5000], cut=0)) as server, server.store(max_attempts=3) as store:
        with pytest.raises(TransferBrokenError, match="broke off 3 times at byte 0") as caught:
            await store.fetch("b", "k", target)
        assert len(server.requests) == 3
        assert caught.value.uri == "s3://b/k"
        with pytest.raises(TransferBrokenError):
            await read(store)


async def test_progress_earns_new_attempts(target: Path) -> None:
    body = NOISE[: 6 * MIB]
    async with (
        FakeS3(lambda r: object_reply(r, body, cut=MIB)) as server,
        server.store(max_attempts=2) as store,
    ):
        # The last MiB comes whole, though every answer is cut there: nothing is missing after it.
        await store.fetch("b", "k", target)
    assert target.read_bytes() == body


async def test_an_object_replaced_while_it_is_read_is_not_mixed(target: Path) -> None:
    state = {"etag": "e1"}

    def handler(request: Request) -> Reply:
        reply = object_reply(request, NOISE[:5000], state["etag"], cut=1000)
        state["etag"] = "e2"
        return reply

    async with FakeS3(handler) as server, server.store(max_attempts=5) as store:
        with pytest.raises(PreconditionFailedError, match="s3://b/k"):
            await store.fetch("b", "k", target)
        assert len(server.requests) == 2


async def test_a_store_that_ignores_if_match_is_caught(target: Path) -> None:
    def handler(request: Request) -> Reply:
        request.headers.pop("if-match", None)
        return object_reply(request, NOISE, "e1" if request.headers["range"].startswith("bytes=0-") else "e2")

    async with FakeS3(handler) as server, server.store(**PARTS) as store:
        with pytest.raises(PreconditionFailedError):
            await store.fetch("b", "k", target)
        with pytest.raises(PreconditionFailedError):
            await read(store, start=1, if_match="e1")


async def test_a_store_that_ignores_ranges_is_read_once(target: Path) -> None:
    async with FakeS3(lambda r: object_reply(r, NOISE, ranges=False)) as server, server.store(**PARTS) as store:
        await store.fetch("b", "k", target)
        assert target.read_bytes() == NOISE
        assert len(server.requests) == 1
        assert await read(store, start=PART, length=77) == NOISE[PART : PART + 77]


async def test_an_empty_object_needs_no_range(target: Path) -> None:
    async with FakeS3(lambda r: object_reply(r, b"")) as server, server.store() as store:
        info = await store.fetch("b", "k", target)
        assert target.read_bytes() == b""
        assert info.size == 0
        assert [request.headers.get("range") is None for request in server.requests] == [False, True]


async def test_a_small_object_is_one_request(target: Path) -> None:
    async with FakeS3(lambda r: object_reply(r, b"small")) as server, server.store() as store:
        info = await store.fetch("b", "k", target)
    assert target.read_bytes() == b"small"
    assert (info.size, info.etag, info.last_modified.isoformat()) == (5, "e1", "2026-11-01T10:20:30+00:00")
    assert server.names() == ["GET object"]


async def test_one_slot_is_enough_for_a_big_object(target: Path) -> None:
    async with (
        FakeS3(lambda r: object_reply(r, NOISE)) as server,
        server.store(max_concurrent_requests=1, **PARTS) as store,
    ):
        with anyio.fail_after(30):
            await store.fetch("b", "k", target)
    assert target.read_bytes() == NOISE


async def test_a_body_that_stalls_is_asked_for_again() -> None:
    first = [True]

    def handler(request: Request) -> Reply:
        stall = bool(first) and bool(first.pop())
        return object_reply(request, b"0123456789", cut=4 if stall else None, hang=stall)

    async with FakeS3(handler) as server, server.store(max_attempts=2, read_timeout=1.0) as store:
        assert await read(store) == b"0123456789"
        assert [request.headers.get("range") for request in server.requests] == [None, "bytes=4-9"]


async def test_a_body_left_unread_gives_its_connection_and_slot_back() -> None:
    async with (
        FakeS3(lambda r: object_reply(r, NOISE)) as server,
        server.store(max_concurrent_requests=1) as store,
    ):
        with anyio.fail_after(30):
            for _ in range(20):
                async with store.open("b", "k") as body:
                    assert body.info.size == len(NOISE)
            assert (await store.head("b", "k")).size == len(NOISE)


async def test_other_answers_are_not_taken_for_breaks(target: Path) -> None:
    async with FakeS3(lambda _: refusal("NoSuchKey", 404)) as server, server.store(max_attempts=3) as store:
        with pytest.raises(NotFoundError, match="s3://b/k"):
            await store.fetch("b", "k", target)
        assert server.names() == ["GET object"]


async def test_a_store_that_tells_no_size_is_refused(target: Path) -> None:
    def handler(request: Request) -> Reply:
        reply = object_reply(request, b"12345")
        reply.headers["Content-Range"] = "bytes 0-4/*"
        return reply

    async with FakeS3(handler) as server, server.store() as store:
        with pytest.raises(StoreError, match="does not tell the object's size"):
            await store.fetch("b", "k", target)


async def test_a_store_that_sends_another_range_is_refused() -> None:
    def handler(request: Request) -> Reply:
        reply = object_reply(request, b"0123456789")
        reply.headers["Content-Range"] = "bytes 7-9/10"
        return reply

    async with FakeS3(handler) as server, server.store() as store:
        with pytest.raises(StoreError, match="another range"):
            await read(store, start=2, length=3)


async def test_a_target_that_is_missing_is_named(tmp_path: Path) -> None:
    async with FakeS3(lambda r: object_reply(r, b"x")) as server, server.store() as store:
        with pytest.raises(LocalFileNotFoundError, match="no/such"):
            await store.fetch("b", "k", tmp_path / "no/such")
        assert server.requests == []


async def test_a_full_disk_is_named() -> None:
    # Every write to this device finds it full.
    async with FakeS3(lambda r: object_reply(r, NOISE)) as server, server.store(**PARTS) as store:
        with pytest.raises(LocalFileError, match=r"/dev/full: .*full"):
            await store.fetch("b", "k", Path("/dev/full"))


async def test_checksums_of_the_store_are_compared() -> None:
    def handler(request: Request) -> Reply:
        return object_reply(request, b"0123456789", headers={"x-amz-checksum-crc32": "AAAAAA=="})

    async with FakeS3(handler) as server, server.store(checksums="when_supported") as store:
        with pytest.raises(TransferBrokenError, match="damaged"):
            await read(store)
        assert server.requests[0].headers["x-amz-checksum-mode"] == "ENABLED"
