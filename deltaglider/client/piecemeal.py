"""The asynchronous client for those who call one method of it and go: a command loads no more than that one needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from deltaglider.client.base import ClientBase
from deltaglider.config import Settings
from deltaglider.events import Observer, ignore

if TYPE_CHECKING:
    from deltaglider.client.aio import AsyncDeltaGliderClient

HOMES = {
    ("objects", "ObjectMethods"): ("delete", "download", "head", "rescue", "stream", "upload", "verify"),
    ("copying", "CopyMethods"): ("copy",),
    ("buckets", "BucketMethods"): (
        "bucket_acl",
        "buckets",
        "make_bucket",
        "remove_bucket",
        "set_bucket_acl",
        "set_bucket_website",
    ),
    ("looking", "LookingMethods"): ("doctor", "list", "survey", "verify_directory"),
    ("saving", "SavingMethods"): ("analyze", "migrate", "stats"),
    ("sharing", "SharingMethods"): ("presign", "purge"),
    ("trees", "TreeMethods"): (
        "copy_directory",
        "delete_directory",
        "download_directory",
        "transfer",
        "upload_directory",
    ),
    ("syncing", "SyncMethods"): ("sync",),
}
"""The module and class that each method is of."""

_HOME_OF = {name: home for home, names in HOMES.items() for name in names}


def home_of(name: str) -> type[ClientBase]:
    """The class that a method is of, loaded now.

    Args:
        name: The method.

    Returns:
        The class.
    """
    module, kind = _HOME_OF[name]
    home: type[ClientBase] = getattr(importlib.import_module(f"deltaglider.client.{module}"), kind)
    return home


class _Piecemeal(ClientBase):
    """A client that becomes one with a method when the method is asked for."""

    def __getattr__(self, name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        mine = type(self)
        self.__class__ = type(mine.__name__, (home_of(name), mine), {})
        return getattr(self, name)


def create_piecemeal_client(settings: Settings, observer: Observer = ignore) -> AsyncDeltaGliderClient:
    """A client with the methods that have our own words, and neither boto3's nor those of earlier versions.

    Its calls are not told to the observer; what happens in them is.

    Args:
        settings: The settings.
        observer: Called with each event of ``deltaglider.events`` but ``CallStarted`` and ``CallEnded``.

    Returns:
        The client; nothing is opened yet.
    """
    return cast("AsyncDeltaGliderClient", _Piecemeal(settings, observer))
