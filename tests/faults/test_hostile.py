"""The hostile server itself: in its usual temper it keeps the store's contract, and else it fails as it says."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Literal

import pytest

from deltaglider.errors import NotFoundError, NotSupportedError, PreconditionFailedError
from tests.contract import test_copying, test_listing
from tests.contract.conftest import box, store  # noqa: F401
from tests.contract.tools import Box
from tests.faults.hostile import HostileS3, Temper
from tests.servers import S3Endpoint
from tests.store.fakes3 import Request

# One store: the one of the fixture below, whatever it is called.
pytestmark = pytest.mark.endpoints("moto")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileS3]:
    held = HostileS3()
    with held:
        yield held


@pytest.fixture
def endpoint(server: HostileS3) -> Iterator[S3Endpoint]:
    yield server.endpoint
    server.temper, server.meanwhile = Temper(), None
    server.counts.clear()


def _contract() -> Iterator[tuple[str, object]]:
    modules = (test_copying, test_listing)
    for name, found in itertools.chain.from_iterable(vars(module).items() for module in modules):
        if name.startswith("test_") and not getattr(found, "pytestmark", []):
            yield name, found


# Those tests of the contract that are for every store.
globals().update(dict(_contract()))


async def test_conditions_may_be_ignored(server: HostileS3, box: Box) -> None:  # noqa: F811
    server.temper = Temper(conditions="ignored")
    await box.put("k", b"1")
    await box.put("k", b"2", if_none_match=True)
    await box.put("k", b"3", if_match="0" * 32)
    assert await box.read("k") == b"3"
    # What the answer tells is compared here.
    with pytest.raises(PreconditionFailedError):
        await box.read("k", if_match="0" * 32)


async def test_conditions_may_be_refused(server: HostileS3, box: Box) -> None:  # noqa: F811
    server.temper = Temper(conditions="refused")
    await box.put("k", b"1")
    with pytest.raises(NotSupportedError):
        await box.put("k", b"2", if_none_match=True)
    assert server.counts["PUT object"] == 2
    assert server.stored(box.bucket)["k"].body == b"1"


async def test_reads_and_copies_do_without_conditions_that_are_refused(server: HostileS3, box: Box) -> None:  # noqa: F811
    server.temper = Temper(conditions="refused")
    etag = (await box.put("k", b"1")).etag
    assert await box.read("k", if_match=etag) == b"1"
    await box.store.copy(box.bucket, "k", box.bucket, "copy", if_match=etag)
    assert await box.read("copy", if_match=etag) == b"1"
    with pytest.raises(PreconditionFailedError):
        await box.read("k", if_match="0" * 32)
    with pytest.raises(PreconditionFailedError):
        await box.store.copy(box.bucket, "k", box.bucket, "copy", if_match="0" * 32)
    # It was refused once, and not asked again: one GET more than was asked for.
    assert (server.counts["GET object"], server.counts["PUT object"]) == (4, 2)


@pytest.mark.parametrize("conditions", ["heeded", "ignored", "refused"])
async def test_a_copy_of_another_generation_is_noticed(
    server: HostileS3,
    box: Box,  # noqa: F811
    conditions: Literal["heeded", "ignored", "refused"],
) -> None:
    etag = (await box.put("k", b"1")).etag
    server.temper = Temper(conditions=conditions)

    def overwrite(request: Request) -> None:
        if "x-amz-copy-source" in request.headers:
            server.put(box.bucket, "k", b"2")

    server.meanwhile = overwrite
    with pytest.raises(PreconditionFailedError):
        await box.store.copy(box.bucket, "k", box.bucket, "copy", if_match=etag, metadata={"of": "1"})


async def test_a_listing_may_lag(server: HostileS3, box: Box) -> None:  # noqa: F811
    await box.put("old")
    server.temper = Temper(listing_lag=3600)
    await box.put("new", b"x")
    await box.store.delete(box.bucket, "new")
    await box.put("new", b"y")
    assert await box.read("new") == b"y"
    assert await box.keys() == []
    server.temper = Temper()
    assert await box.keys() == ["new", "old"]


async def test_reads_may_lag(server: HostileS3, box: Box) -> None:  # noqa: F811
    server.temper = Temper(memory=3600, reading_lag=3600)
    await box.put("k", b"1")
    with pytest.raises(NotFoundError):
        await box.head("k")
    server.temper = Temper(memory=3600, reading_at=time.monotonic())
    await box.put("k", b"2")
    assert await box.read("k") == b"1"
    server.temper = Temper()
    assert await box.read("k") == b"2"
