"""The proxy itself: it passes everything on as it is, and fails as its script says, and not otherwise."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any

import anyio
import botocore.exceptions
import pytest

from deltaglider.config import MIB
from deltaglider.store.base import ObjectStore
from tests.contract.tools import Box, noise
from tests.faults.proxy import Fault, FaultyProxy, Request, at, on, sometimes
from tests.servers import S3Endpoint

BODY = noise(300_000)


def names(proxy: FaultyProxy) -> list[str]:
    return [f"{request.method} {request.path.rpartition('/')[2]}" for request in proxy.requests]


@pytest.mark.endpoints("moto", "weed")
async def test_without_a_script_all_goes_through(endpoint: S3Endpoint, bucket: str, tmp_path: Path) -> None:
    with FaultyProxy(endpoint) as proxied:
        assert proxied.url != endpoint.url
        store = proxied.open_store(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
        box = Box(store, bucket, tmp_path)
        big = noise(11 * MIB)
        await box.put("space and ü", BODY, metadata={"a": "b"})
        await box.put("big", source=box.new_file(big), sha256=hashlib.sha256(big).hexdigest())
        await box.put("empty")
        await store.copy(bucket, "big", bucket, "copy")
        assert (await box.fetch("space and ü"))[1] == BODY
        assert (await box.fetch("copy"))[1] == big
        assert await box.read("empty") == b""
        assert (await box.head("space and ü")).metadata == {"a": "b"}
        assert sorted(await box.keys()) == ["big", "copy", "empty", "space and ü"]
        await store.delete_many(bucket, ["big", "copy", "empty", "space and ü"])
        assert await box.keys() == []
        await store.aclose()


class Wire:
    """A client that tries once, and the server behind the proxy."""

    def __init__(self, proxy: FaultyProxy, proxied: S3Endpoint, behind: S3Endpoint, bucket: str) -> None:
        self.proxy = proxy
        self.client = proxied.client()
        self.behind = behind.client()
        self.bucket = bucket

    def put(self, key: str, body: bytes = BODY) -> Any:
        return self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def stored(self) -> dict[str, int]:
        listed = self.behind.list_objects_v2(Bucket=self.bucket)
        return {entry["Key"]: entry["Size"] for entry in listed.get("Contents", [])}


BROKEN = (botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError)


@pytest.mark.endpoints("moto", "weed")
def test_each_fault_does_what_it_says(endpoint: S3Endpoint, bucket: str) -> None:
    proxy = FaultyProxy(
        endpoint,
        at(
            {
                1: Fault("cut before"),
                2: Fault("cut request"),
                3: Fault("lose answer"),
                5: Fault("cut answer"),
                6: Fault("stall", seconds=0.01),
                7: Fault("refuse"),
                8: Fault("refuse", status=500, code="InternalError"),
                10: Fault("cut answer"),
            }
        ),
    )
    with proxy as proxied:
        wire = Wire(proxy, proxied, endpoint, bucket)
        for key in ("before", "half"):
            with pytest.raises(BROKEN):
                wire.put(key)
            assert wire.stored() == {}
        with pytest.raises(BROKEN):
            wire.put("lost")
        assert wire.stored() == {"lost": len(BODY)}
        assert wire.get("lost") == BODY
        with pytest.raises((botocore.exceptions.IncompleteReadError, botocore.exceptions.ResponseStreamingError)):
            wire.get("lost")
        assert wire.get("lost") == BODY
        with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
            wire.put("refused")
        with pytest.raises(botocore.exceptions.ClientError, match="InternalError"):
            wire.get("lost")
        wire.put("last")
        with pytest.raises(BROKEN):
            wire.client.head_object(Bucket=bucket, Key="last")
        assert wire.stored() == {"last": len(BODY), "lost": len(BODY)}
        assert names(proxy) == [
            "PUT before",
            "PUT half",
            "PUT lost",
            "GET lost",
            "GET lost",
            "GET lost",
            "PUT refused",
            "GET lost",
            "PUT last",
            "HEAD last",
        ]
        assert proxy.hits == {
            "cut before": 1,
            "cut request": 1,
            "lose answer": 1,
            "cut answer": 2,
            "stall": 1,
            "refuse": 2,
        }


@pytest.mark.endpoints("moto")
def test_a_script_may_choose_by_kind_and_change(endpoint: S3Endpoint, bucket: str) -> None:
    proxy = FaultyProxy(endpoint, on("PUT", "*/b*", Fault("refuse"), nth=2))
    with proxy as proxied:
        wire = Wire(proxy, proxied, endpoint, bucket)
        for key in ("a", "b1", "c"):
            wire.put(key)
        with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
            wire.put("b2")
        wire.put("b3")
        proxy.script = on("*", "*", Fault("refuse"))
        for _ in range(2):
            with pytest.raises(botocore.exceptions.ClientError, match="SlowDown"):
                wire.put("a")
        proxy.script = None
        assert wire.get("b3") == BODY
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])))


def test_chance_is_the_same_for_the_same_seed() -> None:
    requests = [Request(number, "GET", "/b/k", "") for number in range(1, 10_001)]
    first, second = sometimes(7, 0.05), sometimes(7, 0.05)
    faults = [first(request) for request in requests]
    assert faults == [second(request) for request in requests]
    assert 400 < sum(fault is not None for fault in faults) < 600
    assert {fault.kind for fault in faults if fault} == {
        "cut before",
        "cut request",
        "lose answer",
        "cut answer",
        "stall",
        "refuse",
    }


@pytest.mark.endpoints("moto")
async def test_many_connections_at_once_through_a_bad_network(
    endpoint: S3Endpoint, bucket: str, tmp_path: Path
) -> None:
    proxy = FaultyProxy(endpoint, sometimes(1, 0.1))
    with proxy as proxied:
        store: ObjectStore = proxied.open_store(max_attempts=8)
        box = Box(store, bucket, tmp_path)
        async with anyio.create_task_group() as group:
            for number in range(16):
                group.start_soon(_put_and_read, box, str(number))
        await store.aclose()
    assert len(proxy.requests) > 32
    assert sum(proxy.hits.values()) > 0


async def _put_and_read(box: Box, key: str) -> None:
    await box.put(key, BODY + key.encode())
    assert (await box.fetch(key))[1] == BODY + key.encode()
