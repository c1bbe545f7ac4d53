"""Short words for what the contract's tests do all the time."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import random
import ssl
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from email.message import Message
from pathlib import Path
from typing import Any

from deltaglider.store.base import ListedPrefix, ObjectStore, PutResult, StoredObject
from deltaglider.tasks import map_bounded
from tests.servers import S3Endpoint


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


@functools.lru_cache(maxsize=8)
def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that look random and are the same each time."""
    return random.Random(seed).randbytes(size)


@dataclasses.dataclass(frozen=True)
class Box:
    """One bucket of one store."""

    store: ObjectStore
    bucket: str
    tmp_path: Path

    async def put(self, key: str, body: bytes = b"", **options: Any) -> PutResult:
        options = {"metadata": {}, "sha256": sha256(body), **options}
        return await self.store.put(self.bucket, key, options.pop("source", body), **options)

    async def put_many(self, keys: Iterable[str]) -> None:
        """Each with its own name as its body.

        Keys that are a directory of others go first, one by one: of ``a`` and ``a/b`` written at the same moment,
        SeaweedFS 4.48 now and then loses one that it acknowledged, or never lists it.
        """
        names = list(keys)
        directories = {name[:cut] for name in names for cut in range(len(name)) if name[cut] == "/"}
        for name in names:
            if name in directories:
                await self.put(name, name.encode())
        await map_bounded(lambda key: self.put(key, key.encode()), (n for n in names if n not in directories), limit=8)

    async def read(self, key: str, **options: Any) -> bytes:
        async with self.store.open(self.bucket, key, **options) as body:
            return b"".join([piece async for piece in body])

    async def fetch(self, key: str, **options: Any) -> tuple[StoredObject, bytes]:
        path = self.new_file()
        info = await self.store.fetch(self.bucket, key, path, **options)
        return info, path.read_bytes()

    async def head(self, key: str) -> StoredObject:
        return await self.store.head(self.bucket, key)

    def new_file(self, content: bytes = b"") -> Path:
        path = self.tmp_path / uuid.uuid4().hex
        path.write_bytes(content)
        return path

    async def pages(self, prefix: str = "", **options: Any) -> list[list[str]]:
        """A listing's pages, an object as its key and a common prefix as ``PRE key``."""
        return [
            [f"PRE {entry.key}" if isinstance(entry, ListedPrefix) else entry.key for entry in page]
            async for page in self.store.list_objects(self.bucket, prefix, **options)
        ]

    async def keys(self, prefix: str = "", **options: Any) -> list[str]:
        return [key for page in await self.pages(prefix, **options) for key in page]

    async def unfinished(self) -> list[str]:
        return [upload.key async for upload in self.store.unfinished_uploads(self.bucket)]


def meanwhile(work: Callable[[], Any]) -> None:
    """Does something to its end while the event loop stands still: for callbacks in the middle of a transfer."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


class Answer:
    def __init__(self, body: bytes, headers: Message) -> None:
        self.body = body
        self.headers = headers


def request(endpoint: S3Endpoint, url: str, method: str = "GET", body: bytes | None = None) -> Answer:
    """What anybody's HTTP client gets."""
    context = ssl.create_default_context(cafile=str(endpoint.ca_bundle)) if endpoint.ca_bundle else None
    answers: list[Answer] = []

    def ask() -> None:
        asked = urllib.request.Request(url, data=body, method=method)
        if body is not None:
            asked.add_header("Content-Type", "")
        try:
            with urllib.request.urlopen(asked, timeout=30, context=context) as response:
                answers.append(Answer(response.read(), response.headers))
        except urllib.error.HTTPError as error:
            error.close()
            raise

    meanwhile(ask)
    return answers[0]
