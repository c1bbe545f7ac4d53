"""The face that both tools have in these tests: this one and the real 6.2.0."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.servers import S3Endpoint

SECONDS = 100
"""Longer than any command takes; only a hang is slower."""


@dataclasses.dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed with ``--json``; its last line, or all of it."""
        try:
            parsed = json.loads(self.out)
        except ValueError:
            parsed = json.loads(self.out.splitlines()[-1])
        assert isinstance(parsed, dict)
        return parsed


@dataclasses.dataclass(frozen=True)
class Got:
    """An object as an SDK gives it."""

    body: bytes
    etag: str
    content_type: str | None
    metadata: Mapping[str, str]
    size: int
    modified: str


class Tool(abc.ABC):
    """One of the tools, at work in a bucket of its own.

    Attributes:
        endpoint: The server.
        bucket: The bucket.
        here: The working directory of its commands.
        temporary: Where it puts its temporary files, and nobody else.
    """

    name: str

    def __init__(self, endpoint: S3Endpoint, home: Path) -> None:
        self.endpoint = endpoint
        self.bucket = endpoint.make_bucket()
        self.here = home / "here"
        self.temporary = home / "temporary"
        self._home = home
        self._numbers = itertools.count()
        for place in (self.here, self.temporary):
            place.mkdir()

    @property
    def is_ours(self) -> bool:
        return self.name == "ours"

    @abc.abstractmethod
    def setenv(self, name: str, value: str | None) -> None:
        """Changes the environment of what follows."""

    @abc.abstractmethod
    def forget(self) -> None:
        """What follows is as on another machine: no cache."""

    @abc.abstractmethod
    async def run(self, *arguments: str | os.PathLike[str]) -> Ran:
        """A command."""

    @property
    @abc.abstractmethod
    def command(self) -> list[str]:
        """How a process of it begins."""

    @property
    @abc.abstractmethod
    def python(self) -> str:
        """The Python it is installed in."""

    @property
    @abc.abstractmethod
    def environ(self) -> dict[str, str]:
        """The environment of its processes."""

    @abc.abstractmethod
    async def sdk_put(
        self, key: str, body: bytes, *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        """Stores bytes under a key."""

    @abc.abstractmethod
    async def sdk_put_as(self, kind: str, key: str, body: bytes) -> None:
        """Stores a body that comes as an open file (``file``), a ``BytesIO`` or a ``bytearray``."""

    @abc.abstractmethod
    async def sdk_upload(self, path: Path, key: str) -> None:
        """``client.upload(path, "s3://bucket/key")``."""

    @abc.abstractmethod
    async def sdk_upload_batch(self, paths: Sequence[Path], prefix: str) -> None:
        """``client.upload_batch(paths, "s3://bucket/prefix")``."""

    @abc.abstractmethod
    async def sdk_get(self, key: str, span: str | None = None) -> Got:
        """An object and all that is known of it; or a range of its bytes."""

    @abc.abstractmethod
    async def sdk_head(self, key: str) -> Got:
        """The same without the bytes."""

    @abc.abstractmethod
    async def sdk_delete(self, key: str) -> None:
        """Deletes an object."""

    @abc.abstractmethod
    async def sdk_page(self, prefix: str, count: int) -> list[str]:
        """The first keys of a listing, that many."""

    @abc.abstractmethod
    async def sdk_pages(self, prefix: str, count: int, limit: int) -> list[str]:
        """All keys, asked for in pages of that many; at most ``limit`` pages."""

    @abc.abstractmethod
    async def sdk_url(self, key: str) -> str:
        """A presigned URL of an object."""

    @abc.abstractmethod
    async def aclose(self) -> None:
        """Ends what it has open, and removes what it left outside its directories."""

    # What is the same for both.

    def use(self, url: str) -> None:
        """Sends all requests to another server."""
        self.setenv("AWS_ENDPOINT_URL", url)

    def url(self, key: str = "") -> str:
        return f"s3://{self.bucket}/{key}"

    async def ok(self, *arguments: str | os.PathLike[str]) -> Ran:
        """A command that must succeed."""
        return succeeded(await self.run(*arguments), *arguments)

    async def start(self, *arguments: str | os.PathLike[str], stdin: int = asyncio.subprocess.DEVNULL) -> Child:
        """A command as a process of its own, which is not waited for."""
        process = await asyncio.create_subprocess_exec(
            *[*self.command, *(os.fspath(argument) for argument in arguments)],
            env=self.environ,
            cwd=self.here,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return Child(process)

    async def script(self, path: Path, *arguments: str) -> Ran:
        """A script with its Python."""
        process = await asyncio.create_subprocess_exec(
            *[self.python, str(path), *arguments],
            env=self.environ,
            cwd=self.here,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return await Child(process).ended()

    def write(self, name: str, data: bytes, *, mtime: float | None = None) -> Path:
        """A file in the working directory."""
        path = self.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def write_all(self, directory: str, files: Mapping[str, bytes], *, mtime: float | None = None) -> Path:
        """Files in a directory below the working directory."""
        for name, data in files.items():
            self.write(f"{directory}/{name}", data, mtime=mtime)
        return self.here / directory

    async def put(self, key: str, data: bytes) -> None:
        """Stores an object, in whatever way is quickest."""
        await self.cp_up(key, data)

    async def get(self, key: str) -> bytes:
        """Reads an object, in whatever way is quickest."""
        return await self.cp_down(key)

    async def cp_up(self, key: str, data: bytes, *options: str) -> None:
        """``cp`` of a file under its own name, which is how both tools agree on the key."""
        place = self._home / f"file-{next(self._numbers)}"
        place.mkdir()
        file = place / key.rpartition("/")[2]
        file.write_bytes(data)
        await self.ok("cp", *options, file, self.url(key))

    async def put_all(self, files: Mapping[str, bytes]) -> None:
        for key, data in files.items():
            await self.put(key, data)

    async def cp_down(self, key: str) -> bytes:
        """``cp`` of an object by its name."""
        target = self._home / f"target-{next(self._numbers)}"
        target.mkdir()
        await self.ok("cp", self.url(key), target / "file")
        return (target / "file").read_bytes()

    async def reads(self, files: Mapping[str, bytes]) -> None:
        """Asserts that objects give these bytes, on another machine."""
        self.forget()
        for key, data in files.items():
            same(await self.get(key), data, key)

    def stored(self) -> dict[str, int]:
        """All that lies in the bucket, and its sizes."""
        pages = self.endpoint.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def has(self, key: str) -> bool:
        """Whether an object is stored, in either form."""
        return not {key, f"{key}.delta"}.isdisjoint(self.stored())

    def store(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None, **headers: str) -> None:
        """Stores something as another tool would."""
        self.endpoint.client().put_object(
            Bucket=self.bucket, Key=key, Body=data, Metadata=dict(metadata or {}), **headers
        )

    def move(self, source: str, target: str) -> None:
        """Moves all below a prefix inside the store, as a plain S3 tool does."""
        client = self.endpoint.client()
        for key in self.stored():
            if key.startswith(source):
                place = {"Bucket": self.bucket, "Key": key}
                client.copy_object(Bucket=self.bucket, Key=target + key.removeprefix(source), CopySource=place)
                client.delete_object(**place)

    def leftovers(self) -> list[Path]:
        """Temporary files that are still there; locks hold nothing, and are not counted."""
        return [path for path in self.temporary.rglob("*") if path.is_file() and path.name != ".lock"]


class Child:
    """A process that was started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ended(self, stdin: bytes | None = None) -> Ran:
        """Waits for its end."""
        try:
            out, err = await asyncio.wait_for(self.process.communicate(stdin), SECONDS)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise
        assert self.process.returncode is not None
        return Ran(self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def succeeded(ran: Ran, *arguments: str | os.PathLike[str]) -> Ran:
    """Asserts that a command succeeded."""
    if ran.code:
        words = " ".join(os.fspath(argument) for argument in arguments)
        raise AssertionError(f"{words}: exit code {ran.code}\n{ran.out}{ran.err}")
    return ran


def same(got: bytes, wanted: bytes, what: str = "file") -> None:
    """Asserts that bytes are the same, without a comparison of thousands of them on paper."""
    if got != wanted:
        digests = [hashlib.sha256(data).hexdigest()[:8] for data in (got, wanted)]
        raise AssertionError(f"{what}: other bytes: {len(got)} ({digests[0]}) for {len(wanted)} ({digests[1]})")


def files_below(directory: Path) -> dict[str, bytes]:
    """All files of a directory, by relative path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def same_files(directory: Path, wanted: Mapping[str, bytes]) -> None:
    """Asserts that a directory holds these files and no others."""
    found = files_below(directory)
    assert sorted(found) == sorted(wanted)
    for name, data in wanted.items():
        same(found[name], data, name)


@contextlib.contextmanager
def shows_the_defect(tool: Tool, like: str) -> Iterator[None]:
    """What holds here and does not hold in 6.2.0.

    Args:
        tool: Which one.
        like: What the assertion says that fails there: a pattern, so that no other failure is taken for the defect.

    Raises:
        AssertionError: Ours fails; or the predecessor does not, or in another way.
    """
    if tool.is_ours:
        yield
        return
    with pytest.raises(AssertionError, match=like) as caught:
        yield
    del caught


def one_of(names: Iterable[str], lines: str) -> list[str]:
    """Those of the names that a text mentions."""
    return [name for name in names if name in lines]
