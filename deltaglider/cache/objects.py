"""What a HEAD told of stored objects, for whoever meets the same objects in a listing later.

A listing shows neither the size of the file that a delta stands for, nor its hashes, nor the user's metadata. What a
HEAD told of them holds as long as nobody has written the object anew. A write shows in the listing: as another ETag,
another size or a later time. The one that does not is a write of the same bytes, with other metadata, in the very
second of the one before, since stores tell times in whole seconds. Therefore:

- a note is named by the endpoint, the bucket, the key, the ETag, the size **and** the time;
- what a HEAD told is kept only if the object was some seconds old by the store's own clock when the store said so
  (``SETTLED``): a later write has a later time then. This machine's clock, which may be wrong, is not asked;
- what has no ETag or no time, or comes from a store that does not tell its own time, is not kept.

Uploads keep nothing: the answer to a PUT does not tell the time that a listing will show.

One thing is left: a store may give an object the time when its upload in parts began, and its clock may be set back.
Two writes of the same bytes that are given the same second, and are done seconds apart, then look alike. The files'
sizes and hashes are the same as well; the user's metadata may be those of the earlier one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from deltaglider.cache.notes import Notes, name_of
from deltaglider.late import dataclass

SETTLED = timedelta(seconds=5)
"""How old an object must be before it is remembered: the second that times are told in, and clocks of several servers
that are not quite the same."""

_KIND = "object"
# What most of these have in common, so that they take half the space.
_USUAL = (
    b'"ContentType": "application/octet-stream""ContentType": "application/zip"'
    b'"dg-compression": "none", "dg-note": "passthrough""dg-delta-cmd": "xdelta3 -e -f -q -D -A= -S djw -6 -I 0 -B "'
    b'[{"dg-tool": "deltaglider/7.0.0", "dg-file-sha256": "", "dg-file-size": "", "dg-md5": "", "dg-created-at": '
    b'"2026-11-22T12:00:00.000000Z", "dg-original-name": "", "dg-ref-key": ".deltaglider/references//reference.bin", '
    b'"dg-ref-sha256": "", "dg-delta-size": "", "dg-note": "delta"}, {"ContentType": "binary/octet-stream"}]'
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One stored object as a listing shows it.

    Attributes:
        bucket: The bucket.
        key: The stored key.
        etag: Its ETag without quotes.
        size: Bytes stored.
        modified: When it was stored.
    """

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a HEAD tells besides.

    Attributes:
        metadata: The user metadata.
        headers: The HTTP headers kept.
    """

    metadata: Mapping[str, str]
    headers: Mapping[str, str]


async def recall(notes: Notes, endpoint: str, objects: Sequence[Seen]) -> list[Told | None]:
    """What was told of objects.

    Args:
        notes: Where that is kept.
        endpoint: The store.
        objects: The objects as a listing shows them now.

    Returns:
        In their order; ``None`` for what must be asked.
    """
    if notes.is_off or not objects:
        return [None] * len(objects)
    return await notes.run(_recall, notes, endpoint, objects)


async def keep(notes: Notes, endpoint: str, answers: Sequence[tuple[Seen, Told, datetime | None]]) -> None:
    """Keeps what was told of objects, where it is sure to hold for as long as they look the same.

    Args:
        notes: Where that is kept.
        endpoint: The store.
        answers: The objects as the HEAD itself shows them, what it tells besides, and when it was answered by the
            store's own clock.
    """
    settled = [(seen, told) for seen, told, when in answers if _is_settled(seen, when)]
    if settled and not notes.is_off:
        await notes.run(_keep, notes, endpoint, settled)


def _is_settled(seen: Seen, answered: datetime | None) -> bool:
    if answered is None or not seen.etag or seen.modified.timestamp() <= 0:
        return False
    return answered - seen.modified >= SETTLED


def _recall(notes: Notes, endpoint: str, objects: Sequence[Seen]) -> list[Told | None]:
    names = [_name(endpoint, seen) for seen in objects]
    found = notes.find(names)
    return [_unpacked(found[name]) if name in found else None for name in names]


def _keep(notes: Notes, endpoint: str, settled: Sequence[tuple[Seen, Told]]) -> None:
    notes.keep((_name(endpoint, seen), _packed(told)) for seen, told in settled)


def _name(endpoint: str, seen: Seen) -> bytes:
    # Whole seconds: a HEAD has no finer ones, also where the listing of the same store has.
    return name_of(_KIND, endpoint, seen.bucket, seen.key, seen.etag, seen.size, int(seen.modified.timestamp()))


def _packed(told: Told) -> bytes:
    packer = zlib.compressobj(6, zdict=_USUAL)
    return packer.compress(json.dumps([dict(told.metadata), dict(told.headers)]).encode()) + packer.flush()


def _unpacked(value: bytes) -> Told:
    metadata, headers = json.loads(zlib.decompressobj(zdict=_USUAL).decompress(value))
    return Told(metadata, headers)
