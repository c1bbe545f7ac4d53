"""Libraries that take a client of boto3's, and are given ours; none of them is changed, or knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import smart_open
from boto3.s3.transfer import S3Transfer, TransferConfig
from cloudpathlib import S3Client
from django.conf import settings
from django.core.files.base import ContentFile

from deltaglider import DeltaGliderClient
from tests.client.world import noise
from tests.thirdparty.conftest import FIRST, SECOND

settings.configure()
from storages.backends.s3 import S3Storage  # noqa: E402 - It reads the settings.

MIB = 1 << 20


def test_smart_open(client: DeltaGliderClient, bucket: str) -> None:
    params: dict[str, Any] = {"client": client}
    with smart_open.open(f"s3://{bucket}/v2/app.zip", "rb", transport_params=params) as file:
        assert file.read(10) == SECOND[:10]
        file.seek(9_000)
        assert file.read(7) == b"changed"
        file.seek(0)
        assert file.read() == SECOND
    for name, more in (("v3", {}), ("v4", {"multipart_upload": False})):
        with smart_open.open(f"s3://{bucket}/{name}/app.zip", "wb", transport_params={**params, **more}) as file:
            file.write(SECOND)
        assert client.head(f"s3://{bucket}/{name}/app.zip").is_delta
        assert b"".join(client.stream(f"s3://{bucket}/{name}/app.zip")) == SECOND
    with smart_open.open(f"s3://{bucket}/a.txt", "w", transport_params=params) as text:
        text.write("eins\nzwei\n")
    with smart_open.open(f"s3://{bucket}/a.txt", transport_params=params) as text:
        assert list(text) == ["eins\n", "zwei\n"]


@pytest.mark.parametrize("size", [len(SECOND), 12 * MIB])
def test_boto3s_own_transfer_manager(size: int, client: DeltaGliderClient, bucket: str, tmp_path: Path) -> None:
    data = SECOND if size == len(SECOND) else noise("big", size)
    (tmp_path / "up.zip").write_bytes(data)
    told: list[int] = []
    transfer = S3Transfer(client, TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=5 * MIB))
    with transfer:
        transfer.upload_file(str(tmp_path / "up.zip"), bucket, "v5/app.zip")
        transfer.download_file(bucket, "v5/app.zip", str(tmp_path / "down.zip"), callback=told.append)
    assert (tmp_path / "down.zip").read_bytes() == data
    assert sum(told) == size
    assert client.head(f"s3://{bucket}/v5/app.zip").is_delta == (size == len(SECOND))


def test_boto3s_resources(resource: Any, client: DeltaGliderClient, bucket: str, tmp_path: Path) -> None:
    place = resource.Bucket(bucket)
    assert [(each.key, each.size) for each in place.objects.filter(Prefix="v")] == [
        ("v1/app.zip", len(FIRST)),
        ("v2/app.zip", len(SECOND)),
    ]
    second = resource.Object(bucket, "v2/app.zip")
    assert second.content_length == len(SECOND)
    assert second.get(Range="bytes=9000-9006")["Body"].read() == b"changed"
    second.download_file(str(tmp_path / "down.zip"))
    place.upload_file(str(tmp_path / "down.zip"), "v3/app.zip")
    assert client.head(f"s3://{bucket}/v3/app.zip").is_delta
    resource.Object(bucket, "v4/app.zip").copy_from(CopySource={"Bucket": bucket, "Key": "v2/app.zip"})
    resource.Object(bucket, "v1/app.zip").delete()
    place.objects.filter(Prefix="v3").delete()
    assert [each.key for each in place.objects.all()] == ["v2/app.zip", "v4/app.zip"]
    assert resource.Object(bucket, "v4/app.zip").get()["Body"].read() == SECOND


def test_cloudpathlib(resource: Any, client: DeltaGliderClient, bucket: str, tmp_path: Path) -> None:
    class Session:
        """Of boto3's, what cloudpathlib asks one for."""

        def client(self, *arguments: Any, **keywords: Any) -> DeltaGliderClient:
            return client

        def resource(self, *arguments: Any, **keywords: Any) -> Any:
            return resource

    made = S3Client(boto3_session=Session(), local_cache_dir=tmp_path)
    path = made.CloudPath(f"s3://{bucket}/v2/app.zip")
    assert path.read_bytes() == SECOND
    assert path.stat().st_size == len(SECOND)
    new = path.parent / "sub" / "app.zip"
    new.write_bytes(SECOND)
    assert client.head(f"s3://{bucket}/v2/sub/app.zip").size == len(SECOND)
    assert sorted(each.name for each in path.parent.iterdir()) == ["app.zip", "sub"]
    assert [each.key for each in made.CloudPath(f"s3://{bucket}/").glob("**/*.zip")] == [
        "v1/app.zip",
        "v2/app.zip",
        "v2/sub/app.zip",
    ]
    new.unlink()
    assert not new.exists()


def test_django_storages(resource: Any, client: DeltaGliderClient, bucket: str) -> None:
    class Storage(S3Storage):  # type: ignore[misc]
        connection = resource

    storage = Storage(bucket_name=bucket, default_acl=None)
    name = storage.save("v3/app.zip", ContentFile(SECOND))
    assert client.head(f"s3://{bucket}/{name}").is_delta
    with storage.open(name) as file:
        assert file.read() == SECOND
    with storage.open("v4/app.zip", "wb") as file:
        file.write(FIRST)
    assert storage.size("v4/app.zip") == len(FIRST)
    assert storage.listdir("") == (["v1", "v2", "v3", "v4"], [])
    storage.delete(name)
    assert not storage.exists(name)
