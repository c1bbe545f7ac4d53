"""The limit on the bytes a second: by arithmetic on a clock of the test's own, and with real transfers."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.config import KIB, MIB
from deltaglider.store.s3 import connect
from deltaglider.store.s3.bandwidth import Bandwidth, Paced
from tests.contract.tools import sha256
from tests.servers import S3Endpoint
from tests.store.fakes3 import FakeS3, Reply, Request, object_reply


class Time:
    """A clock that stands still unless told, and a sleep that only takes note."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def limit(self, rate: int, sharers: int = 8) -> Bandwidth:
        return Bandwidth(rate, sharers, clock=self, sleep=self.sleep)


async def test_pieces_pass_one_after_the_other() -> None:
    time = Time()
    limit = time.limit(1000)
    for count in (500, 1000, 250):
        await limit.take(count)
    assert time.slept == [0.5, 1.5, 1.75]


async def test_a_pause_saves_nothing_up() -> None:
    time = Time()
    limit = time.limit(1000)
    await limit.take(1000)
    time.now += 3600
    await limit.take(1000)
    time.now += 0.25
    await limit.take(1000)
    assert time.slept == [1.0, 1.0, 1.75]


async def test_short_waits_add_up() -> None:
    time = Time()
    limit = time.limit(1_000_000)
    for _ in range(25):
        await limit.take(1000)
    assert time.slept == pytest.approx([0.001 * number for number in range(10, 26)])


@given(st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 5), st.booleans()), min_size=1, max_size=40))
async def test_no_more_than_the_rate_whatever_comes_when(pieces: list[tuple[int, float, bool]]) -> None:
    time = Time()
    limit = time.limit(1000)
    passed: list[tuple[float, int]] = []
    for count, pause, cancelled in pieces:
        time.now += pause
        if cancelled:
            limit._sleep = _cancelled
            with pytest.raises(KeyboardInterrupt):
                await limit.take(count + 10)
            limit._sleep = time.sleep
        else:
            before = len(time.slept)
            await limit.take(count)
            waited = time.slept[before] if len(time.slept) > before else 0.0
            passed.append((time.now + waited, count))
    # At any moment: what has passed since the beginning, but for what is too short to sleep for.
    for moment, _ in passed:
        assert sum(count for end, count in passed if end <= moment) <= 1000 * (moment - 100.0 + 0.011)


async def _cancelled(seconds: float) -> None:
    raise KeyboardInterrupt


async def test_who_is_cancelled_leaves_the_time_to_others() -> None:
    time = Time()
    limit = time.limit(1000)
    await limit.take(1000)
    limit._sleep = _cancelled
    with pytest.raises(KeyboardInterrupt):
        await limit.take(60_000)
    limit._sleep = time.sleep
    await limit.take(1000)
    assert time.slept == [1.0, 2.0]


async def test_waiting_ends_when_it_is_cancelled() -> None:
    limit = Bandwidth(1, 1)
    with anyio.move_on_after(0.01) as scope:
        await limit.take(1_000_000)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("rate", "sharers", "piece"),
    [(1 << 30, 8, 256 * KIB), (MIB, 8, 32 * KIB), (8 * KIB, 8, 256), (1, 8, 1), (MIB, 1, 256 * KIB)],
)
def test_pieces_are_so_small_that_no_peer_waits_long(rate: int, sharers: int, piece: int) -> None:
    limit = Bandwidth(rate, sharers)
    assert limit.piece == piece
    assert limit.turn(limit.piece) <= max(0.25, sharers / rate)


async def test_a_body_is_sent_in_pieces_and_whole() -> None:
    async def body() -> AsyncIterator[bytes | memoryview]:
        for part in (b"a" * 700, b"", memoryview(b"b" * 100), b"c"):
            yield part

    time = Time()
    pieces = [bytes(piece) async for piece in Paced(body(), time.limit(8192))]
    assert [len(piece) for piece in pieces] == [256, 256, 188, 100, 1]
    assert b"".join(pieces) == b"a" * 700 + b"b" * 100 + b"c"
    assert time.slept[-1] == 801 / 8192


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of the limits of all clients of a test."""
    time = Time()
    monkeypatch.setattr(connect, "Bandwidth", functools.partial(Bandwidth, clock=time, sleep=time.sleep))
    return time


async def test_up_and_down_share_one_limit(time: Time, tmp_path: Path, moto: S3Endpoint) -> None:
    size, rate = 12 * MIB + 5, 2 * MIB
    path, back = tmp_path / "up", tmp_path / "down"
    path.write_bytes(bytes(range(251)) * (size // 251) + bytes(size % 251))
    back.touch()
    bucket = moto.make_bucket()
    store = moto.open_store(max_bandwidth=rate)
    try:
        await store.put(bucket, "k", path, sha256=sha256(path.read_bytes()), metadata={})
        assert max(time.slept) == pytest.approx(size / rate)
        await store.fetch(bucket, "k", back)
        assert max(time.slept) == pytest.approx(2 * size / rate)
        await store.copy(bucket, "k", bucket, "copy")  # Does not travel.
        assert max(time.slept) == pytest.approx(2 * size / rate)
    finally:
        await store.aclose()
    assert back.read_bytes() == path.read_bytes()


async def test_bodies_with_a_checksum_behind_them_are_limited_too(time: Time, weed_tls: S3Endpoint) -> None:
    data = bytes(range(256)) * 8 * KIB
    bucket = weed_tls.make_bucket()
    store = weed_tls.open_store(max_bandwidth=MIB, checksums="when_supported")
    try:
        await store.put(bucket, "k", data, sha256=sha256(data), metadata={})
        assert 2.0 <= max(time.slept) <= 2.01
        async with store.open(bucket, "k") as body:
            assert b"".join([piece async for piece in body]) == data
        assert 4.0 <= max(time.slept) <= 4.01
    finally:
        await store.aclose()


async def test_a_slow_body_is_not_taken_for_one_that_stands_still() -> None:
    """By its own patience, the request would be ended long before the body's turn has come round."""

    def handler(request: Request) -> Reply:
        return object_reply(request, b"x") if request.method == "GET" else Reply(headers={"ETag": '"x"'})

    async with FakeS3(handler) as server, server.store(max_bandwidth=KIB) as store:
        await store._session.connection.client()
        patient = store._session._patience
        async with server.store() as other:
            await other._session.connection.client()
            assert patient == other._session._patience + 8 * KIB


async def test_no_limit_costs_nothing() -> None:
    async with FakeS3(lambda r: object_reply(r, b"x")) as server, server.store() as store:
        await store.head("b", "k")
        assert store._session.connection.bandwidth is None
