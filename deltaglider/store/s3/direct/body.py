"""The bytes of an object, as they come."""

from __future__ import annotations

from typing import Any

_LARGEST = 256 * 1024  # Bytes that asyncio reads from a socket at once.


class Body:
    """The body of an answer, in the pieces in which it is received: to put them together would copy each byte again.

    Args:
        response: aiohttp's.
    """

    def __init__(self, response: Any) -> None:
        self._response = response

    async def read(self, size: int) -> bytes:
        """The next bytes.

        Args:
            size: Bytes, at most; more than what is received at once makes no difference.

        Returns:
            They; none at the end.

        Raises:
            aiohttp.ClientError: It broke off.
        """
        content = self._response.content
        if size < _LARGEST:
            return bytes(await content.read(size))
        piece, is_between = await content.readchunk()
        while is_between and not piece:  # The end of a chunk of HTTP, not that of the body.
            piece, is_between = await content.readchunk()
        return bytes(piece)

    def close(self) -> None:
        """Lets go of the connection: for further requests, if all was read."""
        self._response.close()
