"""``--escape-names`` and ``--case-conflict``: keys that cannot be names of files everywhere, or not at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli

ODD = ["../up", "/abs", "a b ", "a//b", "a/b", "con", "d/./x", "t:me?", "t;me", "z%3A"]
"""In the order of keys, which is not that of the names they get."""


def files(root: str) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file())


@pytest.fixture
async def odd(cli: Cli) -> Cli:
    """Objects with odd names below ``p/``; each holds its own."""
    for key in ODD:
        cli.write("given", key.encode())
        await cli.ok("cp", "given", f"s3://bkt/p/{key}")
    return cli


async def test_down_and_up_again(odd: Cli) -> None:
    ran = await odd("cp", "s3://bkt/p", "plain", "-r")
    assert (ran.code, len(files("plain"))) == (2, 6)
    await odd.ok("cp", "s3://bkt/p", "out", "-r", "--escape-names")
    assert files("out") == sorted(
        ["%2E%2E/up", "%2F/abs", "a b%20", "a/%2F/b", "a/b", "%63on", "d/%2E/x", "t%3Ame%3F", "t;me", "z%253A"]
    )
    assert Path("out/t%3Ame%3F").read_bytes() == b"t:me?"
    assert "up" not in os.listdir()
    await odd.ok("cp", "out", "s3://bkt/q", "-r", "--escape-names")
    assert [key.removeprefix("q/") for key in await odd.keys() if key.startswith("q/")] == sorted(ODD)


async def test_a_sync_comes_to_rest(odd: Cli) -> None:
    assert len((await odd.ok("sync", "s3://bkt/p", "out", "--escape-names", "--delete")).lines) == len(ODD)
    for source, target in (("s3://bkt/p", "out"), ("out", "s3://bkt/p")):
        ran = await odd.ok("sync", source, target, "--escape-names", "--delete")
        assert (ran.out, ran.err) == ("", f"Nothing to do, {len(ODD)} unchanged\n")
    os.utime(odd.write("out/new%3A", b"new"), (1, 1))
    dry = await odd.ok("sync", "s3://bkt/p", "out", "--escape-names", "--delete", "--dryrun")
    assert dry.out == "(dryrun) delete: out/new%3A\n"
    await odd.ok("sync", "out", "s3://bkt/p", "--escape-names")
    assert "p/new:" in await odd.keys()
    await odd.ok("rm", "s3://bkt/p/t:me?")
    ran = await odd.ok("sync", "s3://bkt/p", "out", "--escape-names", "--delete")
    assert ran.out == "delete: out/t%3Ame%3F\n"
    assert len(files("out")) == len(ODD)


async def test_two_files_never_mean_one_key(cli: Cli) -> None:
    cli.write("src/a:b", b"raw")
    cli.write("src/a%3Ab", b"escaped")
    ran = await cli("sync", "src", "s3://bkt/p", "--escape-names", "--delete")
    assert (ran.code, ran.out) == (2, "upload: src/a%3Ab to s3://bkt/p/a:b\n")
    assert "stands for a key that would be written otherwise" in ran.err
    # And what is not ours by its name is not deleted.
    await cli.ok("rm", "s3://bkt/p/a:b")
    await cli.ok("sync", "s3://bkt/p", "src", "--escape-names", "--delete", "--force")
    assert files("src") == ["a:b"]


async def test_one_file(odd: Cli) -> None:
    assert (await odd.ok("cp", "s3://bkt/p/t:me?", ".", "--escape-names")).out.endswith(" to ./t%3Ame%3F\n")
    await odd.ok("mv", "t%3Ame%3F", "s3://bkt/r/", "--escape-names")
    await odd.ok("cp", "s3://bkt/p/t:me?", "as:named", "--escape-names")
    assert Path("as:named").read_bytes() == b"t:me?"
    odd.write("list", b"t%3Ame%3F\n")
    await odd.ok("cp", "s3://bkt/p", "out", "-r", "--escape-names")
    ran = await odd.ok("cp", "out", "s3://bkt/s", "--files-from", "list", "--escape-names")
    assert ran.out == "upload: out/t%3Ame%3F to s3://bkt/s/t:me?\n"
    assert [key for key in await odd.keys() if key[0] in "rs"] == ["r/t:me?", "s/t:me?"]


@pytest.fixture
async def twins(cli: Cli) -> Cli:
    """Objects below ``p/`` whose names differ only by case."""
    for key in ("A.txt", "a.txt", "b.txt", "Dir/x", "dir/X"):
        cli.write("given", key.encode())
        await cli.ok("cp", "given", f"s3://bkt/p/{key}")
    return cli


@pytest.mark.parametrize("command", [["cp", "-r"], ["sync"], ["mv", "-r"]])
async def test_case_conflicts_are_skipped(twins: Cli, command: list[str]) -> None:
    ran = await twins(*command, "s3://bkt/p", "out", "--case-conflict", "skip")
    assert (ran.code, files("out")) == (2, ["A.txt", "Dir/x", "b.txt"])
    message = "A file whose name differs only by case either exists or is being downloaded."
    assert f"warning: Skipping file s3://bkt/p/a.txt. {message}" in ran.err
    assert len(await twins.keys()) == (2 if command[0] == "mv" else 5)


async def test_case_conflicts_are_ignored_told_or_an_end(
    twins: Cli, client: AsyncDeltaGliderClient, caplog: pytest.LogCaptureFixture
) -> None:
    ran = await twins.ok("cp", "s3://bkt/p", "all", "-r")
    assert (len(files("all")), ran.err.count("warning")) == (5, 0)
    ran = await twins.ok("cp", "s3://bkt/p", "warned", "-r", "--case-conflict", "warn")
    assert len(files("warned")) == 5
    assert (ran.err + caplog.text).count("a file differs from it only by case") >= 2
    ran = await twins("sync", "s3://bkt/p", "none", "--case-conflict", "error")
    assert (ran.code, "fatal error: " in ran.err, "a.txt" in ran.err) == (1, True, True)
    # Those that exist under their own names are no conflict.
    await twins.ok("cp", "s3://bkt/p", "again", "-r", "--exclude", "a*", "--exclude", "d*", "--case-conflict", "error")
    await twins.ok("cp", "s3://bkt/p", "again", "-r", "--exclude", "a*", "--exclude", "d*", "--case-conflict", "error")
    async with client:
        assert (await client.download_directory("s3://bkt/p", "c", case_conflict="skip")).skipped == 2
    assert (await twins("cp", "s3://bkt/p", "x", "-r", "--case-conflict", "perhaps")).code == 252
