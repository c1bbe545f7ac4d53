"""Loops, processes and the end: what a filesystem outlives, and what it does not."""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import fsspec
import pytest

from deltaglider.errors import ConfigurationError
from deltaglider.fs import DeltaGliderFileSystem
from tests.client.world import noise
from tests.servers import DirectoryEndpoint, Endpoint

DATA = noise("life")


@pytest.fixture
def options(endpoint: Endpoint) -> dict[str, Any]:
    return {**endpoint.client_kwargs(), "skip_instance_cache": True}


async def test_awaited(options: dict[str, Any], bucket: str) -> None:
    fs = DeltaGliderFileSystem(asynchronous=True, **options)
    async with await fs.open_async(f"dg://{bucket}/a.zip", "wb") as file:
        assert await file.write(DATA[:100]) == 100
        assert await file.write(DATA[100:]) == len(DATA) - 100
        assert not await fs._exists(f"{bucket}/a.zip")
    async with await fs.open_async(f"dg://{bucket}/a.zip") as file:
        assert await file.read(100) == DATA[:100]
        file.seek(-100, 2)
        assert await file.read() == DATA[-100:]
    assert await fs._cat([f"{bucket}/a.zip"]) == {f"{bucket}/a.zip": DATA}
    with pytest.raises(ValueError, match="only bytes"):
        await fs.open_async(f"{bucket}/a.zip", "r")
    with pytest.raises(InterruptedError):
        await _fail(fs, f"{bucket}/b")
    assert await fs._ls(bucket, detail=False) == [f"{bucket}/a.zip"]
    await fs.aclose()


async def _fail(fs: DeltaGliderFileSystem, path: str) -> None:
    async with await fs.open_async(path, "wb") as file:
        await file.write(b"half")
        raise InterruptedError


def test_one_client_for_each_loop(options: dict[str, Any], bucket: str) -> None:
    fs = DeltaGliderFileSystem(asynchronous=True, **options)

    async def once(number: int) -> list[str]:
        await fs._pipe_file(f"{bucket}/{number}", b"x")
        names: Any = await fs._ls(bucket, detail=False)
        await fs.aclose()
        return list(names)

    assert asyncio.run(once(1)) == [f"{bucket}/1"]
    assert asyncio.run(once(2)) == [f"{bucket}/1", f"{bucket}/2"]


def test_it_goes_on_after_its_close(options: dict[str, Any], bucket: str) -> None:
    fs = DeltaGliderFileSystem(**options)
    fs.pipe(f"{bucket}/a", b"x")
    fs.close()
    fs.close()
    copy = pickle.loads(pickle.dumps(fs))
    assert fs.cat(f"{bucket}/a") == copy.cat(f"{bucket}/a") == b"x"
    fs.close()
    copy.close()


@pytest.mark.endpoints("directory")
def test_options(options: dict[str, Any], bucket: str, tmp_path: Path) -> None:
    more = {"delta": False, "min_delta_size": 1}
    fs = DeltaGliderFileSystem(client_kwargs=more, max_concurrent_objects=3, **options)
    assert (fs.settings.delta, fs.settings.min_delta_size, fs.batch_size) == (False, 1, 3)
    with pytest.raises(TypeError, match="nonsense"):
        DeltaGliderFileSystem(nonsense=1, **options)
    with pytest.raises(ConfigurationError):
        DeltaGliderFileSystem(max_ratio=7, **options)
    one, other = (fsspec.filesystem("dg", **{**options, "skip_instance_cache": False}) for _ in range(2))
    assert one is other
    assert fsspec.filesystem("dg", endpoint_url=tmp_path.as_uri()) is not one


def test_the_entry_point_leads_to_it() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["fsspec.specs"]["dg"].partition(":")
    assert getattr(importlib.import_module(module), name) is DeltaGliderFileSystem
    assert any(requirement.startswith("fsspec") for requirement in project["optional-dependencies"]["fsspec"])


_HEAD = """
import os, pickle, sys
from deltaglider.fs import DeltaGliderFileSystem
url, bucket = sys.argv[1:3]
fs = DeltaGliderFileSystem(endpoint_url=url, **({"aws_access_key_id": "testing", "aws_secret_access_key": "testing",
    "region_name": "us-east-1"} if url.startswith("http") else {}))
"""


def run(endpoint: Endpoint, bucket: str, body: str, **more: Any) -> str:
    """What a process of its own prints; it may say nothing on stderr."""
    command = [sys.executable, "-W", "error", "-c", _HEAD + textwrap.dedent(body), endpoint.url, bucket]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_end_of_a_program_closes_it(endpoint: Endpoint, bucket: str, tmp_path: Path) -> None:
    body = """
    fs.pipe(f"{bucket}/a", b"x" * 10)
    file = fs.open(f"{bucket}/a")
    print(file.read().decode())
    """
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    assert run(endpoint, bucket, body, env={**os.environ, "TMPDIR": str(temporary)}) == "x" * 10 + "\n"
    assert list(temporary.iterdir()) == []


def test_a_forked_child_has_its_own(endpoint: Endpoint, bucket: str) -> None:
    body = """
    import warnings
    fs.pipe(f"{bucket}/a", b"parent")
    kept = pickle.dumps(fs)
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads.
    child = os.fork()
    if not child:
        status = 1
        try:
            try:
                fs.cat(f"{bucket}/a")
            except RuntimeError as error:
                assert "fork" in str(error)
                again = pickle.loads(kept)
                assert again is not fs
                assert again.cat(f"{bucket}/a") == b"parent"
                again.pipe(f"{bucket}/b", b"child")
                again.close()
                del fs
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    print(fs.cat(f"{bucket}/b").decode())
    """
    assert run(endpoint, bucket, body) == "child\n"


@pytest.mark.endpoints("moto")
def test_spawned_workers_get_it_pickled(endpoint: Endpoint, bucket: str, options: dict[str, Any]) -> None:
    fs = DeltaGliderFileSystem(**options)
    fs.pipe(f"{bucket}/v1/a.zip", DATA)
    with fs.open(f"{bucket}/v1/a.zip") as file:
        file.seek(5)
        sent = pickle.dumps(file).hex()
    fs.close()
    body = f"""
    with pickle.loads(bytes.fromhex("{sent}")) as file:
        print(file.read(5).hex())
    """
    assert run(endpoint, bucket, body) == DATA[5:10].hex() + "\n"


@pytest.mark.endpoints("directory")
def test_a_filesystem_that_is_gone_closes_its_clients(endpoint: DirectoryEndpoint, bucket: str, tmp_path: Path) -> None:
    body = f"""
    import gc, time
    fs = DeltaGliderFileSystem(endpoint_url=url, temp_dir={str(tmp_path)!r}, skip_instance_cache=True)
    fs.pipe(f"{{bucket}}/a", b"x")
    clients = fs._clients
    client, = clients._clients.values()
    DeltaGliderFileSystem.clear_instance_cache()
    del fs
    gc.collect()
    end = time.monotonic() + 60
    while not client._closed:
        assert time.monotonic() < end
        time.sleep(0.01)
    print(len(clients._clients))
    """
    assert run(endpoint, bucket, body) == "0\n"
