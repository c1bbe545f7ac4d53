"""A proxy before a server that does to connections what networks do: cuts, lost answers, stalls, refusals.

    with FaultyProxy(endpoint, sometimes(seed=1, rate=0.05)) as proxied:     # 5 % of the requests fail somehow
        ... proxied is an endpoint like the one given; its requests go through the proxy

    proxy = FaultyProxy(endpoint, at({3: Fault("lose answer"), 7: Fault("refuse", code="InternalError", status=500)}))
    proxy = FaultyProxy(endpoint, on("PUT", "*.delta", Fault("cut before"), nth=2))
    proxy.script = None                                                      # from now on nothing fails
    proxy.hits["lose answer"]                                                # how often it did

It runs in a thread of its own, so sync tests, async ones and other processes may use it. The Host header goes through
as the client signed it. Only plain http.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import itertools
import random
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import unquote, urlsplit

from tests.faults.http11 import Head, Pipe, read_head, relay_body, skip_body
from tests.servers import S3Endpoint

Kind = Literal["cut before", "cut request", "lose answer", "cut answer", "stall", "refuse"]


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens to one request.

    Attributes:
        kind: ``cut before``: the connection is reset, the server never hears of the request. ``cut request``: it hears
            half of it. ``lose answer``: the server has done it, but the connection closes without an answer. ``cut
            answer``: half the answer's body arrives (none of an answer that has no body). ``stall``: the answer comes
            after ``seconds``, which pass in the middle of its body if it has one. ``refuse``: the proxy answers itself.
        seconds: Of a stall.
        status: Of a refusal.
        code: Of a refusal, as S3 names it.
    """

    kind: Kind
    seconds: float = 0.2
    status: int = 503
    code: str = "SlowDown"


@dataclasses.dataclass(frozen=True)
class Request:
    """What a script decides about.

    Attributes:
        number: Which, of all requests, from 1.
        method: The method.
        path: The decoded path: ``/bucket/key``.
        query: The query, as it came.
    """

    number: int
    method: str
    path: str
    query: str


Script = Callable[[Request], Fault | None]
"""Asked once for each request, in the proxy's thread, one request at a time."""

ANY_FAULT = (
    Fault("cut before"),
    Fault("cut request"),
    Fault("lose answer"),
    Fault("cut answer"),
    Fault("stall"),
    Fault("refuse"),
    Fault("refuse", status=500, code="InternalError"),
)


def at(faults: Mapping[int, Fault]) -> Script:
    """A script for single requests, by their numbers from 1."""
    return lambda request: faults.get(request.number)


def on(method: str, path: str, fault: Fault, *, nth: int | None = None) -> Script:
    """A script for requests of a kind: a method or ``*``, and a pattern of ``fnmatch`` for ``/bucket/key``."""
    counter = itertools.count(1)

    def script(request: Request) -> Fault | None:
        if method not in ("*", request.method) or not fnmatchcase(request.path, path):
            return None
        return fault if nth in (None, next(counter)) else None

    return script


def sometimes(seed: int, rate: float, faults: Sequence[Fault] = ANY_FAULT) -> Script:
    """A script by chance: the share ``rate`` of the requests fails, the same ones for the same seed."""
    chance = random.Random(seed)
    return lambda request: chance.choice(faults) if chance.random() < rate else None


class FaultyProxy:
    """The proxy; a context manager that gives the endpoint to use instead of the one it stands before.

    Attributes:
        script: What goes wrong; may be changed at any time, ``None`` for nothing.
        requests: All that came.
        hits: How often each kind of fault happened.
    """

    def __init__(self, upstream: S3Endpoint, script: Script | None = None) -> None:
        parts = urlsplit(upstream.url)
        assert parts.scheme == "http", "the proxy reads requests, so it cannot stand before TLS"
        assert parts.hostname
        assert parts.port
        self.script = script
        self.requests: list[Request] = []
        self.hits: collections.Counter[str] = collections.Counter()
        self._upstream = upstream
        self._address = (parts.hostname, parts.port)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="faulty-proxy", daemon=True)
        self._ready = threading.Event()
        self._failures: list[BaseException] = []
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def endpoint(self) -> S3Endpoint:
        """The endpoint behind it, through it."""
        return dataclasses.replace(self._upstream, url=self.url, _clients=[])

    def __enter__(self) -> S3Endpoint:
        self._thread.start()
        self._ready.wait()
        if self._failures:
            raise self._failures[0]
        self._proxied = self.endpoint
        return self._proxied

    def __exit__(self, *_: object) -> None:
        self._proxied.close()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        if self._failures:
            raise self._failures[0]

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
            self._port = server.sockets[0].getsockname()[1]
        except OSError as error:
            self._failures.append(error)
            return
        finally:
            self._ready.set()
        await self._end.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio's would report a cancelled one as a failure.
        task = asyncio.create_task(self._serve(Pipe(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Pipe) -> None:
        servers: list[Pipe] = []
        try:
            # Whichever side closed or broke off: the other one is closed, too.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while await self._one(client, servers):
                    pass
        except Exception as error:
            self._failures.append(error)
        finally:
            for pipe in (client, *servers):
                await pipe.close()

    async def _one(self, client: Pipe, servers: list[Pipe]) -> bool:
        """One request; whether the connection can go on."""
        head = await read_head(client)
        request = Request(len(self.requests) + 1, head.method, *_path_and_query(head.target))
        self.requests.append(request)
        fault = self.script(request) if self.script else None
        if fault:
            self.hits[fault.kind] += 1
        if fault and fault.kind == "cut before":
            _reset(client)
            return False
        if fault and fault.kind == "refuse":
            return await _refuse(client, head, fault)
        if not servers or servers[-1].is_gone():
            servers.append(Pipe(*await asyncio.open_connection(*self._address)))
        return await _exchange(client, servers[-1], head, fault)


def _path_and_query(target: str) -> tuple[str, str]:
    path, _, query = target.partition("?")
    return unquote(path), query


def _reset(pipe: Pipe) -> None:
    # Not a mere close: the client's kernel gets an RST.
    found = pipe.writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    pipe.writer.transport.abort()


async def _refuse(client: Pipe, head: Head, fault: Fault) -> bool:
    """Answers; whether the connection can go on."""
    body = f"<Error><Code>{fault.code}</Code><Message>Scripted.</Message></Error>".encode()
    reuse = not head.expects_continue
    if reuse:
        await skip_body(client, head)
    lines = [
        f"HTTP/1.1 {fault.status} Scripted",
        "Content-Type: application/xml",
        f"Content-Length: {len(body)}",
        f"Connection: {'keep-alive' if reuse else 'close'}",
    ]
    client.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head.method == "HEAD" else body))
    await client.writer.drain()
    return reuse


async def _exchange(client: Pipe, server: Pipe, head: Head, fault: Fault | None) -> bool:
    """One request and its answer; whether the connection can go on."""
    server.writer.write(head.raw)
    if fault and fault.kind == "cut request":
        if not head.expects_continue:
            await relay_body(client, server, head, share=0.5)
        return False
    sending = None
    if not head.expects_continue:
        # At the same time, as a server may answer, and stop reading, before it has the whole.
        sending = asyncio.create_task(_send(client, server, head))
    try:
        answer = await read_head(server)
        while answer.status < 200:  # moto says "100 Continue" twice.
            client.writer.write(answer.raw)
            sending = sending or asyncio.create_task(_send(client, server, head))
            answer = await read_head(server)
        await _answer(client, server, dataclasses.replace(answer, method=head.method), fault)
        if fault and fault.kind in ("lose answer", "cut answer"):
            return False
        if sending is None or answer.closes or head.closes:
            return False
        await sending
        return True
    finally:
        if sending:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
                await sending


async def _send(client: Pipe, server: Pipe, head: Head) -> None:
    try:
        await relay_body(client, server, head)
    except (OSError, asyncio.IncompleteReadError):
        # Without the rest there is no answer to wait for.
        server.writer.transport.abort()
        raise


async def _answer(client: Pipe, server: Pipe, answer: Head, fault: Fault | None) -> None:
    kind = fault.kind if fault else None
    if kind == "lose answer" or (kind == "cut answer" and not answer.has_body):
        await skip_body(server, answer)
        return
    if fault and kind == "stall" and not answer.has_body:
        await asyncio.sleep(fault.seconds)
    client.writer.write(answer.raw)
    if kind == "cut answer":
        await relay_body(server, client, answer, share=0.5)
    elif fault and kind == "stall":
        await relay_body(server, client, answer, pause=fault.seconds)
    else:
        await relay_body(server, client, answer)
