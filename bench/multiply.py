"""An embedded store with very many objects, made quickly: one upload, repeated in the store's own files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from bench.measure import Tools

BUCKET = "many"
CONTENT = b"a small file\n" * 16
IN_DIRECTORY = 1000


def local_files(directory: Path, count: int) -> Path:
    """Small files in directories of a thousand, all alike.

    Args:
        directory: The directory, which is made.
        count: How many files.

    Returns:
        The directory.
    """
    for name in names(count):
        path = directory / name
        if name.endswith("-000.dat"):
            path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    return directory


def names(count: int) -> Iterator[str]:
    """Their names.

    Args:
        count: How many.

    Yields:
        ``directory/file``.
    """
    for number in range(count):
        yield f"part-{number // IN_DIRECTORY:04}/file-{number % IN_DIRECTORY:03}.dat"


def embedded_store(tools: Tools, root: Path, count: int, environ: Mapping[str, str]) -> None:
    """The same files as objects of a store.

    The first is uploaded by our own command; what that left in the store's index and among its bodies is repeated for
    all others. Each has a body of its own, so that reading them is no less work than if all had been uploaded.

    Args:
        tools: The programs.
        root: Where the store is made.
        count: How many objects.
        environ: The environment of our command, which names the store.
    """
    first, *others = names(count)
    source = root.with_name(f"{root.name}-first")
    source.write_bytes(CONTENT)
    for arguments in (("mb", f"s3://{BUCKET}"), ("cp", str(source), f"s3://{BUCKET}/{first}")):
        subprocess.run([tools.ours, *arguments], env=dict(environ), check=True, stdout=subprocess.DEVNULL)
    with closing(sqlite3.connect(root / "index.db")) as index, index:
        index.row_factory = sqlite3.Row
        (row,) = index.execute("SELECT * FROM objects").fetchall()
        columns = ", ".join(row.keys())
        marks = ", ".join(f":{column}" for column in row.keys())  # noqa: SIM118  (A row iterates over its values.)
        copies = (_repeated(root, dict(row), key) for key in others)
        index.executemany(f"INSERT INTO objects ({columns}) VALUES ({marks})", copies)


def _repeated(root: Path, row: dict[str, object], key: str) -> dict[str, object]:
    blob = uuid.uuid4().hex
    path = root / "blobs" / blob[:2] / blob
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, CONTENT)
    os.close(descriptor)
    return {**row, "key": key.encode(), "blob": blob}
