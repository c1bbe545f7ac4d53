"""The signature of a request to S3: AWS Signature Version 4, with its headers.

The formula is that of the AWS documentation, "Signature Calculations for the Authorization Header". Pure.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs.

    Attributes:
        access_key: The id of the key.
        secret_key: The key.
        token: Of a session; ``None`` for long-lived keys.
    """

    access_key: str
    secret_key: str = dataclasses.field(repr=False)
    token: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for, beside the day.

    Attributes:
        region: The region, as the store calls it.
        service: The service: ``s3``.
    """

    region: str
    service: str


def sign(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    credentials: Credentials,
    scope: Scope,
    now: datetime,
    body: str = UNSIGNED_BODY,
) -> dict[str, str]:
    """Signs a request.

    Args:
        method: Of HTTP.
        path: As it is sent, percent-encoded once.
        query: As it is sent, its parameters in the order of their encoded names; empty for none.
        headers: All that are to be signed, ``host`` among them, by their names in lower case.
        credentials: Who signs.
        scope: For what.
        now: The time, in UTC.
        body: The SHA-256 of the body in hex, which the store then compares; by default nothing is said of it.

    Returns:
        The headers that are to be sent besides.
    """
    time = now.strftime("%Y%m%dT%H%M%SZ")
    day = time[:8]
    more = {"x-amz-content-sha256": body, "x-amz-date": time}
    if credentials.token:
        more["x-amz-security-token"] = credentials.token
    lines = sorted({**headers, **more}.items())
    names = ";".join(name for name, _ in lines)
    signed = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in lines)
    request = "\n".join((method, path, query, signed, names, body))
    where = f"{day}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join((_ALGORITHM, time, where, hashlib.sha256(request.encode()).hexdigest()))
    key = _key(credentials.secret_key, day, scope.region, scope.service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    more["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{where}, SignedHeaders={names}, Signature={signature}"
    )
    return more


@functools.lru_cache(maxsize=16)
def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
