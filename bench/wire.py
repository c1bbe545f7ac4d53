"""What goes over the wire: a proxy that passes on every byte as it is, and counts.

It takes time itself, so that what runs through it is counted and not timed.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
import urllib.parse
from collections import Counter
from typing import Self

CHUNK = 256 << 10
HEAD_END = b"\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What was sent and received.

    Attributes:
        requests: How many requests, by their method.
        sent: Bytes to the server, headers included.
        received: Bytes from it, headers included.
    """

    requests: dict[str, int]
    sent: int
    received: int

    @property
    def count(self) -> int:
        """All requests."""
        return sum(self.requests.values())

    def __sub__(self, before: Traffic) -> Traffic:
        requests = Counter(self.requests)
        requests.subtract(before.requests)
        return Traffic(dict(+requests), self.sent - before.sent, self.received - before.received)


class Requests:
    """Counts the requests in what one connection sends, one after the other."""

    def __init__(self, methods: Counter[str]) -> None:
        self._methods = methods
        self._head = b""
        self._body = 0
        self._chunked = False

    def feed(self, data: bytes) -> None:
        """Takes what came next.

        Args:
            data: Any piece of the stream, however it was cut.
        """
        while data:
            if self._body:
                passed = min(self._body, len(data))
                self._body -= passed
                data = data[passed:]
                continue
            self._head += data
            end = b"\r\n" if self._chunked else HEAD_END
            at = self._head.find(end)
            if at < 0:
                return
            head, data, self._head = self._head[:at], self._head[at + len(end) :], b""
            if self._chunked:
                self._chunk(head)
            else:
                self._request(head)

    def _request(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").lstrip("\r\n").split("\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._methods[first.split(" ", 1)[0]] += 1
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self._body = 0 if self._chunked else int(fields.get("content-length", "0"))

    def _chunk(self, head: bytes) -> None:
        size = int(head.split(b";")[0] or b"0", 16)
        # The chunk and the line's end behind it; the last one is empty, and S3's clients send no trailers after it.
        self._body = size + 2
        self._chunked = size > 0


class Wire:
    """A proxy in front of a server, running while it is entered.

    Args:
        url: Of the server; plain HTTP.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._methods: Counter[str] = Counter()
        self._bytes = {"sent": 0, "received": 0}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def traffic(self) -> Traffic:
        """What went through until now."""
        return Traffic(dict(self._methods), self._bytes["sent"], self._bytes["received"])

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    async def _close(self) -> None:
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            upstream, onward = await asyncio.open_connection(*self._target, limit=CHUNK)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, onward}
        try:
            await asyncio.gather(
                self._pass(reader, onward, "sent", Requests(self._methods)), self._pass(upstream, writer, "received")
            )
        finally:
            self._writers -= {writer, onward}
            writer.close()
            onward.close()

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str, requests: Requests | None = None
    ) -> None:
        # A connection that breaks is the business of the two ends; each sees the end of it.
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK):
                self._bytes[way] += len(data)
                if requests:
                    requests.feed(data)
                target.write(data)
                await target.drain()
        with contextlib.suppress(OSError):
            target.write_eof()
