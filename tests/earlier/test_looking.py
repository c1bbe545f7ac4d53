"""``estimate_compression``, ``find_similar_files``, ``get_object_info``, ``get_bucket_stats``, ``clear_cache``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from deltaglider import BucketNotFoundError, InvalidInputError, LocalFileError, NotFoundError
from tests.client.world import SIZE, Either, noise

BASE = noise("base")


async def stored(either: Either, bucket: str) -> int:
    return int((await either("stats", bucket, use_cache=False)).compressed_size)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.zip", BASE + b"more"), ("a.zip", BASE[: SIZE // 2] + noise("rest", SIZE // 2)), ("a.zip", noise("other"))],
    ids=["alike", "half", "strange"],
)
async def test_an_estimate_of_a_whole_file_is_what_an_upload_stores(
    either: Either, bucket: str, tmp_path: Path, name: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    before = await stored(either, bucket)

    estimate = await either("estimate_compression", path, bucket, "p")

    assert await stored(either, bucket) == before
    assert await either("list", f"s3://{bucket}/p/a") == []
    summary = await either("upload", path, f"s3://{bucket}/p/")
    assert estimate.original_size == summary.original_size
    assert estimate.estimated_compressed_size == summary.stored_size
    assert estimate.should_use_delta == summary.is_delta
    assert estimate.estimated_ratio == pytest.approx(summary.savings_percent / 100, abs=1e-4)
    assert estimate.confidence == 1.0
    if summary.is_delta:
        assert estimate.recommended_reference == (await either("head", summary.url)).reference_key


async def test_an_estimate_by_a_sample_is_near(either: Either, bucket: str, tmp_path: Path) -> None:
    base = noise("large", 400_000)
    changed = base[:200_000] + noise("new", 100_000) + base[300_000:]
    path = tmp_path / "a.zip"
    path.write_bytes(changed)
    await either("upload", base, f"s3://{bucket}/p/base.zip")

    estimate = await either("estimate_compression", path, bucket, "p/", sample_size=80_000)

    assert estimate.original_size == 400_000
    assert 0.6 < estimate.estimated_ratio < 0.85  # A quarter of it is new.
    assert estimate.estimated_compressed_size == round(400_000 * (1 - estimate.estimated_ratio))
    assert estimate.confidence == 0.6


async def test_the_first_file_is_stored_whole_and_so_is_what_is_never_tried(
    either: Either, bucket: str, tmp_path: Path
) -> None:
    first, media = tmp_path / "a.zip", tmp_path / "a.jpg"
    for path in (first, media):
        path.write_bytes(BASE)

    estimate = await either("estimate_compression", first, bucket)
    assert (estimate.estimated_compressed_size, estimate.estimated_ratio) == (SIZE, 0.0)
    assert estimate.should_use_delta
    assert estimate.recommended_reference is None

    estimate = await either("estimate_compression", media, bucket)
    assert estimate.estimated_compressed_size == SIZE
    assert not estimate.should_use_delta


async def test_an_estimate_of_what_is_not_there_is_an_error(either: Either, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(BASE)
    with pytest.raises(LocalFileError):
        await either("estimate_compression", tmp_path / "none.zip", bucket)
    with pytest.raises(BucketNotFoundError):
        await either("estimate_compression", path, "no-such-bucket")
    with pytest.raises(InvalidInputError):
        await either("estimate_compression", path, bucket, sample_size=0)


async def test_similar_names_are_found_the_most_similar_first(either: Either, bucket: str) -> None:
    keys = ["p/app-1.0.zip", "p/app-1.1.zip", "p/other.txt", "p/sub/app-2.0.zip", "p/apple.zip", "q/app-1.1.zip"]
    for key in keys:
        await either("upload", b"x", f"s3://{bucket}/{key}")

    found = await either("find_similar_files", bucket, "p/", "builds/app-1.1.zip")

    assert [each["Key"] for each in found][:3] == ["p/app-1.1.zip", "p/app-1.0.zip", "p/sub/app-2.0.zip"]
    assert "p/other.txt" not in [each["Key"] for each in found]
    assert found[0]["Similarity"] == 1.0
    assert found[0]["Size"] == 1
    assert isinstance(found[0]["LastModified"], datetime)
    similarities = [each["Similarity"] for each in found]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0.5 <= similarity <= 1 for similarity in similarities)
    assert len(await either("find_similar_files", bucket, "p/", "app-1.1.zip", limit=2)) == 2
    assert await either("find_similar_files", bucket, "p/", "app-1.1.zip", limit=0) == []
    assert await either("find_similar_files", bucket, "none/", "app-1.1.zip") == []
    with pytest.raises(BucketNotFoundError):
        await either("find_similar_files", "no-such-bucket", "", "a.zip")


async def test_what_is_known_of_an_object_has_the_earlier_names(either: Either, bucket: str) -> None:
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    await either("upload", BASE + b"more", f"s3://{bucket}/p/a.zip")
    await either("upload", b"hello", f"s3://{bucket}/p/n.txt")

    info = await either("get_object_info", f"s3://{bucket}/p/a.zip")
    assert info == await either("head", f"s3://{bucket}/p/a.zip")
    assert (info.original_size, info.compressed_size) == (SIZE + 4, info.stored_size)
    assert 0.9 < info.compression_ratio < 1
    assert (info.is_delta, info.delta_chain_length) == (True, 1)
    assert info.reference_key.endswith("/reference.bin")

    info = await either("get_object_info", f"s3://{bucket}/p/n.txt")
    assert (info.original_size, info.compressed_size, info.compression_ratio, info.delta_chain_length) == (5, 5, 0.0, 0)
    with pytest.raises(NotFoundError):
        await either("get_object_info", f"s3://{bucket}/p/none")


async def test_figures_have_the_earlier_names(either: Either, bucket: str) -> None:
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    await either("upload", BASE + b"more", f"s3://{bucket}/p/a.zip")

    stats = await either("get_bucket_stats", bucket, "detailed", False, True)

    assert stats == await either("stats", bucket)
    assert (stats.object_count, stats.delta_objects, stats.direct_objects) == (2, 2, 0)
    assert stats.space_saved == stats.total_size - stats.compressed_size
    assert stats.average_compression_ratio == pytest.approx(stats.space_saved / stats.total_size)
    assert stats.object_limit_reached is False
    assert (await either("get_bucket_stats", bucket, use_cache=False)).mode == "quick"
    with pytest.raises(BucketNotFoundError):
        await either("get_bucket_stats", "no-such-bucket")


async def test_a_cleared_cache_is_empty_and_fills_again(either: Either, bucket: str, tmp_path: Path) -> None:
    kept = Path(either.client.settings.cache_dir) / "references"
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    await either("upload", BASE + b"more", f"s3://{bucket}/p/a.zip")
    assert [path for path in kept.rglob("*") if path.is_file()]

    await either("clear_cache")
    assert not [path for path in kept.rglob("*") if path.is_file()]

    summary = await either("download", f"s3://{bucket}/p/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == BASE + b"more"
    assert summary.fetched > SIZE
    await either("clear_cache")
    await either("clear_cache")


async def test_what_is_verified_is_true_or_false(either: Either, bucket: str) -> None:
    await either("upload", BASE, f"s3://{bucket}/p/base.zip")
    assert await either("verify", f"s3://{bucket}/p/base.zip")
