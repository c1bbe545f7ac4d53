"""All codecs of a client: which one writes, and which one reads what a delta's metadata name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from deltaglider.codec.base import Codec, Encoded
from deltaglider.errors import UnknownFormatError


class Codecs:
    """The codecs that are known here.

    Args:
        *codecs: The one to write with first, then those that take its place where it does not take a file.
    """

    def __init__(self, *codecs: Codec) -> None:
        self._codecs = codecs
        self._by_name = {codec.name: codec for codec in codecs}

    def __iter__(self) -> Iterator[Codec]:
        return iter(self._codecs)

    def check(self, name: str, *, uri: str | None = None) -> None:
        """Refuses a format that is not known.

        Args:
            name: What ``dg-codec`` records; empty for plain VCDIFF.
            uri: Of the object, for the error.

        Raises:
            UnknownFormatError: No codec here reads it.
        """
        if name not in self._by_name:
            raise UnknownFormatError(
                f"it was stored with the codec {name!r}, which this version does not know",
                uri=uri,
                remedy="Update deltaglider",
            )

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """Writes a delta with the first codec that takes the file; see ``Codec.encode``."""
        sizes = reference.stat().st_size, target.stat().st_size
        codec = next((codec for codec in self._codecs if codec.takes(*sizes)), self._codecs[0])
        return await codec.encode(reference, target, delta, limit=limit)

    async def decode(
        self,
        reference: Path,
        delta: Path,
        target: Path | None,
        *,
        size: int,
        codec: str = "",
        recompress: bool = False,
    ) -> str:
        """Decodes with the codec that the metadata name; see ``Codec.decode``.

        Raises:
            UnknownFormatError: No codec here reads it.
        """
        self.check(codec)
        return await self._by_name[codec].decode(reference, delta, target, size=size, recompress=recompress)


class LateCodecs(Codecs):
    """The codecs of a client that may never need one: they are loaded and made when they are first asked for.

    Args:
        make: Makes them, in the order of ``Codecs``.
    """

    def __init__(self, make: Callable[[], Sequence[Codec]]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if name not in ("_codecs", "_by_name"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        super().__init__(*self._make())
        return vars(self)[name]
