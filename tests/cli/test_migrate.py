"""``migrate``: where to, what it prints, and how it ends."""

from __future__ import annotations

import pytest

from tests.cli.conftest import BUCKET, Cli

ROOT = f"s3://{BUCKET}"


@pytest.fixture
async def plain(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    """Two versions and a note, stored whole."""
    for number, data in enumerate(versions):
        cli.write(f"dist/v{number}/app.zip", data)
    cli.write("dist/note.txt", b"note")
    await cli.ok("cp", "dist", f"{ROOT}/old/app/", "--recursive", "--no-delta", "--quiet")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("target", "options", "place"),
    [
        ("new", [], "new/app/"),
        ("new/", ["--no-preserve-prefix"], "new/"),
        ("", [], "app/"),
        ("old/", [], "old/app/"),
        ("old/app", [], "old/app/"),
    ],
)
async def test_the_last_name_of_the_source_is_kept(cli: Cli, target: str, options: list[str], place: str) -> None:
    ran = await cli.ok("migrate", f"{ROOT}/old/app", f"{ROOT}/{target}", *options, "--json")
    assert ran.objects[-1]["target"] == f"{ROOT}/{place}"
    deltas = (await cli.ok("stats", f"{ROOT}/{place}", "--json")).objects[0]
    assert (deltas["object_count"], deltas["delta_objects"]) == (3, 2)
    assert ran.objects[-1]["figures"] == {name: deltas[name] for name in ran.objects[-1]["figures"]}


@pytest.mark.usefixtures("plain")
async def test_people_read_what_was_done_and_what_it_saves(cli: Cli) -> None:
    ran = await cli.ok("migrate", f"{ROOT}/old/app/", f"{ROOT}/new/", "--dry-run", "-y")
    assert ran.lines == [
        f"(dryrun) migrate: {ROOT}/old/app/{name} to {ROOT}/new/app/{name}"
        for name in ("note.txt", "v0/app.zip", "v1/app.zip")
    ]
    ran = await cli.ok("migrate", f"{ROOT}/old/app/", f"{ROOT}/new/", "--exclude", "*.txt")
    assert sorted(ran.lines[:2]) == [
        f"migrate: {ROOT}/old/app/v{number}/app.zip to {ROOT}/new/app/v{number}/app.zip" for number in (0, 1)
    ]
    assert ran.lines[2:] == (await cli.ok("stats", f"{ROOT}/new/app/")).lines
    assert ran.err.startswith("Completed 2 files, ")
    here = await cli.ok("migrate", f"{ROOT}/old/app/", f"{ROOT}/old/app/", "--quiet")
    assert (here.out, here.err) == ("", "")
    again = await cli.ok("migrate", f"{ROOT}/old/app/", f"{ROOT}/old/app/", "--only-show-errors")
    assert (again.out, again.err) == ("", "")


async def test_wrong_usage_and_missing_buckets(cli: Cli) -> None:
    assert (await cli("migrate", "dist", ROOT)).code == 252
    assert (await cli("migrate", ROOT)).code == 252
    assert (await cli("migrate", "s3://not-there-at-all", ROOT)).code == 1
    assert (await cli("analyze", "not there")).code == 255
    assert (await cli("analyze", ROOT, "--max-bytes", "much")).code == 252


async def test_people_read_an_estimate_and_what_it_rests_on(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    for number in range(4):
        cli.write(f"dist/app/v{number}/app.zip", versions[0] + bytes([number]) * 9)
    ran = await cli.ok("analyze", "dist")
    assert ran.lines[2].split() == ["Deltaspace", "Files", "Size", "Would", "take", "Saved", "Encoded"]
    assert ran.lines[3].split()[:2] + ran.lines[3].split()[-3:] == ["app/", "4", "75", "%", "3"]
    assert "Would be saved:      about 75 % (75 to 75 %)" in ran.lines
    assert ran.lines[-1].startswith("3 files (293.0 KiB) of 4 files (390.7 KiB) were really encoded.")


async def test_an_estimate_of_nothing_is_none(cli: Cli, versions: tuple[bytes, bytes]) -> None:
    for number in range(2):
        cli.write(f"dist/app/v{number}/app.zip", versions[number])
    ran = await cli.ok("analyze", "dist", "--max-bytes", "1KB")
    assert not [line for line in ran.lines if line.startswith("Would be saved")]
    assert ran.lines[-1].startswith("Nothing was encoded")
