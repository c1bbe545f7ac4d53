"""The index file of the embedded store: its connections, its transactions and its format. What it says is ``catalog``.

SQLite in WAL mode: readers and one writer work at once, in any number of processes, and a commit is on the disk when it
returns. Network file systems cannot do this; the store is for local disks. All of this blocks: it is for worker
threads.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from anyio import from_thread

from deltaglider.errors import NotSupportedError, StoreError

T = TypeVar("T")

FORMAT = 2
"""The version of the format, kept as ``user_version``. A newer one is not read, an older one is brought up."""

APPLICATION = 0x64676C64
"""``application_id``: the file is an index of ours, and no other program's database."""

SCHEMA = """
CREATE TABLE buckets (
    name TEXT PRIMARY KEY,
    created INTEGER NOT NULL              -- Seconds since 1970.
) STRICT, WITHOUT ROWID;
CREATE TABLE objects (
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,                    -- UTF-8: its order is that of S3.
    blob TEXT NOT NULL,                   -- The name of the body's file.
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,            -- Seconds since 1970.
    metadata TEXT NOT NULL,               -- JSON.
    headers TEXT NOT NULL,                -- JSON.
    tags TEXT NOT NULL DEFAULT '{}',       -- JSON. Since format 2.
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX objects_by_blob ON objects (blob);
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

_UPGRADES = {1: "ALTER TABLE objects ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'"}
"""What makes the next format of each."""

_OLDEST_SQLITE = (3, 37, 0)  # The first with STRICT tables.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
_SLICE = 0.2  # Seconds SQLite may wait for a lock before we look whether we are still wanted.

# A connection must not be used, nor even closed, in a child of the process that opened it. Here they are kept from it.
_inherited: list[sqlite3.Connection] = []


class IndexMissingError(Exception):
    """There is no store at this place, or nobody has finished making one."""


class Index:
    """The index of one store. Its methods may be called from many threads.

    Args:
        path: The file.
        timeout: Seconds to wait for other writers.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self.path = path
        self.timeout = timeout
        self._idle: list[tuple[tuple[int, int], sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._closed = False

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``query`` on one snapshot of the index.

        Raises:
            IndexMissingError: There is no store.
            sqlite3.Error: The index cannot be read.
            StoreError: It is not an index we can read.
        """
        return self._transact("BEGIN", query)

    def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``change`` alone; all it did counts and is on the disk when this returns, or none of it.

        Args:
            change: May run several times, and must have no effect outside the index.

        Raises:
            IndexMissingError: There is no store.
            sqlite3.Error: The index cannot be written. Whether the change counts is then not known.
            StoreError: It is not an index we can read.
        """
        return self._transact("BEGIN IMMEDIATE", change)

    def create(self) -> None:
        """Makes the index, unless it is there. Several processes may do so at once.

        Raises:
            sqlite3.Error: It cannot be made.
            StoreError: What is there is something else, or of a newer version.
        """
        if self._is_made():
            return
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        with contextlib.closing(self._connect()) as connection:
            self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
            self._patiently(lambda: _build(connection))

    def close(self) -> None:
        """Closes what is idle now, and the rest when its work is done. Harmless if repeated."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def abandon(self) -> None:
        """After ``fork``, in the child: forgets the parent's connections without touching them."""
        _inherited.extend(connection for _, connection in self._idle)
        self._idle = []

    def _is_made(self) -> bool:
        try:
            self.read(lambda connection: None)
        except IndexMissingError:
            return False
        return True

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        def attempt() -> T:
            with self._connection() as connection:
                connection.execute(begin)
                try:
                    result = work(connection)
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                return result

        return self._patiently(attempt)

    def _patiently(self, attempt: Callable[[], T]) -> T:
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
            from_thread.check_cancelled()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # A store may have been removed and made anew under us: what an old connection writes then is lost.
        identity = self._identity()
        connection = self._take(identity)
        try:
            yield connection
        except sqlite3.Error as error:
            if _is_busy(error):
                self._give(identity, connection)
            else:
                connection.close()
            raise
        except BaseException:
            self._give(identity, connection)
            raise
        else:
            self._give(identity, connection)

    def _identity(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise IndexMissingError from None
        return found.st_dev, found.st_ino

    def _take(self, identity: tuple[int, int]) -> sqlite3.Connection:
        while True:
            with self._lock:
                if not self._idle:
                    break
                opened_as, connection = self._idle.pop()
            if opened_as == identity:
                return connection
            connection.close()
        connection = self._connect()
        try:
            self._check_format(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give(self, identity: tuple[int, int], connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((identity, connection))
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise NotSupportedError(
                f"the embedded store needs SQLite 3.37 or newer, and this Python has {sqlite3.sqlite_version}",
                uri=str(self.path),
                remedy="Use another Python",
            )
        # No isolation level: transactions begin where we say so. A connection serves one thread at a time, but not
        # always the same one. mode=rw: a store that vanished is not made anew by looking at it.
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_SLICE,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA trusted_schema = OFF")
            # Each thread has a connection, and each would come to hold 2 MB; what the system caches serves all.
            connection.execute("PRAGMA cache_size = -500")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_format(self, connection: sqlite3.Connection) -> None:
        application, version, is_empty = _look(connection)
        if (application, version) == (0, 0) and is_empty:
            raise IndexMissingError
        if application != APPLICATION:
            raise StoreError(
                f"the file {self.path} is a database of another program, not an index of the embedded store",
                uri=str(self.path),
                remedy="Choose another directory for the store",
            )
        if version > FORMAT:
            raise StoreError(
                f"the embedded store has format {version}, and this version of deltaglider knows up to {FORMAT}",
                uri=str(self.path),
                remedy="Upgrade deltaglider",
            )
        if version < FORMAT:
            self._patiently(lambda: _upgrade(connection))


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY


def _build(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_empty(connection):
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _upgrade(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have come first.
        for version in range(_stamp(connection)[1], FORMAT):
            connection.execute(_UPGRADES[version])
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _look(connection: sqlite3.Connection) -> tuple[int, int, bool]:
    """What the file says it is, and whether it holds nothing: at one moment, as another process may be making it."""
    connection.execute("BEGIN")
    try:
        return (*_stamp(connection), _is_empty(connection))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _stamp(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
