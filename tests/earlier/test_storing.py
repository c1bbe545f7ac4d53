"""``upload_batch``, ``download_batch`` and ``upload_chunked`` do what they said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deltaglider import InvalidInputError, LocalFileError, NotFoundError
from tests.client.world import SIZE, Either, noise

BASE = noise("base")
CHANGES = {f"app-{number}.zip": BASE + bytes([number]) for number in range(3)}


def written(directory: Path, files: dict[str, bytes]) -> list[Path]:
    directory.mkdir(exist_ok=True)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return [directory / name for name in files]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_batch_shares_a_reference(either: Either, bucket: str, tmp_path: Path, slash: str) -> None:
    told: list[tuple[str, int, int]] = []
    files = written(tmp_path / "files", CHANGES)

    summaries = await either(
        "upload_batch", files, f"s3://{bucket}/p{slash}", progress_callback=lambda *told_of: told.append(told_of)
    )

    assert [summary.key for summary in summaries] == [f"p/{name}" for name in CHANGES]
    assert sorted(summary.operation for summary in summaries) == ["create_delta", "create_delta", "create_reference"]
    stats = await either("stats", bucket, mode="detailed")
    assert (stats.reference_objects, stats.delta_objects) == (1, 3)
    assert stats.compressed_size < 1.1 * len(BASE)
    assert told == [(name, number, 3) for number, name in enumerate(CHANGES, 1)]


async def test_a_batch_comes_back(either: Either, bucket: str, tmp_path: Path) -> None:
    await either("upload_batch", [str(path) for path in written(tmp_path / "files", CHANGES)], f"s3://{bucket}/p")
    told: list[tuple[str, int, int]] = []

    paths = await either(
        "download_batch",
        [f"s3://{bucket}/p/{name}" for name in CHANGES],
        tmp_path / "new" / "place",
        progress_callback=lambda *told_of: told.append(told_of),
    )

    assert paths == [tmp_path / "new" / "place" / name for name in CHANGES]
    assert {path.name: path.read_bytes() for path in paths} == CHANGES
    assert told == [(name, number, 3) for number, name in enumerate(CHANGES, 1)]


async def test_files_of_one_name_are_refused(either: Either, bucket: str, tmp_path: Path) -> None:
    here, there = (written(tmp_path / place, {"a.zip": BASE})[0] for place in ("here", "there"))
    with pytest.raises(InvalidInputError, match="same name"):
        await either("upload_batch", [here, there], f"s3://{bucket}/p")
    with pytest.raises(InvalidInputError, match="same name"):
        await either("download_batch", [f"s3://{bucket}/p/a.zip", f"s3://{bucket}/q/a.zip"], tmp_path)
    assert await either("list", f"s3://{bucket}") == []


async def test_what_is_missing_is_the_error_of_a_batch(either: Either, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match=r"no\.zip"):
        await either("upload_batch", [tmp_path / "no.zip"], f"s3://{bucket}/p")
    with pytest.raises(NotFoundError, match=r"no\.zip"):
        await either("download_batch", [f"s3://{bucket}/p/no.zip"], tmp_path)


async def test_a_batch_keeps_to_max_ratio(either: Either, bucket: str, tmp_path: Path) -> None:
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    half = BASE[: SIZE // 2] + noise("other", SIZE // 2)
    (summary,) = await either("upload_batch", written(tmp_path, {"a.zip": half}), f"s3://{bucket}/p", 0.1)
    assert summary.operation == "upload_direct"


async def test_nothing_is_a_batch(either: Either, bucket: str, tmp_path: Path) -> None:
    assert await either("upload_batch", [], f"s3://{bucket}/p") == []
    assert await either("download_batch", [], tmp_path) == []


@pytest.mark.parametrize(
    ("name", "size", "chunks"),
    [("a.txt", 25_000, 3), ("a.txt", 20_000, 2), ("a.txt", 0, 1), ("a.txt", 9_999, 1), ("a.zip", 25_000, 3)],
)
async def test_chunks_are_told_of(
    either: Either, bucket: str, tmp_path: Path, name: str, size: int, chunks: int
) -> None:
    data = BASE[:size]
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    told: list[tuple[int, int, int, int]] = []
    path = written(tmp_path, {name: data})[0]

    summary = await either(
        "upload_chunked", path, f"s3://{bucket}/p/", 10_000, progress_callback=lambda *told_of: told.append(told_of)
    )

    assert summary.key == f"p/{name}"
    expected = [(number, chunks, min(number * 10_000, size), size) for number in range(1, chunks + 1)]
    assert told == expected
    back = tmp_path / "back"
    await either("download", f"s3://{bucket}/p/{name}", back)
    assert back.read_bytes() == data


async def test_a_chunk_is_done_only_when_it_is(either: Either, bucket: str, tmp_path: Path) -> None:
    (path,) = written(tmp_path, {"a.txt": BASE})
    told: list[Any] = []
    with pytest.raises(NotFoundError):
        await either("upload_chunked", path, "s3://no-such-bucket/a.txt", 10_000, lambda *told_of: told.append(told_of))
    assert told == []
    with pytest.raises(InvalidInputError):
        await either("upload_chunked", path, f"s3://{bucket}/a.txt", 0)
    assert (await either("upload_chunked", path, f"s3://{bucket}/a.txt")).original_size == SIZE


async def test_a_place_is_emptied_and_what_is_beside_it_is_not(either: Either, bucket: str) -> None:
    for key in ("p/a.zip", "p/b.zip", "p/n.txt", "p2/a.zip", "p"):
        await either("upload", BASE + key.encode(), f"s3://{bucket}/{key}")

    answer = await either("delete_objects_recursive", bucket, "p/")

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (answer["DeletedCount"], answer["FailedCount"]) == (3, 0)
    expected = {"DeltasDeleted": 2, "ReferencesDeleted": 1, "DirectDeleted": 1, "OtherDeleted": 0}
    assert answer["DeltaGliderInfo"] == expected
    assert "Errors" not in answer
    assert [info.key for info in await either("list", f"s3://{bucket}")] == ["p", "p2/a.zip"]


async def test_an_object_of_the_name_goes_too(either: Either, bucket: str) -> None:
    for key in ("p.zip", "p.zip/a.zip", "p.zip2"):
        await either("upload", BASE + key.encode(), f"s3://{bucket}/{key}")

    answer = await either("delete_objects_recursive", Bucket=bucket, Prefix="p.zip")

    assert answer["DeletedCount"] == 2
    told = answer["DeltaGliderInfo"]
    assert (told["DeltasDeleted"], told["DirectDeleted"]) == (2, 0)
    assert told["SingleDeletes"] == [{"Key": "p.zip", "Type": "delta", "DependentDeltas": 0, "Warnings": []}]
    assert [info.key for info in await either("list", f"s3://{bucket}")] == ["p.zip2"]


async def test_nothing_and_all_can_be_deleted(either: Either, bucket: str) -> None:
    assert (await either("delete_objects_recursive", bucket, "none"))["DeletedCount"] == 0
    await either("upload", BASE, f"s3://{bucket}/p/a.zip")
    answer = await either("delete_objects_recursive", bucket, "")
    assert answer["DeletedCount"] == 1
    with pytest.raises(ClientError, match="NoSuchBucket"):
        await either("delete_objects_recursive", "no-such-bucket", "p")


async def test_a_reference_that_is_needed_stays(either: Either, bucket: str) -> None:
    await either("upload", BASE, f"s3://{bucket}/p/a.zip")
    reference = (await either("head", f"s3://{bucket}/p/a.zip")).reference_key

    answer = await either("delete_objects_recursive", bucket, reference)

    assert (answer["DeletedCount"], answer["FailedCount"]) == (0, 1)
    assert "DeltaGlider's own" in answer["Errors"][0]
    assert (await either("verify", f"s3://{bucket}/p/a.zip")).valid
