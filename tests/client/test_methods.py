"""Every method of either client, on an embedded store."""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deltaglider import AsyncDeltaGliderClient
from deltaglider.client.boto import BotoMethods
from deltaglider.errors import (
    AlreadyExistsError,
    BucketNotFoundError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    StoreError,
)
from deltaglider.models import ObjectInfo, Prefix
from tests.client.world import EARLIER, Either, noise, sha256

V1 = noise("v1")
V2 = V1[:10_000] + b"a little new" + V1[10_000:]


@pytest.fixture
def here(bucket: str) -> str:
    return f"s3://{bucket}"


async def _put(either: Either, url: str, data: bytes = V1) -> None:
    await either("upload", data, url)


async def _get(either: Either, url: str) -> bytes:
    return b"".join(await either("stream", url))


async def test_upload_download_and_what_they_tell(either: Either, here: str, bucket: str, tmp_path: Path) -> None:
    first = await either("upload", V1, f"{here}/v1.0.0/app.zip")
    assert (first.operation, first.is_delta) == ("create_reference", False)
    assert first.original_size == len(V1)
    assert len(V1) < first.stored_size < len(V1) + 1_000
    second = await either("upload", V2, f"{here}/v2.0.0/app.zip")
    assert (second.operation, second.is_delta, second.bucket, second.key) == (
        "create_delta",
        True,
        bucket,
        "v2.0.0/app.zip",
    )
    assert second.stored_size < 200
    assert second.savings_percent > 99
    assert second.url == f"{here}/v2.0.0/app.zip"
    whole = await either("upload", b"small", f"{here}/note.txt")
    assert (whole.operation, whole.stored_size) == ("upload_direct", 5)
    for key, data in (("v1.0.0/app.zip", V1), ("v2.0.0/app.zip", V2), ("note.txt", b"small")):
        summary = await either("download", f"{here}/{key}", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == data
        assert (summary.bucket, summary.key, summary.sha256) == (bucket, key, sha256(data))


async def test_upload_options(either: Either, here: str) -> None:
    await _put(either, f"{here}/first.zip")
    summary = await either(
        "upload",
        V2,
        f"{here}/a.zip",
        metadata={"owner": "me"},
        content_type="application/x-thing",
        headers={"CacheControl": "no-store"},
    )
    assert summary.is_delta
    info = await either("head", f"{here}/a.zip")
    assert info.metadata == {"owner": "me"}
    assert info.content_type == "application/x-thing"
    assert info.headers["CacheControl"] == "no-store"
    assert not (await either("upload", V2, f"{here}/b.zip", delta=False)).is_delta
    assert not (await either("upload", noise("other"), f"{here}/c.zip", max_ratio=0.5)).is_delta


@pytest.mark.parametrize("ratio", [0, -1, 1.01, 50])
async def test_a_bad_ratio(ratio: float, either: Either, here: str) -> None:
    with pytest.raises(InvalidInputError, match="max_ratio"):
        await either("upload", V1, f"{here}/a.zip", max_ratio=ratio)
    with pytest.raises(InvalidInputError, match="max_ratio"):
        await either("copy", f"{here}/a.zip", f"{here}/b.zip", max_ratio=ratio)
    assert await either("list", here) == []


async def test_head(either: Either, here: str) -> None:
    await _put(either, f"{here}/v1/a.zip")
    await _put(either, f"{here}/v2/a.zip", V2)
    info = await either("head", f"{here}/v2/a.zip")
    assert isinstance(info, ObjectInfo)
    assert (info.key, info.size, info.is_delta, info.sha256) == ("v2/a.zip", len(V2), True, sha256(V2))
    assert info.stored_size < 200
    assert abs(info.last_modified - datetime.now(UTC)) < timedelta(minutes=5)
    with pytest.raises(NotFoundError):
        await either("head", f"{here}/v3/a.zip")


async def test_verify(either: Either, here: str) -> None:
    await _put(either, f"{here}/a.zip")
    result = await either("verify", f"{here}/a.zip")
    assert (result.valid, result.expected_sha256, result.actual_sha256) == (True, sha256(V1), sha256(V1))
    with pytest.raises(NotFoundError):
        await either("verify", f"{here}/b.zip")


async def test_delete(either: Either, here: str) -> None:
    await _put(either, f"{here}/a.zip")
    summary = await either("delete", f"{here}/a.zip")
    assert (summary.deleted, summary.was_delta) == (True, True)
    assert (await either("delete", f"{here}/a.zip")).deleted is False
    assert (await either("stats", here)).compressed_size == 0


async def test_copy(either: Either, here: str) -> None:
    await either("upload", V1, f"{here}/v1/a.zip", metadata={"a": "b"})
    summary = await either("copy", f"{here}/v1/a.zip", f"{here}/v2/")
    assert summary.key == "v2/a.zip"
    assert await _get(either, f"{here}/v2/a.zip") == V1
    assert (await either("head", f"{here}/v2/a.zip")).metadata == {"a": "b"}
    await either("copy", f"{here}/v1/a.zip", f"{here}/v3/b.zip", metadata={"c": "d"}, content_type="x/y")
    info = await either("head", f"{here}/v3/b.zip")
    assert (info.metadata, info.content_type) == ({"c": "d"}, "x/y")
    with pytest.raises(NotFoundError):
        await either("copy", f"{here}/missing", f"{here}/x")


async def test_list(either: Either, here: str) -> None:
    for key in ("b.zip", "a/1.zip", "a/2.txt", "a.zip", "ab.zip"):
        await _put(either, f"{here}/{key}")
    keys = [entry.key for entry in await either("list", here)]
    assert keys == ["a.zip", "a/1.zip", "a/2.txt", "ab.zip", "b.zip"]
    assert {entry.size for entry in await either("list", here)} == {len(V1)}
    assert [entry.key for entry in await either("list", f"{here}/a/")] == ["a/1.zip", "a/2.txt"]
    assert [entry.key for entry in await either("list", here, start_after="a/1.zip")] == ["a/2.txt", "ab.zip", "b.zip"]
    flat = await either("list", f"{here}/", recursive=False)
    assert [type(entry) for entry in flat] == [ObjectInfo, Prefix, ObjectInfo, ObjectInfo]
    assert flat[1].prefix == "a/"
    with pytest.raises(BucketNotFoundError):
        await either("list", "s3://no-such-bucket/")


async def test_stats(either: Either, here: str) -> None:
    await _put(either, f"{here}/v1/a.zip")
    await _put(either, f"{here}/v2/a.zip", V2)
    await _put(either, f"{here}/note.txt", b"small")
    stats = await either("stats", here)
    assert (stats.object_count, stats.total_size) == (3, len(V1) + len(V2) + 5)
    assert (stats.delta_objects, stats.direct_objects, stats.reference_objects) == (2, 1, 1)
    assert stats.reference_size == len(V1)
    assert len(V1) < stats.compressed_size < len(V1) + 1_000
    assert (await either("stats", f"{here}/v2/")).object_count == 1


async def test_buckets(either: Either, bucket: str, here: str) -> None:
    await either("make_bucket", "second-bucket")
    assert [found.name for found in await either("buckets")] == sorted([bucket, "second-bucket"])
    with pytest.raises(AlreadyExistsError):
        await either("make_bucket", "second-bucket")
    assert [found.name for found in await either("buckets", prefix="second")] == ["second-bucket"]
    await either("remove_bucket", "second-bucket")
    with pytest.raises(BucketNotFoundError):
        await either("remove_bucket", "second-bucket")
    await _put(either, f"{here}/a.zip")
    with pytest.raises(StoreError, match="empty"):
        await either("remove_bucket", bucket)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two versions and a note."""
    root = tmp_path / "tree"
    for name, data in {"v1/app.zip": V1, "v2/app.zip": V2, "note.txt": b"small"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def _contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def test_directories_up_and_down(either: Either, here: str, tree: Path, tmp_path: Path) -> None:
    reported = []
    up = await either("upload_directory", tree, f"{here}/app", report=reported.append)
    assert (up.done, up.failed, up.ok, up.size) == (3, 0, True, len(V1) + len(V2) + 5)
    assert sorted(outcome.target or "" for outcome in reported) == [
        f"{here}/app/note.txt",
        f"{here}/app/v1/app.zip",
        f"{here}/app/v2/app.zip",
    ]
    down = await either("download_directory", f"{here}/app", tmp_path / "down")
    assert down.done == 3
    assert _contents(tmp_path / "down") == _contents(tree)
    copied = await either("copy_directory", f"{here}/app", f"{here}/copy")
    assert copied.done == 3
    verified = await either("verify_directory", f"{here}/copy")
    assert [(result.key, result.valid) for result in verified] == [
        ("copy/note.txt", True),
        ("copy/v1/app.zip", True),
        ("copy/v2/app.zip", True),
    ]
    deleted = await either("delete_directory", f"{here}/app")
    assert (deleted.done, deleted.deleted) == (3, 3)
    assert [entry.key for entry in await either("list", here)] == [
        "copy/note.txt",
        "copy/v1/app.zip",
        "copy/v2/app.zip",
    ]
    assert await _get(either, f"{here}/copy/v2/app.zip") == V2


async def test_directories_with_filters_and_without_doing_it(either: Either, here: str, tree: Path) -> None:
    filters = [("exclude", "*"), ("include", "*.zip")]
    planned = await either("upload_directory", tree, here, filters=filters, dryrun=True)
    assert planned.done == 0
    assert await either("list", here) == []
    await either("upload_directory", tree, here, filters=filters)
    assert [entry.key for entry in await either("list", here)] == ["v1/app.zip", "v2/app.zip"]


async def test_analyze(either: Either, here: str, tree: Path) -> None:
    local = await either("analyze", tree)
    assert (local.files, local.candidates, local.sampled) == (3, 2, 1)
    await either("upload_directory", tree, here, delta=False)
    there = await either("analyze", here, sample=1, max_bytes=10_000_000)
    assert (there.stored, there.savings_percent) == (local.stored, local.savings_percent)
    with pytest.raises(InvalidInputError):
        await either("analyze", here, sample=0)


async def test_migrate(either: Either, here: str) -> None:
    await either("upload", V1, f"{here}/old/v1/a.zip", delta=False)
    await either("upload", V2, f"{here}/old/v2/a.zip", delta=False)
    planned = await either("migrate", f"{here}/old", f"{here}/new", dryrun=True)
    assert (planned.done, planned.figures) == (0, None)
    across = await either("migrate", f"{here}/old", f"{here}/new")
    assert (across.done, across.target) == (2, f"{here}/new/")
    assert across.figures == await either("stats", f"{here}/new/")
    where_they_lie = await either("migrate", f"{here}/old", f"{here}/old/", filters=[("exclude", "v1/*")])
    assert (where_they_lie.done, where_they_lie.figures.delta_objects) == (1, 1)
    for place in ("old", "new"):
        assert await _get(either, f"{here}/{place}/v2/a.zip") == V2


async def test_sync_all_three_ways(either: Either, here: str, tree: Path, tmp_path: Path) -> None:
    up = await either("sync", tree, f"{here}/a")
    assert (up.done, up.unchanged) == (3, 0)
    assert (await either("sync", str(tree), f"{here}/a")).unchanged == 3
    across = await either("sync", f"{here}/a", f"{here}/b")
    assert across.done == 3
    assert (await either("sync", f"{here}/b", tmp_path / "down")).done == 3
    assert _contents(tmp_path / "down") == _contents(tree)
    assert (await either("sync", f"{here}/b", tmp_path / "down")).unchanged == 3
    (tree / "note.txt").unlink()
    assert (await either("sync", tree, f"{here}/a", delete=True)).deleted == 1
    assert [entry.key for entry in await either("list", f"{here}/a")] == ["a/v1/app.zip", "a/v2/app.zip"]
    with pytest.raises(InvalidInputError, match="neither"):
        await either("sync", tree, tmp_path / "down")


async def test_a_path_no_directory_can_have(either: Either, here: str) -> None:
    for call in (("upload_directory", "a\0b", here), ("download_directory", here, "a\0b"), ("sync", here, "a\0b")):
        with pytest.raises(InvalidInputError, match="NUL"):
            await either(*call)


async def test_doctor(either: Either, here: str) -> None:
    checks = await either("doctor", here)
    assert [check.name for check in checks] == ["archive-aware", "xdelta3", "zstd", "cache", "temporary files", "store"]
    assert all(check.ok for check in checks), checks
    assert [check.ok for check in await either("doctor", "s3://no-such-bucket")] == [
        True,
        True,
        True,
        True,
        True,
        False,
    ]


async def test_survey_tells_of_a_lost_reference_and_mends_it(either: Either, here: str, tmp_path: Path) -> None:
    await _put(either, f"{here}/p/a.zip", V1)
    await _put(either, f"{here}/p/b.zip", V2)
    assert await either("survey", f"{here}/p") == []
    await _lose_reference(either, here)
    lost = await either("survey", here, quick=True)
    assert {(finding.code, finding.is_open) for finding in lost} == {("reference_missing", True)}
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "copy of a").write_bytes(V1)
    mended = await either("survey", here, repair=True, sources=[tmp_path / "old"])
    assert [finding.repaired for finding in mended] == [True, True]
    assert await _get(either, f"{here}/p/b.zip") == V2


async def test_rescue_with_the_users_own_copy_of_a_reference(either: Either, here: str, tmp_path: Path) -> None:
    await _put(either, f"{here}/p/a.zip", V1)
    await _put(either, f"{here}/p/b.zip", V2)
    await _lose_reference(either, here)
    (tmp_path / "copy").write_bytes(V1)
    had = await either("rescue", f"{here}/p/b.zip", tmp_path / "b.zip", reference=tmp_path / "copy")
    assert (had.exact, had.sha256) == (True, sha256(V2))
    assert (tmp_path / "b.zip").read_bytes() == V2


async def _lose_reference(either: Either, here: str) -> None:
    """As another tool would: nothing here remembers it."""
    root = either.client.settings.embedded_root
    assert root is not None
    with contextlib.closing(sqlite3.connect(root / "index.db")) as connection, connection:
        lost = connection.execute("DELETE FROM objects WHERE instr(CAST(key AS TEXT), 'p/.deltaglider/references/')")
        assert lost.rowcount == 1
    shutil.rmtree(Path(os.environ["DG_CACHE_DIR"]), ignore_errors=True)


async def test_several_files_to_one_place(either: Either, here: str, tree: Path, tmp_path: Path) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file())[:1]
    assert (await either("transfer", files, here)).done == 1
    assert (await either("transfer", [f"{here}/{files[0].name}"], tmp_path / "down", move=True)).done == 1
    assert (tmp_path / "down" / files[0].name).read_bytes() == files[0].read_bytes()
    assert await either("list", here) == []


async def test_what_only_a_server_has(either: Either, bucket: str) -> None:
    """More of these in ``test_sharing`` and, through the commands, in ``cli/test_buckets``."""
    for method, arguments, options in (
        ("presign", (f"s3://{bucket}/k",), {}),
        ("bucket_acl", (bucket,), {}),
        ("set_bucket_acl", (bucket,), {"acl": "private"}),
        ("set_bucket_website", (bucket,), {"index_document": "index.html"}),
        ("make_bucket", ("second-bucket",), {"tags": {"team": "core"}}),
    ):
        with pytest.raises(NotSupportedError, match="the embedded store has no"):
            await either(method, *arguments, **options)
    assert (await either("purge", bucket)).removed == 0
    for options in ({}, {"grants": {"fly": "id=me"}}, {"acl": "private", "policy": {"Grants": []}}):
        with pytest.raises(InvalidInputError):
            await either("set_bucket_acl", bucket, **options)


def test_no_method_was_forgotten() -> None:
    """Each public method occurs in this module."""
    text = Path(__file__).read_text()
    methods = {name for name, _ in inspect.getmembers(AsyncDeltaGliderClient, callable) if not name.startswith("_")}
    # Those of boto3's shape have tests of their own, in tests/boto.
    assert [name for name in methods - set(dir(BotoMethods)) - EARLIER if f'"{name}"' not in text] == []
