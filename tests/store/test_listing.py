"""Listings from stores that page, order, encode and filter in their own ways."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.errors import BucketNotFoundError, NotSupportedError, StoreError
from deltaglider.store.base import ListedObject, ListedPrefix
from deltaglider.store.s3.rawpages import raw_pages
from deltaglider.store.s3.treeorder import TreeListing
from tests.contract.tools import sha256
from tests.store.fakes3 import FakeS3, Reply, Request, document, refusal

Order = Callable[[str], object]


def byte_order(key: str) -> bytes:
    return key.encode()


def tree_order(key: str) -> list[bytes]:
    """SeaweedFS: by the names of directories, one after the other."""
    return [name.encode() for name in key.removesuffix("/").split("/")]


class Bucket:
    """A store that lists the keys it is given, a page at a time."""

    def __init__(self, keys: list[str], order: Order = byte_order, server: str = "Fake") -> None:
        self.keys = sorted(keys, key=order)
        self.order = order
        self.server = server
        self.heeds_start_after = True

    def page(self, query: dict[str, str]) -> tuple[list[str], list[str], str]:
        """Keys, common prefixes, and the token of the next page."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        names: set[tuple[str, bool]] = set()
        for key in self.keys:
            if key.startswith(prefix):
                cut = key.find(delimiter, len(prefix)) if delimiter else -1
                names.add((key, False) if cut < 0 else (key[: cut + len(delimiter)], True))
        after = query.get("start-after", "") if self.heeds_start_after else ""
        ordered = sorted(names, key=lambda name: self.order(name[0]))
        ordered = [name for name in ordered if not after or self.order(name[0]) > self.order(after)]
        start, size = int(query.get("continuation-token") or 0), int(query["max-keys"])
        here = ordered[start : start + size]
        token = str(start + size) if start + size < len(ordered) else ""
        return [name for name, rolled in here if not rolled], [name for name, rolled in here if rolled], token

    def __call__(self, request: Request) -> Reply:
        assert request.query["list-type"] == "2"
        keys, prefixes, token = self.page(request.query)
        shown = "".join(
            f"<Contents><Key>{encoded(key)}</Key><Size>{len(key)}</Size><ETag>&quot;e&quot;</ETag>"
            "<LastModified>2026-11-01T10:20:30.000Z</LastModified></Contents>"
            for key in keys
        )
        shown += "".join(f"<CommonPrefixes><Prefix>{encoded(key)}</Prefix></CommonPrefixes>" for key in prefixes)
        shown += f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
        reply = document(
            f"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{str(bool(token)).lower()}</IsTruncated>"
            f"{shown}</ListBucketResult>"
        )
        reply.headers["Server"] = self.server
        return reply


class InProcess:
    """A session whose requests go straight to a bucket: a property needs more of them than a server gives."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    async def request(self, operation: str, bucket: str, **parameters: Any) -> dict[str, Any]:
        names = {"Prefix": "prefix", "Delimiter": "delimiter", "ContinuationToken": "continuation-token"}
        query = {names[name]: value for name, value in parameters.items() if name in names}
        keys, prefixes, token = self.bucket.page({**query, "max-keys": str(parameters["MaxKeys"])})
        return {
            "IsTruncated": bool(token),
            "NextContinuationToken": token,
            "Contents": [{"Key": key} for key in keys],
            "CommonPrefixes": [{"Prefix": prefix} for prefix in prefixes],
        }


def encoded(key: str) -> str:
    return escape(quote_plus(key, safe="/"))


def oracle(keys: list[str], prefix: str, delimiter: str, start_after: str) -> list[str]:
    names = set()
    for key in keys:
        if key.startswith(prefix):
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            names.add(key if cut < 0 else f"PRE {key[: cut + len(delimiter)]}")
    bare = sorted(((name.removeprefix("PRE "), name) for name in names), key=lambda pair: pair[0].encode())
    return [name for key, name in bare if key.encode() > start_after.encode()]


async def listed(store, prefix: str = "", bucket: str = "b", **options) -> list[str]:
    found: list[str] = []
    async for page in store.list_objects(bucket, prefix, **options):
        assert 0 < len(page) <= options.get("page_size", 1000)
        found += [f"PRE {entry.key}" if isinstance(entry, ListedPrefix) else entry.key for entry in page]
    return found


KEYS = ["a", "a-b/x", "a.txt", "a/", "a/b", "a/b/c", "a/b.c", "a0", "é/ü", "😀", "\uffee", "z y+%\x01", "~"]
NAMES = st.lists(st.sampled_from(["a", "b", "a-", "a--", "a.b", "a0", "é"]), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
async def test_pages_become_one_ordered_listing(page_size: int) -> None:
    async with FakeS3(Bucket(KEYS)) as server, server.store() as store:
        for delimiter, after in itertools.product(("", "/"), ("", "a", "a/", "a/b", "é", "zzz")):
            found = await listed(store, delimiter=delimiter, start_after=after, page_size=page_size)
            assert found == oracle(KEYS, "", delimiter, after)


async def test_an_entry_tells_what_the_store_told() -> None:
    async with FakeS3(Bucket(["k"])) as server, server.store() as store:
        [[entry]] = [page async for page in store.list_objects("b")]
    assert isinstance(entry, ListedObject)
    assert (entry.key, entry.size, entry.etag, entry.storage_class) == ("k", 1, "e", "STANDARD")
    assert entry.last_modified.isoformat() == "2026-11-01T10:20:30+00:00"


async def test_a_store_that_ignores_start_after_is_filtered() -> None:
    bucket = Bucket(KEYS)
    bucket.heeds_start_after = False
    async with FakeS3(bucket) as server, server.store() as store:
        assert await listed(store, start_after="a/b", page_size=2) == oracle(KEYS, "", "", "a/b")
        assert await listed(store, start_after="a/b", delimiter="/") == oracle(KEYS, "", "/", "a/b")


@given(st.sets(NAMES, max_size=25), st.sampled_from(["", "/", "-"]), NAMES | st.just(""), st.integers(1, 4))
def test_a_tree_is_listed_in_byte_order(keys: set[str], delimiter: str, start_after: str, page_size: int) -> None:
    # SeaweedFS cannot hold a file and a directory of one name.
    files = [key for key in keys if not any(other.startswith(f"{key}/") for other in keys)]
    session: Any = InProcess(Bucket(files, tree_order))

    async def run(prefix: str) -> list[str]:
        begun = None if start_after else raw_pages(session, "b", prefix, delimiter, "", page_size)
        entries = TreeListing(session, "b", start_after, page_size).entries(prefix, delimiter, begun=begun)
        return [f"PRE {entry.key}" if isinstance(entry, ListedPrefix) else entry.key async for entry in entries]

    for prefix in ("", "a", "a/", "b/a"):
        found = [name for name in anyio.run(run, prefix) if name.removeprefix("PRE ").encode() > start_after.encode()]
        assert found == oracle(files, prefix, delimiter, start_after)


@pytest.mark.parametrize("delimiter", ["", "/", "-"])
async def test_pages_of_a_tree_become_one_ordered_listing(delimiter: str) -> None:
    keys = ["a-b/x", "a.txt", "a/b.c", "a/b/c", "a0", "b", "c/d/e/f", "c/d-e", "c/d.e/f", "c-d"]
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        for prefix, after, page_size in itertools.product(("", "a", "c/"), ("", "a-b/x", "c/d-e", "zzz"), (1, 3, 1000)):
            options = {"delimiter": delimiter, "start_after": after, "page_size": page_size}
            assert await listed(store, prefix, **options) == oracle(keys, prefix, delimiter, after)


@pytest.mark.endpoints("weed")
async def test_seaweedfs_is_listed_in_byte_order(store, bucket: str) -> None:
    keys = ["a-b/x", "a.txt", "a/b.c", "a/b/c", "a0", "b", "c/d/e/f", "c/d-e", "c/d.e/f", "c-d", "c/é/x", "c/é-y"]
    for key in keys:
        await store.put(bucket, key, b"", sha256=sha256(b""), metadata={})
    for delimiter, page_size in itertools.product(("", "/"), (1, 2, 1000)):
        for prefix, after in itertools.product(("", "a", "c/"), ("", "a-b/x", "c/d-e")):
            options = {"delimiter": delimiter, "start_after": after, "page_size": page_size}
            assert await listed(store, prefix, bucket=bucket, **options) == oracle(keys, prefix, delimiter, after)


async def test_a_tree_that_fits_one_page_costs_one_request() -> None:
    keys = ["a/b", "a-b", "a.txt"]
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        assert await listed(store) == ["a-b", "a.txt", "a/b"]
        assert len(server.requests) == 1


@pytest.mark.parametrize("first", [[".deltaglider/r/1", ".deltaglider/s"], [], ["e/1", "e/2"]])
async def test_small_directories_on_the_first_page_cost_no_request(first: list[str]) -> None:
    keys = sorted([*first, *(f"f{number:02}" for number in range(12))])
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        assert await listed(store, page_size=5) == keys
        pages = -(-(len(keys) - len(first) + bool(first)) // 5)
        assert len(server.requests) == 1 + pages


async def test_a_directory_that_the_first_page_ends_in_is_listed() -> None:
    keys = ["a/1", "a/2", *(f"b/{number}" for number in range(7)), "c"]
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        assert await listed(store, page_size=5) == keys
        prefixes = [request.query.get("prefix") for request in server.requests]
        assert "a/" not in prefixes
        assert "b/" in prefixes


async def test_a_level_goes_on_where_its_first_page_ended() -> None:
    keys = [f"f{number:02}" for number in range(12)]
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        assert await listed(store, delimiter="/", page_size=5) == keys
        assert len(server.requests) == 3


async def test_whole_directories_before_the_start_are_left_out() -> None:
    keys = [f"d{index}/f{number}" for index in range(9) for number in range(5)]
    async with FakeS3(Bucket(keys, tree_order, "SeaweedFS 4")) as server, server.store() as store:
        assert await listed(store, start_after="d7/f3", page_size=10) == ["d7/f4", *(f"d8/f{n}" for n in range(5))]
        assert {request.query.get("prefix") for request in server.requests} == {None, "d7/", "d8/"}


async def test_a_listing_out_of_order_is_refused() -> None:
    async with FakeS3(Bucket(["a/b", "a-b", "a.txt"], tree_order)) as server, server.store() as store:
        with pytest.raises(NotSupportedError, match="byte order"):
            await listed(store, page_size=1)
        assert await listed(store) == ["a-b", "a.txt", "a/b"]


async def test_a_listing_that_never_ends_is_given_up() -> None:
    def handler(_: Request) -> Reply:
        token = "<NextContinuationToken>same</NextContinuationToken>"
        return document(f"<ListBucketResult><IsTruncated>true</IsTruncated>{token}</ListBucketResult>")

    async with FakeS3(handler) as server, server.store() as store:
        with pytest.raises(StoreError, match="without a way to go on"):
            await listed(store)
        assert len(server.requests) == 2


async def test_a_missing_bucket_says_so() -> None:
    for reply in (refusal("NoSuchBucket", 404), Reply(404)):
        async with FakeS3(lambda _, reply=reply: reply) as server, server.store() as store:
            with pytest.raises(BucketNotFoundError, match="s3://b/"):
                await listed(store)


async def test_buckets_come_in_pages_and_by_name() -> None:
    def handler(request: Request) -> Reply:
        first = "continuation-token" not in request.query
        names, token = (["c", "a"], "<ContinuationToken>t</ContinuationToken>") if first else (["b"], "")
        buckets = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>"
            for name in names
        )
        return document(f"<ListAllMyBucketsResult><Buckets>{buckets}</Buckets>{token}</ListAllMyBucketsResult>")

    async with FakeS3(handler) as server, server.store() as store:
        buckets = await store.list_buckets()
    assert [bucket.name for bucket in buckets] == ["a", "b", "c"]
    assert {str(bucket.created) for bucket in buckets} == {"2026-01-02 03:04:05+00:00"}


@pytest.mark.parametrize(("server_name", "encodes"), [("Fake", True), ("SeaweedFS 4", False)])
async def test_unfinished_uploads_come_in_pages_with_their_keys_decoded(server_name: str, encodes: bool) -> None:
    keys = ["p/a b+c", "p/é%41", "q"]

    def handler(request: Request) -> Reply:
        start = keys.index(request.query["key-marker"]) + 1 if request.query.get("key-marker") else 0
        shown = quote(keys[start], safe="") if encodes else keys[start]
        more = start + 1 < len(keys)
        reply = document(
            f"<ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"<NextKeyMarker>{shown}</NextKeyMarker><NextUploadIdMarker>u{start}</NextUploadIdMarker>"
            f"<Upload><Key>{shown}</Key><UploadId>u{start}</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated>"
            "</Upload></ListMultipartUploadsResult>"
        )
        reply.headers["Server"] = server_name
        return reply

    async with FakeS3(handler) as server, server.store() as store:
        everything = [upload async for upload in store.unfinished_uploads("b")]
        assert [(upload.key, upload.upload_id) for upload in everything] == list(
            zip(keys, ("u0", "u1", "u2"), strict=True)
        )
        assert [upload.key async for upload in store.unfinished_uploads("b", "p/")] == keys[:2]


async def test_a_bucket_is_made_where_the_client_is() -> None:
    def handler(request: Request) -> Reply:
        return Reply(404) if request.method == "HEAD" else Reply(200)

    async with FakeS3(handler) as server:
        for region, place in (("us-east-1", None), ("eu-central-1", "eu-central-1")):
            async with server.store(region_name=region) as store:
                await store.create_bucket("new")
            body = server.requests[-1].body.decode()
            assert (f"<LocationConstraint>{place}</LocationConstraint>" in body) is bool(place)


async def test_a_store_without_regions_is_asked_without_one() -> None:
    def handler(request: Request) -> Reply:
        if request.method == "HEAD":
            return Reply(404)
        return refusal("InvalidLocationConstraint", 400) if request.body else Reply(200)

    async with FakeS3(handler) as server, server.store(region_name="eu-central-1") as store:
        await store.create_bucket("new")
        assert server.names() == ["HEAD bucket", "PUT bucket", "PUT bucket"]


async def test_an_answer_that_breaks_off_or_is_given_up_keeps_no_connection(recwarn: pytest.WarningsRecorder) -> None:
    """An answer dropped half read would be closed by the garbage collector, with a warning, some time."""
    held = Reply(200, b"<ListBucketResult>" + b" " * 5_000, {"Content-Type": "application/xml"}, cut=100, hang=True)
    cut = Reply(200, held.body, held.headers, cut=100)
    replies = [cut, held]
    async with FakeS3(lambda _: replies.pop(0)) as server, server.store(max_attempts=1) as store:
        with pytest.raises(StoreError):
            [page async for page in store.list_objects("b")]
        with anyio.move_on_after(0.3):
            [page async for page in store.list_objects("b")]
        gc.collect()
    assert not [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)]
