"""The verbs for many objects, except syncs: up, down, across, and away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider.bulk import BulkOptions, Filters, copy_tree, delete_tree, download_tree, upload_tree
from deltaglider.errors import (
    AccessDeniedError,
    InvalidInputError,
    LocalFileError,
    LocalFileNotFoundError,
    StoreUnavailableError,
)
from deltaglider.events import AllFound, ItemFinished, ItemFound, ItemStarted
from deltaglider.layout.uri import S3Uri
from tests.bulk.world import NOON, World, later, read, write

PLACES = [S3Uri("b", "p"), S3Uri("b", "p/")]
P = S3Uri("b", "p/")
DRY = BulkOptions(dryrun=True)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def src(tmp_path: Path) -> Path:
    return write(tmp_path / "src", {"a.txt": "one", "d/b.zip": "two", ".hidden": "three"})


# Up


@pytest.mark.parametrize("place", PLACES)
async def test_a_directory_goes_up_under_its_relative_names(world: World, src: Path, place: S3Uri) -> None:
    world.put({"p/d/b.zip": "old", "p/other": "kept"})
    summary = await upload_tree(world.verbs(), src, place, report=world.report)
    assert world.keys() == {
        "p/.hidden": "three",
        "p/a.txt": "one",
        "p/d/b.zip": "two",
        "p/other": "kept",
    }
    assert (summary.done, summary.size, summary.stored, summary.unchanged) == (3, 11, 4, 0)
    assert world.lines() == [
        f"done upload {src}/.hidden s3://b/p/.hidden",
        f"done upload {src}/a.txt s3://b/p/a.txt",
        f"done upload {src}/d/b.zip s3://b/p/d/b.zip",
    ]
    assert world.retired == 0


async def test_a_directory_goes_up_into_the_root_of_a_bucket(world: World, src: Path) -> None:
    await upload_tree(world.verbs(), src, S3Uri("b"))
    assert set(world.keys()) == {".hidden", "a.txt", "d/b.zip"}


async def test_a_dry_run_up_stores_nothing(world: World, src: Path) -> None:
    summary = await upload_tree(world.verbs(), src, P, DRY, report=world.report)
    assert world.keys() == {}
    assert (summary.done, summary.size) == (0, 0)
    assert world.lines() == [
        f"planned upload {src}/.hidden s3://b/p/.hidden",
        f"planned upload {src}/a.txt s3://b/p/a.txt",
        f"planned upload {src}/d/b.zip s3://b/p/d/b.zip",
    ]


async def test_filters_apply_in_order(world: World, src: Path) -> None:
    filters = Filters.of(("exclude", "*"), ("include", "*.zip"), ("exclude", f"{src}/x/*"))
    await upload_tree(world.verbs(), src, P, BulkOptions(filters=filters))
    assert world.keys() == {"p/d/b.zip": "two"}


async def test_what_cannot_be_walked_is_skipped_and_the_rest_goes_up(world: World, src: Path) -> None:
    (src / "broken").symlink_to("nowhere")
    (src / "d/loop").symlink_to("..")
    os.mkfifo(src / "excluded-pipe")
    options = BulkOptions(filters=Filters.of(("exclude", "excluded*")))
    summary = await upload_tree(world.verbs(), src, P, options, report=world.report)
    assert (summary.done, summary.skipped, summary.ok) == (3, 2, True)
    assert [outcome.message for outcome in world.outcomes if outcome.status == "skipped"] == [
        "File does not exist.",
        "Symbolic link leads back to a directory above it.",
    ]
    assert world.lines()[3:] == [f"skipped upload {src}/broken", f"skipped upload {src}/d/loop"]


@pytest.mark.parametrize(("follow", "expected"), [(True, {"p/f", "p/link/g"}), (False, {"p/f"})])
async def test_links_are_followed_or_not(world: World, tmp_path: Path, follow: bool, expected: set[str]) -> None:
    write(tmp_path, {"src/f": "", "elsewhere/g": ""})
    (tmp_path / "src/link").symlink_to("../elsewhere")
    await upload_tree(world.verbs(), tmp_path / "src", P, BulkOptions(follow_symlinks=follow))
    assert set(world.keys()) == expected


async def test_one_failed_upload_does_not_stop_the_others(world: World, src: Path) -> None:
    error = AccessDeniedError("the key may not write", uri="s3://b/p/a.txt")
    world.errors["a.txt"] = error
    summary = await upload_tree(world.verbs(), src, P)
    assert set(world.keys()) == {"p/.hidden", "p/d/b.zip"}
    assert (summary.done, summary.failed) == (2, 1)
    (failure,) = summary.failures
    assert (failure.source, failure.target, failure.error) == (f"{src}/a.txt", "s3://b/p/a.txt", error)
    assert failure.message == str(error)


async def test_fail_fast_stops_after_the_first(world: World, tmp_path: Path) -> None:
    world.workers = 1
    src = write(tmp_path / "many", {f"{number:03}": "" for number in range(100)})
    world.errors["000"] = AccessDeniedError("no")
    summary = await upload_tree(world.verbs(), src, P, BulkOptions(fail_fast=True))
    assert (summary.failed, summary.done, world.keys()) == (1, 0, {})


async def test_a_missing_source_is_an_error_before_anything_else(world: World, src: Path) -> None:
    with pytest.raises(LocalFileNotFoundError, match="missing"):
        await upload_tree(world.verbs(), src / "missing", P)
    with pytest.raises(LocalFileError, match="it is a file, not a directory"):
        await upload_tree(world.verbs(), src / "a.txt", P)
    assert world.events == []


async def test_observers_hear_of_every_item(world: World, src: Path) -> None:
    await upload_tree(world.verbs(), src, P)
    found = [event.size for event in world.events if isinstance(event, ItemFound)]
    assert found == [5, 3, 3]
    started = [event.target for event in world.events if isinstance(event, ItemStarted)]
    assert started == ["s3://b/p/.hidden", "s3://b/p/a.txt", "s3://b/p/d/b.zip"]
    assert world.events.count(AllFound()) == 1
    assert sum(isinstance(event, ItemFinished) for event in world.events) == 3


# Down


@pytest.mark.parametrize("place", PLACES)
async def test_a_place_comes_down_with_its_times(world: World, tmp_path: Path, place: S3Uri) -> None:
    world.put({"p/a.txt": "one", "p/d/b.zip": "three!", "p2/x": "no", "p-old": "no", "p/d/": "", "p/": ""})
    target = tmp_path / "new/out"
    summary = await download_tree(world.verbs(), place, target, report=world.report)
    assert read(target) == {"a.txt": "one", "d/b.zip": "three!"}
    assert (target / "a.txt").stat().st_mtime == NOON.timestamp()
    assert (summary.done, summary.size, summary.stored) == (2, 9, 4)
    assert world.lines() == [
        f"done download s3://b/p/a.txt {target}/a.txt",
        f"done download s3://b/p/d/b.zip {target}/d/b.zip",
    ]


async def test_the_destination_is_made_even_when_nothing_is_found(world: World, tmp_path: Path) -> None:
    await download_tree(world.verbs(), P, tmp_path / "a/b")
    assert (tmp_path / "a/b").is_dir()


async def test_a_dry_run_down_makes_nothing_and_still_warns(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "1", "p/../x": "2", "p/d/b": "3"})
    summary = await download_tree(world.verbs(), P, tmp_path / "out", DRY, report=world.report)
    assert list(tmp_path.iterdir()) == []
    assert (summary.done, summary.skipped) == (0, 1)
    assert world.lines() == [
        f"planned download s3://b/p/a {tmp_path}/out/a",
        f"planned download s3://b/p/d/b {tmp_path}/out/d/b",
        "skipped download s3://b/p/../x",
    ]


async def test_a_dry_run_down_sees_links_that_lead_out(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "out", {})
    (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
    world.put({"p/link/f": "1"})
    summary = await download_tree(world.verbs(), P, tmp_path / "out", DRY)
    assert summary.skipped == 1


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/../x", "//../x", "a/..", "..", "/etc/x", "a\0b", "a//b"])
async def test_no_key_leaves_the_destination(world: World, tmp_path: Path, name: str) -> None:
    world.put({f"p/{name}": "evil", "p/ok": "good"})
    target = tmp_path / "deep/out"
    summary = await download_tree(world.verbs(), P, target, report=world.report)
    assert read(tmp_path) == {"deep/out/ok": "good"}
    assert (summary.done, summary.skipped, summary.failed) == (1, 1, 0)
    (warning,) = [outcome for outcome in world.outcomes if outcome.status == "skipped"]
    assert warning.source == f"s3://b/p/{name}"
    assert ".." not in name.split("/") or warning.message == "File references a parent directory."


async def test_a_link_out_of_the_destination_is_not_followed(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"out-side/secret": "kept", "out/f": "old"})
    (tmp_path / "out/link").symlink_to("../out-side")
    (tmp_path / "out/secret").symlink_to("../out-side/secret")
    world.put({"p/link/secret": "evil", "p/link/new": "evil", "p/secret": "mine", "p/f": "new"})
    summary = await download_tree(world.verbs(), P, tmp_path / "out", report=world.report)
    assert read(tmp_path) == {"out-side/secret": "kept", "out/f": "new", "out/secret": "mine"}
    assert (summary.done, summary.skipped) == (2, 2)
    messages = {outcome.message for outcome in world.outcomes if outcome.status == "skipped"}
    assert messages == {"Its directory is a symbolic link that leads out of the destination."}


async def test_a_name_that_is_file_and_directory_fails_alone(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "file", "p/a-b": "beside", "p/a/b": "below", "p/a/c/d": "below", "p/b": "fine"})
    summary = await download_tree(world.verbs(), P, tmp_path)
    assert read(tmp_path) == {"a": "file", "a-b": "beside", "b": "fine"}
    assert (summary.done, summary.failed) == (3, 2)
    assert [failure.source for failure in summary.failures] == ["s3://b/p/a/b", "s3://b/p/a/c/d"]
    assert "a is an object too" in summary.failures[0].message
    assert isinstance(summary.failures[0].error, LocalFileError)


async def test_what_stands_in_the_way_fails_alone(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"file": "kept", "dir/f": "kept"})
    world.put({"p/file/x": "no", "p/dir": "no", "p/ok": "yes"})
    summary = await download_tree(world.verbs(), P, tmp_path)
    assert read(tmp_path) == {"file": "kept", "dir/f": "kept", "ok": "yes"}
    assert {failure.source: failure.message.split(": ", 1)[1] for failure in summary.failures} == {
        "s3://b/p/dir": "cannot be written: a directory is in its place. Remove it, or use another destination",
        "s3://b/p/file/x": (
            "cannot be written: a file is in the place of its directory. Remove that file, or use another destination"
        ),
    }


@pytest.mark.parametrize("options", [BulkOptions(), DRY])
async def test_a_destination_that_is_a_file_is_an_error(world: World, tmp_path: Path, options: BulkOptions) -> None:
    write(tmp_path, {"file": "kept"})
    world.put({"p/a": "1"})
    with pytest.raises(LocalFileError, match="file: it is not a directory"):
        await download_tree(world.verbs(), P, tmp_path / "file", options)
    assert read(tmp_path) == {"file": "kept"}


async def test_a_broken_listing_is_an_error_of_its_own(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "1", "p/b": "2"})
    world.listing_breaks_after["b"] = 1
    with pytest.raises(StoreUnavailableError, match="the store went away"):
        await download_tree(world.verbs(), P, tmp_path)
    assert "b" not in read(tmp_path)


async def test_excluded_keys_are_not_even_warned_of(world: World, tmp_path: Path) -> None:
    world.put({"p/a": "1", "p/../x": "2"})
    options = BulkOptions(filters=Filters.of(("exclude", "../*")))
    summary = await download_tree(world.verbs(), P, tmp_path, options)
    assert (summary.done, summary.skipped) == (1, 0)


# Across


async def test_a_place_is_copied(world: World) -> None:
    world.put({"p/a": "one", "p/../x": "odd", "p/d//e": "two", "p/d/": "", "p2/x": "no"})
    summary = await copy_tree(world.verbs(), P, S3Uri("c", "q"), report=world.report)
    assert world.keys("c") == {"q/a": "one", "q/../x": "odd", "q/d//e": "two"}
    assert (summary.done, summary.size, summary.stored) == (3, 9, 3)
    assert "done copy s3://b/p/a s3://c/q/a" in world.lines()


async def test_a_dry_copy_copies_nothing(world: World) -> None:
    world.put({"p/a": "one"})
    await copy_tree(world.verbs(), P, S3Uri("c", "q"), DRY, report=world.report)
    assert world.keys("c") == {}
    assert world.lines() == ["planned copy s3://b/p/a s3://c/q/a"]


async def test_a_place_is_not_copied_into_its_own_copy(world: World) -> None:
    world.put({"a": "1", "backup/old": "2", "backup2/x": "3"})
    await copy_tree(world.verbs(), S3Uri("b"), S3Uri("b", "backup"))
    assert set(world.keys()) == {"a", "backup/old", "backup2/x", "backup/a", "backup/backup2/x"}


async def test_a_place_of_the_same_name_in_another_bucket_is_another_place(world: World) -> None:
    world.put({"a": "1", "backup/old": "2"})
    await copy_tree(world.verbs(), S3Uri("b"), S3Uri("c", "backup"))
    assert set(world.keys("c")) == {"backup/a", "backup/backup/old"}


@pytest.mark.parametrize("target", PLACES)
async def test_a_place_is_not_copied_onto_itself(world: World, target: S3Uri) -> None:
    with pytest.raises(InvalidInputError, match="source and target are the same place"):
        await copy_tree(world.verbs(), P, target)


# Away


@pytest.mark.parametrize("place", PLACES)
async def test_a_place_is_deleted_with_its_markers_and_nothing_beside_it(world: World, place: S3Uri) -> None:
    world.put({"p/": "", "p/a": "1", "p/d/": "", "p/d/b": "2", "p/../x": "3", "p": "kept", "p2/x": "kept"})
    summary = await delete_tree(world.verbs(), place, report=world.report)
    assert world.keys() == {"p": "kept", "p2/x": "kept"}
    assert (summary.done, summary.deleted, summary.size) == (5, 5, 0)
    assert "done delete s3://b/p/d/b" in world.lines()
    assert world.retired == 1


async def test_a_dry_delete_deletes_and_retires_nothing(world: World) -> None:
    world.put({"p/a": "1"})
    await delete_tree(world.verbs(), P, DRY, report=world.report)
    assert world.keys() == {"p/a": "1"}
    assert world.lines() == ["planned delete s3://b/p/a"]
    assert world.retired == 0


async def test_filters_spare_what_they_exclude(world: World) -> None:
    world.put({"p/a.log": "1", "p/b.zip": "2", "p/d/c.zip": "3"})
    options = BulkOptions(filters=Filters.of(("exclude", "*.zip"), ("include", "d/*")))
    await delete_tree(world.verbs(), P, options)
    assert world.keys() == {"p/b.zip": "2"}


async def test_deletes_that_fail_fail_alone_and_references_are_retired_all_the_same(world: World) -> None:
    world.put({"p/a": "1", "p/b": "2", "p/c": "3"})
    world.errors["p/b"] = AccessDeniedError("no")
    summary = await delete_tree(world.verbs(), P)
    assert set(world.keys()) == {"p/b"}
    assert (summary.deleted, summary.failed, world.retired) == (2, 1, 1)


async def test_retiring_may_fail_without_hiding_what_was_deleted(world: World) -> None:
    world.put({"p/a": "1"})
    world.retire_error = AccessDeniedError("the listing is forbidden", uri="s3://b/p/.deltaglider/")
    summary = await delete_tree(world.verbs(), P, report=world.report)
    assert (summary.deleted, summary.failed) == (1, 1)
    assert summary.failures[0].source == "s3://b/p/.deltaglider/"
    assert world.keys() == {}


async def test_references_are_retired_after_a_broken_listing_too(world: World) -> None:
    world.put({"p/a": "1", "p/b": "2"})
    world.listing_breaks_after["b"] = 1
    with pytest.raises(StoreUnavailableError, match="the store went away"):
        await delete_tree(world.verbs(), P)
    assert world.retired == 1


async def test_the_time_of_the_next_object_is_the_world_s(world: World, src: Path) -> None:
    world.clock = later(5)
    await upload_tree(world.verbs(), src, P)
    assert {modified for _, modified in world.objects.values()} == {later(5)}
