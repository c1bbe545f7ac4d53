"""What a caller says with each request that is sent for one call, whatever requests those are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class Asking:
    """How the requests of a call are asked. Stores that have no such thing pass it over.

    Attributes:
        payer: ``requester`` confirms that the requester pays.
        owners: The account that must own a bucket, by the bucket's name; other answers are 403.
    """

    payer: str | None = None
    owners: Mapping[str, str] = dataclasses.field(default_factory=dict)


_NOTHING = Asking()
_ASKING: ContextVar[Asking] = ContextVar("deltaglider_asking")


def asking() -> Asking:
    """How requests are asked here and now."""
    return _ASKING.get(_NOTHING)


@contextmanager
def asked(how: Asking) -> Iterator[None]:
    """Has all requests of this task, and of those it starts, asked in one way.

    Args:
        how: The way.
    """
    token = _ASKING.set(how)
    try:
        yield
    finally:
        _ASKING.reset(token)
