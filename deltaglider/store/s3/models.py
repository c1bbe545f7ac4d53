"""S3's model and the map of AWS's endpoints, as botocore reads them, for a fraction of the time.

Imports botocore at the top: import this module only where a client is about to be made, in a worker thread.
"""

from __future__ import annotations

import functools
import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader, create_loader

_making = threading.Lock()

_ASKED_FOR = ("s3", "sts", "portal.sso", "oidc", "signin")
"""The services a client may turn to, by the names in the map of endpoints: the store's, and those of credentials."""


def warm_models(session: Any) -> None:
    """Gives a session the models that all sessions of this process share, with those of S3 read already.

    Args:
        session: An AioSession.
    """
    with _making:
        loader = _shared(session.get_config_variable("data_path"))
        session.register_component("data_loader", loader)
        session.warm_up_loader_caches("s3")


@functools.lru_cache(maxsize=8)
def _shared(data_path: str | None) -> Models:
    # What botocore would make of the path, made ours.
    made = create_loader(data_path)
    return Models(extra_search_paths=list(made.search_paths), include_default_search_paths=False)


class _Files(JSONFileLoader):  # type: ignore[misc]
    """Reads a file into plain dictionaries: they keep their order, too, and take a third of the time."""

    def load_file(self, file_path: str) -> Any:
        for suffix, unpacked in ((".json", bytes), (".json.gz", gzip.decompress)):
            path = Path(file_path + suffix)
            if path.is_file():
                data = unpacked(path.read_bytes())
                return json.loads(without_others(data) if path.name.startswith("endpoints.") else data)
        return None


def without_others(endpoints: bytes) -> bytes:
    """The map of endpoints without the services that nobody asks for: a fortieth, read in as little of the time.

    Args:
        endpoints: The file, as botocore lays it out; of another layout, all remains.

    Returns:
        JSON.
    """
    begin, end = b'\n    "services" : {', b"\n    }"
    first, *partitions = endpoints.split(begin)
    kept = [first]
    for partition in partitions:
        services, closing, rest = partition.partition(end)
        found = [_service(services, name) for name in _ASKED_FOR]
        kept += [begin, b",".join(service for service in found if service), closing, rest]
    return b"".join(kept)


def _service(services: bytes, name: str) -> bytes:
    begin, end = f'\n      "{name}" : {{'.encode(), b"\n      }"
    at = services.find(begin)
    return services[at : services.index(end, at)] + end if at >= 0 else b""


class Models(Loader):  # type: ignore[misc]
    """botocore's loader, which does not look through the directories of four hundred services to find one."""

    FILE_LOADER_CLASS = _Files

    def list_available_services(self, type_name: str) -> Sequence[str]:
        """The services that have a model of this type, looked up when they are asked for."""
        return _Services(self, type_name)

    def all_services(self, type_name: str) -> list[str]:
        """All of them."""
        found: list[str] = super().list_available_services(type_name)
        return found


class _Services(Sequence[str]):
    """Names of services in order. Whether one is among them costs a look into its own directory."""

    def __init__(self, models: Models, type_name: str) -> None:
        self._models = models
        self._type_name = type_name

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self._models.list_api_versions(name, self._type_name))
        except DataNotFoundError:
            return False

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._all()[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> list[str]:
        return self._models.all_services(self._type_name)
