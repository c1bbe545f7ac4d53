"""Client: what users hold.

The asynchronous client, and a synchronous one with the same methods on a background event loop. It offers what the
module of this name did in earlier versions, loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deltaglider.client.sync import DeltaGliderClient, create_client

__all__ = ["DeltaGliderClient", "create_client"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deltaglider.client import sync

    return getattr(sync, name)
