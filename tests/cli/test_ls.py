"""``ls``: the lines of ``aws s3 ls``, with the sizes of the originals."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC

import pytest

from deltaglider import AsyncDeltaGliderClient
from tests.cli.conftest import Cli

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
async def filled(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    cli.write("app.zip", versions[0])
    cli.write("app2.zip", versions[1])
    cli.write("small", b"12345")
    await cli.ok("cp", "app.zip", "s3://bkt/v1.0/")
    await cli.ok("cp", "app2.zip", "s3://bkt/v2.0/app.zip")
    await cli.ok("cp", "small", "s3://bkt/b")
    await cli.ok("cp", "small", "s3://bkt/b/deep/small")
    await cli.ok("cp", "small", "s3://bkt/bb.txt")
    return cli


@pytest.fixture
def two_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_buckets(cli: Cli) -> None:
    for arguments in ([], ["s3://"]):
        ran = await cli.ok("ls", *arguments)
        assert re.fullmatch(rf"{TIME} bkt\n", ran.out), ran


async def test_prefixes_come_first_then_objects(filled: Cli) -> None:
    for url in ("s3://bkt", "s3://bkt/", "bkt"):
        ran = await filled.ok("ls", url)
        assert ran.lines[:3] == [
            "                           PRE b/",
            "                           PRE v1.0/",
            "                           PRE v2.0/",
        ]
        assert re.fullmatch(rf"{TIME}          5 b", ran.lines[3])
        assert re.fullmatch(rf"{TIME}          5 bb\.txt", ran.lines[4])
        assert len(ran.lines) == 5


async def test_without_a_slash_it_is_the_beginning_of_names(filled: Cli) -> None:
    assert [line.split()[-1] for line in (await filled.ok("ls", "s3://bkt/b")).lines] == ["b/", "b", "bb.txt"]
    assert [line.split()[-1] for line in (await filled.ok("ls", "s3://bkt/b/")).lines] == ["deep/"]
    assert [line.split()[-1] for line in (await filled.ok("ls", "s3://bkt/v1.0/app.zip")).lines] == ["app.zip"]


async def test_recursively_all_keys_with_original_sizes_and_totals(
    filled: Cli, client: AsyncDeltaGliderClient, two_hours_east: None
) -> None:
    ran = await filled.ok("ls", "s3://bkt", "--recursive", "--human-readable", "--summarize")
    async with client:
        stored = (await client.head("s3://bkt/v2.0/app.zip")).last_modified.astimezone(UTC)
    local = stored.replace(hour=(stored.hour + 2) % 24)
    assert [line[20:] for line in ran.lines[:5]] == [
        "   5 Bytes b",
        "   5 Bytes b/deep/small",
        "   5 Bytes bb.txt",
        "  97.7 KiB v1.0/app.zip",
        "  97.7 KiB v2.0/app.zip",
    ]
    assert ran.lines[4][11:19] == f"{local:%H:%M:%S}"
    assert ran.lines[5:] == ["", "Total Objects: 5", "   Total Size: 195.3 KiB"]


async def test_sizes_are_right_aligned_bytes(filled: Cli) -> None:
    ran = await filled.ok("ls", "s3://bkt/v2.0/", "--summarize")
    assert re.fullmatch(rf"{TIME}     100008 app\.zip\n\nTotal Objects: 1\n   Total Size: 100008\n", ran.out)


@pytest.mark.parametrize("url", ["s3://bkt/zz", "s3://bkt/b/zz/", "bkt/bb.txt/"])
async def test_nothing_found_is_exit_code_1_and_no_output(filled: Cli, url: str) -> None:
    ran = await filled("ls", url)
    assert (ran.code, ran.out, ran.err) == (1, "", "")


async def test_an_empty_bucket_is_no_failure(cli: Cli) -> None:
    ran = await cli.ok("ls", "s3://bkt")
    assert (ran.out, ran.err) == ("", "")


async def test_a_missing_bucket_is_what_the_service_said(cli: Cli) -> None:
    ran = await cli("ls", "s3://nobucket")
    assert (ran.code, ran.out) == (254, "")
    assert ran.err == "deltaglider: error: s3://nobucket/: the bucket does not exist. Check its name, or create it\n"


async def test_pages_keep_prefixes_first_each(filled: Cli) -> None:
    ran = await filled.ok("ls", "s3://bkt", "--page-size", "3")
    assert [line.split()[-1] for line in ran.lines] == ["b/", "b", "bb.txt", "v1.0/", "v2.0/"]


async def test_names_that_could_do_harm_are_escaped(cli: Cli) -> None:
    cli.write("f", b"content")
    await cli.ok("cp", "f", "s3://bkt/red\x1b[31m\nline/x\x07")
    assert (await cli.ok("ls", "bkt")).lines == ["                           PRE red\\x1b[31m\\nline/"]
    assert (await cli.ok("ls", "bkt", "-r")).out.endswith(" red\\x1b[31m\\nline/x\\x07\n")


async def test_json_has_an_object_a_line_and_a_summary(filled: Cli) -> None:
    *entries, summary = (await filled.ok("ls", "s3://bkt", "--json")).objects
    assert [(entry["type"], entry.get("key") or entry.get("prefix")) for entry in entries] == [
        ("object", "b"),
        ("prefix", "b/"),
        ("object", "bb.txt"),
        ("prefix", "v1.0/"),
        ("prefix", "v2.0/"),
    ]
    assert (entries[0]["size"], entries[0]["bucket"]) == (5, "bkt")
    assert summary == {"type": "summary", "command": "ls", "objects": 2, "prefixes": 3, "size": 10}


async def test_json_of_buckets(cli: Cli) -> None:
    bucket, summary = (await cli.ok("ls", "--json")).objects
    assert (bucket["type"], bucket["name"]) == ("bucket", "bkt")
    assert summary == {"type": "summary", "command": "ls", "buckets": 1}
