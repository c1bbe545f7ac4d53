"""The embedded store against a dict: whatever is done to both, they hold the same."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deltaglider.errors import (
    AlreadyExistsError,
    BucketNotFoundError,
    NotFoundError,
    PreconditionFailedError,
    StoreError,
)
from deltaglider.store.directory import DirectoryStore
from tests.contract.oracle import listing
from tests.contract.tools import Box, md5

BUCKETS = st.sampled_from(["first", "second"])
KEYS = st.text(alphabet="a/.é", min_size=1, max_size=3)
BODIES = st.binary(max_size=20)
METADATA = st.dictionaries(st.sampled_from(["a", "b-c"]), st.text("xyz", max_size=3))


@dataclasses.dataclass(frozen=True)
class Stored:
    body: bytes
    metadata: dict[str, str]


class StoreMachine(RuleBasedStateMachine):
    """Buckets of a store, and what they must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="dg-model-"))
        self.runner = asyncio.Runner()
        self.model: dict[str, dict[str, Stored]] = {}
        self.open()

    def open(self) -> None:
        self.store = DirectoryStore(self.directory / "store")

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def box(self, bucket: str) -> Box:
        return Box(self.store, bucket, self.directory)

    def teardown(self) -> None:
        self.run(self.store.aclose())
        self.runner.close()
        shutil.rmtree(self.directory)

    @initialize()
    def begin(self) -> None:
        self.run(self.store.create_bucket("first"))
        self.model["first"] = {}

    @rule(bucket=BUCKETS)
    def create_bucket(self, bucket: str) -> None:
        if bucket in self.model:
            with pytest.raises(AlreadyExistsError):
                self.run(self.store.create_bucket(bucket))
        else:
            self.run(self.store.create_bucket(bucket))
            self.model[bucket] = {}

    @rule(bucket=BUCKETS)
    def delete_bucket(self, bucket: str) -> None:
        if self.model.get(bucket) == {}:
            self.run(self.store.delete_bucket(bucket))
            del self.model[bucket]
        else:
            with pytest.raises(StoreError if bucket in self.model else BucketNotFoundError):
                self.run(self.store.delete_bucket(bucket))

    @rule(bucket=BUCKETS, key=KEYS, body=BODIES, metadata=METADATA)
    def put(self, bucket: str, key: str, body: bytes, metadata: dict[str, str]) -> None:
        if bucket not in self.model:
            with pytest.raises(BucketNotFoundError):
                self.run(self.box(bucket).put(key, body))
            return
        result = self.run(self.box(bucket).put(key, body, metadata=metadata))
        assert result.etag == md5(body)
        self.model[bucket][key] = Stored(body, metadata)

    @rule(key=KEYS, body=BODIES)
    def put_if_absent(self, key: str, body: bytes) -> None:
        held = self.model.get("first", {})
        if "first" in self.model and key not in held:
            self.run(self.box("first").put(key, body, if_none_match=True))
            held[key] = Stored(body, {})
        else:
            with pytest.raises((PreconditionFailedError, BucketNotFoundError)):
                self.run(self.box("first").put(key, body, if_none_match=True))

    @rule(key=KEYS, expected=BODIES, body=BODIES)
    def put_if_match(self, key: str, expected: bytes, body: bytes) -> None:
        held = self.model.get("first", {})
        if key in held and held[key].body == expected:
            self.run(self.box("first").put(key, body, if_match=md5(expected)))
            held[key] = Stored(body, {})
        else:
            with pytest.raises((PreconditionFailedError, BucketNotFoundError)):
                self.run(self.box("first").put(key, body, if_match=md5(expected)))

    @rule(bucket=BUCKETS, key=KEYS, to_bucket=BUCKETS, to_key=KEYS, metadata=st.none() | METADATA)
    def copy(self, bucket: str, key: str, to_bucket: str, to_key: str, metadata: dict[str, str] | None) -> None:
        found = self.model.get(bucket, {}).get(key)
        copy = self.store.copy(bucket, key, to_bucket, to_key, metadata=metadata)
        if found is None or to_bucket not in self.model:
            with pytest.raises(NotFoundError):
                self.run(copy)
        else:
            self.run(copy)
            self.model[to_bucket][to_key] = found if metadata is None else Stored(found.body, metadata)

    @rule(bucket=BUCKETS, keys=st.lists(KEYS, min_size=1, max_size=5))
    def delete(self, bucket: str, keys: list[str]) -> None:
        if bucket not in self.model:
            with pytest.raises(BucketNotFoundError):
                self.run(self.store.delete_many(bucket, keys))
            return
        if len(keys) == 1:
            self.run(self.store.delete(bucket, keys[0]))
        else:
            assert self.run(self.store.delete_many(bucket, keys)) == []
        for key in keys:
            self.model[bucket].pop(key, None)

    @rule(bucket=BUCKETS, key=KEYS)
    def read(self, bucket: str, key: str) -> None:
        held = self.model.get(bucket, {}).get(key)
        if held is None:
            with pytest.raises(NotFoundError):
                self.run(self.box(bucket).read(key))
            return
        info = self.run(self.store.head(bucket, key))
        assert (info.size, info.etag, info.metadata) == (len(held.body), md5(held.body), held.metadata)
        assert self.run(self.box(bucket).read(key)) == held.body
        assert self.run(self.box(bucket).fetch(key))[1] == held.body

    @rule(
        prefix=st.text("a/.", max_size=2),
        delimiter=st.sampled_from(["", "/", "."]),
        start_after=st.text("a/.é", max_size=2),
        page_size=st.sampled_from([1, 2, 1000]),
    )
    def list_objects(self, prefix: str, delimiter: str, start_after: str, page_size: int) -> None:
        if "first" in self.model:
            work = self.box("first").keys(prefix, delimiter=delimiter, start_after=start_after, page_size=page_size)
            assert self.run(work) == listing(self.model["first"], prefix, delimiter, start_after)

    @rule()
    def reopen(self) -> None:
        self.run(self.store.aclose())
        self.open()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert [bucket.name for bucket in self.run(self.store.list_buckets())] == sorted(self.model)

    @invariant()
    def has_one_file_an_object(self) -> None:
        files = [path for path in (self.directory / "store" / "blobs").rglob("*") if path.is_file()]
        assert len(files) == sum(map(len, self.model.values()))


class TestAgainstTheModel(StoreMachine.TestCase):
    settings = settings(max_examples=15, stateful_step_count=25)
