"""Syncs: what is transferred, what is deleted, and what must never be."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaglider.bulk import BulkOptions, Filters, sync_across, sync_down, sync_up
from deltaglider.errors import AccessDeniedError, InvalidInputError, LocalFileError, StoreUnavailableError
from deltaglider.layout.uri import S3Uri
from tests.bulk.world import World, later, read, write

P = S3Uri("b", "p/")
DELETE = BulkOptions(delete=True)
FORCE = BulkOptions(delete=True, force=True)
DRY = BulkOptions(delete=True, dryrun=True)


@pytest.fixture
def world() -> World:
    return World()


# Up


async def test_up_brings_what_is_missing_changed_or_newer(world: World, tmp_path: Path) -> None:
    world.put({"p/size": "xx", "p/same": "new", "p/newer-there": "old", "p/only": "kept", "p2/x": "kept"})
    world.put({"p/newer-here": "old"}, later(-60))
    write(tmp_path, {"size": "new", "same": "abc", "newer-there": "new", "newer-here": "new", "missing/f": "new"})
    world.put({"p/newer-there": "old"}, later(60))
    summary = await sync_up(world.verbs(), tmp_path, P, report=world.report)
    assert world.lines() == [
        f"done upload {tmp_path}/missing/f s3://b/p/missing/f",
        f"done upload {tmp_path}/newer-here s3://b/p/newer-here",
        f"done upload {tmp_path}/size s3://b/p/size",
    ]
    assert world.keys()["p/only"] == "kept"
    assert (summary.done, summary.unchanged, world.retired) == (3, 2, 0)


async def test_up_twice_moves_nothing_the_second_time(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a": "1", "a-b": "2", "d/c": "3"})
    assert (await sync_up(world.verbs(), tmp_path, S3Uri("b", "p"))).done == 3
    summary = await sync_up(world.verbs(), tmp_path, S3Uri("b", "p"), DELETE, report=world.report)
    assert (summary.done, summary.unchanged, world.outcomes) == (0, 3, [])


async def test_up_with_delete_deletes_what_only_the_place_has(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a": "1"})
    world.put({"p/b": "x", "p/d/c": "y", "p/marker/": "", "p2/x": "kept", "p-old": "kept", "p": "kept"})
    summary = await sync_up(world.verbs(), tmp_path, S3Uri("b", "p"), DELETE, report=world.report)
    assert set(world.keys()) == {"p/a", "p/marker/", "p2/x", "p-old", "p"}
    assert (summary.done, summary.deleted, world.retired) == (3, 2, 1)
    assert world.lines()[:2] == ["done delete s3://b/p/b", "done delete s3://b/p/d/c"]


async def test_a_dry_run_up_changes_nothing(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a": "1"})
    world.put({"p/b": "x"})
    await sync_up(world.verbs(), tmp_path, P, DRY, report=world.report)
    assert world.keys() == {"p/b": "x"}
    assert world.lines() == ["planned delete s3://b/p/b", f"planned upload {tmp_path}/a s3://b/p/a"]
    assert world.retired == 0


async def test_what_is_excluded_is_neither_sent_nor_deleted(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a.log": "1", "b.zip": "2", "abs/c": "3"})
    world.put({"p/old.log": "x", "p/old.zip": "y", "p/abs/d": "z"})
    filters = Filters.of(("exclude", "*.log"), ("exclude", f"{tmp_path}/abs/*"))
    await sync_up(world.verbs(), tmp_path, P, BulkOptions(delete=True, filters=filters))
    assert set(world.keys()) == {"p/b.zip", "p/old.log", "p/abs/d"}


async def test_what_cannot_be_read_here_is_not_deleted_there(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"src/a": "1", "gone/g": ""})
    src = tmp_path / "src"
    (src / "broken").symlink_to(tmp_path / "unmounted")
    os.mkfifo(src / "pipe")
    (src / "loop").symlink_to(".")
    backup = {"p/broken": "1", "p/broken/deep/f": "2", "p/pipe": "3", "p/loop/f": "4"}
    world.put({**backup, "p/broken-other": "gone", "p/pipe0": "gone"})
    summary = await sync_up(world.verbs(), src, P, DELETE)
    assert world.keys() == {**backup, "p/a": "1"}
    assert (summary.skipped, summary.deleted) == (3, 2)


async def test_an_excluded_directory_that_cannot_be_read_protects_all_of_it(world: World, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/loop").symlink_to(".")
    world.put({"p/d/loop/f": "kept"})
    options = BulkOptions(delete=True, filters=Filters.of(("exclude", "d/loop/")))
    summary = await sync_up(world.verbs(), tmp_path, P, options)
    assert (summary.skipped, world.keys()) == (0, {"p/d/loop/f": "kept"})


async def test_a_source_that_is_gone_deletes_nothing(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "kept"})
    with pytest.raises(LocalFileError):
        await sync_up(world.verbs(), tmp_path / "unmounted", P, DELETE)
    assert world.keys() == {"p/a": "kept"}


async def test_a_broken_listing_of_the_target_deletes_nothing(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"z": "1"})
    world.put({"p/a": "kept", "p/b": "kept"})
    world.listing_breaks_after["b"] = 1
    with pytest.raises(StoreUnavailableError):
        await sync_up(world.verbs(), tmp_path, P, DELETE)
    assert {"p/a", "p/b"} <= set(world.keys())


@pytest.mark.parametrize("option", ["size_only", "no_overwrite"])
async def test_options_reach_the_table(world: World, tmp_path: Path, option: str) -> None:
    world.put({"p/newer": "old"}, later(-60))
    write(tmp_path, {"newer": "new"})
    assert (await sync_up(world.verbs(), tmp_path, P, BulkOptions(**{option: True}))).done == 0
    assert (await sync_up(world.verbs(), tmp_path, P)).done == 1


async def test_many_deletes_wait_in_the_directory_meant_for_it(world: World, tmp_path: Path) -> None:
    world.temp_dir = tmp_path / "temp"
    world.put({f"p/{number}": "" for number in range(50)})
    write(tmp_path / "src", {})
    assert (await sync_up(world.verbs(), tmp_path / "src", P, FORCE)).deleted == 50
    assert list((tmp_path / "temp").iterdir()) == []


# Down


async def test_down_brings_what_is_missing_or_changed_and_undoes_local_edits(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"size": "xx", "same": "abc", "older-here": "old", "only": "kept"})
    write(tmp_path, {"edited": "old"}, later(60))
    world.put({"p/size": "new", "p/same": "new", "p/edited": "new", "p/missing/f": "new"})
    world.put({"p/older-here": "new"}, later(60))
    summary = await sync_down(world.verbs(), P, tmp_path, report=world.report)
    assert read(tmp_path) == {
        "size": "new",
        "same": "abc",
        "edited": "new",
        "missing/f": "new",
        # That is how aws has it: newer objects of the same size are left.
        "older-here": "old",
        "only": "kept",
    }
    assert (summary.done, summary.unchanged, world.retired) == (3, 2, 0)
    summary = await sync_down(world.verbs(), P, tmp_path, BulkOptions(exact_timestamps=True))
    assert (summary.done, read(tmp_path)["older-here"]) == (1, "new")


async def test_down_twice_moves_nothing_the_second_time(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "1", "p/d/b": "2"}, later(0.123456))
    assert (await sync_down(world.verbs(), P, tmp_path / "out")).done == 2
    for options in (BulkOptions(), DELETE, BulkOptions(exact_timestamps=True), BulkOptions(size_only=True)):
        summary = await sync_down(world.verbs(), P, tmp_path / "out", options)
        assert (summary.done, summary.unchanged, summary.skipped) == (0, 2, 0)


async def test_down_with_delete_leaves_directories_and_special_files(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"old": "x", "d/old": "x", "d/keep": "1"})
    os.mkfifo(tmp_path / "pipe")
    world.put({"p/d/keep": "1"})
    summary = await sync_down(world.verbs(), P, tmp_path, DELETE, report=world.report)
    assert read(tmp_path) == {"d/keep": "1"}
    assert (tmp_path / "pipe").is_fifo()
    assert (summary.deleted, summary.skipped) == (2, 1)
    assert world.lines()[:2] == [f"done delete {tmp_path}/d/old", f"done delete {tmp_path}/old"]


async def test_down_with_delete_empties_directories_and_keeps_them(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"d/e/f": "x"})
    await sync_down(world.verbs(), P, tmp_path, FORCE)
    assert (tmp_path / "d/e").is_dir()
    assert read(tmp_path) == {}


async def test_down_with_delete_never_deletes_through_a_link(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"elsewhere/f": "kept", "out/v2/f": "1", "out/gone": "x"})
    (tmp_path / "out/away").symlink_to("../elsewhere")
    (tmp_path / "out/current").symlink_to("v2")
    (tmp_path / "out/file").symlink_to("../elsewhere/f")
    world.put({"p/v2/f": "1"})
    summary = await sync_down(world.verbs(), P, tmp_path / "out", DELETE)
    assert read(tmp_path) == {"elsewhere/f": "kept", "out/v2/f": "1"}
    assert (tmp_path / "out/away").is_symlink()
    assert not (tmp_path / "out/file").is_symlink()
    assert (summary.deleted, summary.skipped) == (2, 0)


async def test_down_through_a_link_inside_comes_to_rest(world: World, tmp_path: Path) -> None:
    (tmp_path / "v2").mkdir()
    (tmp_path / "current").symlink_to("v2")
    world.put({"p/current/f": "1"})
    assert (await sync_down(world.verbs(), P, tmp_path)).done == 1
    assert (await sync_down(world.verbs(), P, tmp_path)).unchanged == 1
    assert (tmp_path / "v2/f").read_text() == "1"


@pytest.mark.parametrize("after", range(4))
async def test_a_broken_listing_of_the_source_deletes_nothing(world: World, tmp_path: Path, after: int) -> None:
    write(tmp_path, {"a": "1", "b": "1", "only": "kept"})
    world.put({"p/a": "1", "p/b": "1", "p/z": "1"})
    world.listing_breaks_after["b"] = after
    with pytest.raises(StoreUnavailableError, match="the store went away"):
        await sync_down(world.verbs(), P, tmp_path, DELETE, report=world.report)
    assert {"a", "b", "only"} <= set(read(tmp_path))
    assert not any(outcome.action == "delete" for outcome in world.outcomes)


async def test_a_dry_run_down_changes_nothing(world: World, tmp_path: Path) -> None:
    write(tmp_path / "out", {"old": "x"})
    world.put({"p/new/f": "1"})
    await sync_down(world.verbs(), P, tmp_path / "out", DRY, report=world.report)
    assert read(tmp_path) == {"out/old": "x"}
    assert not (tmp_path / "out/new").exists()
    assert world.lines() == [
        f"planned delete {tmp_path}/out/old",
        f"planned download s3://b/p/new/f {tmp_path}/out/new/f",
    ]


async def test_a_dry_run_down_to_nowhere_shows_all(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "1"})
    await sync_down(world.verbs(), P, tmp_path / "not/yet", DRY, report=world.report)
    assert world.lines() == [f"planned download s3://b/p/a {tmp_path}/not/yet/a"]
    assert not (tmp_path / "not").exists()


async def test_names_that_leave_the_target_are_skipped_in_a_sync_too(world: World, tmp_path: Path) -> None:
    write(tmp_path / "out", {"old": "x"})
    world.put({"p/../old": "evil", "p/a//b": "odd", "p/a/b": "1"})
    summary = await sync_down(world.verbs(), P, tmp_path / "out", DELETE)
    assert read(tmp_path) == {"out/a/b": "1"}
    assert (summary.done, summary.deleted, summary.skipped) == (2, 1, 2)


async def test_failed_transfers_do_not_keep_deletes_from_happening(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"old": "x"})
    world.put({"p/a": "1", "p/b": "2"})
    world.errors["p/a"] = AccessDeniedError("no")
    summary = await sync_down(world.verbs(), P, tmp_path, DELETE)
    assert read(tmp_path) == {"b": "2"}
    assert (summary.done, summary.failed) == (2, 1)


async def test_fail_fast_deletes_nothing_after_a_failure(world: World, tmp_path: Path) -> None:
    world.workers = 1
    write(tmp_path, {"old": "x"})
    world.put({"p/a": "1"})
    world.errors["p/a"] = AccessDeniedError("no")
    summary = await sync_down(world.verbs(), P, tmp_path, BulkOptions(delete=True, fail_fast=True))
    assert (read(tmp_path), summary.deleted) == ({"old": "x"}, 0)


async def test_a_file_removed_by_someone_else_meanwhile_is_deleted(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"old": "x"})
    world.put({"p/a": "1"})

    def report(_: object) -> None:
        (tmp_path / "old").unlink(missing_ok=True)

    world.workers = 1
    summary = await sync_down(world.verbs(), P, tmp_path, DELETE, report=report)
    assert (summary.deleted, summary.failed) == (1, 0)


# Across


async def test_across_copies_changes_and_deletes(world: World) -> None:
    world.put({"p/a": "new!", "p/same": "1", "p/b": "2"})
    world.put({"q/a": "old", "q/same": "1", "q/only": "x", "q2/x": "kept"}, bucket="c")
    summary = await sync_across(world.verbs(), P, S3Uri("c", "q"), DELETE, report=world.report)
    assert world.keys("c") == {"q/a": "new!", "q/same": "1", "q/b": "2", "q2/x": "kept"}
    assert (summary.done, summary.deleted, summary.unchanged, world.retired) == (3, 1, 1, 1)
    assert world.lines()[0] == "done copy s3://b/p/a s3://c/q/a"


async def test_across_a_newer_source_is_copied_and_an_older_one_is_not(world: World) -> None:
    world.put({"p/newer": "new", "p/older": "new"}, later(60))
    world.put({"q/newer": "old"}, later(0))
    world.put({"q/older": "old"}, later(120))
    await sync_across(world.verbs(), P, S3Uri("b", "q"))
    assert (world.keys()["q/newer"], world.keys()["q/older"]) == ("new", "old")


async def test_across_into_a_part_of_itself_comes_to_rest(world: World) -> None:
    world.put({"a": "1", "backup/old": "x"})
    whole, part = S3Uri("b"), S3Uri("b", "backup")
    assert (await sync_across(world.verbs(), whole, part, DELETE)).done == 2
    assert world.keys() == {"a": "1", "backup/a": "1"}
    assert (await sync_across(world.verbs(), whole, part, DELETE)).done == 0


async def test_across_out_of_a_part_never_deletes_the_source(world: World) -> None:
    world.put({"a": "old", "only": "x", "backup/a": "1234", "backup/b": "2"})
    await sync_across(world.verbs(), S3Uri("b", "backup"), S3Uri("b"), DELETE)
    assert world.keys() == {"a": "1234", "b": "2", "backup/a": "1234", "backup/b": "2"}


@pytest.mark.parametrize("after", range(3))
async def test_across_a_broken_listing_deletes_nothing(world: World, after: int) -> None:
    world.put({"p/a": "1", "p/b": "1"})
    world.put({"q/0": "kept", "q/x": "kept"}, bucket="c")
    world.listing_breaks_after["b"] = after
    with pytest.raises(StoreUnavailableError):
        await sync_across(world.verbs(), P, S3Uri("c", "q"), DELETE)
    assert {"q/0", "q/x"} <= set(world.keys("c"))


async def test_across_the_same_place_is_refused(world: World) -> None:
    with pytest.raises(InvalidInputError, match="the same place"):
        await sync_across(world.verbs(), S3Uri("b"), S3Uri("b", ""), DELETE)


# Both ways


SEGMENTS = st.text(alphabet="ab.-~é", min_size=1, max_size=2).filter(lambda segment: segment not in (".", ".."))
FILES = st.dictionaries(
    st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join), st.text(alphabet="xy", max_size=2), max_size=8
)


def possible(files: dict[str, str]) -> dict[str, str]:
    """Without the files that others need as directories."""
    return {name: text for name, text in files.items() if not any(other.startswith(f"{name}/") for other in files)}


@settings(max_examples=30)
@given(FILES, FILES)
async def test_after_a_sync_both_sides_are_the_same(before: dict[str, str], after: dict[str, str]) -> None:
    before, after = possible(before), possible(after)
    world = World()
    root = Path(tempfile.mkdtemp(prefix="dg-sync-"))
    try:
        world.put({f"p/{name}": text for name, text in before.items()}, later(-60))
        write(root / "src", after)
        await sync_up(world.verbs(), root / "src", P, FORCE)
        assert world.keys() == {f"p/{name}": text for name, text in after.items()}
        summary = await sync_down(world.verbs(), P, root / "out", FORCE)
        assert (read(root / "out"), summary.failed) == (after, 0)
        assert (await sync_up(world.verbs(), root / "out", P, FORCE)).done == 0
        assert (await sync_down(world.verbs(), P, root / "src", FORCE)).done == 0
    finally:
        shutil.rmtree(root)
