"""Files whose packing an earlier tool lost: what they held, and the search for how it was packed.

The predecessor ran xdelta3 without ``-D``, which unpacks .gz, .bz2 and .xz inputs, the reference as well as the file,
before it compares them. What such a delta decodes to is what the file held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from deltaglider.codec.recompress import Effort, Lost
from deltaglider.codec.unpack import LETTERS, Packing, packing_of, unpack
from deltaglider.codec.vcdiff import inputs_of
from deltaglider.config import MIB
from deltaglider.engine.context import Context
from deltaglider.files import Digests, digests_of, free_space
from deltaglider.layout.metadata import Description

# What a file may unpack to: more than any data worth keeping shrinks, far less than a bomb grows.
_MOST_TIMES, _MOST_MORE = 100, 64 * MIB

_SUFFIXES: dict[str, Packing] = {
    ".gz": "gzip",
    ".tgz": "gzip",
    ".bz2": "bzip2",
    ".tbz": "bzip2",
    ".tbz2": "bzip2",
    ".xz": "xz",
    ".txz": "xz",
}


def most_unpacked(size: int) -> int:
    """Bytes that a packed file of some size may hold for us to unpack it."""
    return size * _MOST_TIMES + _MOST_MORE


async def unpacking_of(ctx: Context, delta: Path, name: str) -> Packing | None:
    """How the file was packed that a delta decodes to the content of.

    Args:
        ctx: The client's parts.
        delta: The delta.
        name: Of the file, for a delta that does not say.

    Returns:
        The way; ``None`` if it was not packed, or in a way that nothing here undoes.
    """
    inputs = await ctx.thread(inputs_of, delta)
    if inputs is not None:
        return LETTERS.get(inputs.target)
    return next((packing for suffix, packing in _SUFFIXES.items() if name.lower().endswith(suffix)), None)


class Unpacked:
    """The content of one lost file, and what is needed to pack it again.

    Args:
        ctx: The client's parts.
        payload: An existing file to hold the content.
        opened: An existing file to hold what the reference holds, if that is packed.
    """

    def __init__(self, ctx: Context, payload: Path, opened: Path) -> None:
        self._ctx = ctx
        self._opened = opened
        self._reference: Path | None = None
        self.payload = payload

    async def decode(self, source: Path, delta: Path, size: int) -> Digests:
        """Fills ``payload``.

        Args:
            source: The reference.
            delta: The delta.
            size: Bytes of the packed file, as recorded.

        Returns:
            Of the content.

        Raises:
            DeltaCorruptError: It does not decode, or the reference does not unpack.
            CodecError: The codec failed.
            LocalFileError: The disk is full.
        """
        ctx, base = self._ctx, source
        if await ctx.thread(packing_of, source) is not None:
            limit = most_unpacked(source.stat().st_size)
            await ctx.thread(lambda: unpack(source, self._opened, limit=limit))
            self._reference, base = source, self._opened
        # Its size is not recorded, and the decoder refuses one the disk has no room for.
        most = min(most_unpacked(size), free_space(self.payload.parent))
        await ctx.codecs.decode(base, delta, self.payload, size=most)
        return await ctx.thread(digests_of, self.payload)

    async def pack(
        self, description: Description, packing: Packing, target: Path, *, effort: Effort
    ) -> tuple[Digests, str] | None:
        """Looks for how the file was packed, and makes it again.

        Args:
            description: Of the delta.
            packing: The format.
            target: Where to write; made or overwritten, its content undefined where nothing was found.
            effort: What the search may cost.

        Returns:
            What was written, with the recorded SHA-256, and how; ``None`` if no known way gives it.
        """
        alike = self._reference
        if alike is not None and await self._ctx.thread(packing_of, alike) != packing:
            alike = None
        lost = Lost(
            name=description.name,
            size=description.size or 0,
            sha256=description.sha256,
            packing=packing,
            stored=description.created,
            like=alike,
            like_unpacked=self._opened if alike else None,
        )
        with self._ctx.spool.file() as scratch:
            recipe = await self._ctx.recompressor().recreate(self.payload, lost, target, scratch, effort=effort)
        if recipe is None:
            return None
        return await self._ctx.thread(digests_of, target), recipe


@contextlib.contextmanager
def unpacked(ctx: Context) -> Iterator[Unpacked]:
    """Temporary files for the content of one lost file.

    Args:
        ctx: The client's parts.

    Yields:
        What is done with them.
    """
    with ctx.spool.file() as payload, ctx.spool.file() as opened:
        yield Unpacked(ctx, payload, opened)
