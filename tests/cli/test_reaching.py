"""Every option of ``cp``, ``mv`` and ``sync`` reaches the client's method, whatever way the transfer goes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from deltaglider import AsyncDeltaGliderClient
from deltaglider.cli import options, writing
from deltaglider.cli.app import app
from deltaglider.client.piecemeal import home_of
from deltaglider.models import BulkSummary
from tests.cli.conftest import BUCKET, Cli

URL = f"s3://{BUCKET}"
UP, DOWN, ACROSS = ["d", f"{URL}/p/"], [f"{URL}/p/", "d"], [f"{URL}/p/", f"{URL}/q/"]
WAYS: dict[str, tuple[str, list[str]]] = {
    "tree up": ("upload_directory", [*UP, "-r"]),
    "tree down": ("download_directory", [*DOWN, "-r"]),
    "tree across": ("copy_directory", [*ACROSS, "-r"]),
    "several up": ("transfer", ["d/a.txt", "d/b.txt", f"{URL}/p/"]),
    "several down": ("transfer", [f"{URL}/p/a", f"{URL}/p/b", "d/"]),
    "several across": ("transfer", [f"{URL}/p/a", f"{URL}/p/b", f"{URL}/q/"]),
    "sync up": ("sync", UP),
    "sync down": ("sync", DOWN),
    "sync across": ("sync", ACROSS),
}

# What is said, and the keyword that hears it.
SAID: list[tuple[list[str], str, Any]] = [
    (["--dryrun"], "dryrun", True),
    (["--fail-fast"], "fail_fast", True),
    (["--no-follow-symlinks"], "follow_symlinks", False),
    (["--preserve"], "preserve", True),
    (["--escape-names"], "escape_names", True),
    (["--case-conflict", "skip"], "case_conflict", "skip"),
    (["--exclude", "*", "--include", "a"], "filters", (("exclude", "*"), ("include", "a"))),
    (["--metadata", "k=v"], "metadata", {"k": "v"}),
    (["--metadata-directive", "COPY"], "metadata_directive", "COPY"),
    (["--copy-props", "none"], "copy_props", "none"),
    (["--tags", "k", "v"], "tags", {"k": "v"}),
    (["--no-guess-mime-type"], "guess_content_type", False),
    (["--content-type", "a/b"], "headers", {"ContentType": "a/b"}),
    (["--grants", "read=id=me"], "headers", {"GrantRead": "id=me"}),
    (["--no-overwrite"], "no_overwrite", True),
    (["--ignore-glacier-warnings"], "archived", "ignore"),
    (["--force-glacier-transfer"], "archived", "force"),
    (["--delete"], "delete", True),
    (["--max-delete", "10%"], "max_delete", "10%"),
    (["--force"], "force", True),
    (["--size-only"], "size_only", True),
    (["--exact-timestamps"], "exact_timestamps", True),
    (["--checksum"], "checksum", True),
]

# Settings of the whole client, headers of one kind, and what the command itself heeds.
ELSEWHERE = {
    *("--recursive", "--files-from", "--from0", "--validate-same-s3-paths", "--page-size", "--expected-size"),
    *("--no-delta", "--codec", "--archive", "--max-ratio", "--deltaspace", "--checksum-mode", "--source-region"),
    *("--content-language", "--content-encoding", "--content-disposition", "--cache-control", "--expires", "--acl"),
    *("--website-redirect", "--storage-class", "--sse", "--sse-kms-key-id", "--checksum-algorithm"),
    *("--sse-c", "--sse-c-key", "--sse-c-copy-source", "--sse-c-copy-source-key"),
}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> dict[str, Any]:
    """What the last call of a method was told."""
    told: dict[str, Any] = {}
    for name in {method for method, _ in WAYS.values()}:

        async def listen(self: AsyncDeltaGliderClient, *places: Any, _name: str = name, **keywords: Any) -> BulkSummary:
            told.clear()
            told.update(keywords, method=_name)
            return BulkSummary()

        monkeypatch.setattr(home_of(name), name, listen)
    cli.write("d/a.txt", b"a")
    cli.write("d/b.txt", b"b")
    return told


SIGNATURES = {name: inspect.signature(getattr(AsyncDeltaGliderClient, name)).parameters for name, _ in WAYS.values()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("command", ["cp", "mv", "sync"])
async def test_what_is_said_is_heard(cli: Cli, heard: dict[str, Any], command: str, way: str) -> None:
    if (command == "sync") != way.startswith("sync"):
        return
    method, arguments = WAYS[way]
    known = {word for parameter in app_parameters(command) for word in parameter.opts + parameter.secondary_opts}
    for words, keyword, value in SAID:
        if words[0] not in known or keyword not in SIGNATURES[method]:
            continue
        await cli.ok(command, *arguments, *words)
        got = heard[keyword]
        assert (heard["method"], keyword, tuple(got) if keyword == "filters" else got) == (method, keyword, value)
    assert heard.get("move", False) is (command == "mv")


@pytest.mark.parametrize("command", ["cp", "mv", "sync"])
def test_no_option_is_forgotten(command: str) -> None:
    common = {word for option in options.COMMON for word in option.opts}
    told = {word for words, _, _ in SAID for word in words}
    for parameter in app_parameters(command):
        if not parameter.opts[0].startswith("-") or parameter.opts[0] in common:
            continue
        words = {*parameter.opts, *parameter.secondary_opts}
        assert words & (told | ELSEWHERE), f"{command} {parameter.opts}: say here whom it reaches"


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_no_keyword_is_out_of_reach(name: str) -> None:
    # The first are settings to the command line; names come of --files-from, and a move is a command.
    besides = {"self", "delta", "max_ratio", "names", "move", "report"}
    places = {key for key, parameter in SIGNATURES[name].items() if parameter.kind is not parameter.KEYWORD_ONLY}
    assert set(SIGNATURES[name]) - places - besides <= {keyword for _, keyword, _ in SAID}


def app_parameters(command: str) -> list[Any]:
    return list(app.commands[command].params)


def test_the_table_knows_what_writes() -> None:
    named = {word for option in (*writing.METADATA, *writing.READING) for word in option.opts}
    assert named <= {word for words, _, _ in SAID for word in words} | ELSEWHERE
