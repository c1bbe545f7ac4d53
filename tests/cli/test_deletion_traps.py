"""What ``sync --delete``, ``rm --recursive`` and ``mv`` must never delete, and what has to be asked for twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli

NEIGHBOURS = ["p", "p-old.txt", "p.txt", "p2/x", "pp/x"]
"""Keys that begin with ``p`` and do not lie in ``p/``."""


async def put(cli: Cli, *keys: str, content: bytes = b"content") -> None:
    cli.write("given", content)
    for key in keys:
        await cli.ok("cp", "given", f"s3://bkt/{key}")


@pytest.fixture
async def target(cli: Cli) -> Cli:
    """Ten objects in ``p/``, of which ``src`` has three, and neighbours."""
    await put(cli, *(f"p/{number}" for number in range(10)), *NEIGHBOURS)
    for number in range(3):
        cli.write(f"src/{number}", b"content")
        os.utime(f"src/{number}", (1, 1))
    return cli


async def kept(cli: Cli) -> list[str]:
    """What is left in ``p/``; the neighbours are."""
    keys = await cli.keys()
    assert [key for key in keys if not key.startswith("p/")] == NEIGHBOURS
    return [key.removeprefix("p/") for key in keys if key.startswith("p/")]


@pytest.mark.parametrize("prefix", ["s3://bkt/p", "s3://bkt/p/"])
async def test_a_prefix_is_a_directory(target: Cli, prefix: str) -> None:
    ran = await target.ok("sync", "src", prefix, "--delete")
    assert len(ran.lines) == 7
    assert await kept(target) == ["0", "1", "2"]
    await target.ok("rm", prefix, "--recursive")
    assert await kept(target) == []


@pytest.mark.parametrize("command", ["sync", "mv"])
async def test_a_source_prefix_is_one_too(target: Cli, command: str) -> None:
    options = ["--delete"] if command == "sync" else ["--recursive"]
    await target.ok(command, "s3://bkt/p", "out", *options)
    assert sorted(os.listdir("out")) == [str(number) for number in range(10)]
    assert len(await kept(target)) == (10 if command == "sync" else 0)


async def test_rm_without_recursive_deletes_one_key(target: Cli) -> None:
    await target.ok("rm", "s3://bkt/p/")
    await target.ok("rm", "s3://bkt")
    assert len(await kept(target)) == 10
    await target.ok("rm", "s3://bkt/p.txt")
    assert "p.txt" not in await target.keys()


async def test_an_empty_source_deletes_nothing_unless_forced(target: Cli) -> None:
    Path("empty").mkdir()
    message = "delete failed: s3://bkt/p/ the source is empty, and 10 of 10 files here would be deleted for that"
    for options in ([], ["--dryrun"]):
        ran = await target("sync", "empty", "s3://bkt/p", "--delete", *options)
        assert (ran.code, ran.out) == (1, "")
        assert message in ran.err
    assert len(await kept(target)) == 10

    (item, summary) = (await target("sync", "empty", "s3://bkt/p", "--delete", "--json")).objects
    assert (item["action"], item["status"], item["code"]) == ("delete", "failed", "deletes_refused")
    assert (summary["failed"], summary["deleted"]) == (1, 0)

    await target.ok("sync", "empty", "s3://bkt/p", "--delete", "--force")
    assert await kept(target) == []
    await target.ok("sync", "empty", "s3://bkt/p", "--delete")  # Nothing to delete is nothing to refuse.


async def test_a_misspelt_prefix_is_an_empty_source(target: Cli) -> None:
    target.write("out/mine", b"mine")
    ran = await target("sync", "s3://bkt/misspelt", "out", "--delete")
    assert (ran.code, Path("out/mine").read_bytes()) == (1, b"mine")
    ran = await target("sync", "s3://bkt/misspelt/", "s3://bkt/p/", "--delete")
    assert (ran.code, len(await kept(target))) == (1, 10)
    await target.ok("sync", "s3://bkt/misspelt", "out", "--delete", "--force")
    assert os.listdir("out") == []


async def test_a_source_of_which_filters_leave_nothing_is_empty(target: Cli) -> None:
    ran = await target("sync", "src", "s3://bkt/p", "--delete", "--exclude", "[0-2]")
    assert (ran.code, len(await kept(target))) == (1, 10)


async def test_a_source_that_is_not_there_deletes_nothing(target: Cli) -> None:
    assert (await target("sync", "nowhere", "s3://bkt/p", "--delete", "--force")).code == 255
    target.write("out/mine", b"mine")
    assert (await target("sync", "s3://nobucket/", "out", "--delete", "--force")).code == 1
    assert os.listdir("out") == ["mine"]
    assert (await target("sync", "src/0", "s3://bkt/p", "--delete", "--force")).code == 1
    assert len(await kept(target)) == 10


async def test_what_cannot_be_read_at_the_source_stays_at_the_target(cli: Cli) -> None:
    await put(cli, "p/a", "p/link/x", "p/odd", "p/gone")
    cli.write("src/a", b"content")
    os.mkfifo("src/odd")
    Path("src/link").symlink_to("nowhere")
    ran = await cli("sync", "src", "s3://bkt/p", "--delete")
    assert (ran.code, "delete: s3://bkt/p/gone" in ran.lines) == (2, True)
    assert await cli.keys() == ["p/a", "p/link/x", "p/odd"]


@pytest.mark.parametrize(("limit", "done"), [("6", False), ("7", True), ("69%", False), ("70%", True), ("0", False)])
async def test_more_deletes_than_allowed_are_none(target: Cli, limit: str, done: bool) -> None:
    target.write("src/new", b"new")
    ran = await target("sync", "src", "s3://bkt/p", "--delete", "--max-delete", limit)
    assert "upload: src/new to s3://bkt/p/new" in ran.lines
    if done:
        assert (ran.code, await kept(target)) == (0, ["0", "1", "2", "new"])
        return
    assert (ran.code, len(await kept(target))) == (1, 11)
    assert f"7 of 10 files here would be deleted, more than --max-delete {limit} allows, so none was" in ran.err


async def test_a_limit_must_be_one(target: Cli) -> None:
    assert (await target("sync", "src", "s3://bkt/p", "--delete", "--max-delete", "many")).code == 252
    assert len(await kept(target)) == 10


async def test_the_client_refuses_too(target: Cli, client: AsyncDeltaGliderClient) -> None:
    Path("empty").mkdir()
    async with client:
        summary = await client.sync("empty", "s3://bkt/p", delete=True)
        assert (summary.ok, summary.deleted, summary.failures[0].source) == (False, 0, "s3://bkt/p/")
        assert not (await client.sync("src", "s3://bkt/p", delete=True, max_delete=6)).ok
        assert (await client.sync("src", "s3://bkt/p", delete=True, max_delete="70%")).deleted == 7
        assert (await client.sync("empty", "s3://bkt/p", delete=True, force=True)).deleted == 3


async def test_keys_that_lead_out_of_the_destination(cli: Cli) -> None:
    outside = cli.write("outside", b"mine")
    await put(cli, "p/../outside", "p/a/../../outside", "p//outside", "p/a/b", content=b"theirs")
    out = cli.here / "deep" / "out"
    for command, options in (("sync", ["--delete"]), ("cp", ["-r"]), ("mv", ["-r"])):
        ran = await cli(command, "s3://bkt/p", out, *options)
        assert ran.code == 2
        assert ran.err.count("warning: Skipping file s3://bkt/p/") == 3
    assert outside.read_bytes() == b"mine"
    assert sorted(path.name for path in cli.here.rglob("*")) == ["a", "b", "deep", "given", "out", "outside"]
    # What was skipped was not moved; and it can be deleted by its key.
    assert await cli.keys() == ["p/../outside", "p//outside", "p/a/../../outside"]
    await cli.ok("rm", "s3://bkt/p", "--recursive")
    assert await cli.keys() == []


async def test_links_in_the_destination(cli: Cli) -> None:
    await put(cli, "p/kept")
    elsewhere = cli.write("elsewhere/precious", b"precious")
    Path("out").mkdir()
    Path("out/to-file").symlink_to(elsewhere)
    Path("out/to-directory").symlink_to(elsewhere.parent)
    Path("out/inside").mkdir()
    cli.write("out/inside/extra", b"extra")
    Path("out/alias").symlink_to("inside")
    ran = await cli.ok("sync", "s3://bkt/p", "out", "--delete")
    # A link to a file is a file of the destination, and the link goes; what it leads to stays.
    assert sorted(ran.lines) == [
        "delete: out/inside/extra",
        "delete: out/to-file",
        "download: s3://bkt/p/kept to out/kept",
    ]
    assert sorted(os.listdir("out")) == ["alias", "inside", "kept", "to-directory"]
    assert elsewhere.read_bytes() == b"precious"

    await put(cli, "q/to-directory/precious", content=b"theirs")
    ran = await cli("sync", "s3://bkt/q", "out")
    assert (ran.code, "leads out of the destination" in ran.err) == (2, True)
    assert elsewhere.read_bytes() == b"precious"


async def test_a_link_that_leads_in_a_circle_at_the_source(cli: Cli) -> None:
    cli.write("src/sub/file", b"content")
    Path("src/sub/again").symlink_to(Path("..", ".."), target_is_directory=True)
    for command, options in (("cp", ["-r"]), ("sync", ["--delete"])):
        ran = await cli(command, "src", "s3://bkt/p", *options)
        assert ran.code == 2
    assert ran.err.count("warning: Skipping file") == 1
    assert len([key for key in await cli.keys() if key.endswith("sub/file")]) <= 2
    assert (await cli("sync", "src", "s3://bkt/q", "--no-follow-symlinks")).code == 0


async def test_files_of_ones_own_that_are_named_like_ours(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    own = {"reference.bin": b"my reference", "x.delta": b"my delta", "app.zip.delta": b"mine, too"}
    for name, content in own.items():
        cli.write(f"src/{name}", content)
    cli.write("src/v1.zip", versions[0])
    cli.write("src/v2.zip", versions[1])
    await cli.ok("sync", "src", "s3://bkt/p", "--delete")
    again = await cli.ok("sync", "src", "s3://bkt/p", "--delete")
    assert (again.out, again.err) == ("", "Nothing to do, 5 unchanged\n")

    Path("src/v1.zip").unlink()
    ran = await cli.ok("sync", "src", "s3://bkt/p", "--delete")
    assert ran.out == "delete: s3://bkt/p/v1.zip\n"
    await cli.ok("sync", "s3://bkt/p", "out")
    for name, content in own.items():
        assert Path("out", name).read_bytes() == content
    assert Path("out/v2.zip").read_bytes() == versions[1]  # Its reference is there.

    ran = await cli.ok("rm", "s3://bkt/p", "--recursive", "--exclude", "*.zip")
    assert len(ran.lines) == 3
    assert await cli.keys() == ["p/v2.zip"]
    assert (await cli.ok("verify", "s3://bkt/p/")).err.startswith("Verified 1 object and 1 reference: 1 sound")


async def test_what_is_ours_is_out_of_reach(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    cli.write("src/v1.zip", versions[0])
    await cli.ok("sync", "src", "s3://bkt/p")
    for target in ("s3://bkt/p/.deltaglider", "s3://bkt/p/.deltaglider/references/"):
        await cli("rm", target, "--recursive")
        await cli("sync", "src", target, "--delete")
        await cli("mv", target, "out", "--recursive")
    await cli.ok("cp", "s3://bkt/p/v1.zip", "back.zip")
    assert Path("back.zip").read_bytes() == versions[0]
