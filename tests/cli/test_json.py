"""``--json``: every line that any command prints is valid against the schema of that command."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from deltaglider import errors
from deltaglider.cli import schemas
from deltaglider.cli.app import app
from deltaglider.client.aio import create_async_client
from tests.cli.conftest import Cli
from tests.cli.json_runs import RUNS, Recorder
from tests.servers import DirectoryEndpoint, Endpoint, S3Endpoint

WITHOUT_LINES = {"completion", "schema"}
"""What they print is a script and a schema, for programs already."""
NAMES = sorted(set(app.commands) - WITHOUT_LINES)


def test_every_command_has_a_schema_and_runs() -> None:
    assert schemas.commands() == NAMES, "write deltaglider/cli/schemas/COMMAND.json: see CONTRIBUTING.md"
    assert sorted(RUNS) == NAMES, "write the command's function in tests/cli/json_runs.py: see CONTRIBUTING.md"


@pytest.mark.parametrize("name", NAMES)
async def test_every_line_is_valid_and_every_type_is_printed(
    name: str,
    cli: Cli,
    directory: DirectoryEndpoint,
    moto: S3Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    produced: set[int] = set()
    for endpoint in (directory, moto):
        produced |= await runs_on(endpoint, name, cli, monkeypatch, tmp_path / endpoint.name)
    types = schemas.load(name)["oneOf"]
    assert produced == set(range(len(types))), f"never printed: {[types[i] for i in set(range(len(types))) - produced]}"


async def runs_on(endpoint: Endpoint, name: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, here: Path) -> set[int]:
    here.mkdir()
    cli.here = here
    monkeypatch.chdir(here)
    monkeypatch.delenv("DG_ENDPOINT_URL", raising=False)
    for variable, value in endpoint.environ().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a stream"), fileno=no_descriptor))
    async with create_async_client(**endpoint.client_kwargs()) as client:
        run = Recorder(cli, name, client, endpoint.make_bucket())
        await RUNS[name](run)
        (wrong,) = await run("--no-such-option", code=252, last="error")
        assert (wrong["code"], wrong["uri"]) == ("usage", None)
        if endpoint.is_server:
            ran = await cli(*in_vain(name, run.bucket), "--json", "--no-verify-ssl")
            run.take(ran.objects)
            assert ran.objects[0]["type"] == "warning"
    return run.produced


def no_descriptor() -> int:
    raise io.UnsupportedOperation


def in_vain(name: str, bucket: str) -> list[str]:
    """A command line that parses; what comes of it does not matter."""
    root = f"s3://{bucket}"
    down, across = [f"{root}/nosuch", "nosuch"], [f"{root}/no/", f"{root}/to/"]
    arguments = {"cp": down, "mv": down, "sync": down, "migrate": across, "ls": []}
    bucket_only = name in ("mb", "purge", "rb", "website", "get-bucket-acl", "put-bucket-acl")
    return [name, *arguments.get(name, [root if bucket_only else f"{root}/nosuch"])]


@pytest.mark.parametrize("name", schemas.commands())
def test_a_schema_is_sound_strict_and_explains_itself(name: str) -> None:
    schema = schemas.load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"A line of `deltaglider {name} --json`"
    for definition in schema["$defs"].values():
        assert definition["description"].endswith(".")
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False
            for field, meaning in definition["properties"].items():
                assert field == "type" or meaning.get("description") or "$ref" in meaning, (name, field)
    # It stands alone: nothing in it leads to another document, and no line is of two kinds.
    assert "common.json" not in json.dumps(schema)
    assert not jsonschema.Draft202012Validator(schema).is_valid({"type": "nonsense"})


def test_nothing_of_a_command_is_hidden_by_what_is_common() -> None:
    common = schemas._read("common")["$defs"]
    used: set[str] = set()
    for name in schemas.commands():
        own = schemas._read(name).get("$defs", {})
        assert not own.keys() & common.keys(), name
        used |= schemas.load(name)["$defs"].keys()
    assert common.keys() <= used, "not used by any command"


def test_the_codes_of_errors_are_listed() -> None:
    def codes(kind: type[errors.DeltaGliderError]) -> set[str]:
        return {kind.code}.union(*(codes(each) for each in kind.__subclasses__() if each.__module__ == errors.__name__))

    (listed,) = [part["enum"] for part in [schemas._read("common")["$defs"]["error_code"]]]
    assert listed == sorted(codes(errors.DeltaGliderError) | {"interrupted", "usage"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", "12"), ("size", -1), ("size", None), ("last_modified", "2026-11-22 10:00:00"), ("more", 1)],
)
def test_a_schema_refuses_what_is_wrong(field: str, value: Any) -> None:
    line = {
        "type": "object",
        "bucket": "b",
        "key": "k",
        "size": 1,
        "last_modified": "2026-11-22T10:00:00.000001Z",
        "etag": "e",
        "storage_class": "STANDARD",
        "stored_size": 1,
        "is_delta": False,
        "stored_key": "k",
        "sha256": "",
        "content_type": None,
        "headers": {},
        "metadata": {},
        "reference_key": None,
        "archived": False,
    }
    validator = jsonschema.Draft202012Validator(schemas.load("ls"))
    validator.validate(line)
    assert not validator.is_valid({**line, field: value})
    assert not validator.is_valid({name: value for name, value in line.items() if name != "etag"})


async def test_the_command_prints_the_schema(cli: Cli) -> None:
    assert json.loads((await cli.ok("schema", "ls")).out) == schemas.load("ls")
    ran = await cli("schema", "nosuch")
    assert (ran.code, ran.out) == (252, "")
    assert "'nosuch' is not one of 'analyze'" in ran.err
