"""An HTTP server that answers as a test says: wrong, late, half, or with the words of some S3 server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from deltaglider.config import Settings
from deltaglider.store.s3 import S3Store

LAST_MODIFIED = "Sun, 01 Nov 2026 10:20:30 GMT"


@dataclasses.dataclass
class Request:
    """What came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.path.split("/", 2)[2] if self.path.count("/") > 1 else ""

    @property
    def name(self) -> str:
        """The operation, as far as the tests tell them apart."""
        return f"{self.method}{' object' if self.key else ' bucket'}{''.join(f' {n}' for n in sorted(self.query))}"

    def range(self, size: int) -> tuple[int, int] | None:
        text = self.headers.get("range")
        if text is None:
            return None
        first, _, last = text.removeprefix("bytes=").partition("-")
        return int(first), min(int(last) + 1 if last else size, size)


@dataclasses.dataclass
class Reply:
    """What goes back.

    Attributes:
        cut: Bytes of the body after which the connection is dropped; ``None`` sends all.
        hang: Send nothing more after the cut, and keep the connection.
        drop: Close the connection without an answer.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    cut: int | None = None
    hang: bool = False
    drop: bool = False


Handler = Callable[[Request], "Reply | Awaitable[Reply]"]


def refusal(code: str, status: int, message: str = "No.") -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode())


def document(text: str) -> Reply:
    return Reply(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), {"Content-Type": "application/xml"})


class FakeS3:
    """The server.

    Attributes:
        requests: All that came, in order.
    """

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.url = ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def names(self) -> list[str]:
        return [request.name for request in self.requests]

    def settings(self, **overrides: Any) -> Settings:
        fields = {"region_name": "us-east-1", "aws_access_key_id": "AKID", "aws_secret_access_key": "sekret"}
        return Settings(**{"endpoint_url": self.url, "max_attempts": 1, **fields, **overrides})

    @contextlib.asynccontextmanager
    async def store(self, **overrides: Any) -> AsyncIterator[S3Store]:
        opened = S3Store(self.settings(**overrides))
        try:
            yield opened
        finally:
            await opened.aclose()

    async def __aenter__(self) -> FakeS3:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            # Cancelled only at the end, where asyncio would report it as a failure.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(method, unquote(parts.path), query, headers, body)
        self.requests.append(request)
        answer = self.handler(request)
        reply = answer if isinstance(answer, Reply) else await answer
        if reply.drop:
            return False
        lines = {"Content-Length": str(len(reply.body)), "Server": "Fake", **reply.headers}
        writer.write(f"HTTP/1.1 {reply.status} X\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n")
        if method != "HEAD":
            writer.write(reply.body[: reply.cut])
        await writer.drain()
        if reply.hang:
            await asyncio.sleep(3600)
        return reply.cut is None


def object_reply(request: Request, body: bytes, etag: str = "e1", *, ranges: bool = True, **options: Any) -> Reply:
    """The answer to a GET or HEAD of an object, as S3 gives it."""
    headers = {"ETag": f'"{etag}"', "Last-Modified": LAST_MODIFIED, **options.pop("headers", {})}
    wanted = request.headers.get("if-match", "").strip('"')
    if wanted and wanted != etag:
        return refusal("PreconditionFailed", 412)
    span = request.range(len(body)) if ranges else None
    if span is None:
        return Reply(200, body, headers, **options)
    start, stop = span
    if start >= len(body):
        return refusal("InvalidRange", 416)
    return Reply(
        206, body[start:stop], {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(body)}"}, **options
    )
