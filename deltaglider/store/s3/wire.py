"""How aiobotocore is bent to our needs: the HTTP session, the sockets, the event hooks, the parsing of times.

Imports aiobotocore at the top: import this module only where a client is about to be made, in a worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import ssl
import weakref
from collections.abc import AsyncIterable, Container, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from botocore.utils import parse_timestamp

from deltaglider.config import MIB
from deltaglider.store.asking import asking
from deltaglider.store.s3.bandwidth import Bandwidth, Paced
from deltaglider.store.s3.sending import content_md5
from deltaglider.store.s3.trust import LateContext

EXPIRES_OPERATIONS = ("PutObject", "CreateMultipartUpload", "CopyObject")
"""Where a client may set the Expires header."""

LARGEST_ANSWER = 32 * MIB
"""Bytes. A full page of the longest keys, each of their bytes encoded, takes under 4 MiB."""

_READ_AHEAD = MIB
"""Bytes of an answer that may wait to be read: with aiohttp's 64 KiB it stops and starts reading all the time."""

_SETTLING = 100  # Hundredths of a second.
_EXPIRES = "deltaglider-expires"
_ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$")


class AnswerTooLargeError(Exception):
    """An answer that is read as a whole has more bytes than any honest one."""


class _Guarded:
    """An aiohttp session that follows no redirect, and reads no more of an answer into memory than one can need."""

    def __init__(self, session: Any, bandwidth: Bandwidth | None) -> None:
        self._session = session
        self._bandwidth = bandwidth

    async def request(self, *args: Any, data: Any = None, **kwargs: Any) -> Any:
        if self._bandwidth is not None and isinstance(data, AsyncIterable):
            data = Paced(data, self._bandwidth)
        options = {"allow_redirects": False, "read_bufsize": _READ_AHEAD}
        response = await self._session.request(*args, data=data, **options, **kwargs)
        # botocore reads whole what is not an object's bytes: listings, errors.
        response.read = functools.partial(_read_bounded, weakref.proxy(response))  # No circle: it must go at once.
        return response


async def _read_bounded(response: Any) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := await response.content.readany():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise AnswerTooLargeError(f"the answer has more than {LARGEST_ANSWER} bytes")
    except BaseException:
        response.close()  # Half read, its connection is of no more use to anyone.
        raise
    return b"".join(pieces)


class GuardedSession(AIOHTTPSession):  # type: ignore[misc]
    """aiobotocore's HTTP session, without aiohttp's habit of following redirects.

    aiohttp would send the session token and customer keys along to wherever the answer points; botocore finds the
    right region by itself.

    Args:
        bandwidth: The limit on what is sent; ``None`` for none.
        *args: As aiobotocore has them.
        in_the_clear: Whether the endpoint is known to speak no TLS.
        **kwargs: As aiobotocore has them.
    """

    def __init__(self, bandwidth: Bandwidth | None, *args: Any, in_the_clear: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bandwidth = bandwidth
        self._in_the_clear = in_the_clear

    async def _get_session(self, proxy_url: str | None) -> _Guarded:
        return _Guarded(await super()._get_session(proxy_url), self._bandwidth)

    def _build_verify_context(self) -> ssl.SSLContext:
        # aiobotocore reads all certificates that are trusted before its first request, be it one without TLS.
        if self._in_the_clear and not self._cert_file:
            return LateContext(super()._build_verify_context)
        context: ssl.SSLContext = super()._build_verify_context()
        return context


class Sockets:
    """Makes the sockets of a client, and sees to it that none of them outlives it."""

    def __init__(self) -> None:
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def __call__(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket whose peer is probed while it is silent: aiobotocore does not heed ``tcp_keepalive``.

        Args:
            address: As ``getaddrinfo`` gives it.

        Returns:
            The socket, not connected.
        """
        made = socket.socket(*address[:3])
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            # The system's default of two hours outlives every NAT; finishing a big upload may take minutes of silence.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        self._made.add(made)
        return made

    async def settle(self) -> None:
        """Ends the connections that are still saying goodbye, as those of cancelled requests do over TLS."""
        for made in self._open():
            with contextlib.suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
        for _ in range(_SETTLING):
            if not self._open():
                return
            await asyncio.sleep(0.01)

    def _open(self) -> list[socket.socket]:
        return [made for made in self._made if made.fileno() >= 0]


def parse_time(value: Any) -> datetime:
    """A timestamp parser for botocore that does without dateutil in S3's two formats: 1000 keys a page add up.

    Args:
        value: What the answer holds.

    Returns:
        The time, aware.
    """
    if isinstance(value, str):
        if _ISO.match(value):
            return datetime.fromisoformat(value[:-1]).replace(tzinfo=UTC)
        if value.endswith(" GMT"):
            try:
                return parsedate_to_datetime(value).astimezone(UTC)
            except ValueError:
                pass
    parsed: datetime = parse_timestamp(value)
    return parsed


def install_hooks(client: Any, *, md5: bool, payer: str | None = None) -> None:
    """Registers our event handlers with a client.

    Args:
        client: An aiobotocore S3 client.
        md5: Whether DeleteObjects carries Content-MD5 instead of a CRC32 that older stores do not know.
        payer: Who is said to pay in each request that can say it; ``None`` says nothing.
    """
    events = client.meta.events
    for operation in EXPIRES_OPERATIONS:
        events.register(f"before-parameter-build.s3.{operation}", _keep_expires)
        events.register(f"before-call.s3.{operation}", _send_expires)
    # On the same level as botocore's own handler: those of one operation run before it.
    events.register_last("before-call.s3", _send_parts_at_once)
    events.register_first("choose-signer.s3", _presign_with_v4)
    events.register_first("needs-retry.s3", _end_the_search_for_a_region)
    events.register_first("provide-client-params.s3", functools.partial(_say_who_pays_and_owns, payer))
    if md5:
        events.register_last("before-call.s3.DeleteObjects", _sum_with_md5)
    _settle_user_agent(client)


def _settle_user_agent(client: Any) -> None:
    # botocore puts it together anew, twice a request, for the marks of the features used: a tenth of what a request
    # costs. Only services count these; ours are the same for all requests.
    creator = getattr(client, "_user_agent_creator", None)
    if creator is not None:
        creator.to_string = functools.partial(str, creator.to_string())


def _say_who_pays_and_owns(
    payer: str | None, params: dict[str, Any], model: Any, context: Mapping[str, Any], **_: Any
) -> dict[str, Any]:
    # In a signed URL it would be a header that whoever uses the URL has to send, too.
    takes = () if context.get("is_presign_request") else getattr(model.input_shape, "members", {})
    return {**who_pays_and_owns(payer, params, takes), **params}


def who_pays_and_owns(payer: str | None, params: Mapping[str, Any], takes: Container[str]) -> dict[str, str]:
    """What is said with a request on the caller's behalf, beside its own parameters.

    Args:
        payer: Who is said to pay where the caller says nothing; ``None`` says nothing.
        params: The request's parameters.
        takes: The names of those that its operation takes.

    Returns:
        Further parameters.
    """
    how = asking()
    source = params.get("CopySource")
    said = {
        "RequestPayer": how.payer or payer,
        "ExpectedBucketOwner": how.owners.get(params.get("Bucket", "")),
        "ExpectedSourceBucketOwner": how.owners.get(source["Bucket"]) if isinstance(source, dict) else None,
    }
    return {name: value for name, value in said.items() if value and name in takes}


def _keep_expires(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # botocore takes a time only; the header may hold anything, such as the common "0".
    if isinstance(params.get("Expires"), str):
        context[_EXPIRES] = params.pop("Expires")


def _send_expires(params: dict[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    if _EXPIRES in context:
        params["headers"]["Expires"] = context[_EXPIRES]


def _send_parts_at_once(model: Any, params: dict[str, Any], **_: Any) -> None:
    # The upload was let in already: waiting for "100 Continue" would cost each part a round trip.
    if model.name == "UploadPart":
        params["headers"].pop("Expect", None)


def _presign_with_v4(signature_version: Any, **_: Any) -> str | None:
    # botocore presigns with the old version 2 in old regions, which many stores do not know.
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


def _end_the_search_for_a_region(
    request_dict: dict[str, Any], response: tuple[Any, dict[str, Any]] | None, operation: Any, **_: Any
) -> None:
    # botocore asks HeadBucket where a bucket is, and does so again when HeadBucket itself is redirected: for ever, if
    # the server never tells. Without a bucket it fails with a TypeError.
    redirect = request_dict.get("context", {}).get("s3_redirect")
    if redirect is None or response is None:
        return
    answer = response[1]
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    told = "x-amz-bucket-region" in headers or answer.get("Error", {}).get("Region")
    if redirect["bucket"] is None:
        redirect["bucket"], redirect["redirected"] = "", True
    elif operation.name == "HeadBucket" and not told:
        redirect["redirected"] = True


def _sum_with_md5(params: dict[str, Any], **_: Any) -> None:
    checksum = params.get("context", {}).get("checksum", {})
    checksum.pop("request_algorithm", None)
    checksum.pop("request_algorithm_header", None)
    params["headers"]["Content-MD5"] = content_md5(params["body"])
