"""Files that are made, not fetched: the same bytes each time, of the kinds that releases do not cover."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.data import Data

CHUNK = 4 << 20
WORDS = 4000


def databases(data: Data, rows: int = 400_000) -> tuple[Path, Path]:
    """Two states of an SQLite database: of the second, one row in fifty is changed and one in a hundred new.

    Args:
        data: Where they are kept.
        rows: How many rows the first one has, of about 300 bytes each.

    Returns:
        The first and the second.
    """
    first = data.made(f"databases/{rows}-1.sqlite", lambda path: _database(path, rows, edited=False))
    return first, data.made(f"databases/{rows}-2.sqlite", lambda path: _database(path, rows, edited=True))


def dumps(data: Data, rows: int = 400_000) -> tuple[Path, Path]:
    """The same two databases as SQL text.

    Args:
        data: Where they are kept.
        rows: As for ``databases``.

    Returns:
        The first and the second.
    """
    first, second = databases(data, rows)
    return (
        data.made(f"dumps/{rows}-1.sql", lambda path: _dump(first, path)),
        data.made(f"dumps/{rows}-2.sql", lambda path: _dump(second, path)),
    )


def checkpoints(data: Data, layers: int = 40, layer_size: int = 5 << 20) -> tuple[Path, Path]:
    """Two files like a model's checkpoints: numbers that look like noise, of the second every fifth layer is another.

    Args:
        data: Where they are kept.
        layers: How many layers each has.
        layer_size: Bytes a layer.

    Returns:
        The first and the second.
    """

    def write(path: Path, version: int) -> None:
        with path.open("wb") as file:
            for layer in range(layers):
                own = version if layer % 5 == 0 else 1
                file.writelines(noise(layer_size, f"layer {layer} of {own}"))

    name = f"checkpoints/{layers}-{layer_size}"
    return data.made(f"{name}-1.ckpt", lambda path: write(path, 1)), data.made(
        f"{name}-2.ckpt", lambda path: write(path, 2)
    )


def moved(data: Data, size: int = 78 << 20, block: int = 4 << 20, by: int = 70 << 20) -> tuple[Path, Path]:
    """A file, and the same with the block at its start taken out and put in again further on.

    Args:
        data: Where they are kept.
        size: Bytes of each.
        block: Bytes of the block.
        by: How far it is moved.

    Returns:
        The file before and after.
    """

    def write(path: Path, at: int) -> None:
        whole = b"".join(noise(size, "moved"))
        moving, rest = whole[:block], whole[block:]
        path.write_bytes(rest[:at] + moving + rest[at:])

    name = f"moved/{size}-{block}-{by}"
    return data.made(f"{name}-1.bin", lambda path: write(path, 0)), data.made(
        f"{name}-2.bin", lambda path: write(path, by)
    )


def unrelated(data: Data, count: int = 25, size: int = 20 << 20) -> list[Path]:
    """Zip archives that have nothing in common, as any two of different things.

    Their members are noise and stored: to all that looks for likeness it is what compressed members are.

    Args:
        data: Where they are kept.
        count: How many.
        size: Bytes of each, about.

    Returns:
        The archives.
    """

    def write(path: Path, number: int) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for part, chunk in enumerate(noise(size, f"unrelated {number}")):
                archive.writestr(zipfile.ZipInfo(f"part-{part}.bin", (2026, 1, 1, 0, 0, 0)), chunk)

    return [
        data.made(f"unrelated/{size}-{number}.zip", lambda path, number=number: write(path, number))  # type: ignore[misc]
        for number in range(count)
    ]


def write_versions(first: Path, second: Path, size: int) -> None:
    """Two versions of a file too large to be kept: of the second, 64 places are changed and a few bytes inserted.

    Args:
        first: Where the first is written.
        second: Where the second is written.
        size: Bytes of the first.
    """
    every = max(size // 64, CHUNK)
    done = since = 0
    with first.open("wb") as one, second.open("wb") as other:
        for chunk in noise(size, "versions"):
            one.write(chunk)
            done += len(chunk)
            since += len(chunk)
            if since >= every:
                since = 0
                other.write(b"changed at %d" % done + chunk[100:])
            else:
                other.write(chunk)


def noise(size: int, seed: str) -> Iterator[bytes]:
    """Bytes without any pattern, always the same for one seed.

    Args:
        size: How many bytes.
        seed: Any text.

    Yields:
        Chunks of ``CHUNK`` bytes, the last one shorter.
    """
    for start in range(0, size, CHUNK):
        yield hashlib.shake_128(f"{seed} {start}".encode()).digest(min(CHUNK, size - start))


def _database(path: Path, rows: int, *, edited: bool) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT, at REAL, body TEXT)")
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", _rows(rows, "first"))
        database.execute("CREATE INDEX by_kind ON events (kind, at)")
    if edited:
        with closing(sqlite3.connect(path)) as database, database:
            changes = ((body, at, id_ * 50) for id_, _, at, body in _rows(rows // 50, "changed"))
            database.executemany("UPDATE events SET body = ?, at = ? WHERE id = ?", changes)
            new = ((rows + id_, kind, at, body) for id_, kind, at, body in _rows(rows // 100, "new"))
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", new)


def _rows(count: int, seed: str) -> Iterator[tuple[int, str, float, str]]:
    """Rows of words, such as logs are made of."""
    source = random.Random(seed)
    vocabulary = random.Random("words")
    words = [
        "".join(vocabulary.choices("abcdefghijklmnopqrstuvwxyz", k=vocabulary.randint(3, 9))) for _ in range(WORDS)
    ]
    for id_ in range(1, count + 1):
        body = " ".join(source.choices(words, k=source.randint(20, 60)))
        yield id_, f"kind-{source.randrange(40)}", round(source.random() * 1e9, 3), body


def _dump(database: Path, path: Path) -> None:
    with closing(sqlite3.connect(database)) as source, path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in source.iterdump())
