"""``verify``, ``stats`` and ``doctor``: commands that only look."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from deltaglider.errors import StoreUnavailableError
from deltaglider.store.directory import DirectoryStore
from tests.cli.conftest import Cli
from tests.cli.test_cp import damage_blobs


@pytest.fixture
async def filled(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    cli.write("app-v1.zip", versions[0])
    cli.write("app-v2.zip", versions[1])
    cli.write("notes.txt", b"notes")
    await cli.ok("cp", "app-v1.zip", "s3://bkt/rel/v1/")
    await cli.ok("cp", "app-v2.zip", "s3://bkt/rel/v2/")
    await cli.ok("cp", "notes.txt", "s3://bkt/rel/")
    await cli.ok("cp", "notes.txt", "s3://bkt/rel2/")
    return cli


async def test_verify_one(filled: Cli) -> None:
    ran = await filled.ok("verify", "s3://bkt/rel/v2/app-v2.zip")
    assert ran.out == "verify: s3://bkt/rel/v2/app-v2.zip\n"
    assert ran.err == "Verified 1 object and 1 reference: 1 sound (97.7 KiB)\n"


@pytest.mark.parametrize("url", ["s3://bkt/rel", "s3://bkt/rel/"])
async def test_verify_a_directory(filled: Cli, url: str) -> None:
    ran = await filled.ok("verify", url)
    assert ran.lines == [
        "verify: s3://bkt/rel/notes.txt",
        "verify: s3://bkt/rel/v1/app-v1.zip",
        "verify: s3://bkt/rel/v2/app-v2.zip",
    ]


async def test_verify_tells_what_is_damaged(filled: Cli, tmp_path: Path) -> None:
    damage_blobs(tmp_path / "store", larger_than=1000)
    arguments = ["verify", "s3://bkt/", "--cache-dir", str(tmp_path / "other cache")]
    ran = await filled(*arguments)
    assert ran.code == 1
    assert ran.lines == ["verify: s3://bkt/rel/notes.txt", "verify: s3://bkt/rel2/notes.txt"]
    first, second, summary = ran.err.splitlines()
    assert first.startswith("verify failed: s3://bkt/rel/v1/app-v1.zip ")
    assert second.startswith("verify failed: s3://bkt/rel/v2/app-v2.zip ")
    assert summary == "Verified 4 objects: 2 sound (10 Bytes), 2 not"
    ran = await filled(*arguments, "--only-show-errors")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 2)
    *results, total = (await filled(*arguments, "--json")).objects
    assert [(result["type"], result["valid"]) for result in results] == [
        ("verified", True),
        ("verified", False),
        ("verified", False),
        ("verified", True),
    ]
    assert total == {
        "type": "summary",
        "command": "verify",
        "objects": 4,
        "proven": 2,
        "read": 0,
        "checked": 0,
        "earlier": 0,
        "invalid": 2,
        "unread": 0,
        "references": 0,
        "size": 10,
    }


async def test_verify_takes_nothing_from_the_cache(filled: Cli, tmp_path: Path) -> None:
    """It did not fail to find the damage of what this machine remembers."""
    damage_blobs(tmp_path / "store", larger_than=10_000)
    ran = await filled("verify", "s3://bkt/rel/v2/app-v2.zip")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "Verified 1 object: 0 sound (0 Bytes), 1 not"


async def test_verify_quickly(filled: Cli, tmp_path: Path) -> None:
    ran = await filled.ok("verify", "s3://bkt/rel/", "--quick")
    assert ran.lines == [
        "verify: s3://bkt/rel/notes.txt",
        "verify: s3://bkt/rel/v1/app-v1.zip",
        "verify: s3://bkt/rel/v2/app-v2.zip",
    ]
    assert ran.err == "Checked 3 objects and 1 reference: 3 complete\n"
    assert (await filled.ok("verify", "s3://bkt/rel/notes.txt", "--quick")).err == "Checked 1 object: 1 complete\n"
    assert not list(tmp_path.rglob("*.jsonl"))


async def test_verify_what_was_not_proven_lately(filled: Cli, tmp_path: Path) -> None:
    arguments = ["verify", "s3://bkt/rel/", "--record", str(tmp_path / "record")]
    await filled.ok(*arguments)
    await filled.ok("cp", "app-v1.zip", "s3://bkt/rel/v3/")
    ran = await filled.ok(*arguments, "--older-than", "1.5h")
    first, _, _, last = ran.lines
    assert first.startswith("verify: s3://bkt/rel/notes.txt (its bytes were proven at 20")
    assert last == "verify: s3://bkt/rel/v3/app-v1.zip"
    assert ran.err == "Verified 4 objects and 1 reference: 1 sound (97.7 KiB), 3 proven before\n"
    # The run is through: there is nothing to go on with.
    assert (await filled.ok(*arguments, "--resume", "--json")).objects[-1]["proven"] == 4
    (tmp_path / "record").write_text("something else")
    ran = await filled(*arguments, "--resume")
    assert (ran.code, ran.out) == (255, "")
    assert "it is no record of a verification. Name another file" in ran.err


async def test_verify_what_cannot_be_read_is_exit_code_2(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    original = DirectoryStore.fetch

    async def fetch(self: DirectoryStore, bucket: str, key: str, *arguments: Any, **options: Any) -> Any:
        if key == "rel/notes.txt":
            raise StoreUnavailableError("the store is down", uri=f"s3://{bucket}/{key}", remedy="Try again later")
        return await original(self, bucket, key, *arguments, **options)

    monkeypatch.setattr(DirectoryStore, "fetch", fetch)
    ran = await filled("verify", "s3://bkt/rel/")
    assert (ran.code, len(ran.lines)) == (2, 2)
    assert ran.err.splitlines() == [
        "warning: s3://bkt/rel/notes.txt could not be read: the store is down. Try again later",
        "Verified 3 objects and 1 reference: 2 sound (195.3 KiB), 1 could not be read",
    ]


async def test_verify_says_what_has_no_recorded_hash(cli: Cli, tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    await store.put("bkt", "raw", b"raw", sha256=hashlib.sha256(b"raw").hexdigest(), metadata={})
    await store.aclose()
    ran = await cli.ok("verify", "s3://bkt/raw")
    assert ran.out.startswith("verify: s3://bkt/raw (readable, but no hash is recorded")
    assert ran.err == "Verified 1 object: 1 sound (3 Bytes), 1 of the sound ones without a recorded hash\n"


@pytest.mark.parametrize(
    "options", [["--older-than", "soon"], ["--older-than", "7"], ["--quick", "--resume"], ["--quick", "--record", "x"]]
)
async def test_verify_wrong_usage(filled: Cli, options: list[str]) -> None:
    assert (await filled("verify", "s3://bkt/", *options)).code == 252


async def test_verify_quietly_is_an_exit_code(filled: Cli) -> None:
    ran = await filled.ok("verify", "s3://bkt/", "-q")
    assert (ran.out, ran.err) == ("", "")


async def test_verify_of_nothing(filled: Cli) -> None:
    ran = await filled("verify", "s3://bkt/nokey")
    assert (ran.code, ran.out) == (254, "")
    assert ran.err.startswith("deltaglider: error: s3://bkt/nokey: no such object.")
    ran = await filled("verify", "s3://bkt/nothing/")
    assert (ran.code, ran.err) == (1, "Verified 0 objects: 0 sound (0 Bytes)\n")
    assert (await filled("verify", "s3://nobucket/")).code == 254
    assert (await filled("verify", "s3://nobucket/k")).code == 254


async def test_verify_an_empty_bucket(cli: Cli) -> None:
    await cli.ok("verify", "s3://bkt")


@pytest.mark.parametrize("url", ["bkt", "s3://bkt", "s3://bkt/"])
async def test_stats_of_a_bucket(filled: Cli, url: str) -> None:
    ran = await filled.ok("stats", url)
    head, *rows = ran.lines
    table = dict(row.split(":", 1) for row in rows)
    assert head == "s3://bkt/"
    assert {name.strip(): value.strip() for name, value in table.items() if "Stored" not in name} == {
        "Objects": "4",
        "stored as deltas": "2",
        "stored whole": "2",
        "References": "1 (97.7 KiB)",
        "Original size": "195.3 KiB (200018 bytes)",
        "Saved": "97.6 KiB (50.0 %)",
    }
    assert ran.err == ""


async def test_stats_of_a_prefix_as_json(filled: Cli) -> None:
    (stats,) = (await filled.ok("stats", "s3://bkt/rel/", "--json")).objects
    assert (stats["type"], stats["bucket"], stats["prefix"]) == ("summary", "bkt", "rel/")
    assert (stats["object_count"], stats["delta_objects"], stats["direct_objects"]) == (3, 2, 1)
    assert stats["total_size"] == 200_013
    assert stats["space_saved"] == stats["total_size"] - stats["compressed_size"]
    assert stats["average_compression_ratio"] == stats["space_saved"] / stats["total_size"]
    assert stats["compressed_size"] > stats["reference_size"] == 100_000


async def test_stats_of_a_missing_bucket(cli: Cli) -> None:
    assert (await cli("stats", "nobucket")).code == 254


async def test_doctor_finds_all_well(cli: Cli) -> None:
    for arguments in ([], ["s3://bkt"], ["bkt"]):
        ran = await cli.ok("doctor", *arguments)
        assert [line[:8] for line in ran.lines] == ["ok      "] * 6
        assert [line.split()[1] for line in ran.lines[:3]] == ["archive-aware:", "xdelta3:", "zstd:"]
    *checks, summary = (await cli.ok("doctor", "--json")).objects
    assert [(check["type"], check["ok"]) for check in checks] == [("check", True)] * 6
    assert summary == {"type": "summary", "command": "doctor", "failed": 0}


async def test_doctor_tells_what_is_wrong(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DG_XDELTA3", str(tmp_path / "no xdelta3"))
    ran = await cli("doctor", "s3://nobucket")
    assert ran.code == 1
    assert [line[:6].strip() for line in ran.lines] == ["FAILED", "FAILED", "ok", "ok", "ok", "FAILED"]
    assert all("install" in line for line in ran.lines[:2])
    assert "s3://nobucket/: the bucket does not exist" in ran.lines[5]
    ran = await cli("doctor", "s3://nobucket", "--only-show-errors")
    assert [line[:6] for line in ran.lines] == ["FAILED"] * 3


async def test_a_bucket_is_made_and_removed(cli: Cli) -> None:
    ran = await cli.ok("mb", "s3://other-bucket")
    assert (ran.out, ran.err) == ("make_bucket: other-bucket\n", "")
    ran = await cli("mb", "s3://other-bucket")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("make_bucket failed: s3://other-bucket ")
    ran = await cli.ok("rb", "s3://other-bucket")
    assert (ran.out, ran.err) == ("remove_bucket: other-bucket\n", "")
    ran = await cli("rb", "s3://other-bucket")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("remove_bucket failed: s3://other-bucket the bucket does not exist.")


async def test_a_bucket_with_objects_stays(filled: Cli) -> None:
    ran = await filled("rb", "s3://bkt")
    assert ran.code == 1
    assert ran.err.startswith("remove_bucket failed: s3://bkt ")
    assert len(await filled.keys()) == 4


async def test_buckets_as_json(cli: Cli) -> None:
    assert (await cli.ok("mb", "s3://other-bucket", "--json")).objects == [
        {"type": "summary", "command": "mb", "bucket": "other-bucket"}
    ]
    ran = await cli("mb", "s3://other-bucket", "--json")
    (error,) = ran.objects
    assert (ran.code, ran.err) == (1, "")
    assert (error["type"], error["uri"], error["code"]) == ("error", "s3://other-bucket", "already_exists")


@pytest.mark.parametrize("command", ["mb", "rb"])
@pytest.mark.parametrize("url", ["bkt2", "s3://"])
async def test_only_buckets_are_made_and_removed(cli: Cli, command: str, url: str) -> None:
    assert (await cli(command, url)).code == 252


async def test_a_key_is_ignored_where_a_bucket_is_made_but_not_where_one_is_removed(cli: Cli) -> None:
    assert (await cli("mb", "s3://bkt2/key")).out == "make_bucket: bkt2\n"
    assert (await cli("rb", "s3://bkt2/key")).code == 252


async def test_slashes_alone_mean_all_buckets(cli: Cli) -> None:
    assert (await cli.ok("ls", "s3:///")).out == (await cli.ok("ls")).out
