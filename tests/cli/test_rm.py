"""``rm``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


async def test_one_object(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/p/f")
    ran = await cli.ok("rm", "s3://bkt/p/f")
    assert (ran.out, ran.err) == ("delete: s3://bkt/p/f\n", "Deleted 1 file\n")
    assert await cli.keys() == []


async def test_what_is_not_there_is_success(cli: Cli) -> None:
    ran = await cli.ok("rm", "s3://bkt/nokey")
    assert (ran.out, ran.err) == ("delete: s3://bkt/nokey\n", "Nothing to do, 1 unchanged\n")


@pytest.mark.parametrize("url", ["s3://bkt", "s3://bkt/"])
async def test_a_bucket_is_not_an_object(cli: Cli, url: str) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/f")
    ran = await cli.ok("rm", url)
    assert (ran.out, ran.err) == ("", "Nothing to do\n")
    assert await cli.keys() == ["f"]


async def test_without_recursive_a_prefix_is_a_key(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/p/f")
    ran = await cli.ok("rm", "s3://bkt/p/")
    assert ran.out == "delete: s3://bkt/p/\n"
    assert await cli.keys() == ["p/f"]


async def test_the_last_deltas_take_their_reference_along(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    cli.write("a.zip", versions[0])
    cli.write("b.zip", versions[1])
    await cli.ok("cp", "a.zip", "s3://bkt/v1/")
    await cli.ok("cp", "b.zip", "s3://bkt/v2/")
    await cli.ok("rm", "s3://bkt/v1/a.zip")
    assert (await cli.ok("verify", "s3://bkt/v2/b.zip")).out == "verify: s3://bkt/v2/b.zip\n"
    ran = await cli.ok("rm", "s3://bkt", "--recursive")
    assert (ran.out, ran.err) == ("delete: s3://bkt/v2/b.zip\n", "Deleted 1 file\n")
    stats = (await cli.ok("stats", "bkt", "--json")).objects[0]
    assert (stats["compressed_size"], stats["reference_objects"]) == (0, 0)


async def test_a_reference_is_not_deleted(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    cli.write("a.zip", versions[0])
    await cli.ok("cp", "a.zip", "s3://bkt/v1/")
    entry = (await cli.ok("ls", "bkt", "-r", "--json")).objects[0]
    ran = await cli("rm", f"s3://bkt/{entry['reference_key']}")
    assert ran.code == 1
    assert ran.err.startswith("delete failed: s3://bkt/.deltaglider/references/")
    assert (await cli("verify", "bkt")).code == 0


async def test_recursive_with_filters_and_dry_run(cli: Cli) -> None:
    cli.write("f", b"content")
    for key in ("p/a.txt", "p/b.zip", "p/sub/c.txt"):
        await cli.ok("cp", "f", f"s3://bkt/{key}")
    arguments = ["rm", "s3://bkt/p/", "-r", "--exclude", "*", "--include", "*.txt"]
    ran = await cli.ok(*arguments, "--dryrun")
    assert sorted(ran.lines) == ["(dryrun) delete: s3://bkt/p/a.txt", "(dryrun) delete: s3://bkt/p/sub/c.txt"]
    assert ran.err == ""
    assert len(await cli.keys()) == 3
    ran = await cli.ok(*arguments)
    assert sorted(ran.lines) == ["delete: s3://bkt/p/a.txt", "delete: s3://bkt/p/sub/c.txt"]
    assert await cli.keys() == ["p/b.zip"]
    assert (await cli.ok("rm", "s3://bkt/p/b.zip", "--dryrun")).out == "(dryrun) delete: s3://bkt/p/b.zip\n"
    assert await cli.keys() == ["p/b.zip"]


async def test_a_missing_bucket(cli: Cli) -> None:
    ran = await cli("rm", "s3://nobucket/f")
    assert ran.code == 1
    assert ran.err.startswith("delete failed: s3://nobucket/f s3://nobucket/: the bucket does not exist.")
    ran = await cli("rm", "s3://nobucket/", "-r")
    assert ran.code == 1
    assert ran.err.startswith("fatal error: s3://nobucket/: the bucket does not exist.")


@pytest.mark.parametrize("path", ["d", "./d", "bkt/p"])
async def test_a_local_path_is_wrong_usage(cli: Cli, path: str) -> None:
    ran = await cli("rm", path, "-r")
    assert ran.code == 252
    assert f"rm takes <S3Uri>; '{path}' does not begin with s3://" in ran.err
