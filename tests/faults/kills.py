"""Commands of the real CLI killed with SIGKILL at their steps, and what is left of them.

``Driver`` starts ``tests.faults.driver`` and asks it for commands. A ``Scene`` is a command with what is there before
and what it changes; a ``Stage`` sets one up as often as it takes, and tells what became of it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from deltaglider.client.assemble import assemble
from deltaglider.engine.context import Context
from deltaglider.engine.download import download
from deltaglider.engine.listing import list_objects
from deltaglider.errors import NotFoundError
from deltaglider.layout.keys import delta_key, is_reserved, is_temporary, parse_reference_key, without_delta
from deltaglider.models import ObjectInfo
from deltaglider.store.base import ObjectStore
from tests.engine.world import World
from tests.servers import DirectoryEndpoint, Endpoint, S3Endpoint

ROOT = Path(__file__).parents[2]
SECONDS = 60

Row = Literal["request", "local"]
Objects = dict[str, bytes | None]

# What a process that was killed may leave in the store, in the words of the doctor.
TRASH, UNUSED, BOTH = "trash", "reference_unused", "two_forms"
PARTS, BODY, MARK = "unfinished_upload", "local_leftover", "temporary_object"
KINDS = {TRASH, UNUSED, BOTH, PARTS, BODY, MARK}


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of a command, and when a process dies there."""

    row: Row
    at: int
    name: str
    late: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.late else 'before'} {self.row} {self.at} ({self.name})"


@dataclasses.dataclass(frozen=True)
class Match:
    """The first step of a command whose words fit a pattern, and when a process dies there."""

    pattern: str
    late: bool = False


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    steps: list[Step]


class Driver:
    """A process that runs commands, each in a child of its own."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self._process = process
        self._home = home
        self.pid: int = self._answer()["ready"]

    def begin(
        self, play: Play, *arguments: str, kill: Step | Match | None = None, count: bool = False, **more: Any
    ) -> int:
        """Starts a command; its process id."""
        request = {
            "arguments": arguments,
            "environ": play.environ,
            "cwd": str(play.here),
            "embedded": not play.endpoint.is_server,
            "stdout": str(self._home / "stdout"),
            "stderr": str(self._home / "stderr"),
        }
        if kill is not None or count:
            request["steps"] = str(self._home / "steps")
        if isinstance(kill, Match):
            request["kill"] = {"match": kill.pattern, "late": kill.late, "signal": more.pop("which", 9)}
        elif kill is not None:
            request["kill"] = {"row": kill.row, "at": kill.at, "late": kill.late, "signal": more.pop("which", 9)}
        assert self._process.stdin
        self._process.stdin.write(json.dumps({**request, **more}) + "\n")
        self._process.stdin.flush()
        child: int = self._answer()["child"]
        return child

    def end(self) -> Ended:
        """Waits for the command."""
        code: int = self._answer()["code"]
        out, err = ((self._home / name).read_text(errors="replace") for name in ("stdout", "stderr"))
        log = self._home / "steps"
        lines = log.read_text().splitlines() if log.exists() else []
        return Ended(code, out, err, [Step(*json.loads(line)) for line in lines])

    def run(self, play: Play, *arguments: str, **more: Any) -> Ended:
        """A command from its start to its end."""
        self.begin(play, *arguments, **more)
        return self.end()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def driver(home: Path, prefix: Sequence[str] = ()) -> Iterator[Driver]:
    """A driver, ended with the context.

    Args:
        home: A directory for what the commands say.
        prefix: A program that starts it, such as ``unshare``.
    """
    home.mkdir()
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.faults.driver import serve; serve()"
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home
    )
    assert process.stdin
    assert process.stdout
    try:
        yield Driver(process, home)
    finally:
        process.stdin.close()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@dataclasses.dataclass(frozen=True)
class Scene:
    """A command, what is there before it, and what it changes.

    Attributes:
        arguments: The command; ``BUCKET`` in it is replaced.
        before: Objects: bytes to be stored as a delta; in a list, as a whole file; in a tuple, in both forms, the
            older one first, and as a delta.
        after: What it changes of them; ``None`` for what it deletes.
        files: Local files before, by their paths in the working directory.
        files_after: What it changes of those.
        old: Local files that are older than every object; the rest is newer.
        in_parts: Let everything go up in parts, where a store has them.
    """

    arguments: tuple[str, ...]
    before: Mapping[str, bytes | list[bytes] | tuple[bytes, bytes]]
    after: Objects
    files: Mapping[str, bytes]
    files_after: Objects = dataclasses.field(default_factory=dict)
    old: tuple[str, ...] = ()
    in_parts: bool = False

    @property
    def objects(self) -> Objects:
        """What a reader finds before."""
        newest = {list: lambda held: held[0], tuple: lambda held: held[1]}
        return {key: newest.get(type(held), bytes)(held) for key, held in self.before.items()}

    def command(self, bucket: str) -> list[str]:
        return [argument.replace("BUCKET", bucket) for argument in self.arguments]


class Stage:
    """A scene set once, from which any number of plays start."""

    def __init__(self, endpoint: Endpoint, bucket: str, home: Path, scene: Scene) -> None:
        self.endpoint = endpoint
        self.bucket = bucket
        self.home = home
        self.scene = scene
        self._plays = 0

    async def set(self) -> None:
        """Stores what is there before."""
        world = World(self.endpoint, self.bucket, self.home / "setting")
        ctx = world.client()
        for key, held in self.scene.before.items():
            if isinstance(held, tuple):
                await world.put(ctx, "elsewhere.txt", held[0])
                await world.put(ctx, key, held[1])
                await world.store.copy(self.bucket, "elsewhere.txt", self.bucket, key)
                await world.store.delete(self.bucket, "elsewhere.txt")
            elif isinstance(held, list):
                await world.put(ctx, key, held[0], delta=False)
            else:
                assert (await world.put(ctx, key, held)).operation != "upload_direct"
        for client in world.clients:
            await client.store.aclose()
            client.spool.close()
            client.cache.close()
        await world.store.aclose()

    def play(self) -> Play:
        """The scene, anew."""
        self._plays += 1
        here = self.home / f"play-{self._plays}"
        for name, data in self.scene.files.items():
            path = here / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            moment = 1_000_000_000 if name in self.scene.old else 4_000_000_000
            os.utime(path, (moment, moment))
        here.mkdir(exist_ok=True)
        if isinstance(self.endpoint, DirectoryEndpoint):
            shutil.copytree(self.endpoint.root, here / "store")
            return Play(self.scene, DirectoryEndpoint(here / "store"), self.bucket, here)
        assert isinstance(self.endpoint, S3Endpoint)
        client, bucket = self.endpoint.client(), self.endpoint.make_bucket()
        for entry in client.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            source = {"Bucket": self.bucket, "Key": entry["Key"]}
            client.copy_object(Bucket=bucket, Key=entry["Key"], CopySource=source)
        return Play(self.scene, self.endpoint, bucket, here)


@dataclasses.dataclass(frozen=True)
class Play:
    """One run of a scene, in a store, a working directory, a cache and a directory for temporary files of its own."""

    scene: Scene
    endpoint: Endpoint
    bucket: str
    here: Path
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        places = {"DG_CACHE_DIR": str(self.here / "cache"), "DG_TEMP_DIR": str(self.here / "temporary")}
        parts = {"DG_MULTIPART_THRESHOLD": "1", "DG_MULTIPART_CHUNKSIZE": "5MiB"} if self.scene.in_parts else {}
        # One at a time, so that the steps have the same numbers each time.
        return {**self.endpoint.environ(), **places, "DG_CONCURRENCY": "1", "NO_COLOR": "1", **parts, **self.settings}

    @property
    def command(self) -> list[str]:
        return self.scene.command(self.bucket)

    def context(self, store: ObjectStore, *, stranger: bool) -> Context:
        """A client: one that knows nothing yet, or the next one with the cache and temporary files of the dead."""
        name = "stranger-" if stranger else ""
        places = {"cache_dir": self.here / f"{name}cache", "temp_dir": self.here / f"{name}temporary"}
        return dataclasses.replace(assemble(self.endpoint.settings(**places)), store=store)

    async def read(self, ctx: Context) -> Objects:
        """Every object that there is or may be. What is listed must be what can be read."""
        found: Objects = dict.fromkeys({**self.scene.before, **self.scene.after})
        target = self.here.with_name(f"{self.here.name}-target")
        for key in found:
            try:
                await download(ctx, self.bucket, key, target)
                found[key] = target.read_bytes()
            except NotFoundError:
                found[key] = None
        listed = [entry.key async for entry in list_objects(ctx, self.bucket) if isinstance(entry, ObjectInfo)]
        assert listed == sorted(key for key, data in found.items() if data is not None)
        return found

    def files(self) -> tuple[Objects, list[str]]:
        """Local files by name, and those that nobody asked for."""
        found: Objects = dict.fromkeys({**self.scene.files, **self.scene.files_after})
        strange = []
        own = ("cache", "temporary", "store", "stranger-cache", "stranger-temporary")
        for path in sorted(path for path in self.here.rglob("*") if path.is_file()):
            name = str(path.relative_to(self.here))
            if name in found:
                found[name] = path.read_bytes()
            elif name.split("/", 1)[0] not in own:
                strange.append(name)
        return found, strange

    def temporary(self) -> list[str]:
        """What lies in the directory for temporary files, and what the cache has in use."""
        places = [self.here / "temporary", self.here / "cache" / "in-use"]
        return sorted(str(path.relative_to(self.here)) for place in places for path in place.rglob("*"))

    async def leftovers(self, store: ObjectStore) -> set[str]:
        """What lies in the store that no object needs, by its kind."""
        keys = [entry.key async for page in store.list_objects(self.bucket) for entry in page]
        needed = set()
        for key in keys:
            if key.endswith(".delta"):
                needed.add((await store.head(self.bucket, key)).metadata["dg-ref-key"])
        known = {*self.scene.before, *self.scene.after}
        kinds = {self._kind(key, keys, needed, known) for key in keys}
        kinds |= {PARTS async for _ in store.unfinished_uploads(self.bucket)}
        if isinstance(self.endpoint, DirectoryEndpoint) and self._strange_bodies(self.endpoint.root):
            kinds.add(BODY)
        return kinds - {""}

    def _kind(self, key: str, keys: list[str], needed: set[str], known: set[str]) -> str:
        if is_temporary(key):
            return MARK
        if is_reserved(key) and "/trash/" in key:
            return TRASH
        if parse_reference_key(key):
            return "" if key in needed else UNUSED
        assert (without_delta(key) or key) in known, f"nobody knows what {key} is"
        return BOTH if delta_key(key) in keys else ""

    @staticmethod
    def _strange_bodies(root: Path) -> list[str]:
        with closing(sqlite3.connect(root / "index.db")) as index:
            named = {row[0] for row in index.execute("SELECT blob FROM objects")}
        return [path.name for path in (root / "blobs").rglob("*") if path.is_file() and path.name not in named]
