"""``sync``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def tree(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    cli.write("src/app-v1.zip", versions[0])
    cli.write("src/app-v2.zip", versions[1])
    cli.write("src/notes.txt", b"notes")
    cli.write("src/sub/more.txt", b"more")
    return cli


async def test_up_and_down_and_then_nothing_moves(tree: Cli) -> None:
    up = await tree.ok("sync", "src", "s3://bkt/p")
    assert sorted(up.lines) == [
        "upload: src/app-v1.zip to s3://bkt/p/app-v1.zip",
        "upload: src/app-v2.zip to s3://bkt/p/app-v2.zip",
        "upload: src/notes.txt to s3://bkt/p/notes.txt",
        "upload: src/sub/more.txt to s3://bkt/p/sub/more.txt",
    ]
    assert up.err.startswith("Completed 4 files, 195.3 KiB stored as 97.")

    down = await tree.ok("sync", "s3://bkt/p/", "out")
    assert len(down.lines) == 4
    assert "download: s3://bkt/p/sub/more.txt to out/sub/more.txt" in down.lines
    for name in ("app-v1.zip", "app-v2.zip", "notes.txt", "sub/more.txt"):
        assert Path("out", name).read_bytes() == Path("src", name).read_bytes()

    for source, target in (("src", "s3://bkt/p"), ("s3://bkt/p", "out"), ("out", "s3://bkt/p/")):
        again = await tree.ok("sync", source, target)
        assert (again.out, again.err) == ("", "Nothing to do, 4 unchanged\n")


async def test_across(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/p")
    ran = await tree.ok("sync", "s3://bkt/p", "s3://bkt/q", "--exclude", "*.zip")
    assert sorted(ran.lines) == [
        "copy: s3://bkt/p/notes.txt to s3://bkt/q/notes.txt",
        "copy: s3://bkt/p/sub/more.txt to s3://bkt/q/sub/more.txt",
    ]
    again = await tree.ok("sync", "s3://bkt/p", "s3://bkt/q", "--exclude", "*.zip")
    assert (again.out, again.err) == ("", "Nothing to do, 2 unchanged\n")
    await tree.ok("sync", "s3://bkt/p", "s3://bkt/q")
    assert (await tree.ok("verify", "s3://bkt/q/")).err.startswith("Verified 4 objects and 1 reference: 4 sound")


async def test_delete_removes_what_only_the_target_has(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/rel")
    await tree.ok("sync", "src", "s3://bkt/rel-old")
    Path("src/notes.txt").unlink()
    Path("src/app-v1.zip").unlink()
    assert (await tree.ok("sync", "src", "s3://bkt/rel")).out == ""

    dry = await tree.ok("sync", "src", "s3://bkt/rel", "--delete", "--dryrun")
    assert sorted(dry.lines) == ["(dryrun) delete: s3://bkt/rel/app-v1.zip", "(dryrun) delete: s3://bkt/rel/notes.txt"]
    ran = await tree.ok("sync", "src", "s3://bkt/rel", "--delete")
    assert sorted(ran.lines) == ["delete: s3://bkt/rel/app-v1.zip", "delete: s3://bkt/rel/notes.txt"]
    assert ran.err == "Deleted 2 files, 2 unchanged\n"
    assert len([key for key in await tree.keys() if key.startswith("rel-old/")]) == 4
    assert (await tree.ok("verify", "s3://bkt/")).code == 0

    await tree.ok("sync", "s3://bkt/rel", "out")
    tree.write("out/mine.txt", b"mine")
    ran = await tree.ok("sync", "s3://bkt/rel", "out", "--delete")
    assert ran.out == "delete: out/mine.txt\n"
    assert sorted(os.listdir("out")) == ["app-v2.zip", "sub"]


async def test_what_is_excluded_is_not_deleted(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/")
    ran = await tree.ok("sync", "src/sub", "s3://bkt/", "--delete", "--exclude", "*.zip")
    assert sorted(ran.lines) == [
        "delete: s3://bkt/notes.txt",
        "delete: s3://bkt/sub/more.txt",
        "upload: src/sub/more.txt to s3://bkt/more.txt",
    ]
    assert await tree.keys() == ["app-v1.zip", "app-v2.zip", "more.txt"]


async def test_an_edit_of_the_same_size(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/")
    tree.write("src/notes.txt", b"NOTES")
    later = Path("src/notes.txt").stat().st_mtime + 100
    os.utime("src/notes.txt", (later, later))
    assert (await tree.ok("sync", "src", "s3://bkt/", "--size-only")).out == ""
    assert (await tree.ok("sync", "src", "s3://bkt/")).out == "upload: src/notes.txt to s3://bkt/notes.txt\n"

    for path in Path("src").rglob("*.*"):
        os.utime(path, (1, 1))
    assert (await tree.ok("sync", "s3://bkt/", "src")).out == ""
    ran = await tree.ok("sync", "s3://bkt/", "src", "--exact-timestamps", "--exclude", "*", "--include", "notes.txt")
    assert ran.out == "download: s3://bkt/notes.txt to src/notes.txt\n"


async def test_links_are_left_out_if_asked(cli: Cli) -> None:
    cli.write("src/f", b"content")
    Path("src/link").symlink_to("f")
    ran = await cli.ok("sync", "src", "s3://bkt/", "--no-follow-symlinks")
    assert ran.out == "upload: src/f to s3://bkt/f\n"
    assert (await cli.ok("sync", "src", "s3://bkt/")).out == "upload: src/link to s3://bkt/link\n"


async def test_problems_are_warnings(cli: Cli) -> None:
    cli.write("src/f", b"content")
    Path("src/broken").symlink_to("nowhere")
    os.mkfifo("src/pipe")
    ran = await cli("sync", "src", "s3://bkt/")
    assert (ran.code, ran.out) == (2, "upload: src/f to s3://bkt/f\n")
    assert sorted(ran.err.splitlines())[1:] == [
        f"warning: Skipping file {Path.cwd()}/src/broken. File does not exist.",
        (
            f"warning: Skipping file {Path.cwd()}/src/pipe. "
            "File is character special device, block special device, FIFO, or socket."
        ),
    ]
    assert "Completed 1 file, 7 Bytes stored as 7 Bytes, 2 skipped" in ran.err


async def test_a_missing_source(cli: Cli) -> None:
    ran = await cli("sync", "nodir", "s3://bkt/", "--delete")
    assert (ran.code, ran.err) == (255, "deltaglider: error: The user-provided path nodir does not exist.\n")
    ran = await cli("sync", "s3://nobucket/", "out", "--delete")
    assert ran.code == 1
    assert ran.err.startswith("fatal error: s3://nobucket/: the bucket does not exist.")


@pytest.mark.parametrize(
    "arguments", [["a", "b"], ["s3://bkt/p", "s3://bkt/p/"], ["-", "s3://bkt/"], ["a", "s3://bkt", "-r"], ["s3://bkt"]]
)
async def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    assert (await cli("sync", *arguments)).code == 252


async def test_json(tree: Cli) -> None:
    *items, summary = (await tree.ok("sync", "src", "s3://bkt/p", "--json")).objects
    assert {item["type"] for item in items} == {"item"}
    notes = next(item for item in items if item["source"].endswith("notes.txt"))
    assert notes == {
        "type": "item",
        "action": "upload",
        "status": "done",
        "source": "src/notes.txt",
        "target": "s3://bkt/p/notes.txt",
        "size": 5,
        "stored": 5,
        "message": "",
    }
    assert (summary["type"], summary["command"], summary["dryrun"]) == ("summary", "sync", False)
    assert (summary["done"], summary["failed"], summary["unchanged"], summary["size"]) == (4, 0, 0, 200_017)
    assert 90_000 < summary["stored"] < 110_000
    ran = await tree.ok("sync", "src", "s3://bkt/p", "--json")
    assert [(line["type"], line["unchanged"]) for line in ran.objects] == [("summary", 4)]
    assert ran.err == ""


async def test_checksum_goes_by_content(tree: Cli) -> None:
    await tree.ok("sync", "src", "s3://bkt/p")
    for path in Path("src").rglob("*.*"):
        os.utime(path)
    later = 4_000_000_000
    os.utime("src/notes.txt", (later, later))
    again = await tree.ok("sync", "src", "s3://bkt/p", "--checksum")
    assert (again.out, again.err) == ("", "Nothing to do, 4 unchanged\n")
    Path("src/notes.txt").write_bytes(b"NOTES")
    os.utime("src/notes.txt", (1, 1))
    changed = await tree.ok("sync", "src", "s3://bkt/p", "--checksum")
    assert changed.lines == ["upload: src/notes.txt to s3://bkt/p/notes.txt"]


@pytest.mark.parametrize("other", ["--size-only", "--exact-timestamps"])
async def test_checksum_decides_alone(tree: Cli, other: str) -> None:
    ran = await tree("sync", "src", "s3://bkt/p", "--checksum", other)
    assert (ran.code, ran.out) == (252, "")
    assert "checksum" in ran.err
