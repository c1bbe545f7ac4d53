"""Names and messages of others cannot drive a terminal, whatever the command and however it ends."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from deltaglider.cli.app import app
from deltaglider.cli.main import execute
from deltaglider.store.directory import DirectoryStore
from tests.store.fakes3 import FakeS3, refusal

EVIL = "\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202egpj.exe\n\u2028fake: line"
KEY = f"p/{EVIL}.zip"
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

COMMANDS = {
    "ls": ["ls", "s3://bkt/p/"],
    "ls -r": ["ls", "s3://bkt/", "-r"],
    "prefixes": ["ls", "s3://bkt/", "--json"],
    "cp down": ["cp", "-r", "s3://bkt/p/", "out"],
    "cp down of one": ["cp", f"s3://bkt/{KEY}", "out.zip"],
    "cp up": ["cp", "-r", "files", "s3://bkt/up/"],
    "cp across": ["cp", "-r", "s3://bkt/p/", "s3://bkt/q/"],
    "cp of nothing": ["cp", f"s3://bkt/{KEY}.gone", "out"],
    "cp to no bucket": ["cp", "files", f"s3://no-bucket/{EVIL}", "-r"],
    "cp of no file": ["cp", EVIL, "s3://bkt/"],
    "sync": ["sync", "s3://bkt/p/", "out"],
    "sync --dryrun": ["sync", "s3://bkt/p/", "out", "--dryrun"],
    "rm": ["rm", "-r", "s3://bkt/p/"],
    "rm of one": ["rm", f"s3://bkt/{KEY}"],
    "verify": ["verify", "s3://bkt/p/"],
    "verify --quick": ["verify", "s3://bkt/p/", "--quick"],
    "stats": ["stats", f"s3://bkt/p/{EVIL}"],
    "doctor": ["doctor", "s3://bkt/p/"],
    "doctor --quick": ["doctor", "s3://bkt/", "--quick"],
    "doctor --repair": ["doctor", "s3://bkt/p/", "--repair"],
    "rescue": ["rescue", f"s3://bkt/{KEY}", "out.zip"],
    "rescue of what is lost": ["rescue", f"s3://bkt/p/{EVIL}/lost.zip", "."],
    "mb": ["mb", f"s3://{EVIL}"],
    "rb": ["rb", f"s3://{EVIL}"],
    "mv down": ["mv", "-r", "s3://bkt/p/", "out"],
    "mv of nothing": ["mv", f"s3://bkt/{KEY}.gone", "out"],
    "presign": ["presign", f"s3://bkt/{KEY}"],
    "purge": ["purge", f"s3://{EVIL}"],
    "website": ["website", f"s3://{EVIL}", "--index-document", EVIL],
    "put-bucket-acl": ["put-bucket-acl", EVIL, "--acl", "private"],
    "get-bucket-acl": ["get-bucket-acl", EVIL],
    "migrate": ["migrate", "s3://bkt/p/", "s3://bkt/q/"],
    "migrate in place": ["migrate", "s3://bkt/p/", "s3://bkt/p/"],
    "analyze": ["analyze", "s3://bkt/p/"],
    "analyze files": ["analyze", "files"],
    "schema of nothing": ["schema", EVIL],
    "completion of nothing": ["completion", EVIL],
    "no command": [EVIL],
    "no option": ["ls", f"--{EVIL}"],
    "no value": ["verify", "s3://bkt/", "--older-than", EVIL],
    "debug": ["cp", f"s3://bkt/{KEY}.gone", "out", "--debug"],
}


def test_every_command_is_here() -> None:
    assert {arguments[0] for arguments in COMMANDS.values()} >= set(app.commands)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with files and a store of evil names; one of the objects is damaged."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DG_ENDPOINT_URL", (tmp_path / "store").as_uri())
    store = DirectoryStore(tmp_path / "store")
    await store.create_bucket("bkt")
    data = b"data"
    digest = hashlib.sha256(data).hexdigest()
    wrong = {"dg-tool": EVIL, "dg-file-sha256": "0" * 64, "dg-file-size": "4", "dg-original-name": EVIL}
    lost = {"dg-file-sha256": digest, "dg-file-size": "4", "dg-ref-key": EVIL, "dg-ref-sha256": "0" * 64}
    await store.put("bkt", KEY, data, sha256=digest, metadata={})
    await store.put("bkt", f"p/{EVIL}/deeper", data, sha256=digest, metadata=wrong)
    await store.put("bkt", f"p/{EVIL}/lost.zip.delta", data, sha256=digest, metadata=lost)
    await store.aclose()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / EVIL).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("json_lines", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
async def test_names_cannot_drive_a_terminal(
    command: str, json_lines: bool, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = COMMANDS[command]
    await execute([*arguments, *(["--json"] if json_lines and "--json" not in arguments else [])])
    printed = capsys.readouterr()
    assert printed.out + printed.err
    for text in (printed.out, printed.err):
        assert not UNSAFE.search(text), repr(text)
        assert "\nfake: line" not in text
    if json_lines and printed.out:
        assert all(isinstance(json.loads(line), dict) for line in printed.out.splitlines())


async def test_what_a_server_says_cannot_drive_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    # XML can hold no other control characters.
    async with FakeS3(lambda _: refusal("AccessDenied", 403, "\u202e\u009b31m\u2028 \r\n fake: line")) as server:
        for arguments in (["ls", "s3://bkt/"], ["cp", "s3://bkt/k", "out", "--debug"]):
            assert await execute([*arguments, "--endpoint-url", server.url])
            printed = capsys.readouterr()
            assert not UNSAFE.search(printed.out + printed.err), repr(printed)
