"""A proxy before a server that holds, refuses and counts requests, and changes what the server says.

    with Gate(endpoint) as gate:
        held = gate.hold("PUT", r"/p/.*\\.delta")    # the first such request waits ...
        ...
        held.release()                              # ... until here

Each connection has a thread of its own, so that one that waits is in nobody's way. Bodies pass through memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SECONDS = 60
"""Longer than anything is held; only a hang is slower."""

_HOP = {"connection", "expect", "transfer-encoding", "content-length", "keep-alive"}
_MODIFIED = re.compile(rb"<LastModified>([^<]+)</LastModified>")


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that came.

    Attributes:
        method: The method.
        target: The decoded path and query.
        headers: By lower-case name.
    """

    method: str
    target: str
    headers: Mapping[str, str]


class Held:
    """The first request of a kind, which waits."""

    def __init__(self, method: str, pattern: str) -> None:
        self._kind = (method, re.compile(pattern))
        self._arrived = threading.Event()
        self._released = threading.Event()
        self._taken = threading.Lock()

    def arrived(self) -> None:
        """Waits until there is such a request."""
        assert self._arrived.wait(SECONDS), f"no {self._kind[0]} of {self._kind[1].pattern} came"

    def release(self) -> None:
        """Lets it go on."""
        self._released.set()

    def wait_if_it_is_this(self, seen: Seen) -> None:
        method, pattern = self._kind
        if method in ("*", seen.method) and pattern.search(seen.target) and self._taken.acquire(blocking=False):
            self._arrived.set()
            self._released.wait(SECONDS)


class Gate:
    """The proxy.

    Attributes:
        seen: All requests, in the order they came.
        max_keys: At most so many keys in a page of a listing; ``None``: as the server likes.
        older: So much older are all objects said to be.
    """

    def __init__(self, upstream: str) -> None:
        self.seen: list[Seen] = []
        self.max_keys: int | None = None
        self.older = timedelta()
        self.upstream = urlsplit(upstream)
        self._held: list[Held] = []
        self._refused: list[tuple[str, re.Pattern[str]]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.gate = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def hold(self, method: str, pattern: str) -> Held:
        """Makes the first request of a method (``*``: any) whose decoded target matches wait."""
        self._held.append(Held(method, pattern))
        return self._held[-1]

    def refuse(self, method: str, pattern: str) -> None:
        """Answers 403 to all such requests."""
        self._refused.append((method, re.compile(pattern)))

    def count(self, method: str, pattern: str) -> int:
        """How many such requests came."""
        return sum(seen.method == method and re.search(pattern, seen.target) is not None for seen in self.seen)

    def passes(self, seen: Seen) -> bool:
        """Lets a request wait where it must; whether it may go on."""
        self.seen.append(seen)
        for held in self._held:
            held.wait_if_it_is_this(seen)
        return not any(method == seen.method and pattern.search(seen.target) for method, pattern in self._refused)

    def __enter__(self) -> Gate:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._held:
            held.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gate: Gate

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        gate = self.server.gate
        if not gate.passes(Seen(self.command, unquote(self.path), headers)):
            self._answer(403, [], b"<Error><Code>AccessDenied</Code><Message>Refused.</Message></Error>")
            return
        with _connected(gate.upstream.netloc) as connection:
            connection.putrequest(self.command, self._target(gate), skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            said = answer.read()
            self._answer(answer.status, answer.getheaders(), said, length=answer.getheader("Content-Length"))

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on

    def _target(self, gate: Gate) -> str:
        if gate.max_keys is None or "list-type=2" not in self.path:
            return self.path
        # Appended: the server takes one of two, so the other one has to go.
        return re.sub(r"&?max-keys=\d+", "", self.path) + f"&max-keys={gate.max_keys}"

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, length: str | None = None) -> None:
        older = self.server.gate.older
        if older:
            body = _MODIFIED.sub(lambda match: b"<LastModified>" + _earlier(match[1], older) + b"</LastModified>", body)
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() == "last-modified":
                self.send_header(name, format_datetime(parsedate_to_datetime(value) - older, usegmt=True))
            elif name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", (length or "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextlib.contextmanager
def _connected(netloc: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(netloc, timeout=SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def _earlier(text: bytes, by: timedelta) -> bytes:
    then = datetime.fromisoformat(text.decode()).astimezone(UTC) - by
    return then.strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()
