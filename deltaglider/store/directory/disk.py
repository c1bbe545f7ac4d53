"""What goes wrong on the disk under the embedded store, in our words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deltaglider.errors import AccessDeniedError, DeltaGliderError, StoreError, StoreUnavailableError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


@contextmanager
def store_errors(uri: str, root: Path) -> Iterator[None]:
    """Turns the errors of SQLite and of the file system into ours.

    Args:
        uri: What the block works on.
        root: The store's directory.

    Raises:
        StoreError: The store cannot be read or written; the message names the directory or file.
    """
    try:
        yield
    except DeltaGliderError:  # Some of ours are an OSError too.
        raise
    except sqlite3.Error as error:
        raise _of_index(error, uri, root / "index.db") from error
    except OSError as error:
        raise _of_file(error, uri, root) from error


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk had no room for a change of the index, which then was not made.

    Args:
        error: What SQLite said.
    """
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def _of_index(error: sqlite3.Error, uri: str, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if is_full(error):
        return _full(uri, path)
    if code in _DAMAGED:
        return StoreError(
            f"the index {path} is damaged: {error}",
            uri=uri,
            remedy="Put it back from a backup; the bodies beside it are untouched",
        )
    if code in _BUSY:
        return StoreUnavailableError(
            f"another process keeps the index {path} locked", uri=uri, remedy="Try again when it is done"
        )
    if code in _READ_ONLY:
        return _refused(uri, path, str(error))
    return StoreError(f"the index {path} cannot be used: {error}", uri=uri, remedy="Check the disk and the file's mode")


def _of_file(error: OSError, uri: str, root: Path) -> StoreError:
    path = Path(error.filename) if isinstance(error.filename, str) else root
    if error.errno in _FULL:
        return _full(uri, path)
    if error.errno in _REFUSED:
        return _refused(uri, path, error.strerror or str(error))
    return StoreError(
        f"the embedded store cannot use {path}: {error.strerror or error}",
        uri=uri,
        remedy="Check the store's directory",
    )


def _full(uri: str, path: Path) -> StoreError:
    return StoreError(f"the embedded store cannot write {path}: the disk is full", uri=uri, remedy="Free some space")


def _refused(uri: str, path: Path, why: str) -> StoreError:
    return AccessDeniedError(
        f"the embedded store may not use {path}: {why}", uri=uri, remedy="Check the owner and mode of its directory"
    )
