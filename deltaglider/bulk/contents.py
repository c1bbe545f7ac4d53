"""Whether two entries of one size have the same content: ``sync --checksum``.

The plan leaves open what only the content tells. Here such pairs are gathered, their hashes looked up many at once, and
each becomes what it comes to. In the order of trust:

- the SHA-256 of both, where both are known: of local files always, of objects where it is recorded;
- the MD5, where an object's ETag is one: one that was stored in one piece, by any tool;
- the ETags of two objects, which are the same only for the same content;
- else size and time, as without ``--checksum``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeAlias, TypeVar

from deltaglider.bulk.entries import Entry, LocalEntry, RemoteEntry
from deltaglider.bulk.plan import Doubt, Open, Settled, Steps, Transfer, Unchanged
from deltaglider.files import Digests
from deltaglider.late import dataclass
from deltaglider.models import ObjectInfo

S = TypeVar("S", bound=Entry)
T = TypeVar("T", bound=Entry)

_MOST_PAIRS = 256
_MOST_BYTES = 1 << 30  # What may be hashed before anything of it is known.
_MD5 = re.compile(r"[0-9a-f]{32}")


async def _no_digests(paths: Sequence[Path]) -> list[Digests | None]:
    return [None] * len(paths)


async def _as_listed(infos: Sequence[ObjectInfo]) -> list[ObjectInfo]:
    return list(infos)


@dataclass(frozen=True, slots=True)
class Contents:
    """What tells of contents.

    Attributes:
        local: Hashes files; ``None`` for one that cannot be read.
        stored: Completes what a listing shows of objects by their recorded SHA-256, where there is one.
    """

    local: Callable[[Sequence[Path]], Awaitable[list[Digests | None]]] = _no_digests
    stored: Callable[[Sequence[ObjectInfo]], Awaitable[list[ObjectInfo]]] = _as_listed


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of the content of one entry.

    Attributes:
        sha256: In hex; empty if it is not known.
        md5: In hex; empty if it is not known.
        etag: Of an object; empty for a file.
    """

    sha256: str = ""
    md5: str = ""
    etag: str = ""


_Pair: TypeAlias = tuple[Entry, Entry]


async def settled(open_steps: Open[S, T], contents: Contents, differs: Callable[[S, T], bool]) -> Steps[S]:
    """The same plan with nothing left open.

    Args:
        open_steps: A plan.
        contents: What tells of contents.
        differs: Decides where contents tell nothing.

    Yields:
        The steps, in order.

    Raises:
        StoreError: The store did not tell of an object.
    """
    waiting: list[Settled[S] | Doubt[S, T]] = []
    pairs = size = 0
    async with aclosing(open_steps):
        async for step in open_steps:
            if isinstance(step, Doubt):
                pairs, size = pairs + 1, size + step.source.size
            elif not waiting:
                yield step
                continue
            waiting.append(step)
            if pairs >= _MOST_PAIRS or size >= _MOST_BYTES or len(waiting) >= 4 * _MOST_PAIRS:
                async for decided in _decided(waiting, contents, differs):
                    yield decided
                waiting, pairs, size = [], 0, 0
    async for decided in _decided(waiting, contents, differs):
        yield decided


def same(source: Mark, target: Mark) -> bool | None:
    """Whether two contents are the same.

    Args:
        source: What is known of the one.
        target: What is known of the other.

    Returns:
        Whether; ``None`` if that is not known.
    """
    if source.sha256 and target.sha256:
        return source.sha256 == target.sha256
    if source.md5 and target.md5:
        return source.md5 == target.md5
    return True if source.etag and source.etag == target.etag else None


async def _decided(
    waiting: Sequence[Settled[S] | Doubt[S, T]], contents: Contents, differs: Callable[[S, T], bool]
) -> AsyncGenerator[Settled[S], None]:
    doubts = [step for step in waiting if isinstance(step, Doubt)]
    sources = await _marks(contents, [doubt.source for doubt in doubts])
    targets = await _marks(contents, [doubt.target for doubt in doubts])
    marks = zip(sources, targets, strict=True)
    for step in waiting:
        if not isinstance(step, Doubt):
            yield step
            continue
        source, target = next(marks)
        # What cannot be read is transferred: that tells why it cannot.
        unread = source is None or target is None
        verdict = None if source is None or target is None else same(source, target)
        changed = differs(step.source, step.target) if verdict is None else not verdict
        yield Transfer(step.source) if unread or changed else Unchanged()


async def _marks(contents: Contents, entries: Sequence[Entry]) -> list[Mark | None]:
    """What is known of the contents of one side's entries; ``None`` for what cannot be read."""
    local = [entry.path for entry in entries if isinstance(entry, LocalEntry)]
    stored = [entry.info for entry in entries if isinstance(entry, RemoteEntry)]
    digests = await contents.local(local) if local else []
    infos = await contents.stored(stored) if stored else []
    return [_mark_of_file(found) for found in digests] + [_mark_of_object(info) for info in infos]


def _mark_of_file(digests: Digests | None) -> Mark | None:
    return Mark(digests.sha256, digests.md5) if digests is not None else None


def _mark_of_object(info: ObjectInfo) -> Mark:
    return Mark(info.sha256, info.etag if _MD5.fullmatch(info.etag) else "", info.etag)
