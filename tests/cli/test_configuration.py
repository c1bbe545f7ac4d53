"""How commands end where the configuration is wrong or the service refuses: the exit codes of ``aws`` version 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, Ran
from tests.servers import S3Endpoint
from tests.store.fakes3 import FakeS3, Reply, document, refusal

NOWHERE = "http://127.0.0.1:9"
COMMANDS = [
    ["ls"],
    ["cp", "f", "s3://bkt/f"],
    ["cp", "s3://bkt/f", "g"],
    ["cp", ".", "s3://bkt/", "--recursive"],
    ["sync", ".", "s3://bkt/"],
    ["rm", "s3://bkt/f"],
    ["rm", "s3://bkt/", "--recursive"],
    ["mb", "s3://bkt"],
    ["rb", "s3://bkt"],
    ["stats", "bkt"],
]
NAMES = [" ".join(command) for command in COMMANDS]

Aws = Callable[..., Any]


@pytest.fixture
def aws(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """Runs a command with a configuration file and variables of AWS, against a server that nobody must ask."""
    monkeypatch.delenv("DG_ENDPOINT_URL")
    cli.write("f", b"content")

    async def run(*arguments: str, config: str = "", url: str = NOWHERE, **variables: str) -> Ran:
        file = tmp_path / "aws-config"
        file.write_text(config)
        with monkeypatch.context() as patch:
            patch.setenv("AWS_CONFIG_FILE", str(file))
            for name, value in variables.items():
                patch.setenv(name, value)
            return await cli(*arguments, *(["--endpoint-url", url] if url else []))

    return run


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
async def test_no_credentials(aws: Aws, command: list[str]) -> None:
    ran = await aws(*command, AWS_REGION="us-east-1")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (253, "", 1)
    assert "no AWS credentials were found. Set AWS_ACCESS_KEY_ID" in ran.err


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
async def test_a_bad_value_in_the_section(aws: Aws, command: list[str]) -> None:
    ran = await aws(*command, config="[default]\ns3 =\n  multipart_chunksize = huge\n", **KEYS)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (253, "", 1)
    assert ran.err.startswith("deltaglider: error: multipart_chunksize in the s3 section of profile 'default' in ")
    assert "'huge', not a size such as 8MB" in ran.err


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--profile", "nobody"], {}, "The config profile (nobody) could not be found"),
        ([], {"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        ([], {"AWS_ACCESS_KEY_ID": "a"}, "missing: AWS_SECRET_ACCESS_KEY"),
        (["--region", "not a region"], KEYS, "Provided region_name 'not a region' doesn't match"),
        ([], {**KEYS, "AWS_REGION": "not a region"}, "Provided region_name 'not a region' doesn't match"),
        ([], {**KEYS, "AWS_RETRY_MODE": "stubborn"}, "stubborn"),
        ([], {**KEYS, "AWS_MAX_ATTEMPTS": "0"}, "AWS_MAX_ATTEMPTS"),
        ([], {**KEYS, "AWS_REQUEST_CHECKSUM_CALCULATION": "never"}, "request_checksum_calculation"),
        ([], {**KEYS, "DG_MAX_BANDWIDTH": "fast"}, "DG_MAX_BANDWIDTH is 'fast', not a rate such as 10MB/s"),
        ([], {**KEYS, "DG_REQUEST_PAYER": "me"}, "DG_REQUEST_PAYER is 'me'. Use 'requester'"),
        ([], {**KEYS, "DG_MULTIPART_CHUNKSIZE": "1MB"}, "DG_MULTIPART_CHUNKSIZE is 1048576. Give at least 5242880"),
    ],
)
async def test_wrong_configuration(aws: Aws, arguments: list[str], variables: dict[str, str], message: str) -> None:
    ran = await aws("ls", *arguments, **variables)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (253, "", 1)
    assert message in ran.err


async def test_a_file_that_cannot_be_read_as_one(aws: Aws) -> None:
    ran = await aws("ls", config="[default\nregion = x\n", **KEYS)
    assert (ran.code, ran.out) == (253, "")
    assert "Unable to parse config file" in ran.err


async def test_certificates_that_are_not_there(aws: Aws) -> None:
    ran = await aws("ls", url="https://127.0.0.1:9", AWS_CA_BUNDLE="/no/such/bundle", **KEYS)
    assert (ran.code, "the TLS certificates cannot be read" in ran.err) == (253, True)


async def test_an_embedded_store_in_a_profile(aws: Aws) -> None:
    ran = await aws("ls", url="", config="[default]\nendpoint_url = file:///srv/store\n", **KEYS)
    assert (ran.code, ran.out) == (253, "")
    assert "'file:///srv/store' is not the URL of an S3 server. Name the embedded store with --endpoint-url" in ran.err


async def test_wrong_configuration_as_json(aws: Aws) -> None:
    ran = await aws("ls", "--json", "--profile", "nobody")
    (error,) = [json.loads(line) for line in ran.lines]
    assert (ran.code, error["type"], error["code"], error["exit_code"]) == (253, "error", "configuration", 253)


async def test_the_service_refuses(aws: Aws, moto: S3Endpoint) -> None:
    ran = await aws("ls", "s3://there-is-no-such-bucket", url=moto.url, **KEYS)
    assert (ran.code, ran.out) == (254, "")
    async with FakeS3(lambda _: refusal("AccessDenied", 403)) as server:
        for command in (["ls"], ["ls", "s3://bkt"], ["stats", "bkt"]):
            assert (await aws(*command, url=server.url, **KEYS)).code == 254
        # Within a transfer, it is the transfer that failed.
        for command in (
            ["cp", "f", "s3://bkt/f"],
            ["rm", "s3://bkt/f"],
            ["sync", ".", "s3://bkt/"],
            ["mb", "s3://bkt"],
        ):
            assert (await aws(*command, url=server.url, **KEYS)).code == 1


async def test_nobody_answers(aws: Aws) -> None:
    ran = await aws("ls", DG_MAX_ATTEMPTS="1", **KEYS)
    assert (ran.code, ran.err.startswith(f"deltaglider: error: no connection to {NOWHERE}")) == (255, True)


async def test_options_reach_the_store(aws: Aws) -> None:
    listing = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
    page = "<ListBucketResult><Name>bkt</Name><IsTruncated>false</IsTruncated></ListBucketResult>"

    def handler(request: Any) -> Reply:
        return document(page if "list-type" in request.query else listing)

    async with FakeS3(handler) as server:
        ran = await aws("s3", "ls", "--no-sign", "--cli-read-timeout", "0", "--output", "json", url=server.url)
        assert (ran.code, ran.out, ran.err) == (0, "", "")
        assert "authorization" not in server.requests[-1].headers
        ran = await aws("ls", "s3://bkt", "--request-payer", url=server.url, **KEYS)
        assert ran.code == 0
        assert server.requests[-1].headers["x-amz-request-payer"] == "requester"
        assert "us-east-1" in server.requests[-1].headers["authorization"]
