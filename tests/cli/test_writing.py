"""Options on how objects are written, copied and read, as ``aws s3`` has them."""

from __future__ import annotations

from typing import Any

import pytest
from asyncclick.testing import CliRunner

from deltaglider.cli.framework import make_command
from deltaglider.cli.options import Given
from deltaglider.cli.writing import METADATA, READING
from deltaglider.client.aio import AsyncDeltaGliderClient, create_async_client
from deltaglider.config import MIB
from tests.cli.conftest import BUCKET, Cli
from tests.contract.tools import noise
from tests.servers import S3Endpoint

URL = f"s3://{BUCKET}"


async def given_by(*arguments: str) -> Given:
    kept: list[Given] = []

    async def run(given: Given) -> int:
        kept.append(given)
        return 0

    command = make_command("spy", run, params=[*METADATA, *READING], summary="Spy", examples=[])
    result = await CliRunner().invoke(command, arguments, obj=Given(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return kept[0]


@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        (["--content-disposition", "inline"], {"ContentDisposition": "inline"}),
        (["--content-encoding", "gzip"], {"ContentEncoding": "gzip"}),
        (["--content-language", "de"], {"ContentLanguage": "de"}),
        (["--expires", "2030-01-31T12:00:00Z"], {"Expires": "Thu, 31 Jan 2030 12:00:00 GMT"}),
        (["--expires", "2030-01-31T12:00:00+02:00"], {"Expires": "Thu, 31 Jan 2030 10:00:00 GMT"}),
        (["--expires", "Thu, 31 Jan 2030 12:00:00 GMT"], {"Expires": "Thu, 31 Jan 2030 12:00:00 GMT"}),
        (["--expires", "2030-01-31"], {"Expires": "Thu, 31 Jan 2030 00:00:00 GMT"}),
        (["--expires", "0"], {"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}),
        (["--website-redirect", "/there"], {"WebsiteRedirectLocation": "/there"}),
        (["--sse-kms-key-id", "id"], {"SSEKMSKeyId": "id"}),
        (["--checksum-algorithm", "SHA256"], {"ChecksumAlgorithm": "SHA256"}),
        (
            ["--grants", "read=uri=http://x/all", "full=id=1", "readacl=id=2", "--grants=writeacl=id=3"],
            {
                "GrantRead": "uri=http://x/all",
                "GrantFullControl": "id=1",
                "GrantReadACP": "id=2",
                "GrantWriteACP": "id=3",
            },
        ),
    ],
)
async def test_headers(arguments: list[str], headers: dict[str, str]) -> None:
    assert (await given_by(*arguments)).headers == headers


async def test_tags_and_what_is_left_alone() -> None:
    given = await given_by("--tags", "a", "1", "--tags", "b c", "2", "--no-overwrite", "--ignore-glacier-warnings")
    assert (given.storing, given.archived) == ({"tags": {"a": "1", "b c": "2"}, "no_overwrite": True}, "ignore")
    assert (await given_by("--ignore-glacier-warnings", "--force-glacier-transfer")).archived == "force"
    assert (await given_by()).archived == "skip"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--expires", "soon"], "'soon' is not a time such as"),
        (["--grants", "readit"], "grants should be of the form permission=principal"),
        (["--grants", "all=id=1"], "permission must be one of: read|readacl|writeacl|full"),
        (["--sse-c"], "(SSE-C) is not supported"),
        (["--sse-c", "AES256", "--sse-c-key", "0123"], "(SSE-C) is not supported"),
        (["--sse-c-copy-source-key", "0123"], "(SSE-C) is not supported"),
        (["--metadata-directive", "MERGE"], "'MERGE' is not one of"),
        (["--copy-props", "some"], "'some' is not one of"),
        (["--checksum-algorithm", "MD4"], "'MD4' is not one of"),
        (["--checksum-mode", "ENABLED"], "Expected checksum-mode parameter to be used with one of following path"),
    ],
)
async def test_wrong_usage(cli: Cli, arguments: list[str], message: str) -> None:
    cli.write("a.txt", b"a")
    for command in ("cp", "sync"):
        ran = await cli(command, "." if command == "sync" else "a.txt", f"{URL}/d/", *arguments)
        assert ran.code == 252
        assert message in " ".join(ran.err.split())
    assert await cli.keys() == []


async def test_a_checksum_is_for_what_is_stored_and_no_overwrite_for_what_has_a_name(cli: Cli) -> None:
    cli.write("a.txt", b"a")
    await cli.ok("cp", "a.txt", f"{URL}/")
    ran = await cli("cp", f"{URL}/a.txt", "b.txt", "--checksum-algorithm", "SHA256")
    assert (ran.code, (cli.here / "b.txt").exists()) == (252, False)
    assert (await cli("cp", f"{URL}/a.txt", "-", "--no-overwrite")).code == 252
    await cli.ok("cp", f"{URL}/a.txt", "b.txt", "--checksum-mode", "ENABLED", "--source-region", "eu-west-1")


async def look(endpoint_url: str, key: str) -> tuple[Any, ...]:
    async with create_async_client(endpoint_url) as client:
        info = await client.head(f"{URL}/{key}")
        tags = await client._parts.store.tags(BUCKET, info.stored_key)
    return info.metadata, info.content_type, info.headers.get("CacheControl"), tags


KEPT = ({"a": "1"}, "text/plain", "no-store", {"t": "1"})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], KEPT),
        (["--content-type", "text/x"], KEPT),  # As in aws: heeded with --metadata-directive REPLACE.
        (["--metadata", "b=2"], ({"b": "2"}, None, None, {"t": "1"})),
        (["--metadata", "b=2", "--content-type", "text/x"], ({"b": "2"}, "text/x", None, {"t": "1"})),
        (["--metadata-directive", "REPLACE", "--cache-control", "x"], ({}, None, "x", {"t": "1"})),
        (["--metadata-directive", "COPY", "--metadata", "b=2"], KEPT),
        (["--copy-props", "none"], ({}, None, None, {})),
        (["--copy-props", "none", "--content-type", "text/x"], ({}, "text/x", None, {})),
        (["--copy-props", "metadata-directive"], (*KEPT[:3], {})),
        (["--copy-props", "all"], KEPT),
        (["--tags", "new", "2"], (*KEPT[:3], {"new": "2"})),
    ],
)
async def test_what_goes_along_with_copies(
    cli: Cli, endpoint_url: str, options: list[str], expected: tuple[Any, ...], versions: tuple[bytes, bytes]
) -> None:
    cli.write("d/a.zip", versions[0])
    cli.write("d/a.txt", versions[1])
    stored = ["--metadata", "a=1", "--content-type", "text/plain", "--cache-control", "no-store", "--tags", "t", "1"]
    await cli.ok("cp", "d", f"{URL}/d", "-r", *stored)
    await cli.ok("cp", f"{URL}/d/a.zip", f"{URL}/one/", *options)
    await cli.ok("cp", f"{URL}/d", f"{URL}/tree", "-r", *options)
    await cli.ok("sync", f"{URL}/d", f"{URL}/synced", *options)
    for key in ("one/a.zip", "tree/a.zip", "tree/a.txt", "synced/a.zip", "synced/a.txt"):
        assert await look(endpoint_url, key) == expected, key


async def test_what_exists_is_left_alone_and_nobody_is_told(
    cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]
) -> None:
    old, new = versions
    for name in ("d/a.zip", "d/a.txt"):
        cli.write(name, old)
    await cli.ok("cp", "d", f"{URL}/d", "-r")
    await cli.ok("cp", f"{URL}/d", f"{URL}/e", "-r")
    for name in ("d/a.zip", "d/a.txt", "d/new.txt"):
        cli.write(name, new + b"more")
    await cli.ok("cp", "d/new.txt", f"{URL}/e/")
    quiet = [
        ["cp", "d/a.zip", f"{URL}/d/"],
        ["cp", f"{URL}/e/a.txt", f"{URL}/d/a.txt"],
        ["cp", f"{URL}/d/a.zip", "d/a.zip"],
        ["cp", f"{URL}/d", "d", "-r"],
        ["mv", "d/a.txt", f"{URL}/d/a.txt"],
    ]
    for arguments in quiet:
        ran = await cli.ok(*arguments, "--no-overwrite")
        assert ran.out == "", arguments
    for arguments in (["cp", "d", f"{URL}/d", "-r"], ["sync", "d", f"{URL}/d"], ["sync", f"{URL}/e", f"{URL}/d"]):
        ran = await cli.ok(*arguments, "--no-overwrite")
        assert [line.split(" to ")[1] for line in ran.lines] in ([f"{URL}/d/new.txt"], []), arguments
    async with client:
        for name in ("a.zip", "a.txt"):
            assert b"".join([piece async for piece in client.stream(f"{URL}/d/{name}")]) == old
    assert [(cli.here / "d" / name).read_bytes() for name in ("a.zip", "a.txt")] == [new + b"more"] * 2


async def test_a_stream_is_stored_as_it_is_told(cli: Cli, endpoint_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltaglider.cli.streams.stdin_chunks", lambda: iter([b"a ", b"stream"]))
    options = ["--metadata", "a=1", "--content-type", "text/x", "--tags", "t", "1", "--no-overwrite"]
    await cli.ok("cp", "-", f"{URL}/s.zip", *options, "--expected-size", "8")
    assert await look(endpoint_url, "s.zip") == ({"a": "1"}, "text/x", None, {"t": "1"})
    assert (await cli("cp", "-", f"{URL}/s.zip", "--no-overwrite")).code == 0
    assert (await look(endpoint_url, "s.zip"))[0] == {"a": "1"}


@pytest.fixture
def s3(moto: S3Endpoint, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The commands on moto."""
    monkeypatch.delenv("DG_ENDPOINT_URL")
    for variable, value in moto.environ().items():
        monkeypatch.setenv(variable, value)
    return cli


async def test_grants_checksums_and_encryption_reach_s3(s3: Cli, moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    s3.write("a.txt", b"a")
    everyone = "uri=http://acs.amazonaws.com/groups/global/AllUsers"
    options = ["--checksum-algorithm", "SHA256", "--sse", "aws:kms", "--sse-kms-key-id", "my-key"]
    await s3.ok("cp", "a.txt", f"s3://{bucket}/", *options, "--grants", f"read={everyone}", f"readacl={everyone}")
    boto = moto.client()
    grants = {
        (grant["Permission"], grant["Grantee"].get("URI"))
        for grant in boto.get_object_acl(Bucket=bucket, Key="a.txt")["Grants"]
    }
    assert {("READ", everyone[4:]), ("READ_ACP", everyone[4:])} <= grants
    head = boto.head_object(Bucket=bucket, Key="a.txt", ChecksumMode="ENABLED")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "my-key")
    assert head["ChecksumSHA256"] == "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs="


async def test_big_files_have_the_checksum_that_was_asked_for(s3: Cli, moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    s3.write("big.bin", noise(13 * MIB))
    await s3.ok("cp", "big.bin", f"s3://{bucket}/", "--no-delta", "--checksum-algorithm", "SHA256")
    head = moto.client().head_object(Bucket=bucket, Key="big.bin", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-2"')
    assert (head["ContentLength"], "ChecksumSHA256" in head) == (13 * MIB, True)


@pytest.mark.parametrize(
    "arguments", [["cp", "d/a.txt"], ["cp", "d", "-r"], ["cp", "d/a.txt", "d/b.txt"], ["sync", "d"]]
)
@pytest.mark.parametrize("name", ["CRC32C", "CRC64NVME", "XXHASH64"])
async def test_a_checksum_that_cannot_be_made_is_refused_first(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str], name: str
) -> None:
    cli.write("d/a.txt", b"a")
    cli.write("d/b.txt", b"b")
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    target = [f"{URL}/p/", "--checksum-algorithm", name]
    ran = await cli(*arguments, *target)
    assert ran.code == 252
    assert f"a checksum of the kind {name} needs the package awscrt" in ran.err
    assert "Install deltaglider[crt]" in ran.err
    assert (await cli("ls", f"{URL}/p/")).out == ""


async def test_what_lies_in_an_archive_is_skipped(
    s3: Cli, moto: S3Endpoint, monkeypatch: pytest.MonkeyPatch, versions: tuple[bytes, bytes]
) -> None:
    bucket = moto.make_bucket()
    url = f"s3://{bucket}"
    s3.write("d/cold.txt", b"cold")
    s3.write("d/old.zip", versions[0])
    await s3.ok("cp", "d", f"{url}/d", "-r", "--storage-class", "GLACIER")
    s3.write("warm.txt", b"warm")
    await s3.ok("cp", "warm.txt", f"{url}/d/")
    warning = "Unable to perform {} operations on GLACIER objects."
    for arguments, verb in (
        (["cp", f"{url}/d", "out", "-r"], "download"),
        (["sync", f"{url}/d", "out2"], "download"),
        (["cp", f"{url}/d", f"{url}/e", "-r"], "copy"),
    ):
        ran = await s3(*arguments)
        assert (ran.code, len(ran.lines)) == (2, 1), ran
        assert ran.err.count(warning.format(verb)) == 2
        assert f"warning: Skipping file {url}/d/cold.txt. Object is of storage class GLACIER." in ran.err
        ran = await s3(*arguments, "--ignore-glacier-warnings")
        assert (ran.code, "warning" in ran.err) == (0, False), ran
        assert (await s3(*arguments, "--force-glacier-transfer")).code == 1
    assert not (s3.here / "out/cold.txt").exists()
    for name in ("cold.txt", "old.zip"):
        ran = await s3("cp", f"{url}/d/{name}", "one")
        assert (ran.code, "warning: Skipping file" in ran.err) == (2, True), ran
        assert (await s3.ok("cp", f"{url}/d/{name}", "one", "--ignore-glacier-warnings")).out == ""
        assert (await s3("cp", f"{url}/d/{name}", "one", "--force-glacier-transfer")).code == 1
    assert not (s3.here / "one").exists()


async def test_a_reference_in_an_archive_makes_its_deltas_skipped(
    s3: Cli, moto: S3Endpoint, versions: tuple[bytes, bytes]
) -> None:
    bucket = moto.make_bucket()
    url = f"s3://{bucket}"
    s3.write("a.zip", versions[0])
    await s3.ok("cp", "a.zip", f"{url}/d/")
    boto = moto.client()
    (key,) = [item["Key"] for item in boto.list_objects_v2(Bucket=bucket)["Contents"] if "references" in item["Key"]]
    boto.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, StorageClass="DEEP_ARCHIVE")
    fresh = ["--cache-dir", str(s3.here / "cache")]
    ran = await s3("cp", f"{url}/d/a.zip", "b.zip", *fresh)
    assert (ran.code, f"Object needs {url}/{key}" in ran.err) == (2, True), ran
    assert not (s3.here / "b.zip").exists()
