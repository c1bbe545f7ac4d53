"""A store that does to its callers what a script says: delays, errors, lost answers, things that happen in between.

    store = ScriptedStore(inner)
    store.before("put", "*.delta", do=fail(StoreUnavailableError("down")))      # never reaches the store
    store.after("put", "*.delta", nth=2, do=fail(StoreUnavailableError("cut"))) # done, but the answer is lost
    store.after("put", "*/references/*", do=lambda call: inner.delete(call.bucket, call.key))
    store.before("head", nth=3, do=gate)                                        # waits until ``gate.open()``

Rules are matched by operation (a method's name, or ``*``), by key (a pattern of ``fnmatch``; of a listing its prefix,
of a copy its target) and by count: ``nth=2`` is the second call that matches, no ``nth`` means every one. All rules
that match run, in the order they were made. ``rule.hits`` tells how often one ran, ``store.calls`` what was asked.
"""

from __future__ import annotations

import dataclasses
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from typing import Any

import anyio

from deltaglider.store.base import Body, ListedObject, ListedPrefix, ObjectStore
from tests.faults.memory import MemoryStore


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of the store.

    Attributes:
        number: Which, of all calls, from 1.
        operation: The method.
        bucket: The bucket; of a copy the target's.
        key: The key; of a listing the prefix, of a copy the target's.
        source: Of a copy: the source's bucket and key.
    """

    number: int
    operation: str
    bucket: str
    key: str
    source: tuple[str, str] | None = None


Step = Callable[[Call], Awaitable[object] | object]
"""What a rule does; awaited if it has to be."""


@dataclasses.dataclass
class Rule:
    """When to do what.

    Attributes:
        operation: A method's name, or ``*``.
        key: A pattern.
        nth: Which of the matching calls; ``None`` for each.
        do: What.
        seen: Calls that matched so far.
        hits: How often it ran.
    """

    operation: str
    key: str
    nth: int | None
    do: Step
    seen: int = 0
    hits: int = 0

    async def run(self, call: Call) -> None:
        if self.operation not in ("*", call.operation) or not fnmatchcase(call.key, self.key):
            return
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return
        self.hits += 1
        result = self.do(call)
        if inspect.isawaitable(result):
            await result


class Gate:
    """A step that holds its caller until it is opened.

    Attributes:
        reached: Set when the first caller stands before it.
    """

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self._opened = anyio.Event()

    async def __call__(self, call: Call) -> None:
        self.reached.set()
        await self._opened.wait()

    def open(self) -> None:
        self._opened.set()


def fail(error: Exception) -> Step:
    """A step that raises."""

    def step(call: Call) -> None:
        raise error

    return step


def wait(seconds: float) -> Step:
    """A step that takes a while."""
    return lambda call: anyio.sleep(seconds)


def dawdle(seed: int, most: int = 5) -> Step:
    """A step that lets the other tasks run a random number of times, the same for the same seed."""
    chance = random.Random(seed)

    async def step(call: Call) -> None:
        for _ in range(chance.randint(0, most)):
            await anyio.sleep(0)

    return step


class ScriptedStore:
    """An ``ObjectStore`` around another one.

    Attributes:
        inner: The store that does the work; what is asked of it directly is not scripted.
        calls: What was asked so far.
    """

    def __init__(self, inner: ObjectStore | MemoryStore) -> None:
        self.inner: Any = inner
        self.calls: list[Call] = []
        self._before: list[Rule] = []
        self._after: list[Rule] = []

    def before(self, operation: str, key: str = "*", *, nth: int | None = None, do: Step) -> Rule:
        """Does something before the store is asked; an error there means that it never is."""
        self._before.append(Rule(operation, key, nth, do))
        return self._before[-1]

    def after(self, operation: str, key: str = "*", *, nth: int | None = None, do: Step) -> Rule:
        """Does something after the store has done its work and before the caller learns of it."""
        self._after.append(Rule(operation, key, nth, do))
        return self._after[-1]

    def count(self, operation: str, key: str = "*") -> int:
        """How many calls there were."""
        return sum(call.operation == operation and fnmatchcase(call.key, key) for call in self.calls)

    @property
    def identity(self) -> str:
        return str(self.inner.identity)

    async def head(self, bucket: str, key: str, **options: Any) -> Any:
        return await self._scripted(self.inner.head, bucket, key, **options)

    async def fetch(self, bucket: str, key: str, path: Any, **options: Any) -> Any:
        return await self._scripted(self.inner.fetch, bucket, key, path, **options)

    async def put(self, bucket: str, key: str, source: Any, **options: Any) -> Any:
        return await self._scripted(self.inner.put, bucket, key, source, **options)

    async def delete(self, bucket: str, key: str, **options: Any) -> Any:
        return await self._scripted(self.inner.delete, bucket, key, **options)

    async def delete_many(self, bucket: str, keys: Any) -> Any:
        call = self._call("delete_many", bucket, "")
        await self._run(self._before, call)
        result = await self.inner.delete_many(bucket, keys)
        await self._run(self._after, call)
        return result

    async def copy(self, bucket: str, key: str, to_bucket: str, to_key: str, **options: Any) -> Any:
        call = self._call("copy", to_bucket, to_key, source=(bucket, key))
        await self._run(self._before, call)
        result = await self.inner.copy(bucket, key, to_bucket, to_key, **options)
        await self._run(self._after, call)
        return result

    @asynccontextmanager
    async def open(self, bucket: str, key: str, **options: Any) -> AsyncIterator[Body]:
        call = self._call("open", bucket, key)
        await self._run(self._before, call)
        async with self.inner.open(bucket, key, **options) as body:
            await self._run(self._after, call)
            yield body

    async def list_objects(
        self, bucket: str, prefix: str = "", **options: Any
    ) -> AsyncIterator[list[ListedObject | ListedPrefix]]:
        # A rule runs before the first page, and after the last one, before the caller gets it.
        call = self._call("list_objects", bucket, prefix)
        await self._run(self._before, call)
        held: list[list[ListedObject | ListedPrefix]] = []
        async for page in self.inner.list_objects(bucket, prefix, **options):
            for ready in held:
                yield ready
            held = [page]
        await self._run(self._after, call)
        for page in held:
            yield page

    async def list_buckets(self, **options: Any) -> Any:
        return await self._scripted(self.inner.list_buckets, **options)

    async def bucket_exists(self, bucket: str) -> bool:
        return bool(await self._scripted(self.inner.bucket_exists, bucket))

    async def create_bucket(self, bucket: str, **options: Any) -> None:
        await self._scripted(self.inner.create_bucket, bucket, **options)

    async def delete_bucket(self, bucket: str) -> None:
        await self._scripted(self.inner.delete_bucket, bucket)

    async def bucket_acl(self, bucket: str) -> Any:
        return await self._scripted(self.inner.bucket_acl, bucket)

    async def set_bucket_acl(self, bucket: str, parameters: Any) -> None:
        await self._scripted(self.inner.set_bucket_acl, bucket, parameters)

    async def set_bucket_website(self, bucket: str, parameters: Any) -> None:
        await self._scripted(self.inner.set_bucket_website, bucket, parameters)

    async def presign(self, bucket: str, key: str, **options: Any) -> str:
        return str(await self._scripted(self.inner.presign, bucket, key, **options))

    def unfinished_uploads(self, bucket: str, prefix: str = "") -> Any:
        return self.inner.unfinished_uploads(bucket, prefix)

    async def abort_upload(self, bucket: str, key: str, upload_id: str) -> None:
        await self._scripted(self.inner.abort_upload, bucket, key, upload_id)

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def _scripted(self, method: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        bucket, key = [*map(str, arguments[:2]), "", ""][:2]
        call = self._call(method.__name__, bucket, key)
        await self._run(self._before, call)
        result = await method(*arguments, **options)
        await self._run(self._after, call)
        return result

    def _call(self, operation: str, bucket: str, key: str, source: tuple[str, str] | None = None) -> Call:
        call = Call(len(self.calls) + 1, operation, bucket, key, source)
        self.calls.append(call)
        return call

    @staticmethod
    async def _run(rules: list[Rule], call: Call) -> None:
        for rule in list(rules):
            await rule.run(call)
