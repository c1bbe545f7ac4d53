"""What may befall one deed of one client, and two deeds that take turns: for the stateful test.

Whoever is killed asks the store for nothing more: none of its cleaning up happens there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

import anyio

from deltaglider.engine.context import Context
from deltaglider.errors import StoreUnavailableError
from deltaglider.tasks import plain_error
from tests.faults.wrapper import Call, ScriptedStore, Step

Way = Literal["refused", "answer lost", "down", "cancelled", "cancelled late", "killed", "killed late"]
WAYS: tuple[Way, ...] = ("refused", "answer lost", "down", "cancelled", "cancelled late", "killed", "killed late")

PATIENCE = 60.0
"""Seconds after which a deed is taken to hang."""


class Killed(BaseException):
    """The process is gone; nothing catches this."""


class Cut(StoreUnavailableError):
    """A fault of ours, so that no other passes for one."""


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What happens at a certain call of the store.

    Attributes:
        way: ``refused``: that call fails. ``answer lost``: it is done, and fails. ``down``: it fails, and all after it.
            ``cancelled``: the deed is cancelled before it, or after it (``late``). ``killed``: the process ends.
        at: Which call, from 1.
    """

    way: Way
    at: int

    @property
    def is_late(self) -> bool:
        return self.way == "answer lost" or self.way.endswith("late")

    def befall(self, store: ScriptedStore, scope: anyio.CancelScope) -> None:
        """Makes it happen."""
        lasts = self.way == "down" or self.way.startswith("killed")

        async def strike() -> None:
            if self.way.startswith("killed"):
                raise Killed
            if not self.way.startswith("cancelled"):
                raise Cut("cut off", uri="s3://bucket")
            scope.cancel()
            await anyio.lowlevel.checkpoint()

        async def step(call: Call) -> None:
            if call.number == self.at or (lasts and call.number > self.at):
                await strike()

        async def later(call: Call) -> None:
            if lasts and call.number > self.at:
                await strike()

        (store.after if self.is_late else store.before)("*", do=step)
        if self.is_late:
            store.before("*", do=later)


class Turns:
    """Two who ask the store in turns: the first makes so many calls, then the other so many, and so on.

    Args:
        lengths: How many calls each turn has. Who is at it when they run out goes on to its end.
    """

    def __init__(self, lengths: Iterable[int]) -> None:
        self._lengths = iter(lengths)
        self._left = next(self._lengths, 0)
        self._now = 0
        self._done: set[int] = set()
        self._changed = anyio.Event()

    def of(self, who: int) -> Step:
        """The step that makes the calls of one of them wait for its turn."""

        async def step(call: Call) -> None:
            while not self._may(who):
                await self._changed.wait()

        return step

    def finish(self, who: int) -> None:
        """Lets the other go on alone."""
        self._done.add(who)
        self._change()

    def _may(self, who: int) -> bool:
        other = 1 - who
        if other in self._done:
            return True
        if self._now == who and self._left == 0:
            self._now, self._left = other, next(self._lengths, -1)
            self._change()
        if self._now != who:
            return False
        self._left -= 1
        return True

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@dataclasses.dataclass
class Ended:
    """How a deed ended.

    Attributes:
        result: What it returned.
        error: What it raised.
        cut: Whether it was cut off by its trouble, so that it may or may not have happened.
    """

    result: Any = None
    error: Exception | None = None
    cut: bool = False


async def attempt(
    ctx: Context,
    act: Callable[[Context], Awaitable[Any]],
    trouble: Trouble | None = None,
    turns: tuple[Turns, int] | None = None,
) -> Ended:
    """Does something with a client, in trouble or not, on its own or in turns with another.

    Args:
        ctx: The client.
        act: What to do with it.
        trouble: What happens to it.
        turns: With whom it takes turns, and as which of the two.

    Returns:
        How it ended.
    """
    store = ScriptedStore(ctx.store)
    ended = Ended()
    with anyio.fail_after(PATIENCE):
        try:
            with anyio.CancelScope() as scope:
                if turns is not None:
                    store.before("*", do=turns[0].of(turns[1]))
                if trouble is not None:
                    trouble.befall(store, scope)
                ended.result = await act(dataclasses.replace(ctx, store=store))
            ended.cut = scope.cancelled_caught
        except (Cut, Killed):
            ended.cut = True
        except Exception as error:
            ended.error = error
        except BaseExceptionGroup as group:
            if not isinstance(plain_error(group), Killed):
                raise
            ended.cut = True
        finally:
            if turns is not None:
                turns[0].finish(turns[1])
    return ended
