"""From the order of stored keys to the order of logical ones, without holding a listing.

A delta of ``K`` is stored as ``K.delta``, so a store lists it too late: ``v1.2.delta`` comes before ``v1.delta``,
though ``v1`` comes before ``v1.2``. What can come late is known, though: a delta of ``K`` is late for an entry ``X``
only if ``K`` is ``X`` or the beginning of ``X``, and what follows in ``X`` sorts before ``.delta``. ``LogicalOrder``
holds an entry back while one of these may still come. When it holds too much it asks for the candidate itself to be
looked up; with the answer, everything behind it can go.

Both forms of one key may exist for a moment, or for good where a writer died; they come out together, for the caller
to choose.

Pure: entries go in and come out, no I/O happens here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Generic, TypeVar

from deltaglider.late import dataclass
from deltaglider.layout.keys import DELTA_SUFFIX, sort_key

E = TypeVar("E")
_SUFFIX = DELTA_SUFFIX.encode()
_EARLY = re.compile(rb"[\x00-.]")  # Where a late delta's key can end: what follows it sorts before ".delta".


@dataclass(frozen=True, slots=True)
class Found(Generic[E]):
    """One logical key and the stored forms it has.

    Attributes:
        key: The logical key, or a common prefix.
        forms: One entry, or two where both forms exist.
    """

    key: str
    forms: tuple[E, ...]


class LogicalOrder(Generic[E]):
    """Takes entries in stored order and gives them back in logical order.

    After each ``push``: look up what is ``wanted`` and ``answer``, until nothing is; then ``pop``, which leaves at most
    ``hold`` entries. At the ``end``, ``pop`` once more.

    Args:
        hold: Entries held back before a candidate is asked for.
        prefix: Logical keys that do not begin with it are left out, and never asked for.
        after: So are those up to and including this one; empty for none.
    """

    def __init__(self, hold: int = 1000, *, prefix: str = "", after: str = "") -> None:
        self._hold = hold
        self._prefix = sort_key(prefix)
        self._after = sort_key(after)
        self._waiting: deque[tuple[bytes, str, list[E]]] = deque()  # In logical order.
        # Keys whose delta may still come late, in order; each is the beginning of the next.
        self._candidates: list[bytes] = []
        # Candidates looked up: their deltas are old news when the listing gets there.
        self._answered: set[bytes] = set()

    def push(self, key: str, stored_key: str, entry: E) -> None:
        """Takes the next entry of the listing.

        Args:
            key: Its logical key: ``stored_key`` without ``.delta`` for a delta, ``stored_key`` itself for all else.
            stored_key: Its stored key; must sort after all before it.
            entry: Whatever the caller wants back.
        """
        stored, logical = sort_key(stored_key), sort_key(key)
        self._candidates = [k for k in self._candidates if k + _SUFFIX > stored]
        self._answered = {k for k in self._answered if k + _SUFFIX >= stored}
        if logical != stored and logical in self._answered:
            return
        for at in [match.start() for match in _EARLY.finditer(stored)] + [len(stored)]:
            start = stored[:at]
            known = start in self._answered or start in self._candidates
            if stored[at:] < _SUFFIX and not known and not start.endswith(b"/") and self._is_within(start):
                self._candidates.append(start)
        self._candidates.sort()
        if self._is_within(logical):
            self._insert(logical, key, entry)

    def end(self) -> None:
        """The listing is over: nothing can come late any more."""
        self._candidates.clear()

    def pop(self) -> Iterator[Found[E]]:
        """All that nothing can precede any more, in logical order."""
        first = self._candidates[0] if self._candidates else None
        while self._waiting and (first is None or self._waiting[0][0] < first):
            _, key, entries = self._waiting.popleft()
            yield Found(key, tuple(entries))

    def wanted(self) -> str | None:
        """The key whose delta must be looked up because too much is held back for it; ``None`` if all is well."""
        if len(self._waiting) <= self._hold or not self._candidates:
            return None
        first = self._candidates[0]
        free = sum(1 for _ in takewhile(lambda waiting: waiting[0] < first, self._waiting))
        return first.decode("utf-8", "surrogatepass") if len(self._waiting) - free > self._hold else None

    def answer(self, key: str, entry: E | None) -> None:
        """Answers ``wanted``.

        Args:
            key: The key that was wanted.
            entry: The entry of its delta; ``None`` if there is no delta of that name.
        """
        logical = sort_key(key)
        self._candidates = [k for k in self._candidates if k != logical]
        self._answered.add(logical)
        if entry is not None:
            self._insert(logical, key, entry)

    def _is_within(self, logical: bytes) -> bool:
        return logical > self._after and logical.startswith(self._prefix)

    def _insert(self, logical: bytes, key: str, entry: E) -> None:
        # Most entries come in order: their place is at the end of what waits, or near it.
        at = len(self._waiting)
        while at and self._waiting[at - 1][0] > logical:
            at -= 1
        if at and self._waiting[at - 1][0] == logical:
            self._waiting[at - 1][2].append(entry)
        else:
            self._waiting.insert(at, (logical, key, [entry]))
