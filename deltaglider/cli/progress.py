"""How far the work is: counted from events, shown on stderr."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

from deltaglider.cli.screen import Screen
from deltaglider.cli.words import count, human_size
from deltaglider.events import AllFound, BytesMoved, Event, ItemFinished, ItemFound, ItemStarted
from deltaglider.layout.uri import is_s3_uri

LINE_SECONDS = 2.0
"""Between two lines in a log."""

_DIRECTIONS = {"upload": "up", "download": "down"}


class Tally:
    """What has been done of what is known to be done. Sizes are those of the files, not of their deltas.

    Attributes:
        files: Items known.
        finished: Of them, those that ended one way or the other.
        total: Bytes of the items known.
        complete: Whether no more items will come.
    """

    def __init__(self) -> None:
        self.files = self.finished = self.total = 0
        self.complete = False
        self._direction = ""
        self._finished_bytes = self._moved = self._stored = self._best = 0

    def take(self, event: Event) -> None:
        """Takes note of an event."""
        if isinstance(event, ItemFound):
            self.files += 1
            self.total += event.size
        elif isinstance(event, AllFound):
            self.complete = True
        elif isinstance(event, ItemStarted):
            self._direction = _direction_of(event) or self._direction
        elif isinstance(event, BytesMoved):
            self._moved += event.count if event.direction == self._direction else 0
        elif isinstance(event, ItemFinished):
            self.finished += 1
            if event.outcome.action != "delete":
                self._finished_bytes += event.outcome.size
                self._stored += event.outcome.stored

    @property
    def done(self) -> int:
        """Bytes done: of finished files, and what has moved for the others. It never falls."""
        in_flight = max(0, self._moved - self._stored)
        self._best = max(self._best, min(self.total, self._finished_bytes + in_flight))
        return self._best

    def line(self, seconds: float) -> str:
        """``1.2 MiB/~5.0 MiB (3.1 MiB/s), ~4 files left``; what has a tilde may grow until all is known.

        Args:
            seconds: Since the work began.
        """
        rate = self.done / max(seconds, 0.001)
        about = "" if self.complete else "~"
        amount = f"{human_size(self.done)}/{about}{human_size(self.total)} ({human_size(round(rate))}/s)"
        left = f"{about}{count(self.files - self.finished, 'file')} left"
        if not self.complete or rate < 1:
            return f"{amount}, {left}"
        minutes, rest = divmod(round((self.total - self.done) / rate), 60)
        return f"{amount}, {minutes}:{rest:02d} to go, {left}"


def _direction_of(event: ItemStarted) -> str:
    if event.action != "move":
        return _DIRECTIONS.get(event.action, "")
    # A copy inside the store is a request; what goes up or down for it is known to nobody.
    if is_s3_uri(event.source):
        return "" if is_s3_uri(event.target) else "down"
    return "up"


class Display(ABC):
    """A view of a tally, no oftener than it can be read. It is an observer, and a context for the time it is shown.

    Args:
        interval: Seconds between two views.
        clock: Tells the seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._tally = Tally()
        self._interval = interval
        self._clock = clock
        self._last = self._begun = clock()

    def __call__(self, event: Event, /) -> None:
        """Takes note of an event."""
        self._tally.take(event)
        now = self._clock()
        if now - self._last >= self._interval:
            self._last = now
            self.show(self._tally)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 - Most leave nothing there.
        """Takes away what stands on the terminal."""

    @property
    def wanted(self) -> bool:
        """Whether anybody looks, so that it is worth finding out how much there is to do."""
        return True

    @property
    def shown(self) -> bool:
        """Whether something stands on the terminal."""
        return False

    def above(self, line: str) -> None:
        """Prints a line above what stands on the terminal."""
        raise NotImplementedError

    @property
    def line(self) -> str:
        """How far the work is, in words."""
        return self._tally.line(self._clock() - self._begun)

    @abstractmethod
    def show(self, tally: Tally) -> None:
        """Shows how far the work is."""


class NoDisplay(Display):
    """Nothing to see."""

    def __init__(self) -> None:
        super().__init__(0)

    def __call__(self, event: Event, /) -> None:
        """Does nothing."""

    @property
    def wanted(self) -> bool:
        """Nobody looks."""
        return False

    def show(self, tally: Tally) -> None:
        """Does nothing."""


class LineDisplay(Display):
    """A line on stderr now and then, for logs: asked for with ``--progress`` where stderr is not a terminal."""

    def __init__(self, interval: float = LINE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(interval, clock)

    def show(self, tally: Tally) -> None:
        """Prints the line."""
        Screen().err(f"Completed {self.line}")
