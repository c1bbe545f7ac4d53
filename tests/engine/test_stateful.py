"""A store of ours is a dictionary: two clients do whatever comes, and a plain ``dict`` tells what must be seen.

With faults and crashes: tests/faults/test_stateful_faults.py.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.inspect import head
from deltaglider.engine.listing import list_objects
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.stats import stats
from deltaglider.engine.upload import upload
from deltaglider.errors import NotFoundError, ReservedKeyError
from deltaglider.models import ObjectInfo
from tests.engine.machine import CONTENTS, NOTES, BucketMachine, clients, contents, keys
from tests.engine.world import md5, sha256
from tests.servers import DirectoryEndpoint


class Bucket(BucketMachine):
    """What two clients with caches of their own do to one bucket."""

    def __init__(self) -> None:
        self.root = tempfile.TemporaryDirectory()
        super().__init__(DirectoryEndpoint(Path(self.root.name) / "store"))
        self.model: dict[str, tuple[bytes, dict[str, str]]] = {}

    @rule(key=keys, which=contents, note=st.sampled_from(NOTES), delta=st.booleans(), by=clients)
    def put(self, key: str, which: int, note: dict[str, str], delta: bool, by: int) -> None:
        data, taken = CONTENTS[which], self.is_taken(key)
        options = UploadOptions(metadata=note, delta=delta)
        try:
            summary = self.run(upload(self.clients[by], self.source(data), self.bucket, key, options=options))
        except ReservedKeyError:
            assert taken
            return
        assert not taken
        assert summary.sha256 == sha256(data)
        self.model[key] = (data, note)

    @rule(key=keys, by=clients)
    def delete(self, key: str, by: int) -> None:
        summary = self.run(delete(self.clients[by], self.bucket, key))
        assert summary.deleted == (self.model.pop(key, None) is not None)

    @rule(key=keys, to=keys, by=clients)
    @precondition(lambda self: self.model)
    def copy(self, key: str, to: str, by: int) -> None:
        if key not in self.model or key == to:
            return
        taken = self.is_taken(to)
        try:
            self.run(copy(self.clients[by], self.bucket, key, self.bucket, to))
        except ReservedKeyError:
            assert taken
            return
        assert not taken
        self.model[to] = self.model[key]

    @rule(key=keys, by=clients)
    def get(self, key: str, by: int) -> None:
        target = self.home / "target"
        if key in self.model:
            self.run(download(self.clients[by], self.bucket, key, target))
            assert target.read_bytes() == self.model[key][0]
            return
        try:
            self.run(download(self.clients[by], self.bucket, key, target))
        except NotFoundError:
            return
        raise AssertionError(f"{key} is not there, and was downloaded")

    @rule(key=keys, by=clients)
    def head(self, key: str, by: int) -> None:
        try:
            info = self.run(head(self.clients[by], self.bucket, key))
        except NotFoundError:
            assert key not in self.model
            return
        data, note = self.model[key]
        assert (info.size, info.etag, info.sha256, info.metadata) == (len(data), md5(data), sha256(data), note)

    @invariant()
    def the_listing_is_the_dictionary(self) -> None:
        async def collect() -> list[Any]:
            return [entry async for entry in list_objects(self.clients[1], self.bucket)]

        found = [(entry.key, entry.size, entry.etag) for entry in self.run(collect()) if isinstance(entry, ObjectInfo)]
        assert found == [(key, len(data), md5(data)) for key, (data, _) in sorted(self.model.items())]

    @invariant()
    def what_is_stored_is_what_is_counted(self) -> None:
        stored = self.stored()
        found = self.run(stats(self.clients[0], self.bucket, use_cache=False))
        assert found.compressed_size == sum(entry.size for entry in stored)
        assert found.object_count == len(self.model)
        assert not any("/trash/" in entry.key for entry in stored)
        if not any(entry.key.endswith(".delta") for entry in stored):
            assert found.reference_objects == 0

    def teardown(self) -> None:
        fresh = self.client()
        try:
            for key, (data, _) in self.model.items():
                target = self.home / "target"
                self.run(download(fresh, self.bucket, key, target))
                assert target.read_bytes() == data
            for key in self.model:
                self.run(delete(fresh, self.bucket, key))
            assert self.stored() == []
        finally:
            self.close()
            self.root.cleanup()


TestBucket = Bucket.TestCase
TestBucket.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
