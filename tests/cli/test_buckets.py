"""``mb``, ``rb``, ``website``, the access control lists of buckets, and ``ls`` of buckets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.servers import S3Endpoint, new_bucket_name

EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def on_moto(cli: Cli, moto: S3Endpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The commands on moto; gives a plain client of it."""
    for name, value in {**moto.environ(), "DG_ENDPOINT_URL": moto.url}.items():
        monkeypatch.setenv(name, value)
    return moto.client()


@pytest.fixture
async def filled(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    for number, content in enumerate(versions):
        cli.write(f"v{number}/app.zip", content)
    await cli.ok("cp", ".", "s3://bkt/", "-r")
    return cli


async def test_rb_by_force(filled: Cli) -> None:
    ran = await filled("rb", "s3://bkt")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("remove_bucket failed: s3://bkt the bucket is not empty")
    ran = await filled.ok("rb", "s3://bkt", "--force")
    assert sorted(ran.lines[:2]) == ["delete: s3://bkt/v0/app.zip", "delete: s3://bkt/v1/app.zip"]
    assert ran.lines[2:] == ["remove_bucket: bkt"]
    assert ran.err == ""
    ran = await filled("rb", "s3://bkt", "--force")
    assert (ran.code, ran.out) == (254, "")
    assert ran.err.startswith("deltaglider: error: s3://bkt/: the bucket does not exist")


async def test_buckets_by_the_beginning_of_their_names(cli: Cli) -> None:
    await cli.ok("mb", "s3://other-bucket")
    for arguments, names in {
        (): ["bkt", "other-bucket"],
        ("--bucket-name-prefix", "oth"): ["other-bucket"],
        ("s3://", "--bucket-name-prefix", "oth"): ["other-bucket"],
        ("--bucket-name-prefix", "none"): [],
        ("--bucket-region", "eu-west-1"): ["bkt", "other-bucket"],
    }.items():
        assert [line.split()[-1] for line in (await cli.ok("ls", *arguments)).lines] == names
    # It says nothing of objects.
    assert (await cli.ok("ls", "s3://bkt", "--bucket-name-prefix", "none")).out == ""


async def test_mb_with_tags_and_a_region(cli: Cli, on_moto: Any) -> None:
    name = new_bucket_name()
    ran = await cli.ok("mb", f"s3://{name}", "--tags", "team", "core", "--tags", "cost", "42", "--region", "eu-west-1")
    assert (ran.out, ran.err) == (f"make_bucket: {name}\n", "")
    tags = on_moto.get_bucket_tagging(Bucket=name)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "core", "cost": "42"}
    assert on_moto.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert (await cli("mb", f"s3://{name}-2", "--tags", "team")).code == 252


async def test_mb_with_tags_where_there_are_none(cli: Cli) -> None:
    ran = await cli("mb", "s3://other-bucket", "--tags", "team", "core")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("make_bucket failed: s3://other-bucket the embedded store has no tags of buckets")
    assert "other-bucket" not in (await cli.ok("ls")).out


@pytest.mark.parametrize("form", ["{}", "s3://{}", "s3://{}/"])
async def test_website(cli: Cli, on_moto: Any, moto: S3Endpoint, form: str) -> None:
    bucket = moto.make_bucket()
    options = ["--index-document", "index.html", "--error-document", "error.html"]
    ran = await cli.ok("website", form.format(bucket), *options)
    assert (ran.out, ran.err) == ("", "")
    found = on_moto.get_bucket_website(Bucket=bucket)
    assert (found["IndexDocument"]["Suffix"], found["ErrorDocument"]["Key"]) == ("index.html", "error.html")


async def test_access_control_lists(cli: Cli, on_moto: Any, moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    before = json.loads((await cli.ok("get-bucket-acl", bucket)).out)
    assert [grant["Permission"] for grant in before["Grants"]] == ["FULL_CONTROL"]
    assert before["Owner"]["ID"]
    for options, permission in {
        ("--acl", "public-read"): "READ",
        ("--grant-write", f"uri={EVERYONE}"): "WRITE",
        ("--grant-read-acp", f"uri={EVERYONE}"): "READ_ACP",
        ("--grant-write-acp", f"uri={EVERYONE}"): "WRITE_ACP",
        ("--grant-full-control", f"uri={EVERYONE}"): "FULL_CONTROL",
    }.items():
        ran = await cli.ok("put-bucket-acl", f"s3://{bucket}", *options)
        assert (ran.out, ran.err) == (f"ACL updated for bucket: {bucket}\n", "")
        after = json.loads((await cli.ok("get-bucket-acl", f"s3://{bucket}")).out)
        assert (EVERYONE, permission) in {
            (grant["Grantee"].get("URI"), grant["Permission"]) for grant in after["Grants"]
        }
    await cli.ok("put-bucket-acl", bucket, "--access-control-policy", json.dumps(before))
    assert json.loads((await cli.ok("get-bucket-acl", bucket)).out) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["put-bucket-acl", "bkt"], 252),
        (["put-bucket-acl", "bkt", "--acl", "everything"], 252),
        (["put-bucket-acl", "bkt", "--access-control-policy", "{"], 252),
        (["put-bucket-acl", "bkt", "--access-control-policy", "[]"], 252),
        (["put-bucket-acl", "bkt", "--access-control-policy", '{"Grants": []}', "--acl", "private"], 252),
        (["put-bucket-acl", "bkt/key", "--acl", "private"], 252),
        (["put-bucket-acl", "bkt", "--acl", "private"], 255),
        (["get-bucket-acl", "bkt"], 255),
        (["website", "bkt", "--index-document", "index.html"], 255),
        (["get-bucket-acl", "bkt/key"], 252),
    ],
)
async def test_what_cannot_be(cli: Cli, arguments: list[str], code: int) -> None:
    ran = await cli(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert "deltaglider: error: " in ran.err


@pytest.mark.parametrize("command", [["get-bucket-acl"], ["put-bucket-acl", "--acl", "private"]])
async def test_of_a_bucket_that_is_missing(cli: Cli, on_moto: Any, command: list[str]) -> None:
    ran = await cli(*command, "no-such-bucket-0")
    assert (ran.code, ran.out) == (254, "")
    assert "s3://no-such-bucket-0/: the bucket does not exist" in ran.err
