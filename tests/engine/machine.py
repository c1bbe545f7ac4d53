"""What the stateful tests share: names and contents, and one bucket with clients in an event loop of its own."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from deltaglider.client.assemble import assemble
from deltaglider.engine.context import Context
from deltaglider.engine.locate import head_or_none
from deltaglider.store.base import ListedObject
from tests.engine.world import noise, revised
from tests.servers import Endpoint

NAMES = [
    "p/a.zip",
    "p/b.zip",
    "p/a.zip.delta",
    "p/reference.bin",
    "p/note.txt",
    "r/v1/a.zip",
    "r/v2/a.zip",
    "r/a",
    "z.zip",
]
SIZE = 6_000
# Versions of one thing, of another, and what is too small to matter.
CONTENTS = [
    noise("one", SIZE),
    *(revised(noise("one", SIZE), number) for number in range(3)),
    noise("other", SIZE),
    revised(noise("other", SIZE), 1),
    b"",
    b"tiny",
]
NOTES: list[dict[str, str]] = [{}, {"team": "core"}]

keys = st.sampled_from(NAMES)
clients = st.integers(0, 1)
contents = st.integers(0, len(CONTENTS) - 1)


class BucketMachine(RuleBasedStateMachine):
    """A bucket, two clients with caches of their own, and a directory for all that is local.

    Args:
        endpoint: The store.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.place = tempfile.TemporaryDirectory()
        self.home = Path(self.place.name)
        self.endpoint = endpoint
        self.bucket = endpoint.make_bucket()
        self.store = endpoint.open_store()
        self.made: list[Context] = []
        self.clients = [self.client(), self.client()]

    def client(self, cache: Path | None = None) -> Context:
        home = Path(tempfile.mkdtemp(dir=self.home))
        ctx = assemble(self.endpoint.settings(cache_dir=cache or home / "cache", temp_dir=home / "temporary"))
        self.made.append(ctx)
        return ctx

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    def is_taken(self, key: str) -> bool:
        """Whether the delta of another key, or a reference, lies at a key: only a look behind the curtain tells."""
        form = self.run(head_or_none(self.clients[0], self.bucket, key))
        return form is not None and (form.is_delta or form.is_reference)

    def stored(self) -> list[ListedObject]:
        """All that lies in the bucket."""

        async def collect() -> list[Any]:
            return [entry async for page in self.store.list_objects(self.bucket) for entry in page]

        found: list[ListedObject] = self.run(collect())
        return found

    def source(self, data: bytes, name: str = "source") -> Path:
        path = self.home / name
        path.write_bytes(data)
        return path

    def close(self) -> None:
        """Ends all clients, and sees that they left no temporary file."""
        try:
            for ctx in self.made:
                self.run(ctx.store.aclose())
                ctx.cache.close()
                files = [path for path in self.home.rglob("temporary/**/*") if path.is_file() and path.name != ".lock"]
                ctx.spool.close()
                assert files == []
        finally:
            self.run(self.store.aclose())
            self.loop.close()
            self.place.cleanup()
