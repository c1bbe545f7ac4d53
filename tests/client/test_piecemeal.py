"""The client of the commands: the methods of the asynchronous one, each loaded when it is asked for."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from deltaglider.client.aio import AsyncDeltaGliderClient
from deltaglider.client.base import ClientBase
from deltaglider.client.piecemeal import HOMES, create_piecemeal_client, home_of
from deltaglider.config import Settings
from deltaglider.models import ObjectInfo
from tests.servers import DirectoryEndpoint

OURS = [name for names in HOMES.values() for name in names]


@pytest.mark.parametrize("name", OURS)
def test_its_methods_are_those_of_the_asynchronous_client(name: str) -> None:
    assert inspect.unwrap(getattr(AsyncDeltaGliderClient, name)) is getattr(home_of(name), name)


def test_it_has_all_methods_in_our_own_words() -> None:
    homes = {home_of(name) for name in OURS}
    public = {name for home in homes for name in vars(home) if not name.startswith("_")}
    # A home that inherits from boto3's methods has those, too; they are none of its own.
    assert public == set(OURS)
    assert len(homes) == len(HOMES)


async def test_it_works_and_stays_one_client(directory: DirectoryEndpoint, tmp_path: Path) -> None:
    bucket = directory.make_bucket()
    source = tmp_path / "a.bin"
    source.write_bytes(b"abc" * 1000)
    client = create_piecemeal_client(directory.settings(cache_dir=tmp_path / "cache"))
    async with client as opened:
        assert opened is client
        summary = await client.upload(source, f"s3://{bucket}/")
        await client.copy(f"s3://{bucket}/a.bin", f"s3://{bucket}/b.bin")
        assert [entry.key async for entry in client.list(f"s3://{bucket}/") if isinstance(entry, ObjectInfo)] == [
            "a.bin",
            "b.bin",
        ]
        await client.download(f"s3://{bucket}/b.bin", tmp_path / "back.bin")
        with pytest.raises(AttributeError, match="no_such_method"):
            _ = client.no_such_method  # type: ignore[attr-defined]
    assert summary.original_size == 3000
    assert (tmp_path / "back.bin").read_bytes() == source.read_bytes()
    assert isinstance(client, ClientBase)


def test_clients_do_not_share_what_they_became() -> None:
    first, second = (create_piecemeal_client(Settings(endpoint_url="https://nowhere.test")) for _ in range(2))
    assert first.upload.__func__ is home_of("upload").upload  # type: ignore[attr-defined]
    assert type(second) is not type(first)
    assert not hasattr(type(second), "upload")
