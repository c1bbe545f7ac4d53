from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from anyio import from_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaglider.bulk import walk
from deltaglider.bulk.entries import LocalEntry, Problem
from deltaglider.bulk.walk import Links, local_entries, require_directory, walk_tree
from deltaglider.errors import LocalFileError, LocalFileNotFoundError
from deltaglider.layout.keys import sort_key
from tests.bulk.world import NOON, collect, write

MISSING = "File does not exist."
UNREADABLE = "File/Directory is not readable."
SPECIAL = "File is character special device, block special device, FIFO, or socket."
LOOP = "Symbolic link leads back to a directory above it."
UNDECODABLE = "File name is not valid UTF-8, so it cannot be a key."


def names(root: Path, links: Links = "follow") -> list[str]:
    return [item.name for item in walk_tree(root, links=links)]


def problems(root: Path, links: Links = "follow") -> dict[str, str]:
    return {item.name: item.message for item in walk_tree(root, links=links) if isinstance(item, Problem)}


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A directory, and the rights of somebody whom its modes bind: root reads everything."""
    directory = Path(tempfile.mkdtemp(prefix="dg-walk-"))
    directory.chmod(0o777)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        yield directory
    finally:
        os.seteuid(user)
        for path, _, _ in os.walk(directory):
            os.chmod(path, 0o700)
        shutil.rmtree(directory)


def test_files_come_with_size_time_and_path(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "12345", "d/b": ""})
    assert list(walk_tree(tmp_path)) == [
        LocalEntry("a.txt", 5, NOON, tmp_path / "a.txt"),
        LocalEntry("d/b", 0, NOON, tmp_path / "d/b"),
    ]


def test_directories_compare_with_their_slash(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["a/x", "a.txt", "a-b", "a0", "a/y/z", "a!", "é", "A", "b"], ""))
    assert names(tmp_path) == ["A", "a!", "a-b", "a.txt", "a/x", "a/y/z", "a0", "b", "é"]


SEGMENTS = st.text(alphabet="a.-0~é\uffff\U0001f600", min_size=1, max_size=3).filter(lambda s: s not in (".", ".."))


@settings(max_examples=40)
@given(st.sets(st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join), max_size=10))
def test_the_order_is_that_of_a_listing(wanted: set[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        made = set()
        for name in sorted(wanted):
            path = Path(directory, name)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            except OSError:  # A file where a directory should be, or the other way round.
                continue
            made.add(name)
        assert names(Path(directory)) == sorted(made, key=sort_key)


def test_hidden_files_count_and_empty_directories_do_not(tmp_path: Path) -> None:
    write(tmp_path, {".hidden": "", ".git/config": ""})
    (tmp_path / "empty/deep").mkdir(parents=True)
    assert names(tmp_path) == [".git/config", ".hidden"]
    assert names(tmp_path / "empty") == []


def test_deeper_than_the_stack_of_python(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    here = os.getcwd()
    os.chdir(tmp_path)
    made = 0
    try:
        while made < depth:
            os.mkdir("d")
            os.chdir("d")
            made += 1
        Path("leaf").touch()
        assert names(tmp_path) == ["d/" * depth + "leaf"]
        Path("leaf").unlink()
    finally:
        for _ in range(made):  # shutil.rmtree, which pytest uses, is not up to it.
            os.chdir("..")
            os.rmdir("d")
        os.chdir(here)


def test_links_are_followed_and_known(tmp_path: Path) -> None:
    write(tmp_path, {"tree/f": "abc", "elsewhere/g": "abcd"})
    (tmp_path / "tree/file").symlink_to(tmp_path / "elsewhere/g")
    (tmp_path / "tree/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/deep").mkdir()
    write(tmp_path / "elsewhere/deep", {"h": ""})
    found = [item for item in walk_tree(tmp_path / "tree") if isinstance(item, LocalEntry)]
    assert [(item.name, item.size, item.linked) for item in found] == [
        ("f", 3, False),
        ("file", 4, False),
        ("link/deep/h", 0, True),
        ("link/g", 4, True),
    ]


def test_links_may_be_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"tree/f": "", "elsewhere/g": ""})
    (tmp_path / "tree/file").symlink_to(tmp_path / "elsewhere/g")
    (tmp_path / "tree/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree/broken").symlink_to("nowhere")
    assert names(tmp_path / "tree", "skip") == ["f"]


def test_a_root_that_is_a_link_is_followed_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "real", {"f": ""})
    (tmp_path / "root").symlink_to("real")
    for links in ("follow", "skip", "inside"):
        assert names(tmp_path / "root", links) == ["f"]


def test_loops_are_told_once_and_not_walked(tmp_path: Path) -> None:
    write(tmp_path, {"sub/f": "", "z": ""})
    (tmp_path / "sub/self").symlink_to(".")
    (tmp_path / "sub/up").symlink_to("..")
    (tmp_path / "sub/ring").symlink_to("ring")
    assert names(tmp_path) == ["sub/f", "sub/ring", "sub/self/", "sub/up/", "z"]
    assert problems(tmp_path) == {
        "sub/ring": "File does not exist.",
        "sub/self/": LOOP,
        "sub/up/": LOOP,
    }


def test_a_link_above_the_root_loops_where_the_root_comes_up_again(tmp_path: Path) -> None:
    write(tmp_path, {"root/sub/f": "", "beside/g": ""})
    (tmp_path / "root/sub/again").symlink_to("../..")
    assert names(tmp_path / "root") == ["sub/again/beside/g", "sub/again/root/", "sub/f"]
    assert problems(tmp_path / "root") == {"sub/again/root/": LOOP}


def test_a_loop_by_way_of_another_tree_ends(tmp_path: Path) -> None:
    write(tmp_path, {"tree/f": "", "other/g": ""})
    (tmp_path / "tree/out").symlink_to("../other")
    (tmp_path / "other/back").symlink_to("../tree")
    assert names(tmp_path / "tree") == ["f", "out/back/", "out/g"]
    assert problems(tmp_path / "tree") == {"out/back/": LOOP}


def test_two_links_to_one_directory_are_no_loop(tmp_path: Path) -> None:
    write(tmp_path, {"real/f": ""})
    (tmp_path / "one").symlink_to("real")
    (tmp_path / "two").symlink_to("real")
    assert names(tmp_path) == ["one/f", "real/f", "two/f"]


def test_broken_links_and_special_files_are_problems(tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "z": ""})
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(tmp_path)  # The path of a socket must be short.
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
    assert names(tmp_path) == ["a", "broken", "fifo", "null", "socket", "z"]
    assert problems(tmp_path) == {"broken": MISSING, "fifo": SPECIAL, "null": SPECIAL, "socket": SPECIAL}


def test_what_may_not_be_read_is_a_problem() -> None:
    with unprivileged() as root:
        write(root, {"a": "", "locked": "", "shut/f": "", "z": ""})
        (root / "locked").chmod(0)
        (root / "shut").chmod(0)
        assert names(root) == ["a", "locked", "shut/", "z"]
        assert problems(root) == {"locked": UNREADABLE, "shut/": UNREADABLE}
        # A target need not be readable to be compared.
        assert problems(root, "inside") == {"shut/": UNREADABLE}


def test_a_root_that_may_not_be_read_is_an_error() -> None:
    with unprivileged() as root:
        write(root / "shut", {"f": ""})
        (root / "shut").chmod(0)
        with pytest.raises(LocalFileError, match=r"shut: cannot be listed: permission denied"):
            names(root / "shut")


def test_names_that_are_not_utf_8_are_problems_one_can_print(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"dir\xe9"):
        path = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(path) if name.startswith(b"dir") else os.close(os.open(path, os.O_CREAT))
    write(tmp_path, {"a": "", "z": ""})
    found = [item for item in walk_tree(tmp_path) if isinstance(item, Problem)]
    assert [(item.message, item.where) for item in found] == [
        (UNDECODABLE, f"{tmp_path}/caf\\udce9"),
        (UNDECODABLE, f"{tmp_path}/dir\\udce9"),
    ]
    assert names(tmp_path)[::3] == ["a", "z"]


def test_what_vanishes_on_the_way_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "b": "", "c/f": "", "d": "", "e": ""})
    items = walk_tree(tmp_path)
    assert next(items).name == "a"
    (tmp_path / "b").unlink()
    shutil.rmtree(tmp_path / "c")
    (tmp_path / "d").unlink()
    (tmp_path / "d").mkdir()
    assert [(item.name, getattr(item, "message", "")) for item in items] == [
        ("b", MISSING),
        ("c/", MISSING),
        ("d", "It is a directory."),
        ("e", ""),
    ]


def test_a_directory_that_became_a_file_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "c/f": ""})
    items = walk_tree(tmp_path)
    assert next(items).name == "a"
    shutil.rmtree(tmp_path / "c")
    (tmp_path / "c").touch()
    assert list(items) == [Problem("c/", f"{tmp_path}/c", MISSING)]


def test_a_time_out_of_range_is_the_epoch(tmp_path: Path) -> None:
    write(tmp_path, {"f": ""})
    (item,) = walk_tree(tmp_path)
    assert item.modified == NOON
    impossible = os.stat_result([*os.stat(tmp_path / "f")[:8], 1 << 62, 0])
    assert walk._time_of(impossible, "f") == datetime(1970, 1, 1, tzinfo=UTC)


def test_in_a_target_links_are_followed_only_inside_and_never_complained_of(tmp_path: Path) -> None:
    write(tmp_path, {"tree/v2/f": "abc", "tree-beside/g": ""})
    root = tmp_path / "tree"
    (root / "current").symlink_to("v2")
    (root / "out").symlink_to(tmp_path / "tree-beside")
    (root / "broken").symlink_to("nowhere")
    (root / "loop").symlink_to(".")
    (root / "file").symlink_to(tmp_path / "tree-beside/g")
    found = [(item.name, getattr(item, "linked", None)) for item in walk_tree(root, links="inside")]
    assert found == [("current/f", True), ("file", False), ("v2/f", False)]


def test_a_target_need_not_exist(tmp_path: Path) -> None:
    assert names(tmp_path / "nothing", "inside") == []


def test_a_source_must_exist_and_be_a_directory(tmp_path: Path) -> None:
    write(tmp_path, {"file": ""})
    with pytest.raises(LocalFileNotFoundError, match="missing"):
        require_directory(tmp_path / "missing")
    with pytest.raises(LocalFileError, match="it is a file, not a directory"):
        require_directory(tmp_path / "file")
    require_directory(tmp_path)
    with pytest.raises(LocalFileNotFoundError, match="missing"):
        names(tmp_path / "missing")
    with pytest.raises(LocalFileError):
        names(tmp_path / "file", "inside")


async def test_batches_make_one_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_BATCH", 3)
    write(tmp_path, {f"{number:02}": "" for number in range(10)})
    found = [item.name async for item in local_entries(tmp_path, limiter=anyio.CapacityLimiter(1))]
    assert found == [f"{number:02}" for number in range(10)]


async def test_files_are_looked_at_only_as_their_turn_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_BATCH", 2)
    write(tmp_path, dict.fromkeys("abcdef", ""))
    entries = local_entries(tmp_path, limiter=anyio.CapacityLimiter(1))
    assert (await anext(entries)).name == "a"
    (tmp_path / "b").unlink()
    (tmp_path / "e").unlink()
    assert [getattr(item, "message", "") async for item in entries] == ["", "", "", MISSING, ""]


async def test_a_walk_that_finds_nothing_can_still_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        (tmp_path / f"{number}").mkdir()
    directories = 0
    really_check = from_thread.check_cancelled

    def cancel_and_check() -> None:
        nonlocal directories
        directories += 1
        if directories == 3:
            from_thread.run_sync(scope.cancel)
        really_check()

    monkeypatch.setattr(from_thread, "check_cancelled", cancel_and_check)
    with anyio.CancelScope() as scope:
        await collect(local_entries(tmp_path, limiter=anyio.CapacityLimiter(1)))
    assert scope.cancelled_caught
    assert directories == 3
