"""Several sources for one target, and lists of names."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from deltaglider import AsyncDeltaGliderClient
from deltaglider.cli.names import names_from
from deltaglider.errors import InvalidInputError
from tests.cli.conftest import BUCKET, Cli

URL = f"s3://{BUCKET}"


@pytest.fixture
async def filled(cli: Cli) -> Cli:
    """``src`` with files, and ``s3://bkt/p/`` with the same."""
    for name in ("a.txt", "b.txt", "sub/c.txt", "sub/d.txt"):
        cli.write(f"src/{name}", name.encode())
        await cli.ok("cp", f"src/{name}", f"s3://bkt/p/{name}")
    return cli


def files(root: str) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text() for p in sorted(Path(root).rglob("*")) if p.is_file()}


async def test_files_go_up_each_under_its_own_name(filled: Cli) -> None:
    ran = await filled.ok("cp", "src/a.txt", "src/sub/c.txt", "s3://bkt/q/")
    assert sorted(ran.lines) == [
        "upload: src/a.txt to s3://bkt/q/a.txt",
        "upload: src/sub/c.txt to s3://bkt/q/c.txt",
    ]
    assert ran.err == "Completed 2 files, 14 Bytes stored as 14 Bytes\n"
    ran = await filled.ok("cp", "src/a.txt", "src/b.txt", "s3://bkt", "--exclude", "a*", "--dryrun")
    assert ran.out == "(dryrun) upload: src/b.txt to s3://bkt/b.txt\n"


async def test_objects_come_down_and_go_across(filled: Cli) -> None:
    ran = await filled.ok("cp", "s3://bkt/p/a.txt", "s3://bkt/p/sub/c.txt", "out/")
    assert len(ran.lines) == 2
    assert files("out") == {"a.txt": "a.txt", "c.txt": "sub/c.txt"}
    ran = await filled.ok("cp", "s3://bkt/p/a.txt", "s3://bkt/p/sub/c.txt", "out")  # It exists by now.
    ran = await filled.ok("cp", "s3://bkt/p/a.txt", "s3://bkt/p/sub/c.txt", "s3://bkt/q/")
    assert "copy: s3://bkt/p/sub/c.txt to s3://bkt/q/c.txt" in ran.lines


async def test_several_move(filled: Cli) -> None:
    await filled.ok("mv", "src/a.txt", "src/sub/c.txt", "s3://bkt/q/")
    assert files("src") == {"b.txt": "b.txt", "sub/d.txt": "sub/d.txt"}
    await filled.ok("mv", "s3://bkt/q/a.txt", "s3://bkt/q/c.txt", "s3://bkt/r/")
    ran = await filled.ok("mv", "s3://bkt/r/a.txt", "s3://bkt/r/c.txt", "src/")
    assert len(ran.lines) == 2
    assert not [key for key in await filled.keys() if not key.startswith("p/")]
    assert (await filled("mv", "s3://bkt/p/a.txt", "s3://bkt/p/b.txt", "s3://bkt/p/")).code == 252


async def test_trees_go_one_after_the_other(filled: Cli) -> None:
    filled.write("other/e.txt", b"e")
    ran = await filled.ok("cp", "src", "other", "s3://bkt/q", "--recursive")
    assert len(ran.lines) == 5
    assert ran.err.startswith("Completed 5 files, ")
    assert [key for key in await filled.keys() if key.startswith("q/")] == [
        "q/a.txt",
        "q/b.txt",
        "q/e.txt",
        "q/sub/c.txt",
        "q/sub/d.txt",
    ]
    ran = await filled("cp", "src", "other", "s3://nobucket/q", "-r", "--fail-fast", "--concurrency", "1")
    assert (ran.code, ran.err.count("upload failed")) == (1, 1)


async def test_one_that_fails_does_not_stop_the_others(filled: Cli) -> None:
    ran = await filled("cp", "s3://bkt/p/a.txt", "s3://bkt/p/nothing", "out/")
    assert (ran.code, files("out")) == (1, {"a.txt": "a.txt"})
    assert "download failed: s3://bkt/p/nothing no such object" in ran.err
    ran = await filled("cp", "src/a.txt", "src/sub", "s3://bkt/q/")
    assert (ran.code, "upload failed: src/sub It is a directory" in ran.err) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["src/a.txt", "src/b.txt", "s3://bkt/q"],  # No directory.
        ["s3://bkt/p/a.txt", "s3://bkt/p/b.txt", "nowhere"],
        ["src/a.txt", "s3://bkt/p/b.txt", "s3://bkt/q/"],  # Of both kinds.
        ["src/a.txt", "src/b.txt", "src/"],  # Nothing of the store.
        ["src/a.txt", "-", "s3://bkt/q/"],
        ["s3://bkt/p/a.txt", "s3://bkt/p/b.txt", "-"],
        ["src/a.txt", "src/../src/a.txt", "s3://bkt/q/"],  # The same name twice.
        ["src", "src", "s3://bkt/q/", "--files-from", "list"],
        ["-", "s3://bkt/q/", "--files-from", "list"],
        ["src", "s3://bkt/q/", "--files-from", "nolist"],
        ["s3://bkt/q/"],
    ],
)
async def test_wrong_usage(filled: Cli, arguments: list[str]) -> None:
    filled.write("list", b"a.txt")
    for command in ("cp", "mv"):
        assert (await filled(command, *arguments)).code == 252
    assert len(files("src")) == 4


async def test_a_missing_source_is_said_before_anything_is_done(filled: Cli) -> None:
    ran = await filled("cp", "src/a.txt", "nofile", "s3://bkt/q/")
    assert (ran.code, ran.out) == (255, "")


async def test_a_list_of_files(filled: Cli) -> None:
    filled.write("list", b"a.txt\n\n./sub/c.txt\r\nsub/c.txt\nnothing.txt\nsub\n../list\n/etc/passwd")
    ran = await filled("cp", "src", "s3://bkt/q", "--files-from", "list")
    assert (ran.code, sorted(ran.lines)) == (
        1,
        ["upload: src/a.txt to s3://bkt/q/a.txt", "upload: src/sub/c.txt to s3://bkt/q/sub/c.txt"],
    )
    assert len(ran.err.splitlines()) == 5
    assert "upload failed: src/nothing.txt File does not exist." in ran.err
    assert "upload failed: src/sub It is a directory." in ran.err
    assert "upload failed: ./list File references a parent directory." in ran.err
    assert "etc/passwd File references an absolute path." in ran.err


async def test_a_list_of_objects(filled: Cli) -> None:
    filled.write("list", b"sub/d.txt\0nothing\0a.txt\0")
    ran = await filled("cp", "s3://bkt/p", "out", "--files-from", "list", "--from0", "--recursive")
    assert (ran.code, files("out")) == (1, {"a.txt": "a.txt", "sub/d.txt": "sub/d.txt"})
    assert "download failed: s3://bkt/p/nothing no such object" in ran.err
    filled.write("list", b"sub/d.txt\na.txt\n")
    ran = await filled.ok("mv", "s3://bkt/p/", "s3://bkt/q/", "--files-from", "list", "--exclude", "*d.txt")
    assert ran.out == "move: s3://bkt/p/a.txt to s3://bkt/q/a.txt\n"
    assert await filled.keys() == ["p/b.txt", "p/sub/c.txt", "p/sub/d.txt", "q/a.txt"]


async def test_a_list_from_standard_input(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor() -> int:
        raise io.UnsupportedOperation

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a.txt\nb.txt"), fileno=no_descriptor))
    ran = await filled.ok("cp", "src", "s3://bkt/q", "--files-from", "-", "--json")
    assert sorted(line["target"] for line in ran.objects[:-1]) == ["s3://bkt/q/a.txt", "s3://bkt/q/b.txt"]


def test_names_that_are_split_between_two_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltaglider.files.CHUNK", 3)
    names = ["one", "two words", "\udcff.bin", "r\r", "last"]
    (tmp_path / "list").write_bytes(b"\0".join(os.fsencode(name) for name in names))
    assert list(names_from(str(tmp_path / "list"), zero=True)) == names


async def test_the_client_takes_names_and_sources(filled: Cli, client: AsyncDeltaGliderClient) -> None:
    async with client:
        assert (await client.upload_directory("src", "s3://bkt/q", names=["a.txt", "sub/d.txt"])).done == 2
        assert (await client.download_directory("s3://bkt/q", "out", names=iter(["a.txt", "nothing"]))).failed == 1
        assert (await client.copy_directory("s3://bkt/q", "s3://bkt/r", names=(n for n in ["a.txt"]))).done == 1
        summary = await client.transfer(["src/a.txt", Path("src/b.txt"), "src/none"], "s3://bkt/s")
        assert (summary.done, summary.failed) == (2, 1)
        assert (await client.transfer(["s3://bkt/s/a.txt", "s3://bkt/s/b.txt"], "down", move=True)).done == 2
        assert sorted(os.listdir("down")) == ["a.txt", "b.txt"]
        with pytest.raises(InvalidInputError, match="same name"):
            await client.transfer(["src/a.txt", "down/a.txt"], "s3://bkt/s")
        with pytest.raises(InvalidInputError, match="a bucket is not an object"):
            await client.transfer(["s3://bkt"], "down")
        with pytest.raises(FileNotFoundError):
            await client.transfer(["s3://nobucket/a"], "down")


async def test_pages_may_be_small(filled: Cli, client: AsyncDeltaGliderClient) -> None:
    for number in range(7):
        filled.write(f"src/{number}", b"content")
    await filled.ok("sync", "src", "s3://bkt/p", "--page-size", "2")
    assert (await filled.ok("sync", "src", "s3://bkt/p", "--page-size", "3", "--delete")).out == ""
    assert len((await filled.ok("ls", "bkt", "-r", "--page-size", "1")).lines) == 11
    assert len((await filled.ok("cp", "s3://bkt/p", "out", "-r", "--page-size", "5000")).lines) == 11
    assert len((await filled.ok("rm", "s3://bkt/p", "-r", "--page-size", "4")).lines) == 11
    assert (await filled("rm", "s3://bkt/p", "-r", "--page-size", "0")).code == 252


async def test_names_are_escaped_and_read_back(cli: Cli) -> None:
    for name in ("a:b.txt", "con"):
        cli.write(f"d/{name}", name.encode())
    await cli.ok("cp", "d/a:b.txt", "d/con", f"{URL}/p/")
    await cli.ok("cp", f"{URL}/p/a:b.txt", f"{URL}/p/con", "out/", "--escape-names")
    assert sorted(path.name for path in (cli.here / "out").iterdir()) == ["%63on", "a%3Ab.txt"]
    await cli.ok("mv", "out/%63on", "out/a%3Ab.txt", f"{URL}/q/", "--escape-names")
    listed = (await cli.ok("ls", f"{URL}/q/")).out
    assert [line.split()[-1] for line in listed.splitlines()] == ["a:b.txt", "con"]


async def test_two_files_for_one_key_are_refused(cli: Cli) -> None:
    cli.write("d/a:b", b"1")
    cli.write("d/a%3Ab", b"2")
    ran = await cli("cp", "d/a:b", "d/a%3Ab", f"{URL}/p/", "--escape-names")
    assert ran.code == 252
    assert "would have the same name there" in ran.err


async def test_names_that_differ_only_by_case(cli: Cli) -> None:
    for name in ("README", "readme"):
        cli.write("one", name.encode())
        await cli.ok("cp", "one", f"{URL}/p/{name}")
    ran = await cli("cp", f"{URL}/p/README", f"{URL}/p/readme", "out/", "--case-conflict", "skip")
    assert ran.code == 2
    assert [path.read_bytes() for path in (cli.here / "out").iterdir()] == [b"README"]
