"""Whether what the user named takes part at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from deltaglider.cli.exits import SourceMissingError

Patterns = Sequence[tuple[Literal["include", "exclude"], str]]
"""``--include`` and ``--exclude``, in the order of the command line."""


def require_local(path: str) -> None:
    """Checks a local source before anything is asked of a store.

    Raises:
        SourceMissingError: It does not exist, or is a link that leads nowhere.
    """
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where this says no.
        raise SourceMissingError(path)


def takes_file(patterns: Patterns, path: Path, *, follow_symlinks: bool) -> bool:
    """Whether a single local file takes part."""
    if path.is_symlink() and not follow_symlinks:
        return False
    whole = path.absolute()
    return _keeps(patterns, whole.name, whole.parent)


def takes_key(patterns: Patterns, key: str) -> bool:
    """Whether a single object takes part."""
    return _keeps(patterns, key.rsplit("/", 1)[-1])


def _keeps(patterns: Patterns, name: str, *roots: Path) -> bool:
    if not patterns:
        return True
    # Imported here: it brings along all of bulk work, which the help does without.
    from deltaglider.bulk.filters import Filters

    return Filters.of(*patterns).rooted(*roots)(name)
