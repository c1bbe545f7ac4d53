"""What the index of the embedded store says of buckets and objects, as queries inside a transaction."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from sqlite3 import Connection

from deltaglider.errors import (
    AlreadyExistsError,
    BucketNotFoundError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    StoreError,
)
from deltaglider.late import dataclass
from deltaglider.store.base import StoredObject
from deltaglider.store.buckets import ListedBucket

_KEY_LIMIT = 1024  # Bytes.
_BUCKET_NAME = re.compile(
    r"""(?!xn--|sthree-|amzn-s3-demo-)              # Reserved beginnings.
        (?!\d+\.\d+\.\d+\.\d+$)                     # An address.
        (?!.*\.\.)
        [a-z0-9][a-z0-9.-]{1,61}[a-z0-9]
        (?<!-s3alias)(?<!--ol-s3)(?<!\.mrap)(?<!--x-s3)(?<!--table-s3)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object and the file that holds its body.

    Attributes:
        info: The object.
        blob: The name of its body.
        tags: Its tags.
    """

    info: StoredObject
    blob: str
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a write.

    Attributes:
        absent: Nothing is stored under the key.
        etag: The key holds this ETag; ``None`` if it may hold anything.
    """

    absent: bool = False
    etag: str | None = None


ANYTHING = Condition()


def location(bucket: str, key: str = "") -> str:
    """The ``s3://`` URI, for messages."""
    return f"s3://{bucket}/{key}"


def encode_key(bucket: str, key: str) -> bytes:
    """A key as the index holds it.

    Raises:
        InvalidInputError: It is empty, longer than S3 allows, or no Unicode text.
    """
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(
            "the key holds what is not Unicode text", uri=location(bucket, key), remedy="Rename it"
        ) from None
    if not encoded:
        raise InvalidInputError("the key is empty", uri=location(bucket), remedy="Name an object")
    if len(encoded) > _KEY_LIMIT:
        raise InvalidInputError(
            "the key is longer than the 1,024 bytes S3 allows", uri=location(bucket, key), remedy="Shorten it"
        )
    return encoded


def check_bucket_name(bucket: str) -> None:
    """Does nothing if S3 would allow the name.

    Raises:
        StoreError: It would not.
    """
    if not _BUCKET_NAME.fullmatch(bucket):
        raise StoreError(
            f"{bucket!r} cannot be the name of a bucket",
            uri=location(bucket),
            remedy="Use 3 to 63 lower-case letters, digits, dots and hyphens",
            status=400,
            s3_code="InvalidBucketName",
        )


def create_bucket(connection: Connection, bucket: str) -> None:
    """Adds a bucket.

    Raises:
        AlreadyExistsError: It exists.
    """
    if bucket_exists(connection, bucket):
        raise AlreadyExistsError(
            "the bucket exists already", uri=location(bucket), status=409, s3_code="BucketAlreadyOwnedByYou"
        )
    connection.execute("INSERT INTO buckets (name, created) VALUES (?, ?)", (bucket, int(time.time())))


def delete_bucket(connection: Connection, bucket: str) -> None:
    """Removes an empty bucket.

    Raises:
        BucketNotFoundError: It does not exist.
        StoreError: It is not empty.
    """
    require_bucket(connection, bucket)
    if connection.execute("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", (bucket,)).fetchone():
        raise StoreError(
            "the bucket is not empty",
            uri=location(bucket),
            remedy="Delete its objects first",
            status=409,
            s3_code="BucketNotEmpty",
        )
    connection.execute("DELETE FROM buckets WHERE name = ?", (bucket,))


def bucket_exists(connection: Connection, bucket: str) -> bool:
    """Whether a bucket exists."""
    return connection.execute("SELECT 1 FROM buckets WHERE name = ?", (bucket,)).fetchone() is not None


def require_bucket(connection: Connection, bucket: str) -> None:
    """Does nothing if a bucket exists.

    Raises:
        BucketNotFoundError: It does not.
    """
    if not bucket_exists(connection, bucket):
        raise bucket_missing(bucket)


def bucket_missing(bucket: str) -> BucketNotFoundError:
    """The error for a bucket that does not exist."""
    return BucketNotFoundError(
        "the bucket does not exist",
        uri=location(bucket),
        remedy="Check its name, or create it",
        status=404,
        s3_code="NoSuchBucket",
    )


def list_buckets(connection: Connection) -> list[ListedBucket]:
    """All buckets, by name."""
    rows = connection.execute("SELECT name, created FROM buckets ORDER BY name")
    return [ListedBucket(name, moment(created)) for name, created in rows]


def find(connection: Connection, bucket: str, key: str, if_match: str | None = None) -> Entry:
    """The object under a key.

    Raises:
        NotFoundError: There is none.
        PreconditionFailedError: It has another ETag than ``if_match``.
    """
    row = connection.execute(
        "SELECT blob, size, etag, modified, metadata, headers, tags FROM objects WHERE bucket = ? AND key = ?",
        (bucket, encode_key(bucket, key)),
    ).fetchone()
    if row is None:
        require_bucket(connection, bucket)
        raise NotFoundError(
            "no such object", uri=location(bucket, key), remedy="Check the key", status=404, s3_code="NoSuchKey"
        )
    blob, size, etag, modified, metadata, headers, tags = row
    if if_match is not None and if_match != etag:
        raise _condition_failed(bucket, key, f"its ETag is {etag}, not {if_match}")
    kept = json.loads(tags)
    info = StoredObject(
        bucket,
        key,
        size,
        etag,
        moment(modified),
        json.loads(metadata),
        json.loads(headers),
        tag_count=len(kept),
        answered=datetime.now(UTC),
    )
    return Entry(info, blob, kept)


def check(connection: Connection, bucket: str, key: str, condition: Condition) -> str | None:
    """Whether a write may be.

    Returns:
        The name of the body it replaces; ``None`` if there is none.

    Raises:
        BucketNotFoundError: The bucket does not exist.
        PreconditionFailedError: The condition does not hold.
    """
    require_bucket(connection, bucket)
    row = connection.execute(
        "SELECT blob, etag FROM objects WHERE bucket = ? AND key = ?", (bucket, encode_key(bucket, key))
    ).fetchone()
    if condition.absent and row:
        raise _condition_failed(bucket, key, "the object exists already")
    if condition.etag is not None and (row is None or row[1] != condition.etag):
        found = f"its ETag is {row[1]}" if row else "there is no such object"
        raise _condition_failed(bucket, key, f"{found}, and {condition.etag} was asked for")
    return row[0] if row else None


def replace(connection: Connection, entry: Entry, condition: Condition) -> str | None:
    """Puts an object under its key, as of now.

    Args:
        connection: A connection with a write transaction.
        entry: The object; its time is left out.
        condition: What must hold.

    Returns:
        The name of the body it replaces; ``None`` if there is none.

    Raises:
        BucketNotFoundError: The bucket does not exist.
        PreconditionFailedError: The condition does not hold.
    """
    info = entry.info
    replaced = check(connection, info.bucket, info.key, condition)
    connection.execute(
        "INSERT OR REPLACE INTO objects (bucket, key, blob, size, etag, modified, metadata, headers, tags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            info.bucket,
            encode_key(info.bucket, info.key),
            entry.blob,
            info.size,
            info.etag,
            int(time.time()),
            json.dumps(dict(info.metadata)),
            json.dumps(dict(info.headers)),
            json.dumps(dict(entry.tags)),
        ),
    )
    return replaced


def set_tags(connection: Connection, bucket: str, key: str, tags: Mapping[str, str]) -> None:
    """Gives an object other tags.

    Raises:
        NotFoundError: There is no such object.
    """
    find(connection, bucket, key)
    connection.execute(
        "UPDATE objects SET tags = ? WHERE bucket = ? AND key = ?",
        (json.dumps(dict(tags)), bucket, encode_key(bucket, key)),
    )


def delete(connection: Connection, bucket: str, keys: Sequence[str], etag: str | None = None) -> list[str]:
    """Removes objects; absent ones are passed over.

    Args:
        connection: A connection with a write transaction.
        bucket: The bucket.
        keys: The keys.
        etag: What those that are there must have; ``None`` if it may be anything.

    Returns:
        The names of their bodies.

    Raises:
        BucketNotFoundError: The bucket does not exist.
        PreconditionFailedError: One has another ETag.
    """
    require_bucket(connection, bucket)
    blobs: list[str] = []
    for key in keys:
        found = (
            etag
            and connection.execute(
                "SELECT etag FROM objects WHERE bucket = ? AND key = ?", (bucket, encode_key(bucket, key))
            ).fetchone()
        )
        if found and found[0] != etag:
            raise _condition_failed(bucket, key, f"its ETag is {found[0]}, and {etag} was asked for")
        deleted = connection.execute(
            "DELETE FROM objects WHERE bucket = ? AND key = ? RETURNING blob", (bucket, encode_key(bucket, key))
        )
        blobs.extend(blob for (blob,) in deleted.fetchall())
    return blobs


def blobs_between(connection: Connection, first: str, last: str) -> set[str]:
    """The bodies in use whose names lie from ``first`` to before ``last``."""
    rows = connection.execute("SELECT blob FROM objects WHERE blob >= ? AND blob < ?", (first, last))
    return {blob for (blob,) in rows}


def is_due(connection: Connection, name: str, seconds: int) -> bool:
    """Whether some upkeep was last done longer ago than it should.

    Args:
        connection: A connection with a transaction.
        name: Which upkeep.
        seconds: How often it is to be done.

    Returns:
        Whether it is time again.
    """
    row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    # A time in the future is that of a clock that was wrong.
    return row is None or not 0 <= time.time() - row[0] < seconds


def take_turn(connection: Connection, name: str, seconds: int) -> bool:
    """Whether the caller is the one to do some upkeep that is due; nobody else is told so this time."""
    if not is_due(connection, name, seconds):
        return False
    connection.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", (name, int(time.time())))
    return True


def _condition_failed(bucket: str, key: str, why: str) -> PreconditionFailedError:
    return PreconditionFailedError(
        f"the condition of the request does not hold: {why}",
        uri=location(bucket, key),
        status=412,
        s3_code="PreconditionFailed",
    )


def moment(seconds: int) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(seconds, UTC)
