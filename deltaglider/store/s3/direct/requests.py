"""Learns where botocore sends requests, and sends those like them.

Imports aiobotocore at the top: import this module only where a client is about to be made, in a worker thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from aiobotocore.parsers import create_parser
from aiohttp import ClientError
from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.utils import percent_encode
from yarl import URL

from deltaglider.late import dataclass
from deltaglider.store.s3.direct.body import Body
from deltaglider.store.s3.direct.shapes import Parts, Shape
from deltaglider.store.s3.wire import AnswerTooLargeError, who_pays_and_owns

logger = logging.getLogger("deltaglider.store")

_OPERATIONS = {
    "head_object": "HeadObject",
    "get_object": "GetObject",
    "put_object": "PutObject",
    "upload_part": "UploadPart",
    "delete_object": "DeleteObject",
}
_FINAL = (304, 404, 405, 409, 412, 416, 501)  # Answers that another attempt does not change.
_REFUSED = (*range(300, 304), *range(305, 404))  # Answers that botocore may know a way around.
_BREATHLESS = (429, 500, 502, 503, 504)
_REST = 10.0  # Seconds in which a store that is out of breath is left to botocore, which waits between attempts.
_NOTED = "deltaglider-way"


@dataclass(frozen=True, slots=True)
class _Way:
    """Where requests for the objects of a bucket go.

    Attributes:
        base: The URL, but for the key.
        service: What signatures are made for, as the store calls it.
        region: The same.
    """

    base: str
    service: str
    region: str


class _Signature(S3SigV4Auth):  # type: ignore[misc]
    """botocore's signature of a request, and of a body whose hash is known."""

    def __init__(self, credentials: Any, way: _Way, body: str) -> None:
        super().__init__(credentials, way.service, way.region)
        self._body = body

    def payload(self, request: AWSRequest) -> str:
        """What is signed of the body."""
        return self._body


class DirectRequests:
    """Sends requests for single objects of buckets that botocore was seen to reach.

    Args:
        client: An aiobotocore S3 client.
        payer: Who is said to pay in each request; ``None`` says nothing.
    """

    def __init__(self, client: Any, payer: str | None) -> None:
        # No public way leads to these parts of a client. Tests with the newest aiobotocore tell when one moves.
        self._client, self._payer = client, payer
        self._http = client._endpoint.http_session  # noqa: SLF001
        self._credentials = client._request_signer._credentials  # noqa: SLF001
        self._agent = {
            "User-Agent": client._user_agent_creator.to_string(),  # noqa: SLF001
            "Accept-Encoding": "identity",
        }
        self._shapes = {}
        for name, model in _OPERATIONS.items():
            shape = Shape(client.meta.service_model.operation_model(model))
            if shape.is_plain(client.meta.config):
                self._shapes[name] = shape
        self._ways: dict[str, _Way] = {}
        self._left: set[str] = set()  # Buckets that are left to botocore.
        self._resting = 0.0
        events = client.meta.events
        events.register_last("before-sign.s3", self._note)
        events.register_last("response-received.s3", self._learn)
        self._emitter = events._emitter  # noqa: SLF001
        self._handlers = self._emitter._lookup_cache  # noqa: SLF001

    def _note(self, request: Any, region_name: str, signing_name: str, signature_version: Any, **_: Any) -> None:
        if signature_version in ("v4", "s3v4"):
            request.context[_NOTED] = (request.url, signing_name, region_name)

    def _learn(self, parsed_response: Mapping[str, Any] | None, context: Mapping[str, Any], **_: Any) -> None:
        asked = context.get("s3_redirect", {}).get("params", {})
        bucket, key, noted = asked.get("Bucket"), asked.get("Key"), context.get(_NOTED)
        if not (bucket and key and noted and parsed_response) or bucket in self._ways or bucket in self._left:
            return
        status = parsed_response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        url, service, region = noted
        url = url.partition("?")[0]
        base = url.removesuffix("/" + _quoted(key))
        if 200 <= status < 300 and base != url and self._is_direct(url):
            self._ways[bucket] = _Way(base, service, region)

    def _is_direct(self, url: str) -> bool:
        return self._http._proxy_config.proxy_url_for(url) is None  # noqa: SLF001

    def _is_watched(self) -> bool:
        """Whether somebody has asked botocore to be told of requests, who would not be told of those sent here."""
        return self._emitter._lookup_cache is not self._handlers  # noqa: SLF001 - A new one with each registration.

    def knows(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a request may be sent here.

        Args:
            operation: The client's method.
            parameters: Its parameters.

        Returns:
            Whether.
        """
        known = operation in self._shapes and parameters.get("Bucket") in self._ways
        return known and time.monotonic() >= self._resting and not self._is_watched()

    async def send(
        self, operation: str, parameters: Mapping[str, Any], body: str = UNSIGNED_PAYLOAD
    ) -> dict[str, Any] | None:
        """Sends a request that is known.

        Args:
            operation: The client's method.
            parameters: Its parameters.
            body: What is signed of its body: its SHA-256 in hex, which the store then compares; by default nothing.

        Returns:
            The answer; ``None`` if there is none, and botocore is to send it.

        Raises:
            botocore.exceptions.ClientError: The answer is that there is no such thing, or that it is not as asked for.
        """
        shape, way = self._shapes[operation], self._ways.get(parameters["Bucket"])
        if way is None:
            return None  # Another request was refused meanwhile.
        said = who_pays_and_owns(self._payer, parameters, shape.names)
        parts = shape.parts({**said, **parameters})
        if parts is None:
            return None
        try:
            response = await self._request(shape, way, _quoted(parameters["Key"]), parts, body)
        except (TimeoutError, ClientError, OSError) as error:
            logger.debug("%s fails (%s): it is left to botocore", shape.name, type(error).__name__)
            return None
        try:
            return await self._answer(shape, response, parameters["Bucket"])
        except ValueError as error:  # It is not S3's. botocore says what is wrong with it.
            response.close()
            logger.debug("%s is answered with what makes no sense (%s): it is left to botocore", shape.name, error)
            return None

    async def _request(self, shape: Shape, way: _Way, key: str, parts: Parts, body: str) -> Any:
        url = f"{way.base}/{key}" + (f"?{parts.query}" if parts.query else "")
        request = AWSRequest(shape.method, url, parts.headers)
        _Signature(await self._credentials.get_frozen_credentials(), way, body).add_auth(request)
        headers = {**dict(request.headers.items()), **self._agent}
        if parts.body is not None:
            headers["Content-Length"] = str(len(parts.body))
        session = await self._http._get_session(None)  # noqa: SLF001
        return await session.request(shape.method, url=URL(url, encoded=True), headers=headers, data=parts.body)

    async def _answer(self, shape: Shape, response: Any, bucket: str) -> dict[str, Any] | None:
        status = response.status
        headers = {name.decode("utf-8").lower(): value.decode("utf-8") for name, value in response.raw_headers}
        if shape.streams and 200 <= status < 300:
            return {**shape.answer(status, headers), "Body": Body(response)}
        told = await self._rest(response)
        if 200 <= status < 300:
            # S3 can tell of a failure in the body of what began well.
            return shape.answer(status, headers) if told == b"" else None
        if status in _FINAL and told is not None:
            whole = {"status_code": status, "headers": headers, "body": told}
            parsed = await create_parser("rest-xml").parse(whole, shape.output)
            raise self._client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, shape.name)
        if status in _REFUSED:
            self._leave(bucket)
        elif status in _BREATHLESS:
            self._resting = time.monotonic() + _REST
        logger.debug("%s is answered with %d: it is left to botocore", shape.name, status)
        return None

    async def _rest(self, response: Any) -> bytes | None:
        """The body of an answer; ``None`` if it broke off, or has no end."""
        try:
            return bytes(await response.read())
        except (TimeoutError, ClientError, OSError, AnswerTooLargeError):
            return None

    def _leave(self, bucket: str) -> None:
        self._ways.pop(bucket, None)
        self._left.add(bucket)


def _quoted(key: str) -> str:
    return str(percent_encode(key, safe="/~"))
