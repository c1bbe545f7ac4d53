"""The scripted store itself: it does what the script says, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import anyio
import pytest

from deltaglider.errors import NotFoundError, StoreUnavailableError
from deltaglider.store.base import ObjectStore
from tests.faults.wrapper import Gate, ScriptedStore, dawdle, fail

DOWN = StoreUnavailableError("down")


async def put(store: ScriptedStore | ObjectStore, bucket: str, key: str, data: bytes) -> None:
    await store.put(bucket, key, data, sha256=hashlib.sha256(data).hexdigest(), metadata={})


@pytest.mark.endpoints("directory")
async def test_without_a_script_it_is_the_store_it_wraps(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    scripted = ScriptedStore(store)
    await put(scripted, bucket, "a", b"1")
    await scripted.copy(bucket, "a", bucket, "b")
    await scripted.fetch(bucket, "b", tmp_path / "file")
    async with scripted.open(bucket, "a") as body:
        assert [chunk async for chunk in body] == [b"1"]
    assert (tmp_path / "file").read_bytes() == b"1"
    assert [[entry.key for entry in page] async for page in scripted.list_objects(bucket, page_size=1)] == [
        ["a"],
        ["b"],
    ]
    await scripted.delete_many(bucket, ["a", "b"])
    with pytest.raises(NotFoundError):
        await scripted.head(bucket, "a")
    assert [call.operation for call in scripted.calls] == [
        "put",
        "copy",
        "fetch",
        "open",
        "list_objects",
        "delete_many",
        "head",
    ]
    assert scripted.calls[1].source == (bucket, "a")


@pytest.mark.endpoints("directory")
async def test_an_error_before_leaves_nothing_and_one_after_leaves_all(store: ObjectStore, bucket: str) -> None:
    scripted = ScriptedStore(store)
    refused = scripted.before("put", "*.zip", nth=2, do=fail(DOWN))
    lost = scripted.after("put", "*.txt", do=fail(DOWN))
    await put(scripted, bucket, "1.zip", b"1")
    with pytest.raises(StoreUnavailableError):
        await put(scripted, bucket, "2.zip", b"2")
    with pytest.raises(StoreUnavailableError):
        await put(scripted, bucket, "3.txt", b"3")
    assert (refused.seen, refused.hits, lost.hits) == (2, 1, 1)
    assert [entry.key async for page in store.list_objects(bucket) for entry in page] == ["1.zip", "3.txt"]


@pytest.mark.endpoints("directory")
async def test_a_gate_holds_its_caller_and_steps_may_use_the_store(store: ObjectStore, bucket: str) -> None:
    scripted = ScriptedStore(store)
    gate = Gate()
    scripted.before("*", do=dawdle(1))
    scripted.before("head", do=gate)
    scripted.after("put", "a", do=lambda call: store.delete(call.bucket, call.key))
    await put(scripted, bucket, "a", b"1")
    await put(scripted, bucket, "b", b"1")
    found = []

    async def look() -> None:
        found.append((await scripted.head(bucket, "b")).size)

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await gate.reached.wait()
        assert found == []
        gate.open()
    assert found == [1]
    assert [entry.key async for page in store.list_objects(bucket) for entry in page] == ["b"]
