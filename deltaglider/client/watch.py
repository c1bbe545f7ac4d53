"""Who is told of the bytes of one transfer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from deltaglider.engine import inspect
from deltaglider.engine.context import Context
from deltaglider.events import BytesMoved, Event

Callback = Callable[[int], object]
"""Told of bytes of the file as they are done; what it is told adds up to the file's size."""


class Watch:
    """A client's parts for one call, whose bytes a callback is told of.

    What moves is not what the file has: of a delta it is less, with a reference or a retry it is more. The callback is
    told of what moves as far as the file goes, and of the rest at the end.

    Args:
        ctx: The client's parts.
        callback: Told of bytes; ``None`` if nobody is.
        direction: Which bytes count.

    Attributes:
        ctx: The same parts, watched.
    """

    def __init__(self, ctx: Context, callback: Callback | None, direction: Literal["up", "down"]) -> None:
        self.ctx = dataclasses.replace(ctx, observer=self._observe) if callback is not None else ctx
        self._observer = ctx.observer
        self._callback = callback
        self._direction = direction
        self._left = 0

    async def expect(self, bucket: str, key: str, version: str | None = None) -> None:
        """Finds out how many bytes there will be, if anybody wants to know.

        Args:
            bucket: The bucket.
            key: The key of what is to come.
            version: The version of it; ``None`` for the current one.
        """
        if self._callback is not None:
            self._left = (await inspect.head(self.ctx, bucket, key, version)).size

    def begin(self, path: Path) -> None:
        """Takes the size of a file for what there will be."""
        if self._callback is not None and path.exists():
            self._left = path.stat().st_size

    def end(self) -> None:
        """Tells of what was not told of."""
        self._tell(self._left)

    def _observe(self, event: Event) -> None:
        self._observer(event)
        if isinstance(event, BytesMoved) and event.direction == self._direction:
            self._tell(min(event.count, self._left))

    def _tell(self, count: int) -> None:
        if self._callback is not None and count:
            self._left -= count
            self._callback(count)
