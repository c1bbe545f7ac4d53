"""Bulk: many objects.

Two sorted streams are compared, a plan comes out, bounded workers carry it out. Nothing here holds a whole listing:
walks, listings, plans and jobs are streams from end to end.

    walk, remote  ->  filters, names  ->  plan, compare  ->  backlog  ->  jobs, destination  ->  run

``trees`` has the verbs and strings this together along ``routes``; ``verbs`` are the means they need, ``options`` what
they may be told. ``verify`` only reads: it goes along a listing, and a record of what was proven before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltaglider.bulk.filters import Filters
    from deltaglider.bulk.options import BulkOptions
    from deltaglider.bulk.trees import (
        copy_tree,
        delete_tree,
        download_tree,
        sync_across,
        sync_down,
        sync_up,
        upload_tree,
    )
    from deltaglider.bulk.verbs import Verbs, engine_verbs

__all__ = [
    "BulkOptions",
    "Filters",
    "Verbs",
    "copy_tree",
    "delete_tree",
    "download_tree",
    "engine_verbs",
    "sync_across",
    "sync_down",
    "sync_up",
    "upload_tree",
]


_ROOMS = {"BulkOptions": "options", "Filters": "filters", "Verbs": "verbs", "engine_verbs": "verbs"}


def __getattr__(name: str) -> object:
    # Loaded when it is asked for: whoever lists needs one module of this room, not all.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS.get(name, 'trees')}"), name)
