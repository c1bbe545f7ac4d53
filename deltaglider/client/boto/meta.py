"""``client.meta``: what boto3's clients tell of themselves."""

from __future__ import annotations

from typing import Any

from deltaglider.config import Settings
from deltaglider.errors import ClientStateError
from deltaglider.store.base import ObjectStore
from deltaglider.store.besides import Native


class ClientMeta:
    """What is known of a client. Until it has sent a request, that is what it was told.

    Args:
        settings: The client's.
        store: Its store.
    """

    def __init__(self, settings: Settings, store: ObjectStore) -> None:
        self._settings = settings
        self._store = store

    @property
    def _native(self) -> Any:
        client = self._store.connected if isinstance(self._store, Native) else None
        return None if client is None else client.meta

    @property
    def region_name(self) -> str | None:
        """The region."""
        found = self._settings.region_name if self._native is None else self._native.region_name
        return None if found is None else str(found)

    @property
    def endpoint_url(self) -> str:
        """The endpoint."""
        return self._store.identity if self._native is None else str(self._native.endpoint_url)

    @property
    def events(self) -> Any:
        """The emitter of the client underneath, on which handlers are registered. They are not awaited.

        Raises:
            ClientStateError: There is no client underneath, or not yet.
        """
        return self._of_client("events")

    @property
    def config(self) -> Any:
        """The configuration of the client underneath; errors as for ``events``."""
        return self._of_client("config")

    @property
    def service_model(self) -> Any:
        """S3's description of itself; errors as for ``events``."""
        return self._of_client("service_model")

    @property
    def method_to_api_mapping(self) -> Any:
        """S3's names of operations, by boto3's; errors as for ``events``."""
        return self._of_client("method_to_api_mapping")

    @property
    def partition(self) -> Any:
        """The partition of the region; errors as for ``events``."""
        return self._of_client("partition")

    def _of_client(self, name: str) -> Any:
        if self._native is None:
            raise ClientStateError(
                "there is no client of S3 underneath, or none yet", remedy="Send a request to an S3 endpoint first"
            )
        return getattr(self._native, name)
