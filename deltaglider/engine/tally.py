"""What a stored listing tells of a bucket without a look at each object: what is stored, exactly; the rest by estimate.

A listing shows what each delta takes, not the size of the file it stands for. That is remembered on this machine, or
looked up of a few deltas of each deltaspace, or taken to be that of the deltaspace's reference: versions of one thing
are about the same size.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from deltaglider.engine.context import Context
from deltaglider.engine.locate import Form
from deltaglider.engine.looks import forms_of_listed, remembered_forms
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import (
    REFERENCE_NAME,
    is_reserved,
    is_statistics,
    name_of,
    parse_reference_key,
    sort_key,
    without_delta,
)
from deltaglider.models import BucketStats, StatsMode
from deltaglider.store.base import ListedObject, ListedPrefix

SAMPLES = 3
"""Deltas of a deltaspace that are looked at, to estimate the others."""


@dataclass(slots=True)
class Counts:
    """Figures while they grow.

    Attributes:
        deltas: Objects stored as deltas.
        whole: Objects stored whole.
        total: Bytes of the original files.
        stored: Bytes in the bucket.
        references: References.
        reference_bytes: Their bytes.
    """

    deltas: int = 0
    whole: int = 0
    total: int = 0
    stored: int = 0
    references: int = 0
    reference_bytes: int = 0

    def reference(self, size: int) -> None:
        """Counts a reference."""
        self.references += 1
        self.reference_bytes += size

    def figures(self, bucket: str, prefix: str, mode: StatsMode, *, estimated: bool = False) -> BucketStats:
        """What they come to."""
        return BucketStats(
            bucket=bucket,
            prefix=prefix,
            object_count=self.deltas + self.whole,
            total_size=self.total,
            compressed_size=self.stored,
            delta_objects=self.deltas,
            direct_objects=self.whole,
            reference_objects=self.references,
            reference_size=self.reference_bytes,
            mode=mode,
            estimated=estimated,
        )


class Digest:
    """Of a stored listing: it changes whenever anything is written or deleted, the figures kept there aside."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def take(self, page: Sequence[ListedObject | ListedPrefix]) -> None:
        """Takes in a page."""
        for entry in page:
            if isinstance(entry, ListedObject) and not is_statistics(entry.key):
                line = f"{entry.key}\0{entry.etag}\0{entry.size}\0{entry.last_modified.timestamp()!r}\n"
                self._hash.update(line.encode("utf-8", "surrogatepass"))

    @property
    def hex(self) -> str:
        """What it comes to."""
        return self._hash.hexdigest()


@dataclass(slots=True)
class _Space:
    """What is known of the deltas of a deltaspace whose originals' sizes the listing does not tell."""

    known: int = 0
    known_bytes: int = 0
    references: int = 0
    reference_bytes: int = 0
    unknown: int = 0
    unknown_stored: int = 0
    samples: list[tuple[bytes, ListedObject]] = dataclasses.field(default_factory=list)

    def add_unknown(self, entry: ListedObject) -> None:
        self.unknown += 1
        self.unknown_stored += entry.size
        # By chance, but the same ones every time.
        self.samples.append((hashlib.blake2b(sort_key(entry.key), digest_size=8).digest(), entry))
        self.samples.sort(key=lambda sample: (sample[0], sample[1].key))
        del self.samples[SAMPLES:]

    @property
    def likely(self) -> float | None:
        """The likely size of an original; ``None`` if nothing tells."""
        if self.known:
            return self.known_bytes / self.known
        return self.reference_bytes / self.references if self.references else None


class Tally:
    """Counts a stored listing page by page. A deltaspace is held only while the listing is in it.

    Args:
        ctx: The client's parts.
        bucket: The bucket.
        looks: Whether samples may be looked at, a request each.
    """

    def __init__(self, ctx: Context, bucket: str, *, looks: bool) -> None:
        self._ctx = ctx
        self._bucket = bucket
        self._looks = looks
        self._spaces: dict[str, _Space] = {}
        self._open = self._total = self._seen = 0
        self._open_stored = 0
        self._seen_bytes = 0.0
        self.counts = Counts()
        self.digest = Digest()
        self.estimated = False

    async def take(self, page: Sequence[ListedObject | ListedPrefix]) -> None:
        """Counts a page.

        Args:
            page: Entries in their order.

        Raises:
            StoreError: A sample could not be looked at.
        """
        self.digest.take(page)
        entries = [entry for entry in page if isinstance(entry, ListedObject) and not is_statistics(entry.key)]
        unclear = [entry for entry in entries if _is_unclear(entry.key)]
        forms = await remembered_forms(self._ctx, self._bucket, unclear)
        known = {entry.key: form for entry, form in zip(unclear, forms, strict=True) if form is not None}
        if self._looks:
            classic = [e for e in unclear if name_of(e.key) == REFERENCE_NAME and e.key not in known]
            looked = await forms_of_listed(self._ctx, self._bucket, classic)
            known |= {entry.key: form for entry, form in zip(classic, looked, strict=True) if form is not None}
        for entry in entries:
            await self._leave(entry.key)
            self.counts.stored += entry.size
            self._count(entry, known.get(entry.key))

    async def figures(self, prefix: str, mode: StatsMode) -> BucketStats:
        """What it all comes to.

        Args:
            prefix: The prefix listed.
            mode: How it was counted.

        Returns:
            The figures.

        Raises:
            StoreError: A sample could not be looked at.
        """
        await self._leave(None)
        if self._open:
            self.counts.total += round(self._open * self._seen_bytes / self._seen) if self._seen else self._open_stored
        return self.counts.figures(self._bucket, prefix, mode, estimated=self.estimated)

    def _count(self, entry: ListedObject, form: Form | None) -> None:
        own = parse_reference_key(entry.key)
        if own is not None:
            self.counts.reference(entry.size)
            self._space(own[0]).references += 1
            self._space(own[0]).reference_bytes += entry.size
        elif is_reserved(entry.key):
            return
        elif form is not None and form.is_reference:
            self.counts.reference(entry.size)
        elif form is not None and form.is_delta and form.description is not None:
            space, size = self._space(deltaspace_of(entry.key, self._ctx.settings.deltaspace)), form.description.size
            self.counts.deltas += 1
            self.counts.total += size or 0
            space.known += 1
            space.known_bytes += size or 0
        elif form is None and name_of(entry.key) == REFERENCE_NAME and not self._looks:
            self.estimated = True
            self.counts.reference(entry.size)
            self._space(deltaspace_of(entry.key, self._ctx.settings.deltaspace)).references += 1
            self._space(deltaspace_of(entry.key, self._ctx.settings.deltaspace)).reference_bytes += entry.size
        elif form is None and without_delta(entry.key):
            self._space(deltaspace_of(entry.key, self._ctx.settings.deltaspace)).add_unknown(entry)
        else:
            self.counts.whole += 1
            self.counts.total += entry.size

    def _space(self, name: str) -> _Space:
        return self._spaces.setdefault(name, _Space())

    async def _leave(self, key: str | None) -> None:
        """Settles the deltaspaces that the listing has left behind: it is sorted, and their keys begin with them."""
        for name in [name for name in self._spaces if key is None or not key.startswith(name)]:
            await self._settle(self._spaces.pop(name))

    async def _settle(self, space: _Space) -> None:
        if self._looks and space.samples:
            await self._look_at_samples(space)
        if space.known:
            self._seen += space.known
            self._seen_bytes += space.known_bytes
        if not space.unknown:
            return
        self.estimated = True
        self.counts.deltas += space.unknown
        if space.likely is None:
            self._open += space.unknown
            self._open_stored += space.unknown_stored
        else:
            self.counts.total += round(space.unknown * space.likely)

    async def _look_at_samples(self, space: _Space) -> None:
        entries = [entry for _, entry in space.samples]
        for entry, form in zip(entries, await forms_of_listed(self._ctx, self._bucket, entries), strict=True):
            if form is None:
                continue
            space.unknown -= 1
            space.unknown_stored -= entry.size
            self._count_looked(space, entry, form)

    def _count_looked(self, space: _Space, entry: ListedObject, form: Form) -> None:
        if form.is_delta and form.description is not None:
            self.counts.deltas += 1
            self.counts.total += form.description.size or 0
            space.known += 1
            space.known_bytes += form.description.size or 0
        else:
            self.counts.whole += 1
            self.counts.total += entry.size


def _is_unclear(key: str) -> bool:
    """Whether only its metadata tell what lies under a stored key."""
    return not is_reserved(key) and (without_delta(key) is not None or name_of(key) == REFERENCE_NAME)
