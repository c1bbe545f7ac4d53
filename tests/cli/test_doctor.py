"""``doctor`` with a bucket: what it prints, and how it ends."""

from __future__ import annotations

import dataclasses

import pytest

from deltaglider.client.aio import AsyncDeltaGliderClient
from deltaglider.findings import LEFTOVER_AGE
from tests.cli.conftest import BUCKET, Cli
from tests.engine.world import sha256

DELTA = f"s3://{BUCKET}/rel/v2/app.zip.delta"


@pytest.fixture
async def filled(cli: Cli, versions: tuple[bytes, bytes]) -> Cli:
    cli.write("v1/app.zip", versions[0])
    cli.write("v2/app.zip", versions[1])
    for version in ("v1", "v2"):
        await cli.ok("cp", f"{version}/app.zip", f"s3://bkt/rel/{version}/")
    return cli


@pytest.fixture
async def lost(filled: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes]) -> Cli:
    """A bucket without its reference, and a client without its cache."""
    store = client._context().store
    await store.delete(BUCKET, f"rel/.deltaglider/references/{sha256(versions[0])}/reference.bin")
    await client.aclose()
    return filled


def fresh(cli: Cli, number: int = 0) -> list[str]:
    return ["--cache-dir", str(cli.here / f"empty cache {number}")]


async def test_a_sound_bucket(filled: Cli) -> None:
    for target in ("s3://bkt", "bkt", "s3://bkt/rel", "s3://bkt/rel/"):
        ran = await filled.ok("doctor", target)
        assert [line[:8] for line in ran.lines] == ["ok      "] * 6
        assert ran.err == "All is well\n"
    *_, summary = (await filled.ok("doctor", "bkt", "--json")).objects
    assert summary == {
        "type": "summary",
        "command": "doctor",
        "failed": 0,
        "problems": 0,
        "repaired": 0,
        "notes": 0,
        "tidied": 0,
        "open": 0,
    }


@pytest.mark.parametrize("options", [[], ["--quick"]])
async def test_what_is_wrong(lost: Cli, versions: tuple[bytes, bytes], options: list[str]) -> None:
    ran = await lost("doctor", "bkt", *options, *fresh(lost))
    assert ran.code == 1
    assert ran.lines[-1].startswith(f"WRONG   {DELTA}: its reference s3://bkt/rel/.deltaglider/references/")
    assert f"(SHA-256 {sha256(versions[0])}). " in ran.lines[-1]
    assert ran.lines[-1].endswith(" [reference_missing]")
    assert ran.err == "2 problems; 0 notes\n"
    ran = await lost("doctor", "bkt", "--only-show-errors", *options, *fresh(lost))
    assert (ran.code, len(ran.lines), ran.err) == (1, 2, "")
    ran = await lost("doctor", "bkt", "-q", *options, *fresh(lost))
    assert (ran.code, ran.out, ran.err) == (1, "", "")


async def test_what_is_mended(lost: Cli, versions: tuple[bytes, bytes]) -> None:
    ran = await lost("doctor", "bkt", "--repair", "--json", *fresh(lost))
    assert ran.code == 1
    checks, findings, summary = ran.objects[:6], ran.objects[6:-1], ran.objects[-1]
    assert {check["type"] for check in checks} == {"check"}
    assert [finding["uri"] for finding in findings] == [f"s3://bkt/rel/v{number}/app.zip.delta" for number in (1, 2)]
    for finding in findings:
        assert (finding["type"], finding["code"], finding["severity"]) == ("finding", "reference_missing", "problem")
        assert finding["repaired"] is False
        assert sha256(versions[0]) in finding["message"]
        assert "--from" in finding["remedy"]
    assert (summary["problems"], summary["repaired"], summary["open"]) == (2, 0, 2)
    lost.write("old/something", b"else")
    lost.write("old/deeper/app.zip", versions[0])
    ran = await lost.ok("doctor", "bkt", "--repair", "--from", "old", *fresh(lost, 1))
    assert [line[:6] for line in ran.lines[6:]] == ["mended", "mended"]
    assert ran.err == "2 problems, 2 mended; 0 notes\n"
    assert (await lost.ok("doctor", "bkt", *fresh(lost, 2))).err == "All is well\n"
    await lost.ok("cp", "s3://bkt/rel/v2/app.zip", "back.zip", *fresh(lost, 3))
    assert (lost.here / "back.zip").read_bytes() == versions[1]


async def test_what_is_untidy_is_no_failure(filled: Cli, client: AsyncDeltaGliderClient) -> None:
    store = client._context().store
    for version in ("v1", "v2"):
        await store.delete(BUCKET, f"rel/{version}/app.zip.delta")
    ran = await filled.ok("doctor", "bkt")
    assert ran.lines[-1].startswith("note    s3://bkt/rel/.deltaglider/references/")
    assert ran.lines[-1].endswith("--repair removes it [reference_unused]")
    assert ran.err == "0 problems; 1 note\n"
    ran = await filled.ok("doctor", "bkt", "--repair")
    assert ran.err == "0 problems; 1 note, 1 tidied\n"
    ran = await filled.ok("doctor", "bkt", "--repair")
    assert ran.err == "All is well\n"
    await client.aclose()


async def test_names_drive_no_terminal(cli: Cli, client: AsyncDeltaGliderClient) -> None:
    evil = "p/\x1b[31mred\nline\u202e.zip"
    data = b"\xd6\xc3\xc4\x00\x00"
    await client._context().store.put(BUCKET, f"{evil}.delta", data, sha256=sha256(data), metadata={})
    ran = await cli("doctor", "bkt", "--quick")
    assert ran.code == 1
    assert len(ran.lines) == 7
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "p/\\x1b[31mred\\nline\\u202e.zip.delta" in ran.lines[-1]
    *_, finding, _ = (await cli("doctor", "bkt", "--quick", "--json")).objects
    assert finding["uri"] == f"s3://bkt/{evil}.delta"
    await client.aclose()


async def test_a_machine_that_is_not_fit_looks_into_nothing(
    lost: Cli, monkeypatch: pytest.MonkeyPatch, versions: tuple[bytes, bytes]
) -> None:
    monkeypatch.setenv("DG_XDELTA3", str(lost.here / "no xdelta3"))
    ran = await lost("doctor", "bkt", "--repair", "--json")
    assert ran.code == 1
    assert [line["type"] for line in ran.objects] == ["check"] * 6 + ["summary"]
    assert ran.objects[-1] == {"type": "summary", "command": "doctor", "failed": 2}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--repair"],
        ["--quick"],
        ["bkt", "--from", "."],
        ["bkt", "--repair", "--from", "no such file"],
        ["bkt", "--older-than", "soon"],
        ["bkt", "--older-than", "1"],
        ["s3://"],
    ],
)
async def test_wrong_usage(cli: Cli, arguments: list[str]) -> None:
    assert (await cli("doctor", *arguments)).code == 252


@pytest.mark.parametrize(("text", "removed"), [("0s", True), ("1d", False), ("30m", False)])
async def test_how_old_leftovers_must_be(
    filled: Cli, client: AsyncDeltaGliderClient, versions: tuple[bytes, bytes], text: str, removed: bool
) -> None:
    store, digest = client._context().store, sha256(versions[0])
    trash = f"rel/.deltaglider/trash/{digest}/left/reference.bin"
    await store.copy(BUCKET, f"rel/.deltaglider/references/{digest}/reference.bin", BUCKET, trash)
    ran = await filled.ok("doctor", "bkt", "--repair", "--older-than", text)
    assert ran.lines[-1].endswith("[trash]")
    assert (ran.lines[-1][:6] == "mended") == removed
    await client.aclose()


async def test_the_client_tells_the_same(lost: Cli, endpoint_url: str, versions: tuple[bytes, bytes]) -> None:
    from deltaglider import Finding, create_client

    with create_client(endpoint_url, cache_dir=lost.here / "its own cache") as client:
        findings = list(client.survey("s3://bkt/rel"))
        assert [(finding.code, finding.is_open) for finding in findings] == [("reference_missing", True)] * 2
        source = lost.write("backup/app.zip", versions[0])
        findings = list(client.survey("s3://bkt/rel", repair=True, sources=[source], older_than=LEFTOVER_AGE))
        assert [(finding.code, finding.is_open) for finding in findings] == [("reference_missing", False)] * 2
        assert findings[0] == dataclasses.replace(findings[0], repaired=True)
        assert isinstance(findings[0], Finding)
        assert findings[0].to_dict()["uri"] == "s3://bkt/rel/v1/app.zip.delta"
        assert list(client.survey("s3://bkt", quick=True)) == []
