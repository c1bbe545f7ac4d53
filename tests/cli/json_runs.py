"""Real runs of each command with ``--json``: its function does all that makes the command print every type of line.

``RUNS`` has one function a command. It is called on the embedded store and on moto; both together must
print every line that the schema knows. What holds for all commands (wrong usage, a warning) is in ``test_json``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import jsonschema

from deltaglider.cli import schemas
from deltaglider.client.aio import AsyncDeltaGliderClient
from tests.cli.conftest import Cli


class Recorder:
    """Runs a command and holds each line that it prints against its schema.

    Attributes:
        command: The command.
        client: Sees what the commands see.
        bucket: A bucket of the test's own, empty at first.
        produced: The alternatives of the schema that were printed, by their place in it.
    """

    def __init__(self, cli: Cli, command: str, client: AsyncDeltaGliderClient, bucket: str) -> None:
        self.cli, self.command, self.client, self.bucket = cli, command, client, bucket
        self.produced: set[int] = set()
        schema = schemas.load(command)
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        self._whole = jsonschema.Draft202012Validator(schema, format_checker=checker)
        self._alternatives = [
            jsonschema.Draft202012Validator({**each, "$defs": schema["$defs"]}, format_checker=checker)
            for each in schema["oneOf"]
        ]

    @property
    def root(self) -> str:
        return f"s3://{self.bucket}"

    @property
    def is_server(self) -> bool:
        """Whether this is no embedded store."""
        return self.client.settings.embedded_root is None

    async def __call__(self, *arguments: str, code: int = 0, last: str = "summary") -> list[dict[str, Any]]:
        """Runs the command; says how it ends, and by what type of line."""
        ran = await self.cli(self.command, *arguments, "--json")
        assert ran.code == code, ran
        lines = self.take(ran.objects)
        assert lines, ran
        kinds = [line["type"] for line in lines]
        assert kinds[-1] == last
        assert not {"summary", "error"} & set(kinds[:-1])
        if last == "error":
            assert lines[-1]["exit_code"] == code
        return lines

    def take(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Holds lines against the schema."""
        for line in lines:
            self._whole.validate(line)
            self.produced.update(at for at, each in enumerate(self._alternatives) if each.is_valid(line))
        return lines

    async def prepare(self, *arguments: str) -> None:
        """Runs another command first."""
        await self.cli.ok(*arguments)

    async def two_versions(self) -> None:
        """``v1/app.zip`` and ``v2/app.zip``, which is a delta; and ``notes.txt``; as files and as objects."""
        first = os.urandom(20_000)
        self.cli.write("dist/v1/app.zip", first)
        self.cli.write("dist/v2/app.zip", first + b"a change")
        self.cli.write("dist/notes.txt", b"notes")
        for name in ("v1/app.zip", "v2/app.zip", "notes.txt"):
            await self.client.upload(f"dist/{name}", f"{self.root}/{name}")


async def cp(run: Recorder) -> None:
    await run.two_versions()
    (done, summary) = await run("dist/v1/app.zip", f"{run.root}/v3/")
    assert (done["action"], done["status"], summary["done"]) == ("upload", "done", 1)
    (planned, _) = await run("dist/v1/app.zip", f"{run.root}/v3/", "--dryrun")
    assert planned["status"] == "planned"
    (failed, _) = await run("dist", f"{run.root}/v3/", code=1)
    assert (failed["status"], failed["code"]) == ("failed", "error")
    os.mkfifo("pipe")
    (skipped, _) = await run("pipe", f"{run.root}/v3/", code=2)
    assert skipped["status"] == "skipped"
    await run("dist", f"{run.root}/all/", "--recursive")
    await run(f"{run.root}/", f"{run.root}/copies/", "--recursive", "--exclude", "v1/*")
    await run(f"{run.root}/v2/app.zip", "down.zip", "--only-show-errors")
    await run("-", f"{run.root}/stream")
    await run("-", f"{run.root}/stream", "--dryrun")
    await run("nosuch.zip", run.root, code=255, last="error")
    await run(f"{run.root}/nosuch", ".", code=1, last="error")


async def mv(run: Recorder) -> None:
    await run.two_versions()
    (done, summary) = await run("dist/v1/app.zip", f"{run.root}/v3/")
    assert (done["action"], done["status"], summary["command"]) == ("move", "done", "mv")
    await run(f"{run.root}/v3/app.zip", f"{run.root}/v4/")
    (planned, *_) = await run(f"{run.root}/", "down", "--recursive", "--dryrun", "--fail-fast")
    assert (planned["action"], planned["status"]) == ("move", "planned")
    await run(f"{run.root}/", "down", "--recursive")
    await run("nosuch.zip", run.root, code=255, last="error")


async def sync(run: Recorder) -> None:
    await run.two_versions()
    await run("dist", f"{run.root}/new/", "--dryrun")
    await run("dist", f"{run.root}/new/")
    (summary,) = await run("dist", f"{run.root}/new/")
    assert summary["unchanged"] == 3
    await run(f"{run.root}/v1/", f"{run.root}/new/", "--delete")
    await run(run.root, "down")
    await run("dist", f"{run.root}-that-is-not-there", code=1, last="error")


async def rm(run: Recorder) -> None:
    await run.two_versions()
    await run(f"{run.root}/v1/app.zip", "--dryrun")
    (deleted, _) = await run(f"{run.root}/v1/app.zip")
    assert (deleted["action"], deleted["target"]) == ("delete", None)
    await run(f"{run.root}/", "--recursive")
    await run(f"{run.root}-that-is-not-there/", "--recursive", code=1, last="error")


async def ls(run: Recorder) -> None:
    await run.two_versions()
    buckets = await run()
    assert run.bucket in [line.get("name") for line in buckets]
    assert {line["type"] for line in await run(run.root)} == {"prefix", "object", "summary"}
    await run(run.root, "--recursive")
    await run(f"{run.root}/nothing", code=1)
    await run(f"{run.root}-that-is-not-there", code=254, last="error")


async def mb(run: Recorder) -> None:
    await run(f"{run.root}-more")
    await run("not-a-url", code=252, last="error")
    await run(run.root, "--region", "eu-west-1", code=1, last="error")


async def website(run: Recorder) -> None:
    if run.is_server:
        await run(run.root, "--index-document", "index.html")
    else:
        await run(run.root, "--index-document", "index.html", code=255, last="error")


async def put_bucket_acl(run: Recorder) -> None:
    if run.is_server:
        await run(run.bucket, "--acl", "public-read")
    await run(run.bucket, code=252, last="error")


async def get_bucket_acl(run: Recorder) -> None:
    if run.is_server:
        await run.prepare("put-bucket-acl", run.bucket, "--acl", "public-read")
        (summary,) = await run(run.bucket)
        assert len(summary["grants"]) == 2
    else:
        await run(run.bucket, code=255, last="error")


async def rb(run: Recorder) -> None:
    await run.two_versions()
    await run(run.root, code=1, last="error")
    *deleted, _ = await run(run.root, "--force")
    assert len(deleted) == 3
    await run(run.root, code=1, last="error")


async def stats(run: Recorder) -> None:
    await run.two_versions()
    for mode in ("quick", "sampled", "detailed"):
        (line,) = await run(run.bucket, f"--{mode}", "--no-cache")
        assert (line["mode"], line["object_count"], line["cached"]) == (mode, 3, False)
    assert [line["cached"] for _ in range(2) for line in await run(run.bucket)] == [False, True]
    await run(f"{run.root}/v2/")
    await run(f"{run.root}-that-is-not-there", code=254, last="error")


async def analyze(run: Recorder) -> None:
    await run.two_versions()
    (space, summary) = await run("dist", "--sample", "1")
    assert (space["deltaspace"], space["sampled"], summary["files"]) == ("", 1, 3)
    await run(run.root)
    await run("not there", code=255, last="error")
    await run(f"{run.root}-that-is-not-there", code=254, last="error")


async def migrate(run: Recorder) -> None:
    await run.two_versions()
    await run.prepare("cp", "dist", f"{run.root}/plain/", "--recursive", "--no-delta")
    await run(f"{run.root}/plain/", f"{run.root}/new/", "--dryrun")
    *_, summary = await run(f"{run.root}/plain/", f"{run.root}/new/")
    assert (summary["done"], summary["figures"]["object_count"]) == (3, 3)
    (one, two, summary) = await run(f"{run.root}/plain/", f"{run.root}/plain/")
    assert (one["action"], two["target"], summary["unchanged"]) == ("migrate", None, 1)
    await run(f"{run.root}-that-is-not-there", run.root, code=1, last="error")


async def verify(run: Recorder) -> None:
    await run.two_versions()
    await run(f"{run.root}/v2/app.zip")
    await run(run.root)
    (_, _, _, summary) = await run(run.root, "--quick")
    assert summary["checked"] == 3
    await lose_references(run)
    *_, damaged, summary = await run(run.root, code=1)
    assert (damaged["state"], summary["invalid"]) == ("failed", 2)
    await run(f"{run.root}/nosuch", code=254, last="error")


async def doctor(run: Recorder) -> None:
    await run.two_versions()
    await run()
    await run(run.root)
    await lose_references(run)
    await run(run.root, "--cache-dir", "another cache", code=1)
    await run(f"{run.root}-that-is-not-there", code=1)


async def rescue(run: Recorder) -> None:
    await run.two_versions()
    (summary,) = await run(f"{run.root}/v2/app.zip", "rescued.zip")
    assert summary["exact"]
    await run(f"{run.root}/v2/app.zip", "rescued.zip", code=1, last="error")


async def presign(run: Recorder) -> None:
    await run.two_versions()
    if run.is_server:
        (summary,) = await run(f"{run.root}/v2/app.zip", "--expires-in", "60")
        assert summary["rehydrated"]
        (summary,) = await run(f"{run.root}/notes.txt")
        assert not summary["rehydrated"]
    else:
        await run(f"{run.root}/v2/app.zip", code=255, last="error")


async def purge(run: Recorder) -> None:
    await run(run.bucket)
    store = run.client._context().store
    sha256 = hashlib.sha256(b"x").hexdigest()
    await store.put(
        run.bucket, ".deltaglider/tmp/x", b"x", sha256=sha256, metadata={"dg-expires-at": "2001-01-01T00:00:00Z"}
    )
    (planned, _) = await run(run.root, "--dryrun")
    assert planned["status"] == "planned"
    (_, summary) = await run(run.root)
    assert (summary["removed"], summary["size"]) == (1, 1)
    await run(f"{run.root}-that-is-not-there", code=254, last="error")


async def lose_references(run: Recorder) -> None:
    """Removes what the deltas of a bucket need."""
    store = run.client._context().store
    async for page in store.list_objects(run.bucket):
        await store.delete_many(run.bucket, [entry.key for entry in page if "/references/" in entry.key])


RUNS: dict[str, Callable[[Recorder], Awaitable[None]]] = {
    "analyze": analyze,
    "cp": cp,
    "doctor": doctor,
    "get-bucket-acl": get_bucket_acl,
    "ls": ls,
    "mb": mb,
    "migrate": migrate,
    "mv": mv,
    "presign": presign,
    "purge": purge,
    "put-bucket-acl": put_bucket_acl,
    "rb": rb,
    "rescue": rescue,
    "rm": rm,
    "stats": stats,
    "sync": sync,
    "verify": verify,
    "website": website,
}
