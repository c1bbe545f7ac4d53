"""A bench on which one damaged object at a time is put before every verb: right bytes or an error of ours."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import shutil
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

import anyio

from deltaglider.cache.references import ReferenceCache
from deltaglider.client.assemble import assemble
from deltaglider.codec.family import Codecs
from deltaglider.config import Settings
from deltaglider.engine.context import Context, Flights
from deltaglider.engine.copy import copy
from deltaglider.engine.delete import delete
from deltaglider.engine.download import download
from deltaglider.engine.inspect import head
from deltaglider.engine.listing import list_objects
from deltaglider.engine.upload import upload
from deltaglider.engine.verify import verify
from deltaglider.errors import DeltaGliderError, IntegrityError, LocalFileError, NotFoundError
from deltaglider.layout.keys import reference_key
from deltaglider.models import ObjectInfo
from tests.engine.world import noise, revised, sha256

DEADLINE = 120.0
"""Seconds after which a verb is taken to hang; the codec's own deadline is a minute."""

SIZE = 30_000
BASE = b"".join(
    b"line %d of the first version, %d\n" % (number, number * 7919 % 1009) for number in range(500)
) + noise("base", SIZE // 2)
ORIGINAL, SIBLING, NEWER = revised(BASE, "a"), revised(BASE, "b"), revised(BASE, "newer")
WHOLE = noise("whole", 3_000)
VERBS = ("verify", "copy near", "copy far", "upload", "delete")

Kinds = tuple[type[DeltaGliderError], ...]
READING: Kinds = (IntegrityError, NotFoundError, LocalFileError)
"""What a read of one object may say of it; of the disk, where a recorded size is beyond any."""


@dataclasses.dataclass
class Stored:
    """An object as it lies in the store."""

    data: bytes
    metadata: dict[str, str]


class Bench:
    """A directory of a bucket per case: a reference, two deltas, a whole file; one of them damaged.

    Args:
        store: Where; of it ``put``, ``delete`` and ``list_objects`` are used beside what the verbs use.
        codec: Makes the deltas, and applies them.
        bucket: The bucket.
        home: For all that is local.
        deltas: Of ``ORIGINAL`` and ``SIBLING`` against ``BASE``.
    """

    def __init__(self, store: Any, codec: Any, bucket: str, home: Path, deltas: tuple[bytes, bytes]) -> None:
        self.store = store
        self.bucket = bucket
        self.home = home
        self.deltas = deltas
        settings = Settings(cache_dir=home / "cache", temp_dir=home / "temporary", min_delta_size=1)
        self.ctx = dataclasses.replace(assemble(settings), store=store, codecs=Codecs(codec))
        self.targets = home / "targets"
        self.targets.mkdir(parents=True)
        self.newer = home / "newer"
        self.newer.write_bytes(NEWER)
        self.counts = {"right": 0, "refused": 0}

    def objects(self, prefix: str) -> dict[str, Stored]:
        """What lies in the directory of a case before the damage."""
        reference = reference_key(prefix, sha256(BASE))
        return {
            "reference": Stored(BASE, described(BASE, "reference")),
            "delta": Stored(self.deltas[0], described(ORIGINAL, "delta", reference)),
            "sibling": Stored(self.deltas[1], described(SIBLING, "delta", reference)),
            "whole": Stored(WHOLE, described(WHOLE, "whole")),
        }

    def places(self, prefix: str) -> dict[str, str]:
        """The stored keys of these."""
        return {
            "reference": reference_key(prefix, sha256(BASE)),
            "delta": prefix + "a.zip.delta",
            "sibling": prefix + "b.zip.delta",
            "whole": prefix + "w.txt",
        }

    async def set(self, prefix: str, objects: Mapping[str, Stored]) -> None:
        for name, key in self.places(prefix).items():
            if name in objects:
                held = objects[name]
                await self.store.put(
                    self.bucket, key, held.data, sha256=sha256(held.data), metadata=held.metadata, headers={}
                )

    async def clear(self, prefix: str) -> None:
        keys = [entry.key async for page in self.store.list_objects(self.bucket, prefix) for entry in page]
        for key in keys:
            await self.store.delete(self.bucket, key)

    def cold(self) -> Context:
        """The client, with nothing in its cache and nothing remembered."""
        shutil.rmtree(self.home / "cold", ignore_errors=True)
        return dataclasses.replace(self.ctx, cache=ReferenceCache(self.home / "cold", 1 << 30), flights=Flights())

    async def examine(
        self, ctx: Context, prefix: str, name: str, original: bytes, verbs: tuple[str, ...], *, spared: str = ""
    ) -> None:
        """Puts an object before the verbs.

        Args:
            ctx: The client.
            prefix: Of the case.
            name: The object, ``a.zip`` for example.
            original: What it was.
            verbs: Those that come after the reading ones.
            spared: Another object of the case that nothing happened to, and nothing may happen to.
        """
        key = prefix + name
        await self.reads(ctx, key, original)
        info = await self.answer(head(ctx, self.bucket, key))
        assert info is None or info.size >= 0
        listed = [entry async for entry in list_objects(ctx, self.bucket, prefix) if isinstance(entry, ObjectInfo)]
        assert [entry.key for entry in listed] == sorted({entry.key for entry in listed})
        assert {prefix + each for each in ("a.zip", "b.zip", "w.txt")} <= {entry.key for entry in listed} | {key}
        for verb in verbs:
            await self.does(ctx, verb, prefix, key, original)
        if spared:
            await self.reads(ctx, prefix + spared, SIBLING, surely=True)

    async def does(self, ctx: Context, verb: str, prefix: str, key: str, original: bytes) -> None:
        if verb == "verify":
            result = await self.answer(verify(ctx, self.bucket, key))
            assert result is None or result.valid == (result.actual_sha256 == sha256(original))
        elif verb.startswith("copy"):
            to = prefix + ("far/" if verb == "copy far" else "") + "copied.zip"
            if await self.answer(copy(ctx, self.bucket, key, self.bucket, to)) is not None:
                await self.reads(ctx, to, original)
        elif verb == "upload":
            # Whatever was there: this repairs it.
            await self.bounded(upload(ctx, self.newer, self.bucket, key))
            await self.reads(self.cold(), key, NEWER, surely=True)
        else:
            await self.bounded(delete(ctx, self.bucket, key))
            assert await self.read(ctx, key) is None

    async def reads(self, ctx: Context, key: str, original: bytes, *, surely: bool = False) -> None:
        """Right bytes, or an error of ours; ``surely``: right bytes."""
        found = await self.read(ctx, key)
        assert found == original if surely or found is not None else True, f"{key} has other bytes"
        self.counts["refused" if found is None else "right"] += 1

    async def read(self, ctx: Context, key: str) -> bytes | None:
        target = self.targets / "target"
        done = await self.answer(download(ctx, self.bucket, key, target), READING)
        files = {path.name: path.read_bytes() for path in self.targets.iterdir()}
        assert set(files) == ({"target"} if done is not None else set())
        target.unlink(missing_ok=True)
        assert self.leftovers() == []
        return files.get("target")

    def leftovers(self) -> list[Path]:
        """Temporary files, and references still held in use."""
        places = (self.home / "temporary", self.home / "cache" / "in-use", self.home / "cold" / "in-use")
        return [path for place in places for path in place.rglob("*") if path.is_file() and path.name != ".lock"]

    async def answer(self, work: Awaitable[Any], kinds: Kinds = (DeltaGliderError,)) -> Any:
        """A result, or ``None`` for an error of ours, which can be told in one line."""
        try:
            return await self.bounded(work)
        except kinds as error:
            told = error
        assert str(told).isprintable()
        assert told.uri
        return None

    @staticmethod
    async def bounded(work: Awaitable[Any]) -> Any:
        with anyio.fail_after(DEADLINE):
            return await work

    def close(self) -> None:
        self.ctx.cache.close()
        self.ctx.spool.close()


def described(data: bytes, kind: str, reference: str = "") -> dict[str, str]:
    """The metadata of an object as this tool writes it."""
    metadata = {
        "dg-tool": "deltaglider/7",
        "dg-file-sha256": sha256(data),
        "dg-file-size": str(len(data)),
        "dg-md5": hashlib.md5(data).hexdigest(),
        "dg-created-at": "2026-01-02T03:04:05.678901Z",
    }
    if kind == "reference":
        return metadata | {
            "dg-source-name": "a.zip",
            "dg-original-name": "__reference__",
            "dg-note": "reference",
        }
    if kind == "whole":
        return metadata | {"dg-original-name": "w.txt", "dg-compression": "none", "dg-note": "passthrough"}
    return metadata | {
        "dg-original-name": "a.zip",
        "dg-ref-key": reference,
        "dg-ref-sha256": sha256(BASE),
        "dg-delta-size": "500",
        "dg-delta-cmd": "xdelta3 -e -D -S djw",
        "dg-note": "delta",
        "user-team": "core",
    }


def pick(chance: random.Random, count: int = 1) -> tuple[str, ...]:
    """Some of the verbs, as all of them for each case would take long."""
    return tuple(verb for verb in VERBS if verb in chance.sample(VERBS, count))
