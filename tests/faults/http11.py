"""As much of HTTP/1.1's framing as a proxy needs that must know where a message ends."""

from __future__ import annotations

import asyncio
import dataclasses

PIECE = 64 * 1024


@dataclasses.dataclass(frozen=True)
class Pipe:
    """One side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def is_gone(self) -> bool:
        """Whether the other end is known to have closed it."""
        return self.reader.at_eof() or self.writer.is_closing() or self.reader.exception() is not None

    async def close(self) -> None:
        """Sends what is still to be sent, for a moment, and closes."""
        self.writer.close()
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 1)
        except TimeoutError:
            self.writer.transport.abort()
        except OSError:
            pass  # The other end was first.


@dataclasses.dataclass(frozen=True)
class Head:
    """A request's or an answer's first line and headers.

    Attributes:
        raw: As it came, the empty line included.
        first: The first line's three words.
        headers: By lower-case name.
        method: Of a request; of an answer, the method it answers.
    """

    raw: bytes
    first: tuple[str, str, str]
    headers: dict[str, str]
    method: str

    @property
    def target(self) -> str:
        """Of a request: what it asks for."""
        return self.first[1]

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first[1])

    @property
    def is_answer(self) -> bool:
        return self.first[0].startswith("HTTP/")

    @property
    def expects_continue(self) -> bool:
        return self.headers.get("expect", "").lower() == "100-continue"

    @property
    def closes(self) -> bool:
        """Whether the connection ends with this message."""
        wish = self.headers.get("connection", "").lower()
        ends = self.is_answer and self.has_body and not self.is_chunked and self.length is None
        version = self.first[0] if self.is_answer else self.first[2]
        return ends or wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")

    @property
    def is_chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """The body's length, where a header tells it."""
        return int(self.headers["content-length"]) if "content-length" in self.headers else None

    @property
    def has_body(self) -> bool:
        if self.is_answer and (self.method == "HEAD" or self.status in (204, 304) or self.status < 200):
            return False
        return self.is_chunked or self.length != 0 if self.is_answer else self.is_chunked or bool(self.length)


async def read_head(pipe: Pipe) -> Head:
    """The next message's head; ``IncompleteReadError`` if the connection ends before one."""
    raw = await pipe.reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")
    first, second, third = [*lines[0].split(" ", 2), "", ""][:3]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Head(raw, (first, second, third), headers, first)


async def relay_body(source: Pipe, target: Pipe, head: Head, *, share: float = 1.0, pause: float = 0.0) -> None:
    """Passes a body on, as it is framed.

    Args:
        source: Where it comes from.
        target: Where it goes.
        head: Its head.
        share: How much of it goes (of a chunked body: of its first chunk); the rest stays unread.
        pause: Seconds to wait in the middle.
    """
    await _body(source, target, head, share, pause)
    await target.writer.drain()


async def skip_body(source: Pipe, head: Head) -> None:
    """Reads a body and drops it."""
    await _body(source, None, head, 1.0, 0.0)


async def _body(source: Pipe, target: Pipe | None, head: Head, share: float, pause: float) -> None:
    if not head.has_body:
        return
    if head.is_chunked:
        await _chunks(source, target, share, pause)
    elif head.length is not None:
        half = head.length // 2
        if pause or share < 1:
            await _bytes(source, target, half)
            await asyncio.sleep(pause)
        await _bytes(source, target, 0 if share < 1 else head.length - (half if pause else 0))
    else:
        while piece := await source.reader.read(PIECE):
            await _write(target, piece)


async def _chunks(source: Pipe, target: Pipe | None, share: float, pause: float) -> None:
    while True:
        line = await source.reader.readuntil(b"\r\n")
        await _write(target, line)
        size = int(line.split(b";")[0], 16)
        if not size:
            break
        half = size // 2
        await _bytes(source, target, half)
        if share < 1:
            return
        await asyncio.sleep(pause)
        pause = 0.0
        await _bytes(source, target, size - half + 2)
    # Trailers, up to the empty line.
    while line != b"\r\n":
        line = await source.reader.readuntil(b"\r\n")
        await _write(target, line)


async def _bytes(source: Pipe, target: Pipe | None, count: int) -> None:
    while count:
        piece = await source.reader.read(min(count, PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", count)
        await _write(target, piece)
        count -= len(piece)


async def _write(target: Pipe | None, piece: bytes) -> None:
    if target:
        target.writer.write(piece)
        await target.writer.drain()
