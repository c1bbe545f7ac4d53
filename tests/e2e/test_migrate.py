"""A bucket of plain objects becomes delta storage, though the first run is killed; what is saved is what it says."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from deltaglider import create_client
from tests.e2e.conftest import program_on
from tests.e2e.process import Program, finish
from tests.servers import S3Endpoint

KILLED_AFTER = 5


def version_series() -> dict[str, bytes]:
    """A few programs in some versions each; every version changes and adds a little."""
    files = {"README.md": b"what these are"}
    for name in ("server", "client"):
        chance = random.Random(name)
        data = chance.randbytes(60_000)
        for number in range(8):
            files[f"{name}/v1.{number}.0/{name}.zip"] = data
            at = chance.randrange(len(data) - 100)
            data = data[:at] + chance.randbytes(200) + data[at + 50 :]
    return files


FILES = version_series()


def fill(endpoint: S3Endpoint, bucket: str) -> Any:
    client = endpoint.client()
    for number, (key, data) in enumerate(sorted(FILES.items())):
        client.put_object(
            Bucket=bucket,
            Key=f"releases/{key}",
            Body=data,
            ContentType="application/x-release",
            CacheControl=f"max-age={number}",
            Metadata={"build": str(number)},
        )
    return client


def kill_after(program: Program, items: int, *arguments: str) -> None:
    """Runs a command, and kills it when it has told of so many items."""
    process = program.start(*arguments, "--json", "--concurrency", "2")
    assert process.stdout is not None
    for _ in range(items):
        assert json.loads(process.stdout.readline())["status"] == "done"
    process.kill()
    finish(process)


@pytest.mark.parametrize("in_place", [False, True], ids=["another bucket", "where they lie"])
def test_a_killed_migration_is_run_again(moto: S3Endpoint, tmp_path: Path, in_place: bool) -> None:
    program = program_on(moto, tmp_path)
    source = moto.make_bucket()
    bucket = source if in_place else moto.make_bucket()
    boto3 = fill(moto, source)
    command = ["migrate", f"s3://{source}/releases/", f"s3://{bucket}/releases/" if in_place else f"s3://{bucket}/"]

    kill_after(program, KILLED_AFTER, *command)
    *_, summary = program.ok(*command, "--json").objects

    worthy = len(FILES) - 1
    assert (summary["failed"], summary["skipped"]) == (0, 0)
    # What was in flight when it was killed may be done, too.
    assert 0 < summary["done"] <= (worthy if in_place else len(FILES)) - KILLED_AFTER
    assert summary["done"] + summary["unchanged"] == len(FILES)
    (stats,) = program.ok("stats", f"s3://{bucket}/releases/", "--json").objects
    assert summary["figures"] == {name: stats[name] for name in summary["figures"]}
    assert stats["savings_percent"] > 70
    listed = boto3.list_objects_v2(Bucket=bucket, Prefix="releases/")["Contents"]
    assert sum(entry["Size"] for entry in listed) == stats["compressed_size"]
    assert len([entry for entry in listed if entry["Key"].endswith(".delta")]) == worthy
    with create_client(**moto.client_kwargs(), cache_dir=tmp_path / "another cache") as client:
        for number, (key, data) in enumerate(sorted(FILES.items())):
            url = f"s3://{bucket}/releases/{key}"
            assert b"".join(client.stream(url)) == data
            info = client.head(url)
            assert (info.content_type, info.headers["CacheControl"]) == ("application/x-release", f"max-age={number}")
            assert dict(info.metadata) == {"build": str(number)}
    again = program.ok(*command)
    assert again.stderr == f"Nothing to do, {len(FILES)} unchanged\n"
