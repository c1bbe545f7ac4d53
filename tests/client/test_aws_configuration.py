"""The variables and files of AWS, as clients without a keyword find them: over real servers, by what arrives there."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_async_client
from deltaglider.config import Settings
from deltaglider.errors import ConfigurationError, StoreUnavailableError
from deltaglider.store.s3 import S3Store
from tests.contract.tools import sha256
from tests.servers import S3Endpoint
from tests.store.fakes3 import FakeS3, Reply, Request, document, refusal

NO_BUCKETS = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
CREDENTIALS = """
[default]
aws_access_key_id = FILE
aws_secret_access_key = x
[work]
aws_access_key_id = WORK
aws_secret_access_key = x
"""

Files = Callable[..., None]


def answer(request: Request) -> Reply:
    return document(NO_BUCKETS) if request.method == "GET" else Reply(headers={"ETag": '"x"'})


@pytest.fixture
async def server() -> AsyncIterator[FakeS3]:
    async with FakeS3(answer) as fake:
        yield fake


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, server: FakeS3) -> Callable[..., None]:
    """Sets variables; the store is the server, and there are keys, unless something else is said."""
    for name, value in (("AWS_ENDPOINT_URL_S3", server.url), ("AWS_DEFAULT_REGION", "eu-north-1")):
        monkeypatch.setenv(name, value)

    def set_all(**variables: str | Path | None) -> None:
        for name, text in variables.items():
            if text is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(text))

    return set_all


@pytest.fixture
def keys(env: Callable[..., None]) -> None:
    env(AWS_ACCESS_KEY_ID="ENV", AWS_SECRET_ACCESS_KEY="x")


@pytest.fixture
def files(tmp_path: Path, env: Callable[..., None]) -> Files:
    """Writes the two files of AWS."""

    def write(config: str = "", credentials: str = CREDENTIALS) -> None:
        (tmp_path / "config").write_text(config)
        (tmp_path / "credentials").write_text(credentials)
        env(AWS_CONFIG_FILE=tmp_path / "config", AWS_SHARED_CREDENTIALS_FILE=tmp_path / "credentials")

    return write


@dataclasses.dataclass(frozen=True)
class Signed:
    """Who signed a request, for which region, with which token."""

    key: str
    region: str
    token: str = ""


def signed(request: Request) -> Signed:
    scope = request.headers["authorization"].split("Credential=")[1].split(",")[0].split("/")
    return Signed(scope[0], scope[2], request.headers.get("x-amz-security-token", ""))


async def ask(server: FakeS3, times: int = 1, **keywords: Any) -> list[Request]:
    """What a client sends that is made with these keywords alone."""
    before = len(server.requests)
    async with create_async_client(**keywords) as client:
        for _ in range(times):
            await client.buckets()
    return server.requests[before:]


async def who(server: FakeS3, **keywords: Any) -> Signed:
    (request,) = await ask(server, **keywords)
    return signed(request)


async def url(**keywords: Any) -> str:
    """A signed URL, which shows where requests would go."""
    store = S3Store(Settings.from_env(**keywords))
    try:
        return await store.presign("bkt", "k")
    finally:
        await store.aclose()


# --- credentials, profile, region


async def test_keys_of_the_environment(server: FakeS3, env: Any) -> None:
    env(AWS_ACCESS_KEY_ID="ENV", AWS_SECRET_ACCESS_KEY="x", AWS_SESSION_TOKEN="tok", AWS_DEFAULT_REGION="us-west-2")
    assert await who(server) == Signed("ENV", "us-west-2", "tok")


async def test_files_and_profiles(server: FakeS3, env: Any, files: Files) -> None:
    files("[default]\nregion = ap-south-1\n[profile work]\nregion = sa-east-1\n")
    env(AWS_DEFAULT_REGION=None)
    assert await who(server) == Signed("FILE", "ap-south-1")
    env(AWS_DEFAULT_PROFILE="work")
    assert await who(server) == Signed("WORK", "sa-east-1")
    env(AWS_DEFAULT_PROFILE=None, AWS_PROFILE="work")
    assert await who(server) == Signed("WORK", "sa-east-1")
    assert await who(server, profile_name="default") == Signed("FILE", "ap-south-1")


@pytest.mark.usefixtures("keys")
async def test_keys_of_the_environment_beat_its_profile_and_are_beaten_by_an_explicit_one(
    server: FakeS3, env: Any, files: Files
) -> None:
    files()
    env(AWS_PROFILE="work")
    assert (await who(server)).key == "ENV"
    assert (await who(server, profile_name="work")).key == "WORK"
    assert (await who(server, aws_access_key_id="KEYWORD", aws_secret_access_key="x")).key == "KEYWORD"


@pytest.mark.usefixtures("keys")
async def test_region(server: FakeS3, env: Any, files: Files) -> None:
    files("[default]\nregion = ap-south-1\n")
    assert (await who(server)).region == "eu-north-1"
    env(AWS_REGION="eu-south-1")
    assert (await who(server)).region == "eu-south-1"
    assert (await who(server, region_name="me-south-1")).region == "me-south-1"
    env(AWS_REGION=None, AWS_DEFAULT_REGION=None)
    assert (await who(server)).region == "ap-south-1"


async def test_an_unknown_profile_and_no_credentials(env: Any) -> None:
    with pytest.raises(ConfigurationError, match="no AWS credentials were found"):
        await who(FakeS3(answer))
    env(AWS_PROFILE="nobody")
    with pytest.raises(ConfigurationError, match=r"profile \(nobody\) could not be found"):
        await who(FakeS3(answer))


def process(tmp_path: Path, seconds: int) -> str:
    """A program that gives other keys each time it is asked, good for some seconds."""
    program = tmp_path / "give_keys.py"
    program.write_text(
        "import json, pathlib\n"
        f"count = pathlib.Path({str(tmp_path / 'count')!r})\n"
        "number = int(count.read_text()) + 1 if count.exists() else 1\n"
        "count.write_text(str(number))\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'PROCESS{number}', 'SecretAccessKey': 'x',"
        f" 'SessionToken': f'token{{number}}', 'Expiration': {until(seconds)!r}}}))\n"
    )
    return f"{sys.executable} {program}"


def until(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_program_gives_credentials_once_while_they_last(server: FakeS3, files: Files, tmp_path: Path) -> None:
    files(f"[default]\ncredential_process = {process(tmp_path, 36000)}\n", credentials="")
    requests = await ask(server, 3)
    assert [signed(request).key for request in requests] == ["PROCESS1"] * 3


async def test_credentials_are_renewed_in_the_middle_of_long_work(server: FakeS3, files: Files, tmp_path: Path) -> None:
    # Ten minutes before their end, no request goes out before there are new ones.
    files(f"[default]\ncredential_process = {process(tmp_path, 300)}\n", credentials="")
    found = [signed(request) for request in await ask(server, 3)]
    numbers = [int(each.key.removeprefix("PROCESS")) for each in found]
    assert numbers == sorted(set(numbers))
    assert [each.token for each in found] == [f"token{number}" for number in numbers]


async def test_a_program_that_fails_is_wrong_configuration(files: Files) -> None:
    files(f"[default]\ncredential_process = {sys.executable} -c 'raise SystemExit(3)'\n", credentials="")
    with pytest.raises(ConfigurationError, match="Check the source of the credentials"):
        await who(FakeS3(answer))


async def test_a_role_is_assumed(server: FakeS3, env: Any, files: Files, moto: S3Endpoint) -> None:
    role = "role_arn = arn:aws:iam::123456789012:role/there\nsource_profile = work\nrole_session_name = here"
    files(f"[profile other]\n{role}\n")
    env(AWS_ENDPOINT_URL_STS=moto.url)
    found = await who(server, profile_name="other")
    assert found.key.startswith("ASIA")
    assert found.token


async def test_a_role_is_assumed_again_before_it_ends(server: FakeS3, env: Any, files: Files, moto: S3Endpoint) -> None:
    # A quarter of an hour before the end, new credentials are fetched; these last no longer than that.
    role = "role_arn = arn:aws:iam::123456789012:role/there\nsource_profile = work\nduration_seconds = 900"
    files(f"[profile other]\n{role}\n")
    env(AWS_ENDPOINT_URL_STS=moto.url)
    found = [signed(request) for request in await ask(server, 3, profile_name="other")]
    assert len({each.key for each in found}) == len({each.token for each in found}) == 3


async def test_a_role_of_a_web_identity(server: FakeS3, env: Any, tmp_path: Path, moto: S3Endpoint) -> None:
    (tmp_path / "token").write_text("an identity")
    env(
        AWS_ROLE_ARN="arn:aws:iam::123456789012:role/there",
        AWS_WEB_IDENTITY_TOKEN_FILE=tmp_path / "token",
        AWS_ROLE_SESSION_NAME="here",
        AWS_ENDPOINT_URL_STS=moto.url,
    )
    found = await who(server)
    assert found.key.startswith("ASIA")
    assert found.token


async def test_a_container_is_given_credentials(server: FakeS3, env: Any) -> None:
    given = {"AccessKeyId": "TASK", "SecretAccessKey": "x", "Token": "tok", "Expiration": until(36000)}

    def give(request: Request) -> Reply:
        good = request.path == "/creds" and request.headers.get("authorization") == "let me in"
        return Reply(200, json.dumps(given).encode(), {"Content-Type": "application/json"}) if good else Reply(403)

    async with FakeS3(give) as agent:
        env(
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{agent.url}/creds",
            AWS_CONTAINER_AUTHORIZATION_TOKEN="let me in",
        )
        assert await who(server) == Signed("TASK", "eu-north-1", "tok")


async def test_anonymous_requests_need_no_credentials(server: FakeS3, env: Any) -> None:
    (request,) = await ask(server, sign_requests=False)
    assert "authorization" not in request.headers


# --- endpoint


@pytest.mark.usefixtures("keys")
async def test_which_endpoint(env: Any, files: Files) -> None:
    profile = "[default]\nendpoint_url = http://profile.test\n"
    files(profile)
    env(AWS_ENDPOINT_URL_S3=None)

    async def host(**keywords: Any) -> str:
        return (await url(**keywords)).split("/")[2]

    assert await host() == "profile.test"
    files(f"{profile}services = local\n[services local]\ns3 =\n  endpoint_url = http://service.test\n")
    assert await host() == "service.test"
    env(AWS_ENDPOINT_URL="http://all.test")
    assert await host() == "all.test"
    env(AWS_ENDPOINT_URL_S3="http://s3.test")
    assert await host() == "s3.test"
    env(DG_ENDPOINT_URL="http://dg.test")
    assert await host() == "dg.test"
    assert await host(endpoint_url="http://keyword.test") == "keyword.test"
    env(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert await host() == "dg.test"
    env(DG_ENDPOINT_URL=None)
    assert await host() == "bkt.s3.eu-north-1.amazonaws.com"


@pytest.mark.usefixtures("keys")
async def test_ignored_endpoints_of_the_profile(env: Any, files: Files) -> None:
    files("[default]\nignore_configured_endpoint_urls = true\n")
    assert (await url()).startswith("https://bkt.s3.eu-north-1.amazonaws.com/k?")


async def test_an_embedded_store_is_ignored_like_any_other(env: Any) -> None:
    env(AWS_ENDPOINT_URL="file:///srv/store", AWS_ENDPOINT_URL_S3=None)
    assert Settings.from_env().endpoint_url == "file:///srv/store"
    env(AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true")
    assert Settings.from_env().endpoint_url is None


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "bkt.s3-fips.us-east-2.amazonaws.com"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "bkt.s3.dualstack.us-east-2.amazonaws.com"),
        ({}, "bkt.s3.us-east-2.amazonaws.com"),
    ],
)
async def test_kinds_of_endpoints_of_amazon(env: Any, variables: dict[str, str], host: str) -> None:
    env(AWS_ENDPOINT_URL_S3=None, AWS_REGION="us-east-2", **variables)
    assert (await url()).startswith(f"https://{host}/k?")


@pytest.mark.usefixtures("keys")
async def test_an_endpoint_of_a_private_network_takes_the_bucket_in_the_path(env: Any) -> None:
    private = "https://bucket.vpce-1a2b3c4d.s3.us-east-2.vpce.amazonaws.com"
    env(AWS_ENDPOINT_URL_S3=private, AWS_REGION="us-east-2")
    assert (await url()).startswith(f"{private}/bkt/k?")
    assert (await url(endpoint_url=private)).startswith(f"{private}/bkt/k?")


async def test_a_whole_transfer_by_variables_alone(env: Any, tmp_path: Path, moto: S3Endpoint) -> None:
    env(AWS_ENDPOINT_URL_S3=None, AWS_ENDPOINT_URL=moto.url, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    env(AWS_REGION="us-east-1")
    bucket = moto.make_bucket()
    (tmp_path / "f.zip").write_bytes(b"content" * 1000)
    async with create_async_client(cache_dir=tmp_path / "cache") as client:
        await client.upload(tmp_path / "f.zip", f"s3://{bucket}/")
        await client.download(f"s3://{bucket}/f.zip", tmp_path / "back.zip")
    assert (tmp_path / "back.zip").read_bytes() == b"content" * 1000


# --- certificates, proxies, retries, checksums


async def test_a_bundle_of_certificates(env: Any, files: Files, weed_tls: S3Endpoint) -> None:
    env(AWS_ENDPOINT_URL_S3=weed_tls.url, AWS_ACCESS_KEY_ID=weed_tls.access_key)
    env(AWS_SECRET_ACCESS_KEY=weed_tls.secret_key, AWS_REGION=weed_tls.region)

    async def buckets(**keywords: Any) -> list[str]:
        async with create_async_client(max_attempts=1, **keywords) as client:
            return [bucket.name for bucket in await client.buckets()]

    with pytest.raises(StoreUnavailableError, match=r"self.signed certificate"):
        await buckets()
    bucket = weed_tls.make_bucket()
    env(AWS_CA_BUNDLE=weed_tls.ca_bundle)
    assert bucket in await buckets()
    env(AWS_CA_BUNDLE=None)
    files(f"[default]\nca_bundle = {weed_tls.ca_bundle}\n")
    assert bucket in await buckets()
    files()
    assert bucket in await buckets(verify=str(weed_tls.ca_bundle))
    assert bucket in await buckets(verify=False)


@pytest.mark.usefixtures("keys")
async def test_proxies(server: FakeS3, env: Any) -> None:
    env(AWS_ENDPOINT_URL_S3="http://store.invalid", HTTP_PROXY=server.url)
    (request,) = await ask(server)
    assert (request.method, request.headers["host"]) == ("GET", "store.invalid")
    env(AWS_ENDPOINT_URL_S3=server.url, HTTP_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
    (request,) = await ask(server)
    assert request.headers["host"] == server.url.removeprefix("http://")


@pytest.mark.usefixtures("keys")
async def test_a_proxy_on_the_way_to_tls(env: Any) -> None:
    async with FakeS3(lambda _: Reply(403)) as proxy:
        env(AWS_ENDPOINT_URL_S3="https://store.invalid", HTTPS_PROXY=proxy.url)
        async with create_async_client(max_attempts=1) as client:
            with pytest.raises(StoreUnavailableError, match="the proxy does not answer"):
                await client.buckets()
    assert [request.method for request in proxy.requests] == ["CONNECT"]


@pytest.mark.usefixtures("keys")
async def test_attempts(env: Any, files: Files) -> None:
    async def attempts(**keywords: Any) -> int:
        async with FakeS3(lambda _: refusal("InternalError", 500)) as failing:
            env(AWS_ENDPOINT_URL_S3=failing.url)
            with pytest.raises(StoreUnavailableError):
                await ask(failing, **keywords)
            return len(failing.requests)

    files("[default]\nmax_attempts = 2\n")
    assert await attempts() == 2
    env(AWS_MAX_ATTEMPTS="1")
    assert await attempts() == 1
    assert await attempts(max_attempts=2) == 2
    env(DG_MAX_ATTEMPTS="2")
    assert await attempts() == 2


@pytest.mark.usefixtures("keys")
async def test_an_unknown_way_to_retry(env: Any) -> None:
    env(AWS_RETRY_MODE="stubborn")
    with pytest.raises(ConfigurationError, match="stubborn"):
        await ask(FakeS3(answer))


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("where", ["variable", "profile"])
async def test_checksums(server: FakeS3, env: Any, files: Files, where: str) -> None:
    async def sums() -> tuple[bool, bool]:
        store = S3Store(Settings.from_env())
        try:
            await store.put("bkt", "k", b"x", sha256=sha256(b"x"), metadata={})
        finally:
            await store.aclose()
        headers = server.requests[-1].headers
        return "content-md5" in headers, "x-amz-checksum-crc32" in headers

    assert await sums() == (True, False)
    if where == "variable":
        env(AWS_REQUEST_CHECKSUM_CALCULATION="when_supported")
    else:
        files("[default]\nrequest_checksum_calculation = when_supported\n")
    assert await sums() == (False, True)
    env(DG_CHECKSUMS="when_required")
    assert await sums() == (True, False)


def test_an_embedded_store_needs_nothing_of_it(env: Any, tmp_path: Path) -> None:
    env(AWS_PROFILE="nobody", AWS_CONFIG_FILE=tmp_path, AWS_MAX_ATTEMPTS="often")
    settings = Settings.from_env(endpoint_url=(tmp_path / "store").as_uri())
    assert (settings.max_attempts, settings.max_concurrent_requests) == (4, 8)
