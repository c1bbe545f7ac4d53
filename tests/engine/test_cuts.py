"""Every verb, cut off at each of its steps in turn: nothing that was there is lost, nothing is half done.

Four ways to be cut off: the store refuses the step; it does the step and its answer is lost; the caller is cancelled;
and the machine dies, so that nothing more happens at all, no cleaning up either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.client.assemble import assemble
from deltaglider.codec.family import Codecs
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.listing import list_objects
from deltaglider.engine.options import UploadOptions
from deltaglider.engine.upload import upload
from deltaglider.errors import NotFoundError, StoreUnavailableError
from deltaglider.models import ObjectInfo
from tests.engine.test_references import classic
from tests.engine.world import noise, sha256
from tests.faults.memory import MemoryStore, PlainCodec
from tests.faults.wrapper import Call, ScriptedStore

BUCKET = "bucket"
OLD, NEW, OTHER = noise("old", 50), noise("new", 50), noise("other", 50)

Objects = dict[str, bytes | None]


@dataclasses.dataclass
class Scene:
    """One verb at work.

    Attributes:
        before: What is there: bytes to be stored as a delta; in lists, as a whole file.
        act: The verb.
        after: What it changes.
        classic: A directory to which an earlier tool left a reference.
    """

    before: dict[str, bytes | list[bytes]]
    act: Callable[[Context, Callable[[bytes], Path]], Awaitable[object]]
    after: Objects
    classic: str | None = None


def put(key: str, *, delta: bool = True) -> Callable[[Context, Callable[[bytes], Path]], Awaitable[object]]:
    return lambda ctx, file: upload(ctx, file(NEW), BUCKET, key, options=UploadOptions(delta=delta))


def copied(key: str, to: str) -> Callable[[Context, Callable[[bytes], Path]], Awaitable[object]]:
    return lambda ctx, file: copy(ctx, BUCKET, key, BUCKET, to)


def removed(key: str) -> Callable[[Context, Callable[[bytes], Path]], Awaitable[object]]:
    return lambda ctx, file: delete(ctx, BUCKET, key)


SCENES = {
    "a first delta": Scene({}, put("p/a.zip"), {"p/a.zip": NEW}),
    "a second delta": Scene({"p/b.zip": OTHER}, put("p/a.zip"), {"p/a.zip": NEW}),
    "a whole file": Scene({"p/b.zip": OTHER}, put("p/a.txt"), {"p/a.txt": NEW}),
    "a delta over a delta": Scene({"p/a.zip": OLD}, put("p/a.zip"), {"p/a.zip": NEW}),
    "a delta over a whole file": Scene({"p/a.zip": [OLD]}, put("p/a.zip"), {"p/a.zip": NEW}),
    "a whole file over the last delta": Scene({"p/a.zip": OLD}, put("p/a.zip", delta=False), {"p/a.zip": NEW}),
    "a whole file over a delta": Scene(
        {"p/a.zip": OLD, "p/b.zip": OTHER}, put("p/a.zip", delta=False), {"p/a.zip": NEW}
    ),
    "beside a classic reference": Scene({}, put("p/a.zip"), {"p/a.zip": NEW}, classic="p/"),
    "a copy in its deltaspace": Scene({"p/b.zip": OTHER}, copied("p/b.zip", "p/a.zip"), {"p/a.zip": OTHER}),
    "a copy elsewhere": Scene({"p/b.zip": OTHER}, copied("p/b.zip", "q/a.zip"), {"q/a.zip": OTHER}),
    "a copy over a whole file": Scene(
        {"p/b.zip": OTHER, "q/a.zip": [OLD]}, copied("p/b.zip", "q/a.zip"), {"q/a.zip": OTHER}
    ),
    "a whole copy over a delta": Scene(
        {"p/b.txt": [OTHER], "q/a.txt.zip": OLD}, copied("p/b.txt", "q/a.txt.zip"), {"q/a.txt.zip": OTHER}
    ),
    "a delete": Scene({"p/a.zip": OLD, "p/b.zip": OTHER}, removed("p/a.zip"), {"p/a.zip": None}),
    "the delete of the last delta": Scene({"p/a.zip": OLD, "p/b.txt": [OTHER]}, removed("p/a.zip"), {"p/a.zip": None}),
    "the delete of a whole file": Scene({"p/a.txt": [OLD], "p/b.zip": OTHER}, removed("p/a.txt"), {"p/a.txt": None}),
}


class Stage:
    """A store with a scene set on it."""

    def __init__(self, home: Path, scene: Scene) -> None:
        self.home = home
        self.scene = scene
        self.inner = MemoryStore(BUCKET)
        self._files = 0

    def file(self, data: bytes) -> Path:
        self._files += 1
        path = self.home / f"file-{self._files}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def client(self, name: str) -> tuple[Context, ScriptedStore]:
        home = self.home / name
        settings = Settings(cache_dir=home / "cache", temp_dir=home / "temporary", min_delta_size=1)
        store = ScriptedStore(self.inner)
        return dataclasses.replace(assemble(settings), store=store, codecs=Codecs(PlainCodec())), store

    async def set(self) -> Objects:
        ctx, _ = self.client("setter")
        if self.scene.classic is not None:
            key = f"{self.scene.classic}reference.bin"
            await self.inner.put(BUCKET, key, OTHER, sha256=sha256(OTHER), metadata=classic(OTHER))
        objects: Objects = {}
        for key, held in self.scene.before.items():
            data = held if isinstance(held, bytes) else held[0]
            options = UploadOptions(delta=isinstance(held, bytes))
            await upload(ctx, self.file(data), BUCKET, key, options=options)
            objects[key] = data
        return objects

    async def read(self, name: str) -> Objects:
        """Every object, as a client sees it that knows nothing yet."""
        ctx, _ = self.client(name)
        found: Objects = dict.fromkeys({**self.scene.before, **self.scene.after})
        for key in found:
            try:
                await download(ctx, BUCKET, key, target := self.home / "target")
                found[key] = target.read_bytes()
            except NotFoundError:
                found[key] = None
        listed = [entry.key async for entry in list_objects(ctx, BUCKET) if isinstance(entry, ObjectInfo)]
        assert listed == sorted(key for key, data in found.items() if data is not None)
        return found

    @property
    def references(self) -> list[str]:
        return [key for key in self.inner.buckets[BUCKET] if "/references/" in key]

    @property
    def deltas(self) -> list[str]:
        return [key for key in self.inner.buckets[BUCKET] if key.endswith(".delta")]


async def cut(store: ScriptedStore, way: str, at: int, act: Callable[[], Awaitable[object]]) -> bool:
    """Runs something that is cut off at a certain call of the store; whether there was such a call."""
    down = StoreUnavailableError("cut off", uri="s3://bucket")
    with anyio.CancelScope() as scope:

        async def step(call: Call) -> None:
            if call.number < at or (call.number > at and way != "dead"):
                return
            if way.startswith("cancelled"):
                scope.cancel()
                await anyio.lowlevel.checkpoint()
            else:
                raise down

        (store.after if way in ("answer lost", "cancelled late") else store.before)("*", do=step)
        try:
            await act()
        except StoreUnavailableError:
            assert not way.startswith("cancelled")
    return len(store.calls) >= at


@pytest.fixture
async def stages(tmp_path: Path) -> AsyncIterator[Callable[[Scene], Stage]]:
    made: list[Stage] = []

    def make(scene: Scene) -> Stage:
        made.append(Stage(tmp_path / str(len(made)), scene))
        return made[-1]

    yield make
    for stage in made:
        files = [path for path in stage.home.rglob("temporary/**/*") if path.is_file() and path.name != ".lock"]
        assert files == []


@pytest.mark.parametrize("way", ["refused", "answer lost", "cancelled", "cancelled late", "dead"])
@pytest.mark.parametrize("name", SCENES)
async def test_nothing_is_lost_wherever_it_is_cut_off(
    stages: Callable[[Scene], Stage], name: str, way: str, caplog: Any
) -> None:
    scene = SCENES[name]
    at, more = 0, True
    while more:
        at += 1
        stage = stages(scene)
        before = await stage.set()
        ctx, store = stage.client("actor")
        more = await cut(store, way, at, lambda: scene.act(ctx, stage.file))  # noqa: B023
        found = await stage.read("reader")
        changed = {key: data for key, data in found.items() if data != before.get(key)}
        assert changed in ({}, scene.after), f"cut off at step {at}: {store.calls[at - 1 : at]}"
        if not more:
            # The scene without a cut.
            assert {key: found[key] for key in scene.after} == scene.after
            assert bool(stage.references) == bool(stage.deltas)
            break
        # What a delete leaves, or a classic reference's copy, costs space and serves the next upload.
        tidy = not stage.deltas and scene.classic is None and not name.endswith("the last delta")
        if tidy and way != "dead":
            assert stage.references == [], f"cut off at step {at}: {store.calls[at - 1 : at]}"
        # The same again, without a cut, ends as if nothing had been.
        again, _ = stage.client("again")
        await scene.act(again, stage.file)
        found = await stage.read("reader again")
        assert found == {**before, **scene.after}
    assert at > 3
