"""A server that means harm: it may refuse and lie, but not lead us elsewhere, exhaust us, or make us listen."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_client
from deltaglider.errors import DeltaGliderError, IntegrityError, StoreError
from deltaglider.store.directory import DirectoryStore
from deltaglider.store.s3 import wire
from deltaglider.store.s3.store import S3Store
from tests.store.fakes3 import FakeS3, Reply, Request, document, object_reply

SESSION = {"aws_session_token": "token"}


async def drawn(pages: AsyncIterator[Any]) -> None:
    async for _ in pages:
        pass


async def requests_of_all_kinds(store: S3Store, tmp_path: Path) -> list[DeltaGliderError]:
    """What comes of each."""

    calls = [
        store.head("bucket", "key"),
        store.put("bucket", "key", b"x", sha256=hashlib.sha256(b"x").hexdigest(), metadata={}),
        store.fetch("bucket", "key", tmp_path / "file"),
        store.copy("bucket", "key", "bucket", "other"),
        store.delete("bucket", "key"),
        store.bucket_exists("bucket"),
        store.create_bucket("bucket"),
        store.list_buckets(),
        drawn(store.list_objects("bucket", "p/")),
    ]
    raised = []
    for call in calls:
        try:
            await call
        except DeltaGliderError as error:
            raised.append(error)
    return raised


@pytest.mark.parametrize("region", ["", "eu-west-1", "evil.example#"])
@pytest.mark.parametrize("status", [301, 307])
async def test_a_redirect_leads_nowhere_else_and_ends(status: int, region: str, tmp_path: Path) -> None:
    """botocore's own search for a bucket's region stays with the endpoint, and comes to an end."""
    async with FakeS3(lambda _: Reply(200, b"stolen")) as thief:

        def handler(request: Request) -> Reply:
            body = (
                f"<Error><Code>PermanentRedirect</Code><Endpoint>{thief.url.removeprefix('http://')}</Endpoint>"
                f"<Bucket>bucket</Bucket></Error>"
            )
            headers = {"Location": f"{thief.url}{request.path}", **({"x-amz-bucket-region": region} if region else {})}
            return Reply(status, body.encode(), headers)

        async with FakeS3(handler) as server, server.store(max_attempts=1, **SESSION) as store:
            raised = await requests_of_all_kinds(store, tmp_path)
        assert len(raised) == 9
        assert thief.requests == []
        assert len(server.requests) <= 3 * 9


async def test_a_bucket_elsewhere_is_asked_for_where_it_is_with_the_same_server() -> None:
    """What the search is good for: the next request is signed for the right region."""

    def handler(request: Request) -> Reply:
        if "/eu-west-1/" in request.headers["authorization"]:
            return object_reply(request, b"found")
        body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
        return Reply(400, b"" if request.method == "HEAD" else body, {"x-amz-bucket-region": "eu-west-1"})

    async with FakeS3(handler) as server, server.store(max_attempts=1) as store:
        assert (await store.head("bucket", "key")).size == 5
        async with store.open("bucket", "key") as body:
            assert b"".join([piece async for piece in body]) == b"found"


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "{"ha" * 50}">{LAUGHS}]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("kind", [BOMB, EXTERNAL], ids=["laughs", "external"])
@pytest.mark.parametrize("status", [200, 403])
async def test_entities_are_not_expanded(kind: str, status: int) -> None:
    def handler(_: Request) -> Reply:
        listing = (
            f"{kind}<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated><Contents><Key>&l9;</Key>"
            "</Contents></ListBucketResult>"
        )
        refused = f"{kind}<Error><Code>AccessDenied</Code><Message>&l9;</Message></Error>"
        reply = document(listing if status == 200 else refused)
        reply.status = status
        return reply

    async with FakeS3(handler) as server, server.store(max_attempts=1) as store:
        tracemalloc.start()
        try:
            with pytest.raises(DeltaGliderError) as raised:
                await drawn(store.list_objects("b"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert "root:" not in str(raised.value)
    assert len(str(raised.value)) < 1000
    assert peak < 64 << 20


@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_without_end_is_given_up(status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A page of a listing and an error are read whole; an object never is."""
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 100_000)
    (tmp_path / "file").touch()
    async with FakeS3(lambda _: Reply(status, b"x" * 400_000)) as server, server.store(max_attempts=1) as store:
        with pytest.raises(StoreError, match="more than 100000 bytes"):
            await drawn(store.list_objects("b"))
        if status == 200:
            found = await store.fetch("b", "k", tmp_path / "file")
            assert (found.size, (tmp_path / "file").stat().st_size) == (400_000, 400_000)


async def test_a_full_page_of_the_longest_keys_is_no_attack() -> None:
    keys = [f"{number:04}{'%20' * 1020}" for number in range(1000)]
    body = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-01T10:20:30.000Z</LastModified><ETag>&quot;{'0' * 32}&quot;"
        f"</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys
    )
    text = (
        f"<ListBucketResult><Name>b</Name><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{body}"
        "</ListBucketResult>"
    )
    async with FakeS3(lambda _: document(text)) as server, server.store() as store:
        entries = [entry async for page in store.list_objects("b") for entry in page]
    assert len(entries) == 1000
    assert entries[-1].key == "0999" + " " * 1020
    assert len(text) * 8 < wire.LARGEST_ANSWER


@pytest.mark.parametrize("header", [{"x-big": "x" * 100_000}, {"ETag": "\udcff"}, {"x-amz-meta-a": "\x00"}])
async def test_headers_of_any_size_or_kind_are_an_error_of_ours(header: dict[str, str], tmp_path: Path) -> None:
    def handler(_: Request) -> Reply:
        return Reply(200, b"x", {name: value.encode("utf-8", "replace").decode() for name, value in header.items()})

    async with FakeS3(handler) as server, server.store(max_attempts=1) as store:
        raised = await requests_of_all_kinds(store, tmp_path)
    assert all(len(str(error)) < 1000 for error in raised)


def test_nothing_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listen(*_: object) -> None:
        raise AssertionError("somebody listens")

    monkeypatch.setattr(socket.socket, "listen", listen)
    monkeypatch.setattr(socket, "create_server", listen)
    with create_client((tmp_path / "store").as_uri(), cache_dir=tmp_path / "cache") as client:
        client.make_bucket("bucket")
        client.upload(b"x" * 10_000, "s3://bucket/a.zip")
        assert client.verify("s3://bucket/a.zip").valid


def test_one_store_cannot_poison_what_is_read_from_another(tmp_path: Path) -> None:
    """They share a cache. A reference of the same key has other bytes, and one claims to be what it is not."""
    files = {name: hashlib.shake_128(name.encode()).digest(20_000) for name in ("good", "evil")}
    cache = tmp_path / "cache"
    clients = {name: create_client((tmp_path / name).as_uri(), cache_dir=cache) for name in files}
    for name, client in clients.items():
        client.make_bucket("bucket")
        client.upload(files[name], "s3://bucket/a.zip")
    for name, client in clients.items():
        client.download("s3://bucket/a.zip", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == files[name]

    async def plant() -> None:
        """In the evil store: under the name of the good reference, other bytes."""
        store = DirectoryStore(tmp_path / "evil")
        sha256 = hashlib.sha256(files["good"]).hexdigest()
        old = await store.head("bucket", "a.zip.delta")
        async with store.open("bucket", "a.zip.delta") as body:
            delta = b"".join([piece async for piece in body])
        key = f".deltaglider/references/{sha256}/reference.bin"
        for where, data, metadata in (
            (key, files["evil"], {}),
            ("a.zip.delta", delta, {**old.metadata, "dg-ref-key": key, "dg-ref-sha256": sha256}),
        ):
            await store.put("bucket", where, data, sha256=hashlib.sha256(data).hexdigest(), metadata=metadata)
        await store.aclose()

    asyncio.run(plant())
    for path in (cache / "references").rglob("*"):
        if path.is_file():
            path.unlink()
    with create_client((tmp_path / "evil").as_uri(), cache_dir=cache) as client, pytest.raises(IntegrityError):
        client.download("s3://bucket/a.zip", tmp_path / "out")
    clients["good"].download("s3://bucket/a.zip", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == files["good"]
    for client in clients.values():
        client.close()
