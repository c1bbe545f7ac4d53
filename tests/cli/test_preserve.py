"""``--preserve``: times and modes of files, kept with their objects and given back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli

TIME = 1_500_000_000_123_456_789


@pytest.fixture
def tree(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    """A whole file and a delta, old, the one executable and the other private."""
    for name, content, mode in (("run.sh", b"#!/bin/sh", 0o755), ("app.zip", versions[0], 0o600)):
        path = cli.write(f"src/{name}", content)
        path.chmod(mode)
        os.utime(path, ns=(TIME, TIME))
    return cli


def attributes(root: str) -> dict[str, tuple[int, int]]:
    """Times in microseconds, and permissions."""
    found = {path.name: path.stat() for path in Path(root).iterdir()}
    return {name: (stat.st_mtime_ns // 1000, stat.st_mode & 0o777) for name, stat in found.items()}


KEPT = {"run.sh": (TIME // 1000, 0o755), "app.zip": (TIME // 1000, 0o600)}


async def test_trees(tree: Cli, client: AsyncDeltaGliderClient) -> None:
    await tree.ok("cp", "src", "s3://bkt/p", "-r", "--preserve")
    async with client:
        for name, mode in (("run.sh", "100755"), ("app.zip", "100600")):
            info = await client.head(f"s3://bkt/p/{name}")
            assert info.metadata == {"mtime": "1500000000.123456789", "mode": mode}
    await tree.ok("cp", "s3://bkt/p", "out", "-r", "--preserve")
    assert attributes("out") == KEPT
    await tree.ok("cp", "s3://bkt/p", "plain", "-r")
    assert all(time > TIME // 1000 for time, _ in attributes("plain").values())


async def test_one_file_several_and_moves(tree: Cli) -> None:
    await tree.ok("cp", "src/run.sh", "s3://bkt/one/", "--preserve", "--metadata", "mtime=7,k=v")
    await tree.ok("cp", "s3://bkt/one/run.sh", "out/", "--preserve")
    assert attributes("out") == {"run.sh": (7_000_000, 0o755)}  # The user's own metadata goes before.
    await tree.ok("cp", "src/run.sh", "src/app.zip", "s3://bkt/two/", "--preserve")
    await tree.ok("mv", "s3://bkt/two/run.sh", "s3://bkt/two/app.zip", "more/", "--preserve")
    assert attributes("more") == KEPT
    await tree.ok("mv", "more", "s3://bkt/three", "-r", "--preserve")
    await tree.ok("cp", "s3://bkt/three", "s3://bkt/four", "-r")
    await tree.ok("mv", "s3://bkt/four/app.zip", "alone/", "--preserve")
    await tree.ok("mv", "s3://bkt/four/", "alone/", "-r", "--preserve")
    assert attributes("alone") == KEPT


async def test_a_sync_compares_by_the_times_that_were_kept(tree: Cli) -> None:
    assert len((await tree.ok("sync", "src", "s3://bkt/p", "--preserve")).lines) == 2
    assert (await tree.ok("sync", "src", "s3://bkt/p", "--preserve")).out == ""
    await tree.ok("sync", "s3://bkt/p", "out", "--preserve")
    assert attributes("out") == KEPT
    for source, target in (("s3://bkt/p", "out"), ("out", "s3://bkt/p"), ("src", "s3://bkt/p")):
        assert (await tree.ok("sync", source, target, "--preserve")).out == ""

    # Of the same size, and older than the object: no other rule would see it.
    tree.write("src/run.sh", b"#!/bin/zz")
    os.utime("src/run.sh", ns=(TIME - 10**10, TIME - 10**10))
    assert (await tree.ok("sync", "src", "s3://bkt/p")).out == ""
    ran = await tree.ok("sync", "src", "s3://bkt/p", "--preserve")
    assert ran.out == "upload: src/run.sh to s3://bkt/p/run.sh\n"
    # And an object that is newer than a local file of its size is fetched.
    ran = await tree.ok("sync", "s3://bkt/p", "out", "--preserve")
    assert ran.out == "download: s3://bkt/p/run.sh to out/run.sh\n"
    assert Path("out/run.sh").read_bytes() == b"#!/bin/zz"
    await tree.ok("sync", "s3://bkt/p", "s3://bkt/q", "--preserve")
    assert (await tree.ok("sync", "s3://bkt/p", "s3://bkt/q", "--preserve")).out == ""


async def test_where_nothing_was_kept_a_sync_is_as_ever(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/p")
    assert (await tree.ok("sync", "src", "s3://bkt/p", "--preserve")).out == ""
    await tree.ok("sync", "s3://bkt/p", "out", "--preserve")
    assert all(time > TIME // 1000 for time, _ in attributes("out").values())
    assert (await tree.ok("sync", "s3://bkt/p", "out", "--preserve")).out == ""


async def test_metadata_give_no_rights_and_break_nothing(cli: Cli) -> None:
    cli.write("f", b"content")
    for key, metadata in (("suid", "mode=104755"), ("odd", "mode=rwx,mtime=never"), ("far", "mtime=99999999999")):
        await cli.ok("cp", "f", f"s3://bkt/{key}", "--metadata", metadata)
        await cli.ok("cp", f"s3://bkt/{key}", "out/", "--preserve")
        assert Path("out", key).read_bytes() == b"content"
    assert Path("out/suid").stat().st_mode & 0o7777 == 0o755


async def test_the_client_keeps_them_too(tree: Cli, client: AsyncDeltaGliderClient) -> None:
    async with client:
        await client.upload("src/run.sh", "s3://bkt/x/run.sh", preserve=True)
        await client.upload_directory("src", "s3://bkt/x", preserve=True, filters=[("exclude", "run.sh")])
        await client.download_directory("s3://bkt/x", "out", preserve=True)
        assert attributes("out") == KEPT
        await client.download("s3://bkt/x/app.zip", "one.zip", preserve=True)
        assert Path("one.zip").stat().st_mtime_ns // 1000 == TIME // 1000
