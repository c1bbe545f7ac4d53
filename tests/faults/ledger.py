"""What a key may hold while many write it, some in vain: what was acknowledged counts, what failed may have happened.

Bounded: of each key it keeps what may still be there, and what goes on. For threads.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

Left = str | None
"""The SHA-256 of what a key holds; ``None`` for nothing."""


@dataclasses.dataclass(eq=False)
class View:
    """All that may be seen of a key from a moment on; it grows until it is closed."""

    parts: list[frozenset[Left] | View]

    def values(self, met: frozenset[int] = frozenset()) -> set[Left]:
        # Two copies may each read what the other one writes.
        if id(self) in met:
            return set()
        found: set[Left] = set()
        for part in self.parts:
            found |= part.values(met | {id(self)}) - {None} if isinstance(part, View) else part
        return found


@dataclasses.dataclass(eq=False)
class Deed:
    """One thing done to a key.

    Attributes:
        key: The key.
        lefts: What it leaves: of a copy, whatever is seen of its source, if that is something.
        begun: When it began.
        ended: When it ended.
    """

    key: str
    lefts: frozenset[Left] | View
    begun: int
    ended: int | None = None


class Ledger:
    """What goes on with a number of keys, which hold nothing at first."""

    def __init__(self) -> None:
        self._clock = itertools.count(1)
        self._lock = threading.Lock()
        self._deeds: dict[str, list[Deed]] = {}
        self._views: dict[str, list[View]] = {}

    def begin(self, key: str, lefts: frozenset[Left] | View) -> Deed:
        """Takes note that a deed begins."""
        with self._lock:
            deed = Deed(key, lefts, next(self._clock))
            self._of(key).append(deed)
            for view in self._views.get(key, []):
                view.parts.append(lefts)
            return deed

    def end(self, deed: Deed, *, acknowledged: bool, left: Left = None) -> None:
        """Takes note that a deed ended.

        Args:
            deed: The deed.
            acknowledged: Whether it is certain that it happened.
            left: What it left, where that is known only now.
        """
        with self._lock:
            if isinstance(deed.lefts, View):
                possible = deed.lefts.values() - {None}
                assert not acknowledged or left in possible, f"{deed.key} got what its source never held"
                deed.lefts = frozenset({left} if acknowledged else possible)
            deed.ended = next(self._clock)
            if acknowledged:
                # All that ended before this began is overwritten, whether it had happened or not.
                self._deeds[deed.key] = [
                    other for other in self._of(deed.key) if other.ended is None or other.ended > deed.begun
                ]

    @contextmanager
    def watch(self, key: str) -> Iterator[View]:
        """What may be seen of a key from now until the context ends, and what is possible now."""
        with self._lock:
            view = View([deed.lefts for deed in self._of(key)])
            self._views.setdefault(key, []).append(view)
        try:
            yield view
        finally:
            with self._lock:
                self._views[key].remove(view)

    def _of(self, key: str) -> list[Deed]:
        return self._deeds.setdefault(key, [Deed(key, frozenset({None}), 0, 0)])
