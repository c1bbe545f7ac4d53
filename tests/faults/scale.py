"""How much a test does: a little in the suite, all of it with ``nox -s faults``."""

from __future__ import annotations

import os

FULL = os.environ.get("TESTS_SCALE") == "full"
"""Whether this is the long run; ``nox -s faults`` sets it."""


def scaled(little: int, full: int) -> int:
    """Rounds, examples or operations of a test.

    Args:
        little: In the suite, where the whole must take minutes.
        full: In the long run.

    Returns:
        The number that counts now.
    """
    return full if FULL else little
