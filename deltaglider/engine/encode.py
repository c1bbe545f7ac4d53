"""A file made a delta of which it is proven to come back."""

from __future__ import annotations

import dataclasses
import logging
import time
from pathlib import Path

from deltaglider.codec.base import Encoded
from deltaglider.engine.context import Context
from deltaglider.engine.locate import Form
from deltaglider.engine.reuse import reuse
from deltaglider.errors import ChecksumMismatchError, CodecError, CodecFailedError, IntegrityError, LocalFileError
from deltaglider.events import CodecRan
from deltaglider.files import Digests, sha256_of

logger = logging.getLogger("deltaglider.engine")


@dataclasses.dataclass(frozen=True, slots=True)
class Encoding:
    """One file against one reference.

    Attributes:
        ctx: The client's parts.
        uri: The object, for messages.
        reference: The reference's file.
        source: The file.
        digests: What the file is.
    """

    ctx: Context
    uri: str
    reference: Path
    source: Path
    digests: Digests

    async def kept_or_made(self, stored: Form | None, reference_sha256: str, delta: Path, limit: int) -> Encoded | None:
        """Fetches the delta that is stored already, if it is of these bytes, or makes one.

        Args:
            stored: The delta under the object's key.
            reference_sha256: Of the reference, in hex.
            delta: An existing file to fill.
            limit: Bytes that the delta may have.

        Returns:
            How it was made; ``None`` if it is not worth keeping.

        Raises:
            CodecFailedError: No delta gives the file back.
            LocalFileError: The file changed meanwhile.
        """
        try:
            kept = await reuse(self.ctx, stored, self.digests, reference_sha256, self.reference, delta, limit)
            return kept or await self._made(delta, limit)
        except (CodecError, IntegrityError, OSError) as error:
            await self._check_unchanged()
            if isinstance(error, IntegrityError):
                text = f"the delta does not give the file back: {error.message}"
                raise CodecFailedError(text, uri=self.uri) from error
            raise

    async def _made(self, delta: Path, limit: int) -> Encoded | None:
        for plainly in (False, True):
            encoded = await self._encode(delta, limit, plainly=plainly)
            if encoded is None or await self._prove(delta, encoded, last=plainly):
                return encoded
        raise ChecksumMismatchError("other bytes come back")

    async def _encode(self, delta: Path, limit: int, *, plainly: bool) -> Encoded | None:
        started = time.monotonic()
        encoded = await self.ctx.codecs.encode(self.reference, self.source, delta, limit=limit, plainly=plainly)
        size = delta.stat().st_size if encoded is not None else 0
        read = self.reference.stat().st_size
        self.ctx.observer(CodecRan("encode", time.monotonic() - started, read, self.digests.size, size))
        if encoded is None:
            logger.info("%s is stored whole: its delta would be over %d bytes", self.uri, limit)
        return encoded

    async def _prove(self, delta: Path, encoded: Encoded, *, last: bool) -> bool:
        """Decodes the delta and compares: what is stored is known to come back.

        Of a plain one no failure is expected; of another, that may need more room or time, it only says that it is no
        good.
        """
        size = self.digests.size
        try:
            return await self.ctx.codecs.prove(self.reference, delta, encoded, size=size) == self.digests.sha256
        except (CodecError, IntegrityError, LocalFileError) as error:
            if last or not encoded.codec:
                raise
            logger.warning("the %s delta of %s is of no use: %s", encoded.codec, self.uri, error.message)
            return False

    async def _check_unchanged(self) -> None:
        """Explains a failure by what it most likely is: the file changed under the codec."""
        if await self.ctx.thread(sha256_of, self.source) != self.digests.sha256:
            raise LocalFileError(
                "it changed while it was uploaded, so nothing was stored",
                uri=str(self.source),
                remedy="Upload it again",
            )
