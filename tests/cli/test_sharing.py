"""``presign`` and ``purge``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from deltaglider.cli.main import execute
from deltaglider.store.directory import DirectoryStore
from tests.cli.conftest import Cli
from tests.contract.tools import request
from tests.servers import S3Endpoint

OLD, NEW, BARE = (f".deltaglider/tmp/{name}" for name in ("old.zip", "new.zip", "bare.zip"))


@pytest.fixture
async def tempered(cli: Cli, tmp_path: Path) -> Cli:
    """A bucket with temporary objects: one that is over, one that is not, and one of which nothing is known."""
    store = DirectoryStore(tmp_path / "store")
    for key, metadata in {OLD: {"dg-expires-at": "2001-02-03"}, NEW: {"dg-expires-at": "2901-02-03"}, BARE: {}}.items():
        await store.put("bkt", key, b"content", sha256=hashlib.sha256(b"content").hexdigest(), metadata=metadata)
    await store.aclose()
    return cli


@pytest.mark.parametrize("target", ["bkt", "s3://bkt", "s3://bkt/"])
async def test_purge(tempered: Cli, target: str) -> None:
    ran = await tempered.ok("purge", target)
    assert (ran.out, ran.err) == (f"delete: s3://bkt/{OLD}\n", "Removed 1 file (7 Bytes), 2 kept\n")
    ran = await tempered.ok("purge", target)
    assert (ran.out, ran.err) == ("", "Nothing to do, 2 kept\n")
    ran = await tempered.ok("purge", target, "--older-than", "0s", "--only-show-errors")
    assert (ran.out, ran.err) == ("", "")
    assert (await tempered.ok("purge", target)).err == "Nothing to do, 1 kept\n"


@pytest.mark.parametrize("option", ["--dryrun", "--dry-run"])
async def test_purge_only_tells(tempered: Cli, option: str) -> None:
    for _ in range(2):
        ran = await tempered.ok("purge", "bkt", option)
        assert (ran.out, ran.err) == (f"(dryrun) delete: s3://bkt/{OLD}\n", "")


async def test_purge_as_json(tempered: Cli) -> None:
    item, summary = (await tempered.ok("purge", "bkt", "--json")).objects
    assert (item["type"], item["action"], item["status"], item["source"]) == (
        "item",
        "delete",
        "done",
        f"s3://bkt/{OLD}",
    )
    assert summary == {
        "type": "summary",
        "command": "purge",
        "dryrun": False,
        "bucket": "bkt",
        "removed": 1,
        "kept": 2,
        "failed": 0,
        "size": 7,
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["purge", "nobucket"], 254),
        (["purge", "bkt/key"], 252),
        (["purge", "bkt", "--older-than", "soon"], 252),
        (["presign", "bkt/app.zip"], 255),  # No URLs there.
        (["presign", "bkt"], 252),
        (["presign", "bkt/app.zip", "--expires-in", "0"], 252),
        (["presign", "bkt/app.zip", "--expires-in", "604801"], 252),
        (["presign", "bkt/app.zip", "--expires-in", "soon"], 252),
    ],
)
async def test_what_cannot_be(cli: Cli, arguments: list[str], code: int) -> None:
    ran = await cli(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert "deltaglider: error: " in ran.err


async def test_the_embedded_store_has_no_urls(cli: Cli) -> None:
    ran = await cli("presign", "s3://bkt/app.zip")
    assert ran.err.startswith("deltaglider: error: s3://bkt/app.zip: the embedded store has no URLs. ")


async def test_presign(
    cli: Cli,
    moto: S3Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    versions: tuple[bytes, bytes],
) -> None:
    bucket = moto.make_bucket()
    for name, value in {**moto.environ(), "DG_ENDPOINT_URL": moto.url}.items():
        monkeypatch.setenv(name, value)
    for number, content in enumerate(versions):
        cli.write(f"v{number}/app.zip", content)
    await cli.ok("cp", ".", f"s3://{bucket}/", "-r")
    for target in (f"s3://{bucket}/v1/app.zip", f"{bucket}/v1/app.zip"):
        ran = await cli.ok("presign", target)
        assert (len(ran.lines), ran.err) == (1, "")
        assert request(moto, ran.lines[0]).body == versions[1]
    assert await execute(["presign", f"{bucket}/v1/app.zip", "--expires-in", "60", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["type"], told["command"], told["key"], told["rehydrated"]) == (
        "summary",
        "presign",
        "v1/app.zip",
        True,
    )
    assert request(moto, told["url"]).body == versions[1]
    assert len((await cli.ok("presign", f"{bucket}/nothing/here.txt")).lines) == 1
