"""What the ``s3`` section of an AWS profile says, and what beats it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from deltaglider.config import GIB, KIB, MIB, Settings
from deltaglider.errors import ConfigurationError
from deltaglider.store.s3 import S3Store
from deltaglider.store.s3.connect import Blueprint
from tests.contract.tools import sha256
from tests.store.fakes3 import FakeS3, Reply, Request, object_reply

KEYS = {"aws_access_key_id": "AKID", "aws_secret_access_key": "sekret", "region_name": "us-east-1"}
Configured = Callable[..., Path]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Writes the AWS configuration file: an ``s3`` section, and what else there is."""

    def write(*section: str, profile: str = "default", more: str = "") -> Path:
        file = tmp_path / "config"
        lines = "".join(f"  {line}\n" for line in section)
        file.write_text(f"[{profile}]\n{more}\n" + (f"s3 =\n{lines}" if section else ""))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
        return file

    return write


def in_force(**given: Any) -> Settings:
    return Blueprint(Settings.from_env(**{**KEYS, **given})).settings


@contextlib.asynccontextmanager
async def made(**settings: Any) -> AsyncIterator[Any]:
    async with contextlib.AsyncExitStack() as stack:
        client, _ = await Blueprint(Settings.from_env(**{**KEYS, **settings})).open(stack)
        yield client


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("max_concurrent_requests = 20", "max_concurrent_requests", 20),
        ("multipart_threshold = 64MB", "multipart_threshold", 64 * MIB),
        ("multipart_threshold = 65536KB", "multipart_threshold", 64 * MIB),
        ("multipart_threshold = 1", "multipart_threshold", 1),
        ("multipart_threshold = 10GB", "multipart_threshold", 5 * GIB),
        ("multipart_chunksize = 16777216", "multipart_chunksize", 16 * MIB),
        # "aws" raises what S3 would refuse, too.
        ("multipart_chunksize = 1MB", "multipart_chunksize", 5 * MIB),
        ("max_bandwidth = 10MB/s", "max_bandwidth", 10 * MIB),
        ("max_bandwidth = 800KB/s", "max_bandwidth", 800 * KIB),
        ("max_bandwidth = 100000", "max_bandwidth", 100000),
    ],
)
def test_each_limit_of_the_section_counts(configured: Configured, line: str, field: str, value: int) -> None:
    configured(line)
    settings = in_force()
    assert getattr(settings, field) == value
    assert getattr(Settings(), field) != value
    assert settings.given == {field}


def test_nothing_configured_changes_nothing() -> None:
    settings = Settings.from_env(**KEYS)
    assert Blueprint(settings).settings == settings


def test_a_keyword_beats_a_variable_beats_the_section_beats_the_default(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured("max_concurrent_requests = 20", "multipart_threshold = 64MB", "max_bandwidth = 1MB/s")
    monkeypatch.setenv("DG_MULTIPART_THRESHOLD", "8MB")  # The default, but said.
    settings = in_force(max_concurrent_requests=8)
    assert (settings.max_concurrent_requests, settings.multipart_threshold) == (8, 8 * MIB)
    assert (settings.max_bandwidth, settings.multipart_chunksize) == (MIB, 8 * MIB)


def test_the_section_is_that_of_the_profile(configured: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    configured("max_concurrent_requests = 20", profile="profile busy")
    assert in_force().max_concurrent_requests == 8
    assert in_force(profile_name="busy").max_concurrent_requests == 20
    monkeypatch.setenv("AWS_PROFILE", "busy")
    assert in_force().max_concurrent_requests == 20


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("max_concurrent_requests = many", "'many', not a whole number over 0"),
        ("max_concurrent_requests = 0", "'0', not a whole number over 0"),
        ("max_queue_size = -1", "'-1', not a whole number over 0"),
        ("multipart_threshold = 8 apples", "'8 apples', not a size such as 8MB"),
        ("multipart_chunksize = 0", "'0', not a size such as 8MB"),
        ("io_chunksize = big", "'big', not a size such as 8MB"),
        ("max_bandwidth = fast", "'fast', not a rate such as 10MB/s"),
        ("max_bandwidth = 80Mb/s", "'80Mb/s', not a rate such as 10MB/s"),
        ("addressing_style = dns", "'dns', not one of auto, path, virtual"),
        ("preferred_transfer_client = fast", "'fast', not one of auto, classic, crt"),
    ],
)
def test_junk_names_file_profile_and_key(configured: Configured, line: str, problem: str) -> None:
    file = configured(line, profile="profile odd")
    name = line.split(" ", maxsplit=1)[0]
    with pytest.raises(ConfigurationError) as raised:
        in_force(profile_name="odd")
    assert (
        str(raised.value) == f"{name} in the s3 section of profile 'odd' in {file} is {problem}. Correct or remove it"
    )


def test_junk_does_no_harm_where_something_beats_it(configured: Configured) -> None:
    configured("max_concurrent_requests = many")
    assert in_force(max_concurrent_requests=3).max_concurrent_requests == 3


def test_a_section_that_is_none(configured: Configured) -> None:
    configured(more="s3 = 20")
    with pytest.raises(ConfigurationError, match=r"^s3 of profile 'default' in .*config is '20', not a section"):
        in_force()


def test_what_tunes_the_machinery_of_aws_is_accepted(configured: Configured) -> None:
    configured(
        "preferred_transfer_client = crt",
        "target_bandwidth = 10Gb/s",
        "io_chunksize = 1MB",
        "should_stream = true",
        "disk_throughput = 10Gb/s",
        "direct_io = false",
        "max_queue_size = 10000",
        "key_of_tomorrow = 1",
    )
    assert in_force().given == frozenset()


async def test_what_botocore_knows_reaches_it(configured: Configured) -> None:
    configured("addressing_style = virtual", "use_accelerate_endpoint = true", "use_dualstack_endpoint = true")
    async with made() as client:
        assert client.meta.config.s3["addressing_style"] == "virtual"
        url = await client.generate_presigned_url("get_object", Params={"Bucket": "bkt", "Key": "k"})
        assert url.startswith("https://bkt.s3-accelerate.dualstack.amazonaws.com/k?")
    async with made(addressing_style="auto") as client:
        assert client.meta.config.s3["addressing_style"] == "auto"
    configured("us_east_1_regional_endpoint = legacy", "addressing_style = path", "signature_version = s3v4")
    async with made() as client:
        url = await client.generate_presigned_url("get_object", Params={"Bucket": "bkt", "Key": "k"})
        assert url.startswith("https://s3.amazonaws.com/bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256")


async def test_retries_are_those_of_the_aws_configuration(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def retries(**given: Any) -> tuple[str, int, int]:
        async with made(**given) as client:
            found = client.meta.config.retries
            return found["mode"], found["total_max_attempts"], in_force(**given).max_attempts

    assert await retries() == ("standard", 4, 4)
    configured(more="max_attempts = 6\nretry_mode = adaptive")
    assert await retries() == ("adaptive", 6, 6)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    assert await retries() == ("legacy", 7, 7)
    assert await retries(max_attempts=4) == ("legacy", 4, 4)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "often")
    with pytest.raises(ConfigurationError, match="AWS_MAX_ATTEMPTS"):
        in_force()


async def test_limits_are_in_force_before_the_first_request(configured: Configured) -> None:
    configured("max_concurrent_requests = 3", "multipart_chunksize = 6MB")
    async with FakeS3(lambda r: object_reply(r, b"x")) as server, server.store(max_attempts=None) as store:
        assert store._session.settings.max_concurrent_requests == 8
        await store.head("b", "k")
        session = store._session
        assert session.settings.max_concurrent_requests == 3
        assert (session.requests.total_tokens, session.files.total_tokens) == (3, 3)
        assert session.buffers.total == 18 * MIB


async def test_junk_ends_the_first_request(configured: Configured) -> None:
    configured("multipart_threshold = -8MB")
    store = S3Store(Settings(**KEYS))
    with pytest.raises(ConfigurationError, match="multipart_threshold"):
        await store.list_buckets()


async def test_no_time_out() -> None:
    async with made(connect_timeout=0, read_timeout=0) as client:
        assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (None, None)
    async with FakeS3(lambda _: Reply(headers={"ETag": '"x"'})) as server, server.store(read_timeout=0) as store:
        await store.put("b", "k", b"x", sha256=sha256(b"x"), metadata={})


async def test_who_pays_is_said_wherever_it_can_be() -> None:
    def handler(request: Request) -> Reply:
        return object_reply(request, b"x") if request.method in ("GET", "HEAD") and request.key else Reply()

    async def said(payer: str | None) -> dict[str, set[str]]:
        headers: dict[str, set[str]] = {}
        async with FakeS3(handler) as server, server.store(request_payer=payer) as store:
            client = await store._session.connection.client()
            await store.head("b", "k")
            async with store.open("b", "k"):
                pass
            await store.delete("b", "k")
            await client.list_objects_v2(Bucket="b")
            await client.put_object(Bucket="b", Key="k", Body=b"x")
            await client.head_bucket(Bucket="b")
            for request in server.requests:
                kind = f"{request.method} {request.path.partition('?')[0]}"
                headers.setdefault(kind, set()).add(request.headers.get("x-amz-request-payer", ""))
            # A signed URL has to work without a header of its own.
            assert "SignedHeaders=host&" in await store.presign("b", "k")
        return headers

    objects = {"HEAD /b/k", "GET /b/k", "DELETE /b/k", "GET /b", "PUT /b/k"}
    paid = await said("requester")
    assert paid == {**{kind: {"requester"} for kind in objects}, "HEAD /b": {""}}
    assert await said(None) == {**{kind: {""} for kind in paid}}
