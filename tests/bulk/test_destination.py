from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider.bulk.destination import Destination, lies_in
from deltaglider.errors import LocalFileError
from tests.bulk.world import read, write

OUT = "Its directory is a symbolic link that leads out of the destination."
LINKED = "Its directory is reached through a symbolic link."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "out", {})


def test_the_root_is_made_with_those_above_it(tmp_path: Path) -> None:
    Destination(tmp_path / "a/b").create()
    Destination(tmp_path / "a/b").create()
    assert (tmp_path / "a/b").is_dir()


@pytest.mark.parametrize("method", ["create", "check"])
def test_a_root_that_is_no_directory_is_refused(tmp_path: Path, method: str) -> None:
    write(tmp_path, {"file": ""})
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("file", "broken"):
        with pytest.raises(LocalFileError, match=f"{name}: it is not a directory"):
            getattr(Destination(tmp_path / name), method)()


def test_a_root_below_a_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"file": ""})
    with pytest.raises(LocalFileError, match="the directory cannot be made"):
        Destination(tmp_path / "file/out").create()


def test_a_root_that_is_a_link_to_a_directory_serves(tmp_path: Path, root: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    destination = Destination(tmp_path / "link")
    destination.create()
    assert destination.make_room("d/f") == ""
    assert (root / "d").is_dir()


def test_room_is_made(root: Path) -> None:
    assert Destination(root).make_room("a/b/c.zip") == ""
    assert (root / "a/b").is_dir()
    assert not (root / "a/b/c.zip").exists()


def test_looking_makes_nothing(root: Path) -> None:
    assert Destination(root).refusal("a/b") == ""
    assert list(root.iterdir()) == []
    assert Destination(root / "not yet").refusal("a/b") == ""


@pytest.mark.parametrize("name", ["link/f", "link/deep/f", "d/link/f"])
def test_links_that_lead_out_are_refused(tmp_path: Path, root: Path, name: str) -> None:
    # A sibling whose name begins like the root's: comparing strings would let it pass.
    write(tmp_path / "out-side", {})
    (root / "d").mkdir()
    (root / "link").symlink_to("../out-side")
    (root / "d/link").symlink_to(tmp_path / "out-side")
    assert Destination(root).refusal(name) == OUT
    assert Destination(root).make_room(name) == OUT
    assert list((tmp_path / "out-side").iterdir()) == []


def test_links_that_stay_inside_serve(root: Path) -> None:
    (root / "v2").mkdir()
    (root / "current").symlink_to("v2")
    assert Destination(root).make_room("current/d/f") == ""
    assert (root / "v2/d").is_dir()


def test_a_link_in_the_place_of_the_file_is_to_be_replaced(tmp_path: Path, root: Path) -> None:
    (root / "f").symlink_to(tmp_path / "victim")
    assert Destination(root).make_room("f") == ""


def test_what_is_no_file_is_not_overwritten(root: Path) -> None:
    (root / "d").mkdir()
    os.mkfifo(root / "pipe")
    with pytest.raises(LocalFileError, match="d: cannot be written: a directory is in its place"):
        Destination(root).make_room("d")
    with pytest.raises(LocalFileError, match="something that is no file is in its place"):
        Destination(root).make_room("pipe")


@pytest.mark.parametrize("name", ["a/b", "a/b/c/d"])
def test_a_file_where_a_directory_is_needed_is_an_error(root: Path, name: str) -> None:
    write(root, {"a": "kept"})
    with pytest.raises(LocalFileError, match=f"{name}: cannot be written: a file is in the place of its directory"):
        Destination(root).make_room(name)
    assert read(root) == {"a": "kept"}


def test_a_name_too_long_for_the_file_system_is_an_error(root: Path) -> None:
    with pytest.raises(LocalFileError, match="cannot be written"):
        Destination(root).make_room("x" * 300)
    with pytest.raises(LocalFileError):
        Destination(root).make_room("x" * 300 + "/f")


def test_files_and_links_are_removed_and_nothing_else(tmp_path: Path, root: Path) -> None:
    write(tmp_path, {"victim": "kept", "out/f": "", "out/d/g": "", "out/h": ""})
    (root / "link").symlink_to(tmp_path / "victim")
    os.mkfifo(root / "pipe")
    destination = Destination(root)
    assert [destination.remove(name) for name in ("f", "d/g", "link", "gone", "gone/f", "h/x")] == [""] * 6
    assert [destination.remove(name) for name in ("d", "pipe")] == ["It is not a file."] * 2
    assert read(root) == {"h": ""}
    assert (root / "d").is_dir()
    assert not (root / "link").is_symlink()
    assert (tmp_path / "victim").read_text() == "kept"


def test_nothing_is_removed_through_a_link(tmp_path: Path, root: Path) -> None:
    write(tmp_path, {"elsewhere/f": "kept", "out/v2/f": "kept"})
    (root / "out").symlink_to("../elsewhere")
    (root / "current").symlink_to("v2")
    assert [Destination(root).remove(name) for name in ("out/f", "current/f")] == [LINKED] * 2
    assert read(tmp_path) == {"elsewhere/f": "kept", "out/v2/f": "kept"}


def test_a_relative_root_removes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"out/d/f": "", "out/g": ""})
    monkeypatch.chdir(tmp_path)
    assert [Destination(Path("out")).remove(name) for name in ("d/f", "g")] == ["", ""]
    assert read(tmp_path) == {}


def test_lying_in_a_directory(tmp_path: Path) -> None:
    assert lies_in(tmp_path, tmp_path)
    assert lies_in(tmp_path / "a/b", tmp_path)
    assert not lies_in(tmp_path.with_name(tmp_path.name + "2"), tmp_path)
    assert not lies_in(tmp_path / "..", tmp_path)
    assert lies_in(tmp_path, Path("/"))
