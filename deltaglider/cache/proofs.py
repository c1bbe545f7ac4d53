"""What a verification proved and when, so that an interrupted one can go on and a new one need not do it all again.

    <name>.jsonl        what is known: a header, then one line an object, in the order of keys
    <name>.jsonl.new    the run in progress: appended to as it goes, put in place of the other when it is through
    <name>.jsonl.lock   held while it runs

Lines are ``["key", "identity", seconds]``: when the object with that identity was proven, 0 if it failed then. Both a
listing and these files come in the order of keys, so they are read side by side and nothing is held. What an
interrupted run left is merged with what was known before it when the next one begins. All of it may be deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deltaglider.errors import LocalFileError
from deltaglider.files import local_errors, stop_if_cancelled
from deltaglider.layout.keys import sort_key

if TYPE_CHECKING:
    from filelock import FileLock

_FORMAT = 1
_SYNC_EVERY = 5.0  # Seconds: what a crash of the machine may cost.
_TAIL = 200  # Bytes that hold the last line of a run that is through.
_END = "end"

Proof = tuple[str, str, int]
"""A key, the identity of the object under it, and when it was proven: seconds since the epoch, 0 for not."""


class Proofs:
    """The record of one place. All methods block; they are for worker threads, one at a time.

    Args:
        path: The file of what is known. Its directory is made if need be.
        place: What was verified. A file of another place is not touched.
    """

    def __init__(self, path: Path, place: str) -> None:
        self.path = path
        self.place = place
        self._new = path.with_name(f"{path.name}.new")
        self._lock: FileLock | None = None
        self._out: IO[str] | None = None
        self._known: Iterator[Proof] = iter(())
        self._next: Proof | None = None
        self._synced = 0.0

    def open(self, *, resume: bool) -> int:
        """Begins a run.

        Args:
            resume: It goes on with the last one, if that was interrupted.

        Returns:
            When the last one began, in seconds since the epoch, if it was interrupted; else 0.

        Raises:
            LocalFileError: Another run is recorded there at this moment; the files are another place's, or no record at
                all; or they cannot be written.
        """
        with self._errors():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._acquire()
        try:
            with self._errors():
                interrupted = self._merge()
                begun = interrupted if resume and interrupted else int(time.time())
                self._known = _proofs(self.path)
                self._next = next(self._known, None)
                self._out = _create(self._new)
                self._line({"format": _FORMAT, "place": self.place, "begun": begun})
                self._sync()
        except BaseException:
            self.close()
            raise
        return interrupted

    def known(self, objects: Iterable[tuple[str, str]]) -> list[int]:
        """When each of some objects was proven.

        Args:
            objects: Keys and identities, in the order of keys; what comes later comes after all of them.

        Returns:
            Seconds since the epoch; 0 for those that were not, or failed.
        """
        with self._errors():
            return [self._when(key, identity) for key, identity in objects]

    def add(self, proofs: Sequence[Proof]) -> None:
        """Records what came of the objects that ``known`` was asked for.

        Args:
            proofs: In the order of keys.
        """
        assert self._out is not None
        with self._errors():
            for proof in proofs:
                self._line(proof)
            self._out.flush()
            if time.monotonic() - self._synced > _SYNC_EVERY:
                self._sync()

    def finish(self) -> None:
        """Puts the record of a run that is through in the place of what was known."""
        with self._errors():
            self._line([_END])
            self._sync()
            self._close_out()
            self._known, self._next = iter(()), None  # Closes the file.
            self._new.replace(self.path)

    def close(self) -> None:
        """Leaves things as they are: what was recorded counts next time. Harmless if repeated."""
        with contextlib.suppress(OSError):
            self._close_out()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _when(self, key: str, identity: str) -> int:
        wanted = sort_key(key)
        while self._next is not None and sort_key(self._next[0]) < wanted:
            self._next = next(self._known, None)
        found = self._next
        return found[2] if found is not None and found[:2] == (key, identity) else 0

    def _merge(self) -> int:
        """Brings an interrupted run into what is known; returns when it began, 0 if there was none."""
        for path in (self.path, self._new):
            self._check(path)
        if not self._new.exists():
            header = _header(self.path)
            return int(header["begun"]) if header and not _is_through(self.path) else 0
        header = _header(self._new)
        if header is None:  # It ended before it was begun.
            self._new.unlink()
            return 0
        merged = self.path.with_name(f"{self.path.name}.merged")
        merged.unlink(missing_ok=True)
        last: bytes | None = None
        with _create(merged) as out:
            out.write(json.dumps(header) + "\n")
            for proof in _proofs(self._new):
                out.write(json.dumps(proof) + "\n")
                last = sort_key(proof[0])
            for proof in _proofs(self.path):
                if last is None or sort_key(proof[0]) > last:
                    out.write(json.dumps(proof) + "\n")
            out.flush()
            os.fsync(out.fileno())
        merged.replace(self.path)
        self._new.unlink()
        return int(header["begun"])

    def _check(self, path: Path) -> None:
        header = _header(path)
        if header is None and path == self.path and path.exists() and path.stat().st_size:
            raise LocalFileError(
                "it is no record of a verification", uri=str(path), remedy="Name another file, or a new one"
            )
        if header is not None and header["place"] != self.place:
            raise LocalFileError(
                f"it is the record of another place, {header['place']}", uri=str(path), remedy="Name another file"
            )

    def _acquire(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), thread_local=False, mode=0o600)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise LocalFileError(
                "another verification is being recorded there", uri=str(self.path), remedy="Wait for its end"
            ) from None
        except NotImplementedError:
            return  # A file system without locks.
        self._lock = lock

    def _line(self, content: object) -> None:
        assert self._out is not None
        self._out.write(json.dumps(content) + "\n")

    def _sync(self) -> None:
        assert self._out is not None
        self._out.flush()
        os.fsync(self._out.fileno())
        self._synced = time.monotonic()

    def _close_out(self) -> None:
        if self._out is not None:
            out, self._out = self._out, None
            out.close()

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return local_errors(str(self.path), "the record of the verification cannot be kept", "Name another file")


def _create(path: Path) -> IO[str]:
    path.unlink(missing_ok=True)
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii")


def _header(path: Path) -> dict[str, Any] | None:
    """The first line, if it is one of ours."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            header = json.loads(file.readline(64 * 1024))
    except (FileNotFoundError, ValueError):
        return None
    fine = (
        isinstance(header, dict)
        and header.get("format") == _FORMAT
        and isinstance(header.get("place"), str)
        and isinstance(header.get("begun"), int)
    )
    return header if fine else None


def _is_through(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        return file.read().endswith(f'\n["{_END}"]\n'.encode())


def _proofs(path: Path) -> Iterator[Proof]:
    """The lines of a file, up to its end or to the first that is damaged: a crash may have cut it."""
    try:
        file = path.open(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    with file:
        file.readline()
        for number, line in enumerate(file):
            try:
                content = json.loads(line)
            except ValueError:
                return
            if not (isinstance(content, list) and [type(part) for part in content] == [str, str, int]):
                return
            yield (content[0], content[1], content[2])
            if number % 1000 == 0:
                stop_if_cancelled()
