"""How the client is made: once, on one loop, with the checksums and signatures that suit the store."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import anyio
import pytest

from deltaglider.config import Settings
from deltaglider.errors import ClientStateError, StoreError
from deltaglider.store.s3 import S3Store
from deltaglider.store.s3.connect import Blueprint
from deltaglider.store.s3.endpoints import identity, is_aws
from tests.contract.tools import sha256
from tests.store.fakes3 import FakeS3, Reply, Request, object_reply

KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "sekret", "region_name": "us-east-1"}
LOCAL = "http://127.0.0.1:1"


@contextlib.asynccontextmanager
async def made(**settings: Any):
    async with contextlib.AsyncExitStack() as stack:
        yield await Blueprint(Settings(**{**KEYS, **settings})).open(stack)


def modes(client: Any) -> tuple[str, str]:
    return client.meta.config.request_checksum_calculation, client.meta.config.response_checksum_validation


REQUIRED = ("when_required", "when_required")
SUPPORTED = ("when_supported", "when_supported")


@pytest.mark.parametrize("url", ["https://s3.amazonaws.com", "https://s3.dualstack.eu-west-1.amazonaws.com", None])
async def test_amazon_gets_the_checksums_it_can_check(url: str | None) -> None:
    async with made(endpoint_url=url) as (client, md5):
        assert modes(client) == SUPPORTED
        assert md5 is False
        assert client.meta.config.s3["payload_signing_enabled"] is False


@pytest.mark.parametrize("url", [LOCAL, "https://minio.example.com", "https://amazonaws.com.evil.example"])
async def test_other_stores_get_none_but_content_md5(url: str) -> None:
    async with made(endpoint_url=url) as (client, md5):
        assert modes(client) == REQUIRED
        assert md5 is True


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
async def test_the_endpoint_of_the_environment_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, LOCAL)
    async with made() as (client, md5):
        assert client.meta.endpoint_url == LOCAL
        assert (modes(client), md5) == (REQUIRED, True)
    async with made(endpoint_url="https://s3.amazonaws.com") as (client, md5):
        assert (modes(client), md5) == (SUPPORTED, False)


async def test_the_endpoint_of_the_configuration_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\nservices = local\n[services local]\ns3 =\n  endpoint_url = {LOCAL}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    async with made() as (client, md5):
        assert client.meta.endpoint_url == LOCAL
        assert (modes(client), md5) == (REQUIRED, True)


async def test_what_the_user_says_about_checksums_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with made(endpoint_url=LOCAL, checksums="when_supported") as (client, md5):
        assert (modes(client), md5) == (SUPPORTED, False)
    async with made(checksums="when_required") as (client, md5):
        assert (modes(client), md5) == (REQUIRED, False)
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    async with made(endpoint_url=LOCAL) as (client, md5):
        assert (modes(client), md5) == (("when_supported", "when_required"), False)
    monkeypatch.delenv("AWS_REQUEST_CHECKSUM_CALCULATION")
    config = tmp_path / "config"
    config.write_text("[default]\nresponse_checksum_validation = when_supported\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    async with made(endpoint_url=LOCAL) as (client, md5):
        assert (modes(client), md5) == (("when_required", "when_supported"), True)


async def test_bodies_are_signed_only_where_nothing_else_protects_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with made(endpoint_url="http://s3.amazonaws.com") as (client, _):
        assert "payload_signing_enabled" not in (client.meta.config.s3 or {})
    config = tmp_path / "config"
    config.write_text("[default]\ns3 =\n  payload_signing_enabled = true\n  addressing_style = virtual\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    async with made(endpoint_url=LOCAL) as (client, _):
        assert client.meta.config.s3 == {"payload_signing_enabled": True, "addressing_style": "virtual"}
    async with made(endpoint_url=LOCAL, addressing_style="path") as (client, _):
        assert client.meta.config.s3["addressing_style"] == "path"


async def test_limits_and_timeouts_reach_the_client() -> None:
    settings = {"max_concurrent_requests": 30, "max_attempts": 7, "connect_timeout": 3.5, "read_timeout": 4.5}
    async with made(endpoint_url=LOCAL, **settings) as (client, _):
        config = client.meta.config
        assert config.max_pool_connections > 30
        assert config.retries == {"mode": "standard", "total_max_attempts": 7}
        assert (config.connect_timeout, config.read_timeout) == (3.5, 4.5)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("", "https://s3.amazonaws.com"),
        ("https://s3.eu-west-1.amazonaws.com", "https://s3.amazonaws.com"),
        ("https://bucket.vpce-1-2.s3.us-east-1.vpce.amazonaws.com", "https://s3.amazonaws.com"),
        ("http://user:secret@host:9000/", "http://host:9000"),
        ("https://host/path/", "https://host/path"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_an_identity_is_stable_and_holds_no_credentials(url: str, name: str) -> None:
    assert identity(url) == name
    assert is_aws(url) is ("amazonaws" in url)


async def test_the_identity_is_the_endpoint() -> None:
    async with FakeS3(lambda _: Reply(200)) as server, server.store() as store:
        assert store.identity == server.url
        assert await store.bucket_exists("b")
        assert store.identity == server.url


async def test_making_a_store_reads_and_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "does-not-exist")
    store = S3Store(Settings(**KEYS))
    await store.aclose()
    await store.aclose()


async def test_many_first_users_share_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Settings] = []
    original = Blueprint.__init__

    def counted(self: Blueprint, settings: Settings) -> None:
        drawn.append(settings)
        original(self, settings)

    monkeypatch.setattr(Blueprint, "__init__", counted)
    async with FakeS3(lambda r: object_reply(r, b"x")) as server, server.store() as store:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(store.head, "b", "k")
        assert len(server.requests) == 20
    assert len(drawn) == 1


async def test_the_limiter_bounds_requests_in_flight() -> None:
    now, peak = [0], [0]

    async def handler(request: Request) -> Reply:
        now[0] += 1
        peak[0] = max(peak[0], now[0])
        await asyncio.sleep(0.01)
        now[0] -= 1
        return object_reply(request, b"x")

    async with (
        FakeS3(handler) as server,
        server.store(max_concurrent_requests=3) as store,
        anyio.create_task_group() as group,
    ):
        for _ in range(12):
            group.start_soon(store.head, "b", "k")
    assert peak[0] == 3


async def test_a_closed_store_says_so() -> None:
    async with FakeS3(lambda _: Reply(200)) as server:
        async with server.store() as store:
            await store.bucket_exists("b")
        for attempt in (store.bucket_exists("b"), store.head("b", "k"), store.list_buckets()):
            with pytest.raises(ClientStateError, match="closed"):
                await attempt
        assert len(server.requests) == 1


async def test_closing_during_a_request_says_so() -> None:
    arrived = asyncio.Event()

    async def handler(_: Request) -> Reply:
        arrived.set()
        await asyncio.sleep(3600)
        raise AssertionError

    async with FakeS3(handler) as server, server.store() as store:
        task = asyncio.create_task(store.bucket_exists("b"))
        await arrived.wait()
        await store.aclose()
        with pytest.raises((ClientStateError, StoreError)):
            await task


def test_a_store_belongs_to_one_loop() -> None:
    async def first() -> S3Store:
        async with FakeS3(lambda _: Reply(200)) as server:
            store = S3Store(server.settings())
            await store.bucket_exists("b")
            # Its connections end with this loop.
            await store._session.connection._exit.aclose()
            return store

    async def second(store: S3Store) -> None:
        with pytest.raises(ClientStateError, match="another event loop"):
            await store.bucket_exists("b")
        await store.aclose()

    asyncio.run(second(asyncio.run(first())))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with FakeS3(lambda _: Reply(200, b"stolen")) as thief:

        def handler(request: Request) -> Reply:
            return Reply(status, headers={"Location": f"{thief.url}{request.path}"})

        async with FakeS3(handler) as server, server.store(aws_session_token="token") as store:
            with pytest.raises(StoreError):
                await store.put("b", "k", b"x", sha256=sha256(b"x"), metadata={})
            with pytest.raises(StoreError):
                async with store.open("b", "k"):
                    pass
        assert thief.requests == []


async def test_anonymous_requests_are_not_signed() -> None:
    async with FakeS3(lambda r: object_reply(r, b"x")) as server:
        async with server.store(sign_requests=False, aws_access_key_id=None, aws_secret_access_key=None) as store:
            await store.head("b", "k")
        async with server.store() as store:
            await store.head("b", "k")
    assert ["authorization" in request.headers for request in server.requests] == [False, True]


async def test_urls_are_signed_with_version_4_in_every_region() -> None:
    async with FakeS3(lambda _: Reply()) as server:
        for region in ("us-east-1", "eu-central-1", "auto"):
            async with server.store(region_name=region) as store:
                url = await store.presign("b", "k é", expires=60)
                assert url.startswith(f"{server.url}/b/k%20%C3%A9?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
                assert f"%2F{region}%2Fs3%2Faws4_request" in url
                assert "X-Amz-Expires=60" in url
        assert server.requests == []
