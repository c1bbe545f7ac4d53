"""Notes: small values kept on this machine under digests of all that they are true of.

    <cache_dir>/notes-1/notes.db    SQLite in WAL mode, for any number of processes at once

A note is found only by whoever knows everything it depends on, so it cannot be found for anything else; and each bears
a seal, so that what a damaged file gives back is no note at all. A database that is damaged is thrown away, one that
cannot be opened or written is done without, and one that others keep busy is not waited for: whoever asks finds
nothing, and finds out for itself. The number in the directory's name is the version of the format.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import sqlite3
import stat
import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar, TypeVarTuple

import anyio

from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.cache")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

DIRECTORY = "notes-1"
_FILE = "notes.db"
_NAME = 20  # Bytes of a name: enough that no two are ever the same.
_SEAL = 8
_PATIENCE = 1.0  # Seconds to wait for another process's transaction.
_AT_ONCE = 500  # Names a query: SQLite allows 999 parameters in its older versions.
_WAL = 8 << 20  # Bytes that the write-ahead log may keep when nobody needs it.
_SHARE = 20  # Of the notes, the oldest twentieth goes at once.

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
# SQLITE_ERROR: the tables are not those we made.
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}

# A connection must not be used, nor even closed, in a child of the process that opened it.
_inherited: list[sqlite3.Connection] = []
_open: weakref.WeakSet[Notes] = weakref.WeakSet()


def name_of(*parts: str | int) -> bytes:
    """The name of a note: a digest of all that it is true of.

    Args:
        *parts: What that is, its kind first.

    Returns:
        Bytes that no other parts have.
    """
    texts = [str(part).encode("utf-8", "surrogatepass") for part in parts]
    return hashlib.blake2b(b"".join([b"%d:%b" % (len(text), text) for text in texts]), digest_size=_NAME).digest()


class Notes:
    """The notes of one cache directory. Cheap to make: nothing is opened before something is asked or kept.

    Args:
        cache_dir: The cache directory.
        size: Bytes that the database may take; 0 for no notes at all.
    """

    def __init__(self, cache_dir: Path, size: int) -> None:
        self.directory = cache_dir / DIRECTORY
        self._size = size
        self._off = size <= 0
        self._connection: sqlite3.Connection | None = None
        self._finalizer: weakref.finalize[[], Notes] | None = None  # For clients that are never closed.
        self._lock = threading.Lock()
        self._limiter = anyio.CapacityLimiter(1)

    async def run(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Runs what finds or keeps notes in a worker thread, one at a time."""
        return await in_thread(work, *arguments, limiter=self._limiter)

    @property
    def is_off(self) -> bool:
        """Whether nothing is found or kept any more."""
        return self._off

    def find(self, names: Sequence[bytes]) -> dict[bytes, bytes]:
        """Looks for notes, in one transaction. For worker threads.

        Args:
            names: From ``name_of``.

        Returns:
            The values of those there are, by name.
        """
        if not names or not self._is_made():
            return {}  # A database is made by who has something to keep.
        return self._attempt(lambda connection: _find(connection, names)) or {}

    def keep(self, notes: Iterable[tuple[bytes, bytes]]) -> None:
        """Keeps notes, in one transaction, where that can be done; the oldest give way. For worker threads.

        Args:
            notes: Names and values.
        """
        rows = [(name, _seal(name, value) + value) for name, value in notes]
        if rows:
            self._attempt(lambda connection: _keep(connection, rows, self._size))

    def close(self) -> None:
        """Closes the database. Harmless if repeated."""
        with self._lock:
            self._off = True
            self._disconnect()

    def abandon(self) -> None:
        """After ``fork``, in the child: forgets the parent's connection without touching it."""
        if self._connection is not None:
            _inherited.append(self._connection)
        if self._finalizer is not None:
            self._finalizer.detach()
        self._connection, self._off, self._lock = None, True, threading.Lock()

    def _is_made(self) -> bool:
        try:
            return self._connection is not None or (self.directory / _FILE).exists()
        except OSError:
            return False

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        with self._lock:
            for is_last in (False, True):
                if self._off:
                    return None
                try:
                    return _in_transaction(self._connected(), work)
                except (sqlite3.Error, OSError) as error:
                    code = getattr(error, "sqlite_errorcode", None)
                    kind = code & 0xFF if isinstance(code, int) else None
                    if kind in _BUSY:
                        logger.debug("the notes in %s are in use by others", self.directory)
                        return None
                    if is_last or kind not in _DAMAGED or not self._discard():
                        logger.info("nothing is noted in %s: %s", self.directory, error)
                        self._off = True
                        self._disconnect()
        return None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            _make(self.directory)
            self._connection = _connect(self.directory / _FILE)
            self._finalizer = weakref.finalize(self, self._connection.close)
            _open.add(self)
        return self._connection

    def _disconnect(self) -> None:
        self._connection = None
        if self._finalizer is not None:
            with contextlib.suppress(sqlite3.Error):
                self._finalizer()

    def _discard(self) -> bool:
        """Throws a damaged database away; whether that could be done."""
        logger.info("the notes in %s are damaged, and thrown away", self.directory)
        self._disconnect()
        # Out of the way in one step: no other process may meet the half of it.
        aside = self.directory.with_name(f"{DIRECTORY}-{uuid.uuid4().hex}")
        try:
            self.directory.rename(aside)
        except FileNotFoundError:
            return True  # Another process was quicker.
        except OSError:
            return False
        shutil.rmtree(aside, ignore_errors=True)
        return True


def _make(directory: Path) -> None:
    """Makes the directory and the file, for nobody else to read.

    Raises:
        OSError: It cannot be made, or is not ours alone: notes are believed, so nobody else may write them.
    """
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{directory} is no directory")
    if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o077):
        raise PermissionError(f"{directory} is not for its owner, this user, alone")
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(directory / _FILE, flags, 0o600))


def _connect(path: Path) -> sqlite3.Connection:
    # No isolation level: transactions begin where we say so. A lock keeps it to one thread at a time.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL}")
        # The id tells the age: a note that is kept anew gets the next one.
        connection.execute(
            "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, value BLOB NOT NULL)"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    try:
        return work(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _find(connection: sqlite3.Connection, names: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    connection.execute("BEGIN")
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        places = ",".join("?" * len(some))
        rows = connection.execute(f"SELECT name, value FROM notes WHERE name IN ({places})", some)  # noqa: S608
        for name, value in rows:
            if isinstance(value, bytes) and value[:_SEAL] == _seal(name, value[_SEAL:]):
                found[name] = value[_SEAL:]
    connection.execute("COMMIT")
    return found


def _keep(connection: sqlite3.Connection, rows: Sequence[tuple[bytes, bytes]], size: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", rows)
    most = size // _pragma(connection, "page_size")
    _make_room(connection, most)
    connection.execute("COMMIT")
    spare = _pragma(connection, "page_count") - most
    if spare > 0:
        # As a script: of this statement, ``execute`` would do the first step alone.
        connection.executescript(f"PRAGMA incremental_vacuum({spare})")


def _make_room(connection: sqlite3.Connection, most: int) -> None:
    while _pragma(connection, "page_count") - _pragma(connection, "freelist_count") > most:
        oldest, newest = connection.execute("SELECT min(id), max(id) FROM notes").fetchone()
        if oldest is None:
            break
        connection.execute("DELETE FROM notes WHERE id <= ?", (oldest + (newest - oldest) // _SHARE,))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _seal(name: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=_SEAL, key=name).digest()


def _after_fork() -> None:
    for notes in list(_open):
        notes.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
