"""What paths mean: the table of ``aws s3``, each row as a pure function and as a real ``cp``."""

from __future__ import annotations

import os
from pathlib import Path

import asyncclick
import pytest

from deltaglider.cli import paths
from deltaglider.errors import InvalidUriError
from tests.cli.conftest import BUCKET, Cli


@pytest.mark.parametrize(
    ("source", "target", "action"),
    [
        ("a", "s3://bkt", "upload"),
        ("-", "s3://bkt/k", "upload"),
        ("s3://bkt/k", ".", "download"),
        ("s3://bkt/k", "-", "download"),
        ("s3://bkt/k", "s3://bkt2/", "copy"),
    ],
)
def test_directions(source: str, target: str, action: str) -> None:
    assert paths.direction(source, target, usage="cp") == action


@pytest.mark.parametrize(("source", "target"), [("a", "b"), ("-", "b"), ("-", "-"), ("s3:/bkt/a", "b")])
def test_two_local_paths_are_wrong_usage(source: str, target: str) -> None:
    with pytest.raises(asyncclick.UsageError, match="cp takes <LocalPath> <S3Uri>"):
        paths.direction(source, target, usage="cp")


@pytest.mark.parametrize("target", ["s3://", "s3:///key", "s3://b/k", "s3://bkt/a\0b", "s3://bkt/" + "k" * 1025])
def test_a_uri_that_cannot_be_is_refused_at_once(target: str) -> None:
    with pytest.raises(InvalidUriError):
        paths.direction("a", target, usage="cp")


UPLOADS = [
    ("s3://bkt", "f.txt"),
    ("s3://bkt/", "f.txt"),
    ("s3://bkt/p/", "p/f.txt"),
    ("s3://bkt/p", "p"),
    ("s3://bkt/p/renamed.txt", "p/renamed.txt"),
    ("s3://bkt//", "/f.txt"),
    ("s3://bkt/a//b", "a//b"),
    ("s3://bkt/ü#?%2F+ x", "ü#?%2F+ x"),
]


@pytest.mark.parametrize(("target", "key"), UPLOADS)
def test_the_key_of_an_upload(target: str, key: str) -> None:
    assert paths.object_target(target, "f.txt").key == key


@pytest.mark.parametrize(("target", "key"), UPLOADS)
async def test_an_upload_lands_there(cli: Cli, target: str, key: str) -> None:
    cli.write("d/f.txt", b"content")
    ran = await cli.ok("cp", "d/f.txt", target)
    assert ran.out == f"upload: d/f.txt to s3://{BUCKET}/{key}\n"
    assert await cli.keys() == [key]


async def test_a_key_may_be_the_name_of_a_prefix(cli: Cli) -> None:
    cli.write("f.txt", b"content")
    await cli.ok("cp", "f.txt", "s3://bkt/p/")
    await cli.ok("cp", "f.txt", "s3://bkt/p")
    assert await cli.keys() == ["p", "p/f.txt"]


DOWNLOADS = [
    (".", "f.txt", "./f.txt"),
    ("./", "f.txt", "./f.txt"),
    ("here", "here/f.txt", "here/f.txt"),
    ("here/", "here/f.txt", "here/f.txt"),
    ("new/", "new/f.txt", "new/f.txt"),
    ("new/deep/", "new/deep/f.txt", "new/deep/f.txt"),
    ("renamed", "renamed", "./renamed"),
    ("new/renamed", "new/renamed", "new/renamed"),
    ("../f2.txt", "../f2.txt", "../f2.txt"),
]


@pytest.mark.parametrize(("target", "path", "shown"), DOWNLOADS)
async def test_a_download_lands_there(cli: Cli, target: str, path: str, shown: str) -> None:
    cli.write("f.txt", b"content")
    await cli.ok("cp", "f.txt", "s3://bkt/k/f.txt")
    Path("f.txt").unlink()
    Path("here").mkdir()
    ran = await cli.ok("cp", "s3://bkt/k/f.txt", target)
    assert ran.out == f"download: s3://bkt/k/f.txt to {shown}\n"
    assert Path(path).read_bytes() == b"content"


async def test_a_download_to_an_absolute_path_is_shown_relative(cli: Cli, tmp_path: Path) -> None:
    cli.write("f.txt", b"content")
    await cli.ok("cp", "f.txt", "s3://bkt/")
    ran = await cli.ok("cp", "s3://bkt/f.txt", tmp_path / "elsewhere" / "x")
    assert ran.out == "download: s3://bkt/f.txt to ../elsewhere/x\n"
    assert (tmp_path / "elsewhere" / "x").read_bytes() == b"content"


@pytest.mark.parametrize(
    ("target", "key"),
    [("s3://bkt/c/", "c/f.txt"), ("s3://bkt/c", "c"), ("s3://bkt/c/new.txt", "c/new.txt"), ("s3://bkt", "f.txt")],
)
async def test_a_copy_lands_there(cli: Cli, target: str, key: str) -> None:
    cli.write("f.txt", b"content")
    await cli.ok("cp", "f.txt", "s3://bkt/p/")
    ran = await cli.ok("cp", "s3://bkt/p/f.txt", target)
    assert ran.out == f"copy: s3://bkt/p/f.txt to s3://bkt/{key}\n"
    assert sorted(await cli.keys()) == sorted([key, "p/f.txt"])


@pytest.mark.parametrize("source", ["d", "d/", "./d"])
@pytest.mark.parametrize("target", ["s3://bkt/p", "s3://bkt/p/"])
async def test_recursively_both_sides_are_directories(cli: Cli, source: str, target: str) -> None:
    cli.write("d/a", b"1")
    cli.write("d/sub/b", b"2")
    await cli.ok("cp", source, target, "-r")
    assert await cli.keys() == ["p/a", "p/sub/b"]
    ran = await cli.ok("cp", "s3://bkt/p", "out/deep", "--recursive")
    assert sorted(ran.lines) == [
        "download: s3://bkt/p/a to out/deep/a",
        "download: s3://bkt/p/sub/b to out/deep/sub/b",
    ]
    assert (Path("out/deep/a").read_bytes(), Path("out/deep/sub/b").read_bytes()) == (b"1", b"2")


async def test_a_prefix_is_a_directory_recursively(cli: Cli) -> None:
    for key in ("p/x", "p2/x", "p-old.txt"):
        cli.write("f", b"content")
        await cli.ok("cp", "f", f"s3://bkt/{key}")
    ran = await cli.ok("rm", "s3://bkt/p", "-r")
    assert ran.lines == ["delete: s3://bkt/p/x"]
    assert await cli.keys() == ["p-old.txt", "p2/x"]


@pytest.mark.parametrize("name", ["-rf.zip", "--delete", "a b'\"$(x)", "*", "[a]", "naïve", "new\nline", "\x1b[31m"])
async def test_names_of_all_kinds_go_up_and_come_back(cli: Cli, name: str) -> None:
    content = os.urandom(5000)
    cli.write(f"d/{name}", content)
    await cli.ok("cp", "--", f"d/{name}", "s3://bkt/p/")
    await cli.ok("cp", f"s3://bkt/p/{name}", "out/")
    assert Path("out", name).read_bytes() == content
