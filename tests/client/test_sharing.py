"""URLs that anyone can fetch, and what they leave, purged."""

from __future__ import annotations

import asyncio
import urllib.error
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deltaglider import (
    AsyncDeltaGliderClient,
    InvalidInputError,
    NotFoundError,
    PresignedUrl,
    create_async_client,
)
from deltaglider.errors import NotSupportedError
from deltaglider.layout.keys import is_temporary
from tests.client.world import Either, noise, opened
from tests.contract.tools import request
from tests.servers import Endpoint, S3Endpoint

V1 = noise("first")
V2 = V1[:1000] + b"a change" + V1[1000:]


class Shared:
    """A bucket of a server, and a client."""

    def __init__(self, endpoint: S3Endpoint, client: AsyncDeltaGliderClient) -> None:
        self.endpoint = endpoint
        self.client = client
        self.bucket = endpoint.make_bucket()

    def url(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    async def put(self, key: str, data: bytes, **options: object) -> None:
        await self.client.upload(data, self.url(key), **options)  # type: ignore[arg-type]

    async def keys(self) -> list[str]:
        pages = self.endpoint.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


@pytest.fixture
async def shared(endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[Shared]:
    assert isinstance(endpoint, S3Endpoint)
    settings = endpoint.client_kwargs(temp_dir=tmp_path, cache_dir=tmp_path / "cache")
    async with create_async_client(**settings) as client:
        yield Shared(endpoint, client)


@pytest.mark.endpoints("moto", "weed", "weed-tls")
async def test_the_url_of_a_delta_gives_the_file(shared: Shared) -> None:
    await shared.put("v1/app.zip", V1)
    await shared.put("v2/app é+.zip", V2, content_type="application/zip", metadata={"team": "core"})
    assert "v2/app é+.zip.delta" in await shared.keys()
    made = await shared.client.presign(shared.url("v2/app é+.zip"), expires=600)
    assert isinstance(made, PresignedUrl)
    assert (made.rehydrated, str(made)) == (True, made.url)
    assert abs(made.expires_at - datetime.now(UTC) - timedelta(seconds=600)) < timedelta(minutes=2)
    answer = request(shared.endpoint, made.url)
    assert answer.body == V2
    headers = answer.headers
    assert headers["content-type"] == "application/zip"
    assert headers["content-disposition"] == "attachment; filename=\"app _+.zip\"; filename*=UTF-8''app%20%C3%A9%2B.zip"
    assert headers["x-amz-meta-team"] == "core"
    # The next URL leads to the same file; the file lasts at least as long as the URL.
    again = await shared.client.presign(shared.url("v2/app é+.zip"), expires=60)
    assert again.stored_key == made.stored_key
    end = shared.endpoint.client().head_object(Bucket=shared.bucket, Key=made.stored_key)["Metadata"]["dg-expires-at"]
    assert datetime.fromisoformat(end) >= made.expires_at


@pytest.mark.endpoints("moto", "weed")
async def test_what_lies_whole_is_signed_where_it_lies(shared: Shared) -> None:
    await shared.put("notes.txt", b"notes", content_type="text/plain")
    made = await shared.client.presign(
        shared.url("notes.txt"), response_headers={"ContentDisposition": "inline", "ContentType": "text/x-mine"}
    )
    assert (made.rehydrated, made.stored_key) == (False, "notes.txt")
    answer = request(shared.endpoint, made.url)
    assert answer.body == b"notes"
    assert (answer.headers["Content-Disposition"], answer.headers["Content-Type"]) == ("inline", "text/x-mine")
    assert await shared.keys() == ["notes.txt"]


@pytest.mark.endpoints("weed")
async def test_a_url_is_of_one_object_and_ends(shared: Shared) -> None:
    await shared.put("v1/app.zip", V1)
    await shared.put("v2/app.zip", V2)
    made = await shared.client.presign(shared.url("v2/app.zip"), expires=1)
    reference = next(key for key in await shared.keys() if key.endswith("reference.bin"))
    for other in (reference, "v1/app.zip.delta", made.stored_key.replace("/app.zip", "/other")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            request(shared.endpoint, made.url.replace(made.stored_key, other))
    await asyncio.sleep(max(0.0, (made.expires_at - datetime.now(UTC)).total_seconds()) + 1.1)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        request(shared.endpoint, made.url)
    until = made.expires_at + timedelta(seconds=3)  # The grid, and the rounding to whole seconds.
    await asyncio.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
    assert (await shared.client.purge(shared.bucket)).removed
    assert not [key for key in await shared.keys() if is_temporary(key)]


@pytest.mark.endpoints("moto")
@pytest.mark.parametrize("key", ["no/such.zip", "a/", "a.zip.delta"])
async def test_of_what_is_not_there_a_url_is_made_all_the_same(shared: Shared, key: str) -> None:
    made = await shared.client.presign(shared.url(key))
    assert made.stored_key == key
    assert (await shared.client.presign(f"s3://no-such-bucket-0/{key}")).url
    with pytest.raises(urllib.error.HTTPError, match="404"):
        request(shared.endpoint, made.url)


@pytest.mark.endpoints("moto")
async def test_there_are_no_urls_of_what_is_ours(shared: Shared) -> None:
    await shared.put("v1/app.zip", V1)
    keys = await shared.keys()
    assert len(keys) == 2
    for key in (*keys, ".deltaglider/tmp/x"):
        with pytest.raises(NotFoundError, match=key):
            await shared.client.presign(shared.url(key))


@pytest.mark.endpoints("moto")
async def test_what_cannot_be_signed_is_not_fetched(shared: Shared) -> None:
    await shared.put("v1/app.zip", V1)
    before = await shared.keys()
    for expires in (0, -1, 604801):
        with pytest.raises(InvalidInputError, match="604800"):
            await shared.client.presign(shared.url("v1/app.zip"), expires=expires)
    with pytest.raises(InvalidInputError, match="ContentLength"):
        await shared.client.presign(shared.url("v1/app.zip"), response_headers={"ContentLength": "1"})
    with pytest.raises(InvalidInputError, match="not an object"):
        await shared.client.presign(f"s3://{shared.bucket}")
    assert await shared.keys() == before


@pytest.mark.endpoints("moto")
async def test_many_urls_at_once(shared: Shared, tmp_path: Path) -> None:
    await shared.put("v1/app.zip", V1)
    await shared.put("v2/app.zip", V2)
    settings = shared.endpoint.client_kwargs(temp_dir=tmp_path, cache_dir=tmp_path / "other")
    async with create_async_client(**settings) as other:
        lives = [60, 3600, 86400] * 2
        clients = [shared.client, other]
        made = await asyncio.gather(
            *(client.presign(shared.url("v2/app.zip"), expires=life) for life in lives for client in clients)
        )
    await shared.client.purge(shared.bucket)
    for one in made:
        assert request(shared.endpoint, one.url).body == V2


async def test_a_url_is_not_printed_by_accident(either: Either, bucket: str) -> None:
    made = PresignedUrl("b", "k", "https://host/k?X-Amz-Signature=secret", datetime.now(UTC), "k")
    assert "secret" not in repr(made)
    assert made.to_dict()["rehydrated"] is False
    await either("upload", V1, f"s3://{bucket}/v1/app.zip")
    with pytest.raises(NotSupportedError, match="the embedded store has no URLs"):
        await either("presign", f"s3://{bucket}/v1/app.zip")


@pytest.mark.endpoints("moto")
@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
async def test_both_clients(endpoint: S3Endpoint, tmp_path: Path, kind: str) -> None:
    bucket = endpoint.make_bucket()
    async with opened(kind, tmp_path, **endpoint.client_kwargs(cache_dir=tmp_path / "cache")) as client:
        await client("upload", V1, f"s3://{bucket}/v1/app.zip")
        made = await client("presign", f"s3://{bucket}/v1/app.zip")
        assert request(endpoint, made.url).body == V1
        assert (await client("purge", bucket)).kept == 1


@pytest.mark.endpoints("moto")
async def test_a_file_is_protected_as_its_object_is(shared: Shared) -> None:
    key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/mine"}
    await shared.put("v1/app.zip", V1, headers=key)
    await shared.put("v2/app.zip", V2, headers={"ServerSideEncryption": "AES256"})
    for name, lives in (("v1/app.zip", (60, 86400)), ("v2/app.zip", (60,))):
        for life in lives:  # The second one is a copy of the first.
            made = await shared.client.presign(shared.url(name), expires=life)
            head = shared.endpoint.client().head_object(Bucket=shared.bucket, Key=made.stored_key)
            assert (made.rehydrated, head.get("SSEKMSKeyId")) == (
                True,
                key["SSEKMSKeyId"] if name == "v1/app.zip" else None,
            )
