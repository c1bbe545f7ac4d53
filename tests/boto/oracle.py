"""boto3's own client as the oracle: the same call of both, and what must be equal in the answers.

A call is a function of a client and a bucket. It is made of boto3 in a bucket of plain objects, of ours in a bucket
with the same objects stored as deltas, and of ours in boto3's bucket. All three must answer, or fail, alike.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from deltaglider import DeltaGliderClient

Call = Callable[[Any, str], Any]

EXTRAS = frozenset({"DeltaGliderInfo", "ResponseMetadata"})
"""What one of the two has for itself. Of ``ResponseMetadata``, the status is compared."""
CHECKSUMS = "Checksum"
"""How the names of checksums begin that boto3 asks a store to keep and to tell; we prove bytes by their SHA-256."""
_NOW = "<time>"


@dataclasses.dataclass(frozen=True)
class Sides:
    """The clients and their buckets.

    Attributes:
        boto: boto3's client.
        ours: Ours.
        plain: A bucket filled by boto3.
        deltas: One with the same objects, filled by us.
    """

    boto: Any
    ours: DeltaGliderClient
    plain: str
    deltas: str

    def answers(self, call: Call) -> tuple[Any, Any, Any]:
        """What boto3 answers, we over deltas, and we over plain objects."""
        return (
            outcome(call, self.boto, self.plain),
            outcome(call, self.ours, self.deltas),
            outcome(call, self.ours, self.plain),
        )

    def changes(self, call: Call) -> tuple[Any, Any]:
        """The same of a call that changes something: boto3's answer in its bucket, and ours in ours."""
        return outcome(call, self.boto, self.plain), outcome(call, self.ours, self.deltas)


def outcome(call: Call, client: Any, bucket: str) -> Any:
    """An answer or error, without what may differ."""
    try:
        found = call(client, bucket)
    except ClientError as error:
        said = {name: value for name, value in error.response["Error"].items() if name in ("Code", "Key")}
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return ("ClientError", type(error).__name__, error.operation_name, said, status)
    except (BotoCoreError, OSError) as error:
        return (type(error).__name__,)
    return _plain(found, bucket)


def _plain(value: Any, bucket: str) -> Any:
    if isinstance(value, Mapping):
        kept = {
            name: _plain(each, bucket)
            for name, each in value.items()
            if name not in EXTRAS and not name.startswith(CHECKSUMS) and not _tells_form(name, each)
        }
        metadata = value.get("ResponseMetadata")
        return {**kept, "status": metadata["HTTPStatusCode"]} if metadata else kept
    if isinstance(value, list | tuple):
        return [_plain(each, bucket) for each in value]
    if isinstance(value, datetime):
        assert value.tzinfo is not None
        age = (datetime.now(UTC) - value).total_seconds()
        return _NOW if -5 < age < 300 else value.astimezone(UTC).isoformat()
    if hasattr(value, "iter_chunks"):
        return value.read()
    return "<bucket>" if value == bucket else value


def _tells_form(name: str, value: Any) -> bool:
    """Whether it is what ``list_objects`` tells of how an object is stored."""
    return name == "Metadata" and bool(value) and all(each.startswith("deltaglider-") for each in value)


def noise(seed: object, size: int = 30_000) -> bytes:
    """Bytes that nothing compresses, the same for the same seed."""
    return hashlib.shake_128(repr(seed).encode()).digest(size)


COMMON = noise("common")
OBJECTS: Mapping[str, tuple[bytes, dict[str, Any]]] = {
    "apps/v1/app.zip": (COMMON, {"ContentType": "application/zip", "Metadata": {"build": "1"}}),
    "apps/v1/notes.txt": (b"first\nsecond\r\nthird", {"ContentType": "text/plain"}),
    "apps/v2/app.zip": (COMMON + b"two", {"Metadata": {"build": "2"}, "CacheControl": "no-cache"}),
    "apps/v3/app.zip": (COMMON + b"three", {"ContentDisposition": "attachment", "ContentLanguage": "de"}),
    "apps/v3/empty.zip": (b"", {}),
    "apps.txt": (b"0123456789", {"ContentEncoding": "identity", "Expires": "Wed, 01 Jan 2031 00:00:00 GMT"}),
    "odd/a b+c%20é.zip": (COMMON + b"odd", {}),
    "odd/a.zip.asc": (b"signature", {}),
    "odd/a.zip": (COMMON + b"a", {}),
    "plain.bin": (b"x" * 1000, {"ContentType": "application/x-thing"}),
}
"""What both buckets hold: deltas, whole objects, and names that sort between the two."""


CHANGED = ("apps/v1/app.zip", "apps/v2/app.zip", "apps.txt", "odd/a b+c%20é.zip", "plain.bin")
"""Enough of them for a test that changes some."""


def fill(sides: Sides, keys: Iterable[str] = tuple(OBJECTS)) -> None:
    """Stores the objects on both sides."""
    for key in keys:
        body, more = OBJECTS[key]
        sides.boto.put_object(Bucket=sides.plain, Key=key, Body=body, **more)
        sides.ours.put_object(Bucket=sides.deltas, Key=key, Body=body, **more)
