"""Iterators of the synchronous client: drawn one at a time, given up at any point."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient, BucketNotFoundError, ClientStateError, DeltaGliderClient
from tests.client.world import leftovers, noise

DATA = noise("iterator", 2_300_000)


@pytest.fixture
def url(client: DeltaGliderClient, bucket: str) -> str:
    client.upload(DATA, f"s3://{bucket}/a.bin", delta=False)
    return f"s3://{bucket}/a.bin"


def _drawn(pieces: Iterator[bytes], temporary: Path) -> Iterator[bytes]:
    """An iterator that was begun, and holds a temporary file."""
    assert next(pieces) == DATA[: 1 << 20]
    assert len(leftovers(temporary)) == 1
    return pieces


def test_to_the_end(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    pieces = _drawn(client.stream(url), temporary)
    assert b"".join(pieces) == DATA[1 << 20 :]
    assert list(pieces) == []
    assert leftovers(temporary) == []


def test_given_up_by_a_loop_that_breaks(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    for _ in client.stream(url):
        break
    assert leftovers(temporary) == []


def test_closed(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    pieces = _drawn(client.stream(url), temporary)
    pieces.close()  # type: ignore[attr-defined]
    assert leftovers(temporary) == []
    assert list(pieces) == []


def test_forgotten(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    pieces = _drawn(client.stream(url), temporary)
    del pieces
    assert leftovers(temporary) == []


def test_forgotten_in_a_cycle(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    cycle: list[object] = [_drawn(client.stream(url), temporary)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert leftovers(temporary) == []


def test_forgotten_in_the_clients_own_loop(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    """Where a garbage collection may well find it; that loop cannot wait for itself."""
    held = [_drawn(client.stream(url), temporary)]

    async def forget() -> None:
        held.clear()

    client._portal.call(forget)
    client._portal.call(forget)  # A turn of the loop later.
    client.close()
    assert list(temporary.iterdir()) == []


def test_forgotten_after_the_client_was_closed(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    pieces = _drawn(client.stream(url), temporary)
    client.close()
    assert list(temporary.iterdir()) == []
    del pieces


def test_drawn_after_the_client_was_closed(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    pieces = _drawn(client.stream(url), temporary)
    client.close()
    with pytest.raises(ClientStateError, match="closed"):
        next(pieces)
    assert list(pieces) == []


def test_never_begun(client: DeltaGliderClient, url: str, temporary: Path) -> None:
    client.stream(url)
    client.list("s3://no-such-bucket")
    assert leftovers(temporary) == []


def test_it_keeps_its_client_alive(client: DeltaGliderClient, url: str) -> None:
    from deltaglider import create_client

    pieces = create_client(settings=client.settings).stream(url)
    gc.collect()
    assert b"".join(pieces) == DATA


def test_an_error_of_a_listing_comes_when_it_is_drawn(client: DeltaGliderClient) -> None:
    listing = client.list("s3://no-such-bucket")
    with pytest.raises(BucketNotFoundError):
        next(listing)
    assert list(listing) == []


def test_other_calls_go_on_between_two_items(client: DeltaGliderClient, bucket: str) -> None:
    for name in "abcde":
        client.upload(b"", f"s3://{bucket}/{name}")
    listing = client.list(f"s3://{bucket}")
    assert [next(listing).key for _ in range(2)] == ["a", "b"]  # type: ignore[union-attr]
    client.delete(f"s3://{bucket}/a")
    assert [entry.key for entry in listing] == ["c", "d", "e"]  # type: ignore[union-attr]


def test_drawn_by_different_threads(client: DeltaGliderClient, url: str) -> None:
    pieces, found = client.stream(url), []
    for _ in range(3):
        thread = threading.Thread(target=lambda: found.append(next(pieces)))
        thread.start()
        thread.join()
    assert b"".join(found) == DATA


async def test_an_asynchronous_one_given_up(aclient: AsyncDeltaGliderClient, bucket: str, temporary: Path) -> None:
    await aclient.upload(DATA, f"s3://{bucket}/a.bin", delta=False)
    pieces = aclient.stream(f"s3://{bucket}/a.bin")
    assert await anext(pieces) == DATA[: 1 << 20]
    assert len(leftovers(temporary)) == 1
    await pieces.aclose()  # type: ignore[attr-defined]
    assert leftovers(temporary) == []
