"""What a case of the comparison is: what lies where at first, and the command lines to run."""

from __future__ import annotations

import dataclasses
import random
import zlib
from collections.abc import Mapping
from typing import Any

OLD = 1_000_000_000
"""A time (2001) before any object of a test was stored."""
NEW = 4_000_000_000
"""A time (2096) after any."""

_BASE = random.Random(5).randbytes(6000)


def v(number: int) -> bytes:
    """A version of a file that is worth a delta: all of them are alike but for some bytes, and equally long."""
    return _BASE[:3000] + b"%04d" % number + _BASE[3000:]


@dataclasses.dataclass(frozen=True)
class Like:
    """The time of an object in the first bucket, in whole seconds, and some more or less."""

    key: str
    seconds: float = 0


@dataclasses.dataclass(frozen=True)
class File:
    """A local file. Its time is now, unless one is named."""

    data: bytes | str = b""
    mtime: int | Like | None = None
    mode: int | None = None


@dataclasses.dataclass(frozen=True)
class Link:
    """A symbolic link."""

    to: str


class Fifo:
    """A named pipe."""


class Directory:
    """An empty directory; one that cannot be read if it has no mode."""

    def __init__(self, mode: int | None = None) -> None:
        self.mode = mode


Local = bytes | str | File | Link | Fifo | Directory


@dataclasses.dataclass(frozen=True)
class Object:
    """An object with what ``put_object`` may say of it."""

    data: bytes | str = b""
    put: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return self.data.encode() if isinstance(self.data, str) else self.data

    @property
    def worthy(self) -> bool:
        """Whether our side can keep it as a delta."""
        return self.body.startswith(_BASE[:3000])


def obj(data: bytes | str = b"", **put: Any) -> Object:
    """An object; keywords are those of ``put_object``. Without a type, some servers would guess one."""
    return Object(data, {"ContentType": "binary/octet-stream", **put})


@dataclasses.dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: Says what is compared; each is there once.
        commands: Command lines without the program's name, as a shell takes them. ``$b`` and ``$c`` are the names of
            the buckets, ``$here`` is the working directory.
        files: The working directory at first.
        objects: The first bucket at first.
        others: The second bucket at first.
        buckets: Which buckets there are; by default those that are mentioned.
        stdin: What is piped in.
        environ: Further environment; ``None`` takes a variable away.
        ordered: Whether the order of the lines on stdout counts.
        access: Whether tags and grants are looked at too, which takes two requests an object.
    """

    name: str
    commands: tuple[str, ...]
    files: Mapping[str, Local]
    objects: Mapping[str, Object]
    others: Mapping[str, Object]
    buckets: str
    stdin: bytes
    environ: Mapping[str, str | None]
    ordered: bool
    access: bool

    @property
    def variants(self) -> tuple[str, ...]:
        """``plain``: the objects were stored by another tool; ``delta``: by ours, as deltas."""
        worthy = any(each.worthy for each in (*self.objects.values(), *self.others.values()))
        return ("plain", "delta") if worthy else ("plain",)

    def bucket(self, letter: str) -> str:
        """The name of a bucket: of this case alone, the same on both sides."""
        return f"case-{zlib.crc32(self.name.encode()):08x}-{letter}"


def case(
    name: str,
    *commands: str,
    files: Mapping[str, Local] | None = None,
    objects: Mapping[str, Object | bytes | str] | None = None,
    others: Mapping[str, Object | bytes | str] | None = None,
    buckets: str | None = None,
    stdin: bytes = b"",
    environ: Mapping[str, str | None] | None = None,
    ordered: bool = False,
    access: bool = False,
) -> Case:
    """A case; see ``Case``."""
    if buckets is None:
        buckets = "bc" if others or any("$c" in command for command in commands) else "b"
    filled = _objects(objects), _objects(others)
    return Case(name, commands, files or {}, *filled, buckets, stdin, environ or {}, ordered, access)


def _objects(given: Mapping[str, Object | bytes | str] | None) -> dict[str, Object]:
    return {key: each if isinstance(each, Object) else obj(each) for key, each in (given or {}).items()}
