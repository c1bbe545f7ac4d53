"""``head``, ``open`` and ``fetch``: absent means 404, ranges are exact, and generations never mix."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from deltaglider.config import MIB
from deltaglider.errors import BucketNotFoundError, LocalFileError, NotFoundError, PreconditionFailedError, StoreError
from deltaglider.files import Hashing
from tests.contract.conftest import PART
from tests.contract.quirks import makes_directories
from tests.contract.tools import Box, md5, meanwhile, noise, sha256
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")
everywhere = pytest.mark.endpoints("directory", "moto", "weed", "weed-tls")

ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


async def test_an_absent_key_is_not_found(box: Box, endpoint: Endpoint) -> None:
    await box.put("dir/k", b"x")
    for key in ("absent", "dir", "dir/k/below", "DIR/k", *([] if makes_directories(endpoint) else ["dir/"])):
        for attempt in (box.head, box.read, box.fetch):
            with pytest.raises(NotFoundError, match=f"s3://{box.bucket}/{key}") as caught:
                await attempt(key)
            assert not isinstance(caught.value, BucketNotFoundError)
            assert caught.value.status == 404


async def test_a_missing_bucket_is_not_found(box: Box) -> None:
    with pytest.raises(NotFoundError, match="s3://no-such-bucket-0/"):
        await box.store.head("no-such-bucket-0", "k")
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        async with box.store.open("no-such-bucket-0", "k"):
            pass
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        await box.store.fetch("no-such-bucket-0", "k", box.new_file())


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, None), (0, 26), (0, 1), (0, 0), (5, 0), (5, 10), (20, 100), (25, 1), (25, None), (26, None), (26, 1), (40, 5)],
)
async def test_a_range_is_exactly_what_was_asked_for(box: Box, start: int, length: int | None) -> None:
    await box.put("k", ALPHABET)
    stop = None if length is None else start + length
    assert await box.read("k", start=start, length=length) == ALPHABET[start:stop]


@pytest.mark.parametrize(("start", "length"), [(0, None), (0, 0), (0, 10), (3, None)])
async def test_any_range_of_an_empty_object_is_empty(box: Box, start: int, length: int | None) -> None:
    await box.put("k", b"")
    assert await box.read("k", start=start, length=length) == b""


@everywhere
async def test_ranges_across_parts(box: Box) -> None:
    body = noise(2 * PART + 12345)
    await box.put("k", body)
    assert await box.read("k", start=PART - 3, length=6) == body[PART - 3 : PART + 3]
    assert await box.read("k", start=PART, length=PART) == body[PART : 2 * PART]
    assert await box.read("k", start=2 * PART) == body[2 * PART :]


@pytest.mark.parametrize(("start", "length"), [(0, None), (3, 5), (0, 0), (30, None)])
async def test_an_open_object_tells_of_the_whole(box: Box, start: int, length: int | None) -> None:
    result = await box.put("k", ALPHABET, metadata={"a": "1"}, headers={"ContentType": "text/x-test"})
    async with box.store.open(box.bucket, "k", start=start, length=length) as body:
        assert (body.info.bucket, body.info.key, body.info.size) == (box.bucket, "k", 26)
        assert (body.info.etag, body.info.metadata) == (result.etag, {"a": "1"})
        assert body.info.headers["ContentType"] == "text/x-test"


async def test_pieces_are_small(box: Box) -> None:
    await box.put("k", noise(3 * MIB + 1))
    async with box.store.open(box.bucket, "k") as body:
        sizes = [len(piece) async for piece in body]
    assert sum(sizes) == 3 * MIB + 1
    assert min(sizes) > 0
    assert max(sizes) <= 2 * MIB


@everywhere
async def test_a_body_may_be_left_unread(box: Box) -> None:
    await box.put("k", noise(8 * MIB))
    # More often than a store has connections: one that is not given back would be missed.
    for _ in range(20):
        async with box.store.open(box.bucket, "k") as body:
            async for piece in body:
                assert piece == noise(8 * MIB)[: len(piece)]
                break
    assert await box.read("k", length=5) == noise(8 * MIB)[:5]


@everywhere
@pytest.mark.parametrize("size", [26, 2 * PART + 12345])
async def test_if_match_reads_that_generation_only(box: Box, size: int) -> None:
    etag = (await box.put("k", noise(size))).etag
    assert await box.read("k", if_match=etag) == noise(size)
    assert (await box.fetch("k", if_match=etag))[1] == noise(size)
    other = md5(b"other")
    with pytest.raises(PreconditionFailedError, match=f"s3://{box.bucket}/k"):
        await box.read("k", if_match=other)
    with pytest.raises(PreconditionFailedError):
        await box.read("k", start=3, length=2, if_match=other)
    with pytest.raises(PreconditionFailedError):
        await box.read("k", start=3, length=0, if_match=other)
    with pytest.raises(PreconditionFailedError):
        await box.fetch("k", if_match=other)


async def test_if_match_of_an_absent_key_is_not_found(box: Box) -> None:
    for attempt in (box.read, box.fetch):
        with pytest.raises(NotFoundError):
            await attempt("absent", if_match=md5(b""))


@pytest.mark.parametrize("size", [0, 3, PART, 2 * PART + 12345])
async def test_fetch_fills_the_file_and_nothing_remains_of_what_it_held(box: Box, size: int) -> None:
    await box.put("k", noise(size), metadata={"a": "1"}, headers={"ContentType": "text/x-test"})
    path = box.new_file(b"!" * (3 * PART))
    hashing = Hashing()
    info = await box.store.fetch(box.bucket, "k", path, hashing=hashing)
    assert path.read_bytes() == noise(size)
    assert hashing.position in (0, size)  # On the way to its end, or not at all.
    assert hashing.finish(path, size).sha256 == sha256(noise(size))
    assert (info.size, info.metadata, info.headers["ContentType"]) == (size, {"a": "1"}, "text/x-test")


async def test_fetch_into_a_place_that_cannot_be_written_names_it(box: Box) -> None:
    await box.put("k", noise(2 * PART))
    with pytest.raises(LocalFileError, match="no such directory"):
        await box.store.fetch(box.bucket, "k", box.tmp_path / "no such directory" / "file")


@everywhere
async def test_an_object_overwritten_while_it_is_fetched_is_never_mixed(box: Box, endpoint: Endpoint) -> None:
    old, new = noise(3 * PART, seed=1), noise(3 * PART, seed=2)
    old_etag = (await box.put("k", old)).etag

    async def overwrite() -> None:
        store = endpoint.open_store()
        try:
            await store.put(box.bucket, "k", new, sha256=sha256(new), metadata={})
        finally:
            await store.aclose()

    overwritten: list[int] = []

    def moved(count: int) -> None:
        if not overwritten:
            overwritten.append(count)
            meanwhile(lambda: asyncio.run(overwrite()))

    # Two requests at a time: when the first bytes come, the third part is not asked for yet.
    slow = endpoint.open_store(multipart_threshold=PART, multipart_chunksize=PART, max_concurrent_requests=2)
    path = box.new_file()
    try:
        if endpoint.is_server:
            with pytest.raises(PreconditionFailedError):
                await slow.fetch(box.bucket, "k", path, moved=moved)
        else:
            info = await slow.fetch(box.bucket, "k", path, moved=moved)
            assert path.read_bytes() == old
            assert info.etag == old_etag
    finally:
        await slow.aclose()
    assert overwritten
    assert (await box.fetch("k"))[1] == new


async def test_an_object_deleted_while_it_is_open_comes_whole_or_raises(box: Box, endpoint: Endpoint) -> None:
    body = noise(4 * MIB)
    await box.put("k", body)

    async def delete() -> None:
        store = endpoint.open_store()
        try:
            await store.delete(box.bucket, "k")
        finally:
            await store.aclose()

    pieces: list[bytes] = []
    with contextlib.suppress(StoreError):
        async with box.store.open(box.bucket, "k") as opened:
            async for piece in opened:
                if not pieces:
                    meanwhile(lambda: asyncio.run(delete()))
                pieces.append(piece)
        assert b"".join(pieces) == body
    assert pieces
    with pytest.raises(NotFoundError):
        await box.head("k")
