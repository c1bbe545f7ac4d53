"""What completion offers; the scripts of the shells are tried by ``tests/e2e/test_completion.py``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deltaglider.cli import completion
from deltaglider.cli.app import app
from deltaglider.client.buckets import BucketMethods
from tests.cli.conftest import Cli

KEYS = ("v1/app.zip", "v1/my file.txt", "v2/app.zip", "top=x")


@pytest.fixture
async def filled(cli: Cli) -> Cli:
    cli.write("f", b"content")
    for key in KEYS:
        await cli.ok("cp", "f", f"s3://bkt/{key}")
    return cli


async def offered(line: str) -> list[str]:
    """The candidates of a line up to the cursor: values, and ``<file>`` where files may stand."""
    word, *found = await completion.complete(app, completion.split(line))
    assert word.kind == "word"
    return ["<file>" if each.kind == "file" else each.value for each in found]


OFFERED = [
    ("deltaglider c", ["completion", "cp"]),
    ("deltaglider --js", ["--json"]),
    ("deltaglider --json sy", ["sync"]),
    ("deltaglider s3 sy", ["sync"]),
    ("deltaglider s3 ls s3://b", ["s3://bkt/"]),
    ("deltaglider cp --dry", ["--dryrun"]),
    ("deltaglider cp --deltaspace ", ["versioned", "directory"]),
    ("deltaglider cp --deltaspace=v", ["--deltaspace=versioned"]),
    ("deltaglider cp --storage-class GL", ["GLACIER", "GLACIER_IR"]),
    ("deltaglider completion z", ["zsh"]),
    ("deltaglider schema sy", ["sync"]),
    ("deltaglider cp ", ["s3://", "<file>"]),
    ("deltaglider cp f", ["<file>"]),
    ("deltaglider cp f s", ["s3://", "<file>"]),
    ("deltaglider cp --ca-bundle ", ["<file>"]),
    ("deltaglider cp --exclude ", []),
    ("deltaglider ls ", ["s3://"]),
    ("deltaglider ls s3://b", ["s3://bkt/"]),
    ("deltaglider ls s3://z", []),
    ("deltaglider ls s3://bkt/", ["s3://bkt/top=x", "s3://bkt/v1/", "s3://bkt/v2/"]),
    ("deltaglider cp --exclude '*' s3://bkt/v1/", ["s3://bkt/v1/app.zip", "s3://bkt/v1/my file.txt"]),
    ("deltaglider cp s3://bkt/v1/my\\ f", ["s3://bkt/v1/my file.txt"]),
    ("deltaglider cp 's3://bkt/v1/my f", ["s3://bkt/v1/my file.txt"]),
    ("deltaglider cp f s3://bkt/v", ["s3://bkt/v1/", "s3://bkt/v2/"]),
    ("deltaglider ls s3://nosuch/", []),
    ("deltaglider ls --endpoint-url ftp://x s3://z", []),
]


async def test_what_is_offered(filled: Cli) -> None:
    for line, expected in OFFERED:
        assert await offered(line) == expected, line


async def test_every_command_is_offered_and_explained() -> None:
    _, *found = await completion.complete(app, ["deltaglider", ""])
    assert {each.value: each.help for each in found} == {
        name: command.short_help for name, command in app.commands.items()
    }


async def test_the_endpoint_on_the_line_is_asked(filled: Cli, tmp_path: Any) -> None:
    other = (tmp_path / "other").as_uri()
    await filled.ok("mb", "s3://elsewhere", "--endpoint-url", other)
    assert await offered(f"deltaglider ls --endpoint-url {other} s3://") == ["s3://elsewhere/"]


async def test_there_is_an_end_to_what_is_offered(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "MOST", 2)
    assert await offered("deltaglider ls s3://bkt/") == ["s3://bkt/top=x", "s3://bkt/v1/"]


async def test_a_store_that_does_not_answer_holds_nobody_up(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: BucketMethods) -> Any:
        await asyncio.sleep(600)

    monkeypatch.setattr(completion, "SECONDS", 0.05)
    monkeypatch.setattr(BucketMethods, "buckets", never)
    assert await offered("deltaglider ls s3://b") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", [""]),
        ("dg", ["dg"]),
        ("dg ", ["dg", ""]),
        ("dg 'a b", ["dg", "a b"]),
        ("dg 'a b'", ["dg", "a b"]),
        ("dg a\\ b", ["dg", "a b"]),
        ('dg "a b" ', ["dg", "a b", ""]),
        ("dg 'a ", ["dg", "a "]),
    ],
)
def test_lines_are_split_at_the_cursor(line: str, words: list[str]) -> None:
    assert completion.split(line) == words


@pytest.mark.parametrize("shell", ["zsh", "fish"])
async def test_the_command_answers_in_lines(filled: Cli, shell: str) -> None:
    ran = await filled.ok("completion", shell, "--complete", "--", "deltaglider", "ls", "s3://bkt/v1/my ")
    assert ran.out == "word\ts3://bkt/v1/my \t\nplain\ts3://bkt/v1/my file.txt\t\n"
    ran = await filled.ok("completion", shell, "--complete", "--", "deltaglider", "cp", "--dry")
    assert ran.out.splitlines()[1] == "plain\t--dryrun\tPrint what would be done, and do none of it"


async def test_the_command_prints_the_script_of_each_shell(cli: Cli) -> None:
    for shell, sign in (
        ("bash", "complete -o nosort"),
        ("zsh", "#compdef deltaglider"),
        ("fish", "complete --no-files"),
    ):
        assert sign in (await cli.ok("completion", shell)).out
    assert (await cli("completion", "bash", "zsh")).code == 252
    assert (await cli("completion", "tcsh")).code == 252
