"""An S3 server in memory whose manners a test may spoil: deaf to conditions, offended by them, or late.

    with HostileS3(Temper(conditions="ignored")) as endpoint:
        ...
    with HostileS3(Temper(listing_lag=0.2)) as endpoint:    # a LIST shows what was there 0.2 seconds ago

It runs in a thread of its own and is an endpoint like any other. In its usual temper it is well-behaved: strongly
consistent, with conditions, multipart uploads and copies. It checks no signatures.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.servers import S3Endpoint
from tests.store.fakes3 import FakeS3, Reply, Request, document, refusal

_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_TIME = "%Y-%m-%dT%H:%M:%S.000Z"
_KEPT_TOO = ("x-amz-website-redirect-location", "x-amz-storage-class")


@dataclasses.dataclass(frozen=True)
class Temper:
    """How the server behaves.

    Attributes:
        conditions: Of If-Match, If-None-Match and their like for the source of a copy, on reads and writes: heeded,
            silently ``ignored``, or ``refused`` with 501.
        listing_lag: Seconds; a LIST shows what was there so long ago. Objects themselves are read as they are.
        listing_period: Seconds; LISTs show what was there at the last tick of a clock that ticks so seldom.
        reading_lag: Seconds; HEAD, GET and COPY find what was there so long ago, which no tool can bear.
        listing_at: A moment of the monotonic clock: LISTs show what was there then.
        reading_at: The same for HEAD, GET and COPY.
        memory: Seconds for which the past is kept at least, for the two before.
        seed: With it, each answer is late by a share of the lag that chance chooses, so that a later one may show
            what is older; ``None``: by all of it.
    """

    conditions: Literal["heeded", "ignored", "refused"] = "heeded"
    listing_lag: float = 0.0
    listing_period: float = 0.0
    reading_lag: float = 0.0
    listing_at: float | None = None
    reading_at: float | None = None
    memory: float = 0.0
    seed: int | None = None


@dataclasses.dataclass(frozen=True)
class Version:
    """An object as it was stored."""

    body: bytes
    etag: str
    stored: datetime
    headers: Mapping[str, str]

    @property
    def shown(self) -> dict[str, str]:
        return {
            **self.headers,
            "ETag": f'"{self.etag}"',
            "Last-Modified": format_datetime(self.stored, usegmt=True),
            "Accept-Ranges": "bytes",
        }


@dataclasses.dataclass
class Upload:
    """A multipart upload under way."""

    bucket: str
    key: str
    headers: dict[str, str]
    parts: dict[int, tuple[str, bytes]] = dataclasses.field(default_factory=dict)
    begun: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))


class Bucket:
    """Objects and what they were before."""

    def __init__(self) -> None:
        self.made = datetime.now(UTC)
        self.history: dict[str, list[tuple[float, Version | None]]] = collections.defaultdict(list)

    def store(self, key: str, version: Version | None, keep: float) -> None:
        now = time.monotonic()
        past = self.history[key]
        past.append((now, version))
        while len(past) > 1 and past[1][0] < now - keep:
            del past[0]
        if len(past) == 1 and version is None:
            del self.history[key]

    def at(self, key: str, lag: float = 0.0) -> Version | None:
        moment = time.monotonic() - lag
        return next((v for when, v in reversed(self.history.get(key, [])) if when <= moment), None)

    def keys(self, lag: float = 0.0) -> dict[str, Version]:
        """In byte order."""
        found = {key: self.at(key, lag) for key in sorted(self.history, key=lambda key: key.encode())}
        return {key: version for key, version in found.items() if version is not None}


class _Refused(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, code: str, status: int) -> None:
        self.reply = refusal(code, status)


class HostileS3:
    """The server; a context manager that gives its endpoint.

    Attributes:
        temper: May be changed at any time.
        buckets: What it holds, by name.
        counts: Requests so far, by operation.
        meanwhile: Called with each request before it is answered, in the server's thread, as if another client did it.
    """

    def __init__(self, temper: Temper | None = None) -> None:
        self.temper = temper or Temper()
        self.buckets: dict[str, Bucket] = {}
        self.counts: collections.Counter[str] = collections.Counter()
        self.meanwhile: Callable[[Request], None] | None = None
        self._uploads: dict[str, Upload] = {}
        self._numbers = itertools.count(1)
        self._chance = random.Random(self.temper.seed)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="hostile-s3", daemon=True)

    def __enter__(self) -> S3Endpoint:
        self._thread.start()
        assert self._ready.wait(30)
        self.endpoint = S3Endpoint("hostile", self._url, "AKID", "sekret", "us-east-1")
        return self.endpoint

    def __exit__(self, *_: object) -> None:
        self.endpoint.close()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with FakeS3(self._answer) as server:
            self._server, self._url = server, server.url
            self._ready.set()
            await self._end.wait()

    def stored(self, bucket: str) -> dict[str, Version]:
        """What is there now, whatever the server shows."""
        return self.buckets[bucket].keys()

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Stores an object as another client would."""
        self._store(self.buckets[bucket], key, _version(body, {}))

    def _answer(self, request: Request) -> Reply:
        self._server.requests.clear()
        self.counts[request.name] += 1
        if self.meanwhile:
            self.meanwhile(request)
        try:
            return self._route(request)
        except _Refused as refused:
            return refused.reply

    def _route(self, request: Request) -> Reply:
        name = request.path.split("/")[1]
        method, query = request.method, request.query
        if not name:
            return _buckets(self.buckets)
        if not request.key:
            return self._bucket_request(request, name)
        bucket = self._bucket(name)
        if "uploadId" in query or "uploads" in query:
            return self._multipart(request, name, bucket)
        actions: dict[str, Callable[[Request, Bucket], Reply]] = {
            "GET": self._get,
            "HEAD": self._get,
            "PUT": self._put,
            "DELETE": self._delete,
        }
        harmless = ("x-id", "x-amz-", "response-")  # The latter two are of presigned URLs.
        if method not in actions or not all(name.lower().startswith(harmless) for name in query):
            raise _Refused("NotImplemented", 501)
        return actions[method](request, bucket)

    def _bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            raise _Refused("NoSuchBucket", 404)
        return self.buckets[name]

    def _bucket_request(self, request: Request, name: str) -> Reply:
        if request.method == "PUT":
            if name in self.buckets:
                raise _Refused("BucketAlreadyOwnedByYou", 409)
            self.buckets[name] = Bucket()
            return Reply()
        bucket = self._bucket(name)
        if request.method == "DELETE":
            if bucket.keys():
                raise _Refused("BucketNotEmpty", 409)
            del self.buckets[name]
            return Reply(204)
        if request.method == "POST" and "delete" in request.query:
            keys = [found.text or "" for found in ElementTree.fromstring(request.body).iter() if _is(found, "Key")]
            for key in keys:
                self._store(bucket, key, None)
            return document("<DeleteResult/>")
        if request.method == "GET" and "uploads" in request.query:
            return _uploads(name, self._uploads, request.query.get("prefix", ""))
        if request.method == "GET":
            return _listing(name, bucket.keys(self._listing_lag()), request.query)
        return Reply()

    def _listing_lag(self) -> float:
        temper = self.temper
        if temper.listing_period:
            return time.monotonic() % temper.listing_period
        return self._lag(temper.listing_lag, temper.listing_at)

    def _lag(self, most: float, at: float | None) -> float:
        if at is not None:
            return time.monotonic() - at
        return most if self.temper.seed is None else most * self._chance.random()

    def _store(self, bucket: Bucket, key: str, version: Version | None) -> None:
        temper = self.temper
        bucket.store(key, version, max(temper.listing_lag, temper.listing_period, temper.reading_lag, temper.memory))

    def _seen(self, bucket: Bucket, key: str) -> Version:
        version = bucket.at(key, self._lag(self.temper.reading_lag, self.temper.reading_at))
        if version is None:
            raise _Refused("NoSuchKey", 404)
        return version

    def _require(self, request: Request, version: Version | None, prefix: str = "") -> None:
        """Holds the request's conditions against a version, as far as the temper allows."""
        match, none_match = (request.headers.get(f"{prefix}{name}") for name in ("if-match", "if-none-match"))
        if self.temper.conditions == "ignored" or (match is None and none_match is None):
            return
        if self.temper.conditions == "refused":
            raise _Refused("NotImplemented", 501)
        etag = version.etag if version else None
        if (match is not None and etag != match.strip('"')) or (
            none_match is not None and etag is not None and none_match.strip('"') in ("*", etag)
        ):
            raise _Refused("PreconditionFailed", 412)

    def _get(self, request: Request, bucket: Bucket) -> Reply:
        version = self._seen(bucket, request.key)
        self._require(request, version)
        span = request.range(len(version.body))
        if span is None:
            return Reply(200, version.body, version.shown)
        if span[0] >= len(version.body):
            raise _Refused("InvalidRange", 416)
        shown = {**version.shown, "Content-Range": f"bytes {span[0]}-{span[1] - 1}/{len(version.body)}"}
        return Reply(206, version.body[span[0] : span[1]], shown)

    def _put(self, request: Request, bucket: Bucket) -> Reply:
        self._require(request, bucket.at(request.key))
        if "x-amz-copy-source" not in request.headers:
            version = _version(request.body, _kept(request))
            self._store(bucket, request.key, version)
            return Reply(200, b"", {"ETag": f'"{version.etag}"'})
        source = self._source(request)
        replaces = request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
        version = _version(source.body, _kept(request) if replaces else source.headers)
        self._store(bucket, request.key, version)
        return document(f"<CopyObjectResult>{_facts(version)}</CopyObjectResult>")

    def _source(self, request: Request) -> Version:
        name, _, key = unquote(request.headers["x-amz-copy-source"].lstrip("/")).partition("/")
        source = self._seen(self._bucket(name), key)
        self._require(request, source, "x-amz-copy-source-")
        return source

    def _delete(self, request: Request, bucket: Bucket) -> Reply:
        self._require(request, bucket.at(request.key))
        self._store(bucket, request.key, None)
        return Reply(204)

    def _multipart(self, request: Request, name: str, bucket: Bucket) -> Reply:
        if "uploads" in request.query:
            number = f"upload-{next(self._numbers)}"
            self._uploads[number] = Upload(name, request.key, _kept(request))
            return document(
                f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            )
        number = request.query["uploadId"]
        if number not in self._uploads:
            raise _Refused("NoSuchUpload", 404)
        upload = self._uploads[number]
        if request.method == "DELETE":
            del self._uploads[number]
            return Reply(204)
        if request.method == "PUT":
            return self._part(request, upload)
        self._require(request, bucket.at(request.key))
        parts = [upload.parts[number] for number in sorted(upload.parts)]
        digest = hashlib.md5(b"".join(bytes.fromhex(etag) for etag, _ in parts)).hexdigest()
        version = _version(b"".join(body for _, body in parts), upload.headers, f"{digest}-{len(parts)}")
        self._store(bucket, request.key, version)
        del self._uploads[number]
        return document(f'<CompleteMultipartUploadResult><ETag>"{version.etag}"</ETag></CompleteMultipartUploadResult>')

    def _part(self, request: Request, upload: Upload) -> Reply:
        number, body = int(request.query["partNumber"]), request.body
        copied = "x-amz-copy-source" in request.headers
        if copied:
            body = self._source(request).body
            first, _, last = request.headers["x-amz-copy-source-range"].removeprefix("bytes=").partition("-")
            body = body[int(first) : int(last) + 1]
        version = _version(body, {})
        upload.parts[number] = (version.etag, body)
        if copied:
            return document(f"<CopyPartResult>{_facts(version)}</CopyPartResult>")
        return Reply(200, b"", {"ETag": f'"{version.etag}"'})


def _is(element: ElementTree.Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


def _kept(request: Request) -> dict[str, str]:
    names = (*_KEPT, *_KEPT_TOO)
    kept = {name: text for name, text in request.headers.items() if name in names or name.startswith("x-amz-meta-")}
    return {"content-type": "binary/octet-stream", **kept}


def _version(body: bytes, headers: Mapping[str, str], etag: str = "") -> Version:
    return Version(body, etag or hashlib.md5(body).hexdigest(), datetime.now(UTC).replace(microsecond=0), headers)


def _facts(version: Version) -> str:
    return f'<ETag>"{version.etag}"</ETag><LastModified>{version.stored:{_TIME}}</LastModified>'


def _buckets(buckets: Mapping[str, Bucket]) -> Reply:
    entries = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>{bucket.made:{_TIME}}</CreationDate></Bucket>"
        for name, bucket in buckets.items()
    )
    return document(f"<ListAllMyBucketsResult><Buckets>{entries}</Buckets></ListAllMyBucketsResult>")


def _uploads(name: str, uploads: Mapping[str, Upload], prefix: str) -> Reply:
    entries = "".join(
        f"<Upload><Key>{escape(quote(upload.key))}</Key><UploadId>{number}</UploadId>"
        f"<Initiated>{upload.begun:{_TIME}}</Initiated></Upload>"
        for number, upload in uploads.items()
        if upload.bucket == name and upload.key.startswith(prefix)
    )
    return document(
        "<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        f"{entries}</ListMultipartUploadsResult>"
    )


def _listing(name: str, objects: Mapping[str, Version], query: Mapping[str, str]) -> Reply:
    """A page of ListObjectsV2."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = max((query.get("continuation-token", ""), query.get("start-after", "")), key=lambda key: key.encode())
    most = min(int(query.get("max-keys", "1000")), 1000)
    encode = quote if query.get("encoding-type") == "url" else escape
    entries: dict[str, str] = {}
    for key, version in objects.items():
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        shown = key if cut < 0 else key[: cut + len(delimiter)]
        if shown.encode() <= after.encode():
            continue
        if cut >= 0:
            entries[shown] = f"<CommonPrefixes><Prefix>{encode(shown)}</Prefix></CommonPrefixes>"
        else:
            size = f"<Size>{len(version.body)}</Size><StorageClass>STANDARD</StorageClass>"
            entries[shown] = f"<Contents><Key>{encode(key)}</Key>{_facts(version)}{size}</Contents>"
    page = list(entries)[:most]
    more = len(entries) > most
    token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
    encoding = "<EncodingType>url</EncodingType>" if query.get("encoding-type") == "url" else ""
    return document(
        f"<ListBucketResult><Name>{name}</Name><Prefix>{encode(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
        f"<MaxKeys>{most}</MaxKeys>{encoding}<IsTruncated>{str(more).lower()}</IsTruncated>{token}"
        f"{''.join(entries[shown] for shown in page)}</ListBucketResult>"
    )
