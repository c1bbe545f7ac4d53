"""A file manager's calls, with the results that its code expects. ``tests/interop`` holds them against 6.2.0."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from deltaglider import create_client
from tests.earlier.commander import FIRST, NOTE, SECOND, THIRD, calls
from tests.servers import S3Endpoint

Answers = dict[str, Any]


@pytest.fixture(scope="module")
def answers(moto: S3Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """What ours answers."""
    made = {name: tmp_path_factory.mktemp(name) for name in ("here", "cache", "temporary")}
    keywords = {**moto.client_kwargs(), "cache_dir": made["cache"], "temp_dir": made["temporary"]}
    with create_client(**keywords) as client:
        yield dict(calls(client, f"commander-{uuid.uuid4().hex[:12]}", made["here"]))
    assert [path.name for path in sorted((made["here"] / "batch").iterdir())] == ["app-1.zip", "app-2.zip"]


def test_uploads(answers: Answers) -> None:
    first, second = answers["upload"], answers["upload of a version"]
    assert (first.operation, first.key, first.is_delta) == ("create_reference", "p/app-1.zip", False)
    assert (second.operation, second.key, second.is_delta) == ("create_delta", "p/app-2.zip", True)
    assert second.original_size == len(SECOND)
    assert second.original_size_mb == len(SECOND) / (1 << 20)
    assert second.stored_size < 0.1 * len(SECOND)
    assert second.savings_percent > 90
    assert 0 < second.delta_ratio < 0.1
    assert answers["upload_chunked"].key == "q/app-3.zip"
    assert [summary.key for summary in answers["upload_batch"]] == ["r/app-1.zip", "r/app-2.zip"]


def test_what_is_put_tells_how_it_is_stored(answers: Answers) -> None:
    told = answers["put_object"]["DeltaGliderInfo"]
    assert (told["IsDelta"], told["Operation"], told["StoredAs"]) == (True, "create_delta", "p/app-3.zip.delta")
    assert told["OriginalSizeMB"] == len(THIRD) / (1 << 20)
    assert told["SavingsPercent"] > 90
    told = answers["put_object of a note"]["DeltaGliderInfo"]
    assert (told["IsDelta"], told["Operation"], told["StoredAs"]) == (False, "upload_direct", "p/note.txt")


def test_a_listing_tells_of_originals_and_how_they_are_stored(answers: Answers) -> None:
    page = answers["list_objects"]
    assert not page["IsTruncated"]
    assert (page["Name"], page["Prefix"], page["MaxKeys"], page["KeyCount"]) == (page["Name"], "p/", 100, 4)
    found = {entry["Key"]: entry for entry in page["Contents"]}
    sizes = {key: entry["Size"] for key, entry in found.items()}
    files = {"p/app-1.zip": FIRST, "p/app-2.zip": SECOND, "p/app-3.zip": THIRD, "p/note.txt": NOTE}
    assert sizes == {key: len(data) for key, data in files.items()}
    told = found["p/app-2.zip"]["Metadata"]
    assert told["deltaglider-is-delta"] == "true"
    assert told["deltaglider-original-size"] == str(len(SECOND))
    assert float(told["deltaglider-compression-ratio"]) > 0.9
    assert int(told["deltaglider-stored-size"]) < 0.1 * len(SECOND)
    assert found["p/note.txt"]["Metadata"] == {
        "deltaglider-is-delta": "false",
        "deltaglider-original-size": str(len(NOTE)),
        "deltaglider-stored-size": str(len(NOTE)),
        "deltaglider-compression-ratio": "0.0",
    }
    assert [each["Prefix"] for each in answers["list_objects by directory"]["CommonPrefixes"]] == ["p/"]


def test_what_is_read(answers: Answers) -> None:
    assert answers["get_object"]["read"] == answers["download"] == SECOND
    assert answers["get_object"]["ContentLength"] == len(SECOND)
    assert answers["head_object"]["ContentLength"] == len(NOTE)
    assert answers["get_object_info"].size == answers["get_object_info"].original_size == len(NOTE)
    assert [path.read_bytes() for path in answers["download_batch"]] == [FIRST, SECOND]


def test_figures(answers: Answers) -> None:
    stats = answers["get_bucket_stats"]
    size = len(FIRST) + len(SECOND) + len(THIRD) + len(NOTE)
    assert (stats.object_count, stats.delta_objects, stats.direct_objects, stats.total_size) == (4, 3, 1, size)
    assert stats.space_saved == size - stats.compressed_size
    assert 0.6 < stats.average_compression_ratio < 0.7
    assert answers["get_bucket_stats, quickly"].object_count == 4
    assert answers["estimate_compression"].should_use_delta
    assert answers["estimate_compression"].estimated_ratio > 0.9
    assert {each["Key"] for each in answers["find_similar_files"]} == {"p/app-1.zip", "p/app-2.zip", "p/app-3.zip"}


def test_deletes(answers: Answers) -> None:
    assert answers["delete_object"]["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert answers["delete_object"]["DeltaGliderInfo"] == {"Type": "delta", "Deleted": True}
    assert {each["Key"] for each in answers["delete_objects"]["Deleted"]} == {"p/note.txt", "p/app-2.zip"}
    assert answers["delete_objects"]["DeltaGliderInfo"]["DeltaFilesDeleted"] == 1
    assert answers["delete_objects_recursive p/"]["DeletedCount"] == 1
    told = answers["delete_objects_recursive r/"]["DeltaGliderInfo"]
    assert (told["DeltasDeleted"], told["ReferencesDeleted"], told["DirectDeleted"]) == (2, 1, 0)


def test_urls(answers: Answers) -> None:
    assert answers["generate_presigned_url"] == NOTE
    assert {"url", "fields"} == answers["generate_presigned_post"].keys()
    assert answers["rehydrate_for_download"].startswith(".deltaglider/tmp/")
    assert answers["generate_presigned_url_with_rehydration"] == SECOND
    assert answers["purge_temp_files"]["deleted_count"] == 0
