"""All codecs of a client: which one writes, and which one reads what a delta's metadata name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltaglider.codec.base import Codec, Encoded, Proving
from deltaglider.errors import UnknownFormatError

if TYPE_CHECKING:
    from deltaglider.codec.gate import Gate

logger = logging.getLogger("deltaglider.codec")


class Codecs:
    """The codecs that are known here.

    Args:
        *plain: Those that take any kind of file: the one to write with first, then those that take its place where it
            does not take a file.
        special: Those that know a kind of file well, and hand all else to plain ones. The first that takes a file has
            the last word on it; what the gate says of packed bytes does not hold for it.
        inner: Those that only special ones ask, whose deltas come out as they are where nothing else is to be done.
        gate: Turns files away before a plain codec spends its time on them.
        quiet: Whether it is nothing to log that one codec takes the place of another.
    """

    def __init__(
        self,
        *plain: Codec,
        special: tuple[Codec, ...] = (),
        inner: tuple[Codec, ...] = (),
        gate: Gate | None = None,
        quiet: bool = False,
    ) -> None:
        self._plain = plain
        self._special, self._inner = special, inner
        self._gate = gate
        self._by_name = {codec.name: codec for codec in (*plain, *special, *inner)}
        self._told = quiet

    def __iter__(self) -> Iterator[Codec]:
        return iter((*self._special, *self._plain))

    def check(self, name: str, *, uri: str | None = None) -> None:
        """Refuses a format that is not known.

        Args:
            name: What ``dg-codec`` records; empty for plain VCDIFF, which is always read, and for what is no delta.
            uri: Of the object, for the error.

        Raises:
            UnknownFormatError: No codec here reads it.
        """
        if name and name not in self._by_name:
            raise UnknownFormatError(
                f"it was stored with the codec {name!r}, which this version does not know",
                uri=uri,
                remedy="Update deltaglider",
            )

    def writer(self, reference_size: int, target_size: int) -> Codec:
        """The plain codec that writes.

        Args:
            reference_size: Bytes of the reference.
            target_size: Bytes of the file.

        Returns:
            The first that takes them. If none does, the first whose ``encode`` says what is missing.
        """
        return next((codec for codec in self._plain if codec.takes(reference_size, target_size)), self._plain[0])

    def still_writes(self, name: str) -> bool:
        """Whether deltas of a format are made now, as far as the format tells.

        Args:
            name: What ``dg-codec`` records.

        Returns:
            Whether the first codec, or a special or inner one that is to write, makes such.
        """
        others = (codec.name for codec in (*self._special, *self._inner) if codec.takes(0, 0))
        return name in (self._plain[0].name, *others)

    async def encode(
        self, reference: Path, target: Path, delta: Path, *, limit: int, plainly: bool = False
    ) -> Encoded | None:
        """Writes a delta with the first codec that can, or the first plain one; see ``Codec.encode``."""
        sizes = reference.stat().st_size, target.stat().st_size
        special = next((special for special in self._special if special.takes(*sizes) and not plainly), None)
        if special and (self._gate is None or await self._gate.opens_for_special(reference, target)):
            return await special.encode(reference, target, delta, limit=limit)
        codec = self.writer(*sizes)
        if codec is not self._plain[0] and not self._told:
            self._told = True
            logger.warning("%s cannot make all deltas here: %s takes its place", self._plain[0].label, codec.label)
        if codec.is_costly and self._gate is not None and not await self._gate.opens(reference, target, limit=limit):
            return None
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

    async def prove(self, reference: Path, delta: Path, encoded: Encoded, *, size: int) -> str:
        """Makes the file of a delta that was just encoded.

        Args:
            reference: The reference.
            delta: The delta.
            encoded: What ``encode`` said of it.
            size: Bytes of the file.

        Returns:
            The SHA-256 of the file, in hex.

        Raises:
            DeltaGliderError: As ``Codec.decode``.
        """
        codec = self._by_name[encoded.codec]
        if isinstance(codec, Proving):
            return await codec.prove(reference, delta, encoded.shortcuts, size=size)
        return await codec.decode(reference, delta, None, size=size)


class LateCodecs(Codecs):
    """The codecs of a client that may never need one: they are loaded and made when they are first asked for.

    Args:
        make: Makes them.
    """

    def __init__(self, make: Callable[[], Codecs]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        if name not in ("_plain", "_special", "_inner", "_gate", "_by_name", "_told"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        vars(self).update(vars(self._make()))
        return vars(self)[name]
