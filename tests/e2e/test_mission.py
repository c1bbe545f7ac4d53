"""The mission's own snippets, as they stand in the README, on every kind of store."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider import DeltaGliderClient, ObjectInfo, create_async_client, create_client
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed", "weed-tls")

SIZE = 9_000_000  # Bytes: over the multipart threshold, so that the reference goes up and down in parts.


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes]:
    """``app-v1.zip`` and ``app-v2.zip`` in the working directory, and what is in them."""
    monkeypatch.chdir(tmp_path)
    content = random.Random(1).randbytes(SIZE)
    first, second = content, content[:5_000_000] + b"a change" + content[5_000_000:]
    Path("app-v1.zip").write_bytes(first)
    Path("app-v2.zip").write_bytes(second)
    return first, second


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[DeltaGliderClient]:
    with create_client(**endpoint.client_kwargs()) as client:
        yield client


def test_a_script_uploads_two_versions_and_gets_the_second_back(
    client: DeltaGliderClient, bucket: str, versions: tuple[bytes, bytes]
) -> None:
    first = client.upload("app-v1.zip", f"s3://{bucket}/v1.0.0/")
    summary = client.upload("app-v2.zip", f"s3://{bucket}/v2.0.0/")

    assert (first.operation, first.is_delta, first.savings_percent) == ("create_reference", False, 0.0)
    assert summary.operation == "create_delta"
    assert summary.is_delta
    assert summary.key == "v2.0.0/app-v2.zip"
    assert summary.original_size == len(versions[1])
    assert summary.stored_size < 1000
    assert summary.savings_percent > 99.9
    assert summary.original_size_mb == len(versions[1]) / 1024**2
    assert summary.stored_size_mb < 0.001

    client.download(f"s3://{bucket}/v2.0.0/app-v2.zip", "copy.zip")

    assert Path("copy.zip").read_bytes() == versions[1]


async def test_a_service_uploads_two_versions_and_gets_both_back(
    endpoint: Endpoint, bucket: str, versions: tuple[bytes, bytes]
) -> None:
    async with create_async_client(**endpoint.client_kwargs()) as client:
        await client.upload("app-v1.zip", f"s3://{bucket}/v1.0.0/")
        summary = await client.upload("app-v2.zip", f"s3://{bucket}/v2.0.0/")
        await client.download(f"s3://{bucket}/v1.0.0/app-v1.zip", "one.zip")
        await client.download(f"s3://{bucket}/v2.0.0/app-v2.zip", "two.zip")

    assert summary.is_delta
    assert (Path("one.zip").read_bytes(), Path("two.zip").read_bytes()) == versions


def test_twenty_versions_sync_up_and_down_and_then_nothing_moves(
    client: DeltaGliderClient, bucket: str, tmp_path: Path
) -> None:
    up, down = tmp_path / "up", tmp_path / "down"
    up.mkdir()
    content = random.Random(2).randbytes(200_000)
    for number in range(20):
        at = number * 9_000
        (up / f"app-1.{number}.zip").write_bytes(content[:at] + bytes([number]) * 50 + content[at:])
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in up.iterdir()}

    sent = client.sync(up, f"s3://{bucket}/apps/")
    back = client.sync(f"s3://{bucket}/apps/", down)

    assert (sent.done, sent.failed, back.done, back.failed) == (20, 0, 20, 0)
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in down.iterdir()} == hashes
    again_up, again_down = client.sync(up, f"s3://{bucket}/apps/"), client.sync(f"s3://{bucket}/apps/", down)
    assert (again_up.done, again_up.unchanged) == (0, 20)
    assert (again_down.done, again_down.unchanged) == (0, 20)
    listed = [info for info in client.list(f"s3://{bucket}/") if isinstance(info, ObjectInfo)]
    assert [info.size for info in listed] == [200_050] * 20
    stats = client.stats(f"s3://{bucket}")
    assert (stats.object_count, stats.delta_objects, stats.reference_objects) == (20, 20, 1)
    assert stats.total_size == 20 * 200_050
    assert stats.compressed_size == stats.reference_size + sum(info.stored_size for info in listed)
    assert stats.reference_size == 200_050
