"""TLS contexts that are made when a connection wants them: reading the certificates to trust takes a while."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterable
from typing import Any, Self


class LateContext(ssl.SSLContext):
    """Stands for a context until a connection is made with it.

    Args:
        make: Makes the context.
    """

    def __new__(cls, make: Callable[[], ssl.SSLContext]) -> Self:
        """An SSLContext takes a protocol, and this one takes none."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        self._make = make
        self._protocols: list[str] = []

    @functools.cached_property
    def _context(self) -> ssl.SSLContext:
        context = self._make()
        if self._protocols:
            context.set_alpn_protocols(self._protocols)
        return context

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """What its connections offer to speak."""
        self._protocols = list(alpn_protocols)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """A connection of the context that it stands for."""
        return self._context.wrap_bio(*args, **kwargs)
