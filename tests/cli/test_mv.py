"""``mv``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli


@pytest.fixture
def tree(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    cli.write("src/v1/app.zip", versions[0])
    cli.write("src/v2/app.zip", versions[1])
    cli.write("src/notes.txt", b"notes")
    return cli


async def test_one_file_up_across_and_down(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    cli.write("app.zip", versions[0])
    up = await cli.ok("mv", "app.zip", "s3://bkt/v1/")
    assert up.out == "move: ./app.zip to s3://bkt/v1/app.zip\n"
    assert os.listdir() == []
    across = await cli.ok("mv", "s3://bkt/v1/app.zip", "s3://bkt/v2/other.zip")
    assert across.out == "move: s3://bkt/v1/app.zip to s3://bkt/v2/other.zip\n"
    assert await cli.keys() == ["v2/other.zip"]
    down = await cli.ok("mv", "s3://bkt/v2/other.zip", "out/")
    assert down.out == "move: s3://bkt/v2/other.zip to out/other.zip\n"
    assert down.err.startswith("Completed 1 file, 97.7 KiB fetched as ")
    assert Path("out/other.zip").read_bytes() == versions[0]
    assert await cli.keys() == []


async def test_trees(tree: Cli, versions: tuple[bytes, bytes]) -> None:
    up = await tree.ok("mv", "src", "s3://bkt/p", "--recursive")
    assert sorted(up.lines) == [
        "move: src/notes.txt to s3://bkt/p/notes.txt",
        "move: src/v1/app.zip to s3://bkt/p/v1/app.zip",
        "move: src/v2/app.zip to s3://bkt/p/v2/app.zip",
    ]
    assert up.err.startswith("Completed 3 files, 195.3 KiB stored as ")
    assert [path for path in Path("src").rglob("*") if path.is_file()] == []

    tree.write("other", b"other")
    await tree.ok("cp", "other", "s3://bkt/p2/other")
    across = await tree.ok("mv", "s3://bkt/p", "s3://bkt/q/", "--recursive", "--exclude", "*.txt")
    assert sorted(across.lines) == [
        "move: s3://bkt/p/v1/app.zip to s3://bkt/q/v1/app.zip",
        "move: s3://bkt/p/v2/app.zip to s3://bkt/q/v2/app.zip",
    ]
    assert await tree.keys() == ["p/notes.txt", "p2/other", "q/v1/app.zip", "q/v2/app.zip"]

    down = await tree.ok("mv", "s3://bkt/q", "out", "-r")
    assert len(down.lines) == 2
    assert Path("out/v1/app.zip").read_bytes() == versions[0]
    assert Path("out/v2/app.zip").read_bytes() == versions[1]
    assert await tree.keys() == ["p/notes.txt", "p2/other"]
    # No reference is left: the doctor has nothing to say but of those that wait.
    stats = (await tree.ok("stats", "bkt", "--json")).objects[-1]
    assert (stats["object_count"], stats["reference_objects"]) == (2, 0)


async def test_into_itself_what_is_there_already_stays(tree: Cli) -> None:
    await tree.ok("cp", "src", "s3://bkt/p", "-r")
    ran = await tree.ok("mv", "s3://bkt/p", "s3://bkt/p/v1", "-r")
    assert sorted(ran.lines) == [
        "move: s3://bkt/p/notes.txt to s3://bkt/p/v1/notes.txt",
        "move: s3://bkt/p/v2/app.zip to s3://bkt/p/v1/v2/app.zip",
    ]
    assert await tree.keys() == ["p/v1/app.zip", "p/v1/notes.txt", "p/v1/v2/app.zip"]


async def test_a_dry_run_moves_nothing(tree: Cli) -> None:
    ran = await tree.ok("mv", "src", "s3://bkt/p", "-r", "--dryrun")
    assert "(dryrun) move: src/notes.txt to s3://bkt/p/notes.txt" in ran.lines
    ran = await tree.ok("mv", "src/notes.txt", "s3://bkt/p/", "--dryrun")
    assert ran.out == "(dryrun) move: src/notes.txt to s3://bkt/p/notes.txt\n"
    assert len([path for path in Path("src").rglob("*") if path.is_file()]) == 3
    assert await tree.keys() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["s3://bkt/a", "s3://bkt/a"],
        ["s3://bkt/d/a", "s3://bkt/d/"],
        ["s3://bkt/a", "s3://bkt"],
        ["s3://bkt/d", "s3://bkt/d/", "-r"],
        ["s3://bkt/a", "s3://bkt/a", "--validate-same-s3-paths"],
    ],
)
async def test_onto_itself_is_refused(cli: Cli, arguments: list[str]) -> None:
    for name in ("a", "d/a"):
        await cli.ok("cp", cli.write("a", b"content"), f"s3://bkt/{name}")
    ran = await cli("mv", *arguments)
    assert ran.code == 252
    assert f"Cannot mv a file onto itself: {arguments[0]} - {arguments[1]}" in ran.err
    assert await cli.keys() == ["a", "d/a"]


async def test_access_points_may_lead_to_the_same_object(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = ["s3://bkt/a", "s3://mine-1234-s3alias/a"]
    ran = await cli("mv", *pair, "--validate-same-s3-paths")
    assert (ran.code, "may be the same" in ran.err) == (252, True)
    assert "warning: Provided s3 paths may resolve to same" in (await cli("mv", *pair)).err
    monkeypatch.setenv("AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS", "true")
    assert (await cli("mv", *pair)).code == 252
    assert (await cli("mv", "s3://bkt/a", "s3://mine-1234-s3alias/b")).code == 1  # Only that it is not there.
    monkeypatch.setenv("AWS_CLI_S3_MV_VALIDATE_SAME_S3_PATHS", "perhaps")
    assert (await cli("mv", *pair)).code == 252


@pytest.mark.parametrize("arguments", [["a", "b"], ["-", "s3://bkt/a"], ["s3://bkt/a", "-"], ["s3://bkt/a"]])
async def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    assert (await cli("mv", *arguments)).code == 252


async def test_what_is_missing(cli: Cli) -> None:
    assert (await cli("mv", "nofile", "s3://bkt/")).code == 255
    ran = await cli("mv", "s3://bkt/nothing", "x")
    assert (ran.code, ran.err.startswith("fatal error: s3://bkt/nothing")) == (1, True)


async def test_a_source_that_cannot_be_removed_is_a_failure(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, versions: tuple[bytes, bytes]
) -> None:
    cli.write("src/app.zip", versions[0])

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _unless_ours(Path.unlink, refuse))
        ran = await cli("mv", "src", "s3://bkt/", "-r")
    assert (ran.code, ran.out) == (1, "")
    assert (
        "move failed: src/app.zip to s3://bkt/app.zip s3://bkt/app.zip is complete, but the source remains" in ran.err
    )
    assert Path("src/app.zip").read_bytes() == versions[0]
    assert await cli.keys() == ["app.zip"]


def _unless_ours(real: object, refuse: object) -> object:
    """Refuses to remove what is the user's, and nothing else."""

    def unlink(self: Path, missing_ok: bool = False) -> None:
        (refuse if self.parent.name == "src" else real)(self, missing_ok)  # type: ignore[operator]

    return unlink


async def test_json(cli: Cli) -> None:
    cli.write("a.txt", b"content")
    item, summary = (await cli.ok("mv", "a.txt", "s3://bkt/", "--json")).objects
    assert (item["action"], item["status"], item["target"]) == ("move", "done", "s3://bkt/a.txt")
    assert (summary["command"], summary["done"], summary["deleted"]) == ("mv", 1, 0)


async def test_the_client_moves_too(cli: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]) -> None:
    path = cli.write("src/app.zip", versions[0])
    async with client:
        assert (await client.upload(path, "s3://bkt/a.zip", move=True)).url == "s3://bkt/a.zip"
        await client.copy("s3://bkt/a.zip", "s3://bkt/b.zip", move=True)
        await client.download("s3://bkt/b.zip", path, move=True)
        assert [entry async for entry in client.list("s3://bkt")] == []
        assert (await client.upload_directory("src", "s3://bkt/p", move=True)).done == 1
        assert (await client.copy_directory("s3://bkt/p", "s3://bkt/q", move=True)).done == 1
        assert (await client.download_directory("s3://bkt/q", "src", move=True)).done == 1
        assert path.read_bytes() == versions[0]
        with pytest.raises(ValueError, match="only a file can be moved"):
            await client.upload(b"content", "s3://bkt/a", move=True)
        with open("x", "wb") as file, pytest.raises(ValueError, match="cannot be moved to a stream"):
            await client.download("s3://bkt/a", file, move=True)


async def test_fail_fast_begins_nothing_more(cli: Cli) -> None:
    for number in range(40):
        cli.write(f"src/{number:02}", b"content")
    ran = await cli("mv", "src", "s3://nobucket/", "-r", "--fail-fast", "--concurrency", "1")
    assert ran.code == 1
    assert ran.err.count("move failed: ") == 1
    assert len(os.listdir("src")) == 40


async def test_what_is_not_overwritten_is_not_moved(cli: Cli) -> None:
    cli.write("src/a.txt", b"new")
    cli.write("src/b.txt", b"new")
    await cli.ok("cp", cli.write("old", b"old"), "s3://bkt/p/a.txt")
    for arguments in (["src/a.txt", "s3://bkt/p/"], ["src", "s3://bkt/p/", "-r"]):
        await cli.ok("mv", *arguments, "--no-overwrite")
    assert os.listdir("src") == ["a.txt"]
    for arguments in (["s3://bkt/p/a.txt", "src/"], ["s3://bkt/p", "src", "-r"]):
        await cli.ok("mv", *arguments, "--no-overwrite")
    assert (await cli.keys(), Path("src/a.txt").read_bytes()) == (["p/a.txt"], b"new")
