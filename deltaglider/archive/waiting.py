"""Waiting for the threads of a pool, in a thread whose caller may be cancelled meanwhile."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar

from deltaglider.files import stop_if_cancelled

T = TypeVar("T")

_LOOK = 0.05  # Seconds between two looks whether the caller was cancelled.


def result_of(future: Future[T]) -> T:
    """What a thread of a pool returns; one large stream may take it minutes.

    Args:
        future: Its future.

    Returns:
        The result.
    """
    while not wait([future], _LOOK).done:
        stop_if_cancelled()
    return future.result()
