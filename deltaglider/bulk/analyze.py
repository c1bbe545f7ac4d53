"""What delta storage would save: a sample of the files is really encoded, the rest is estimated from it.

Of each deltaspace, the file that would become the reference (or the reference it has) and a few others are read; those
others are chosen by chance, the same ones every time. Nothing is written to the store.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from deltaglider.bulk.entries import LocalEntry
from deltaglider.bulk.walk import local_entries, require_directory
from deltaglider.engine.context import Context
from deltaglider.engine.listing import list_objects
from deltaglider.engine.materialise import materialise
from deltaglider.engine.reference import list_references
from deltaglider.errors import BucketNotFoundError, DeltaGliderError, InvalidInputError
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import is_statistics, sort_key
from deltaglider.layout.middle import middle_of
from deltaglider.layout.policy import delta_limit, is_delta_worthy
from deltaglider.layout.uri import S3Uri
from deltaglider.models import Analysis, ObjectInfo, SpaceEstimate
from deltaglider.store.base import ListedObject
from deltaglider.tasks import map_bounded

logger = logging.getLogger("deltaglider.bulk")

ENOUGH = 2
"""Encoded files of a deltaspace that tell a range; of fewer, anything may be."""


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """How much is looked at.

    Attributes:
        sample: Files of each deltaspace that are encoded, at most.
        max_bytes: Bytes read in all, at most, references included. The largest deltaspaces go first.
    """

    sample: int = 3
    max_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        if self.sample < 1 or self.max_bytes < 1:
            raise InvalidInputError("a sample of nothing tells nothing", remedy="Give numbers over 0")


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    size: int
    stored: int
    is_delta: bool = False
    path: Path | None = None


class _Place(Protocol):
    """Where the files are."""

    hidden: int
    """Bytes stored that are nobody's file."""
    skipped: int
    """Files that could not be read."""

    def files(self) -> AsyncIterator[_File]:
        """All of them, in the order of their keys."""

    def bytes_of(self, file: _File) -> AbstractAsyncContextManager[Path]:
        """A file's bytes."""

    async def reference(self, deltaspace: str) -> _File | None:
        """The reference that a deltaspace has already."""


@dataclass(slots=True)
class _Space:
    """What is known of one deltaspace."""

    files: int = 0
    size: int = 0
    settled: int = 0  # Bytes stored of what stays as it is.
    candidates: int = 0
    candidate_size: int = 0
    sampled: list[tuple[bytes, _File]] = dataclasses.field(default_factory=list)
    tried: list[tuple[int, int]] = dataclasses.field(default_factory=list)  # Bytes of files, and of what is stored.
    has_reference: bool = False

    def add(self, file: _File, *, is_candidate: bool, sample: int) -> None:
        self.files += 1
        self.size += file.size
        if not is_candidate:
            self.settled += file.stored
            return
        self.candidates += 1
        self.candidate_size += file.size
        self.sampled.append((hashlib.blake2b(sort_key(file.key), digest_size=8).digest(), file))
        self.sampled.sort(key=lambda item: (item[0], item[1].key))
        del self.sampled[sample + 1 :]

    def files_to_try(self) -> list[_File]:
        """What would become the reference, as far as the sample tells, and the others of the sample."""
        files = [file for _, file in self.sampled]
        if files:
            leader = middle_of(files, key=lambda file: file.key, size=lambda file: file.size)
            files.remove(leader)
            files.insert(0, leader)
        return files

    def estimate(self, name: str, usual: float) -> SpaceEstimate:
        """What it would take, with the share that files usually take where nothing of it was encoded."""
        base = self.settled
        rest, count = self.candidate_size, self.candidates
        if not self.has_reference and self.sampled:
            reference = self.files_to_try()[0]
            base, rest, count = base + reference.size, rest - reference.size, count - 1
        if len(self.tried) == count:
            least = likely = most = sum(stored for _, stored in self.tried)
        else:
            shares = [stored / size for size, stored in self.tried]
            whole, kept = sum(size for size, _ in self.tried), sum(stored for _, stored in self.tried)
            likely = round(rest * (kept / whole if whole else usual))
            enough = len(shares) >= ENOUGH
            least, most = (round(rest * min(shares)), round(rest * max(shares))) if enough else (0, rest)
        return SpaceEstimate(
            deltaspace=name,
            files=self.files,
            size=self.size,
            candidates=self.candidates,
            candidate_size=self.candidate_size,
            sampled=len(self.tried),
            stored=base + likely,
            stored_least=base + least,
            stored_most=base + most,
        )


async def analyze(ctx: Context, target: S3Uri | Path, options: AnalyzeOptions | None = None) -> Analysis:
    """Estimates what delta storage would save.

    Args:
        ctx: The client's parts; its settings decide what is worth a delta.
        target: A bucket, a prefix, or a directory of this machine.
        options: How much to look at.

    Returns:
        The estimate.

    Raises:
        StoreError: The listing failed.
        LocalFileError: The directory cannot be listed.
    """
    options = options or AnalyzeOptions()
    place: _Place = _Directory(ctx, target) if isinstance(target, Path) else _Prefix(ctx, target)
    spaces: dict[str, _Space] = {}
    stored_now = 0
    async with aclosing(place.files()) as files:  # type: ignore[type-var]
        async for file in files:
            space = spaces.setdefault(deltaspace_of(file.key, ctx.settings.deltaspace), _Space())
            is_candidate = not file.is_delta and is_delta_worthy(file.key, file.size, ctx.settings)
            space.add(file, is_candidate=is_candidate, sample=options.sample)
            stored_now += file.stored
    order = sorted(spaces, key=lambda name: (-spaces[name].candidate_size, name))
    chosen = _within_budget([(name, spaces[name]) for name in order], options.max_bytes)
    await map_bounded(partial(_try, ctx, place), chosen, limit=ctx.settings.max_concurrent_objects)
    tried = [pair for space in spaces.values() for pair in space.tried]
    size, kept = sum(size for size, _ in tried), sum(stored for _, stored in tried)
    estimates = [spaces[name].estimate(name, kept / size if size else 1.0) for name in order]
    return Analysis(
        target=str(target),
        files=sum(space.files for space in estimates),
        size=sum(space.size for space in estimates),
        stored_now=stored_now + place.hidden,
        candidates=sum(space.candidates for space in estimates),
        candidate_size=sum(space.candidate_size for space in estimates),
        sampled=len(tried),
        sampled_size=size,
        skipped=place.skipped,
        stored=sum(space.stored for space in estimates) + place.hidden,
        stored_least=sum(space.stored_least for space in estimates) + place.hidden,
        stored_most=sum(space.stored_most for space in estimates) + place.hidden,
        spaces=tuple(space for space in estimates if space.candidates),
    )


def _within_budget(spaces: list[tuple[str, _Space]], left: int) -> list[tuple[str, _Space, list[_File]]]:
    """What is to be encoded of which deltaspaces."""
    chosen = []
    for name, space in spaces:
        candidates = space.files_to_try()
        if not candidates:
            continue
        left_here, files = left - candidates[0].size, []
        for file in candidates:
            # The first counts once: as the reference, or, where there is one already, as a file like the others.
            cost = 0 if file is candidates[0] else file.size
            if cost <= left_here:
                left_here -= cost
                files.append(file)
        if left_here >= 0:
            left = left_here
            chosen.append((name, space, files))
    return chosen


async def _try(ctx: Context, place: _Place, chosen: tuple[str, _Space, list[_File]]) -> None:
    """Encodes the chosen files of a deltaspace."""
    name, space, files = chosen
    try:
        reference = await place.reference(name)
        space.has_reference = reference is not None
        if reference is None:
            reference, *files = files
        if not files:
            return
        async with place.bytes_of(reference) as source:
            for file in files:
                await _encode(ctx, place, space, source, file)
    except BucketNotFoundError:
        raise
    except DeltaGliderError as error:
        _pass_over(place, error)


async def _encode(ctx: Context, place: _Place, space: _Space, source: Path, file: _File) -> None:
    try:
        async with place.bytes_of(file) as path:
            with ctx.spool.file() as delta:
                limit = delta_limit(file.size, ctx.settings.max_ratio)
                kept = await ctx.codecs.encode(source, path, delta, limit=limit)
                space.tried.append((file.size, delta.stat().st_size if kept is not None else file.size))
    except (BucketNotFoundError, InvalidInputError):
        raise
    except DeltaGliderError as error:
        _pass_over(place, error)


def _pass_over(place: _Place, error: DeltaGliderError) -> None:
    logger.warning("not taken into the sample: %s", error)
    place.skipped += 1


class _Directory:
    """Files of this machine."""

    def __init__(self, ctx: Context, root: Path) -> None:
        self._ctx = ctx
        self._root = root
        self.hidden = self.skipped = 0

    async def files(self) -> AsyncIterator[_File]:
        await self._ctx.thread(require_directory, self._root)
        async with aclosing(local_entries(self._root, limiter=self._ctx.files)) as entries:
            async for entry in entries:
                if isinstance(entry, LocalEntry):
                    yield _File(entry.name, entry.size, entry.size, path=entry.path)
                elif entry.message:
                    logger.warning("%s: %s", entry.where, entry.message)
                    self.skipped += 1

    @asynccontextmanager
    async def bytes_of(self, file: _File) -> AsyncIterator[Path]:
        assert file.path is not None
        yield file.path

    async def reference(self, deltaspace: str) -> _File | None:
        return None


class _Prefix:
    """Objects of a store."""

    def __init__(self, ctx: Context, uri: S3Uri) -> None:
        self._ctx = ctx
        self._uri = uri
        self.hidden = self.skipped = 0

    async def files(self) -> AsyncIterator[_File]:
        def hidden(entry: ListedObject) -> None:
            self.hidden += 0 if is_statistics(entry.key) else entry.size

        listing = list_objects(self._ctx, self._uri.bucket, self._uri.key, hidden=hidden)
        async with aclosing(listing) as entries:
            async for info in entries:
                if isinstance(info, ObjectInfo):
                    yield _File(info.key, info.size, info.stored_size, info.is_delta)

    @asynccontextmanager
    async def bytes_of(self, file: _File) -> AsyncIterator[Path]:
        with self._ctx.spool.file() as path:
            if file.is_delta:  # A reference, by its stored key.
                await self._ctx.store.fetch(self._uri.bucket, file.key, path, moved=self._ctx.received)
            else:
                await materialise(self._ctx, self._uri.bucket, file.key, path)
            yield path

    async def reference(self, deltaspace: str) -> _File | None:
        found = await list_references(self._ctx, self._uri.bucket, deltaspace)
        return _File(found[0].key, found[0].size, found[0].size, is_delta=True) if found else None
