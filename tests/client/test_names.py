"""What a URL names, and what it is completed with."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import aiofiles
import pytest

from deltaglider.client.sources import name_of_source
from deltaglider.errors import InvalidInputError, InvalidUriError
from tests.client.world import Either, noise

DATA = noise("names")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app v1.zip"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("", "app v1.zip"),
        ("/", "app v1.zip"),
        ("/p/", "p/app v1.zip"),
        ("/p//", "p//app v1.zip"),
        ("/p", "p"),
        ("/p/other.bin", "p/other.bin"),
        ("/with%20percent + plus", "with%20percent + plus"),
        ("/a//b/../c", "a//b/../c"),
        ("/日本/naïve.zip", "日本/naïve.zip"),
    ],
)
async def test_where_a_file_goes(place: str, key: str, either: Either, bucket: str, file: Path) -> None:
    for source in (str(file), file):
        assert (await either("upload", source, f"s3://{bucket}{place}")).key == key
    with file.open("rb") as opened:
        assert (await either("upload", opened, f"s3://{bucket}{place}")).key == key
    assert [info.key for info in await either("list", f"s3://{bucket}")] == [key]
    assert b"".join(await either("stream", f"s3://{bucket}/{key}")) == DATA


@pytest.mark.parametrize("place", ["", "/", "/p/"])
@pytest.mark.parametrize("make", [lambda: DATA, lambda: io.BytesIO(DATA), lambda: iter([DATA])])
async def test_what_has_no_name_needs_a_key(make: Any, place: str, either: Either, bucket: str) -> None:
    with pytest.raises(InvalidInputError, match=r"names a place, not an object.*Add the object.s name"):
        await either("upload", make(), f"s3://{bucket}{place}")
    assert await either("list", f"s3://{bucket}") == []


async def test_an_aiofiles_file_has_a_name(aclient: Any, bucket: str, file: Path) -> None:
    async with aiofiles.open(file, "rb") as source:
        assert (await aclient.upload(source, f"s3://{bucket}/p/")).key == "p/app v1.zip"


class Named:
    def __init__(self, name: object) -> None:
        self.name = name


@pytest.mark.parametrize("name", ["<stdin>", "<fdopen>", 7, None, ""])
def test_names_that_are_none(name: object) -> None:
    assert name_of_source(Named(name)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["download", "stream", "head", "verify", "rescue", "delete"])
@pytest.mark.parametrize("place", ["", "/", "/p/"])
async def test_one_object_cannot_be_a_place(method: str, place: str, either: Either, bucket: str) -> None:
    arguments = [f"s3://{bucket}{place}", io.BytesIO()] if method == "download" else [f"s3://{bucket}{place}"]
    with pytest.raises(InvalidInputError, match="names a place, not an object"):
        await either(method, *arguments)


BAD_URLS = ["", "bucket/key", "/path", "http://host/bucket/key", "s3:/bucket/key", "s3://", "s3:///key", "s3://b"]


@pytest.mark.parametrize("url", BAD_URLS)
async def test_what_is_no_url_is_refused_everywhere(url: str, either: Either, tmp_path: Path) -> None:
    calls: list[tuple[Any, ...]] = [
        ("upload", DATA, url),
        ("download", url, tmp_path / "out"),
        ("stream", url),
        ("head", url),
        ("verify", url),
        ("rescue", url),
        ("delete", url),
        ("copy", url, "s3://bucket/key"),
        ("copy", "s3://bucket/key", url),
        ("list", url),
        ("upload_directory", tmp_path, url),
        ("download_directory", url, tmp_path),
        ("copy_directory", url, "s3://bucket/key"),
        ("delete_directory", url),
        ("verify_directory", url),
        ("survey", url),
    ]
    for method, *arguments in calls:
        with pytest.raises(InvalidUriError) as raised:
            await either(method, *arguments)
        assert isinstance(raised.value, ValueError), method
    assert not (tmp_path / "out").exists()


async def test_source_and_target_in_the_wrong_order(either: Either, bucket: str, file: Path) -> None:
    with pytest.raises(InvalidUriError, match=r"app v1\.zip"):
        await either("upload", f"s3://{bucket}/k.zip", str(file))


@pytest.mark.parametrize("name", ["{}", "s3://{}", "s3://{}/"])
async def test_buckets_by_name_or_url(name: str, either: Either) -> None:
    await either("make_bucket", name.format("a-new-one"))
    assert "a-new-one" in [bucket.name for bucket in await either("buckets")]
    assert (await either("stats", name.format("a-new-one"))).object_count == 0
    await either("remove_bucket", name.format("a-new-one"))
    assert "a-new-one" not in [bucket.name for bucket in await either("buckets")]


async def test_an_object_is_no_bucket(either: Either, bucket: str) -> None:
    for method in ("make_bucket", "remove_bucket"):
        with pytest.raises(InvalidInputError, match=rf"bucket is wanted.*s3://{bucket}"):
            await either(method, f"s3://{bucket}/key")
