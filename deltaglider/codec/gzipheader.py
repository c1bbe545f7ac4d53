"""The header of a gzip file: what it may hold when only its length is known.

It stands in front of the data, so each guess costs a hash over the whole file; the guesses come in the order of their
likelihood, and the caller stops when its budget is spent. The unknown part is the time: of the file packed, or of the
packing. Both come soon after the youngest member of a tar was made, and before the file was stored.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from deltaglider.files import stop_if_cancelled
from deltaglider.late import dataclass

_NAMED = 8  # The flag that a name follows.
_EFFORTS = (2, 0, 4)
# Unix, unknown (Python, npm), macOS's and Windows' zlib in Node.js, FAT (old Java), NTFS, Macintosh.
_SYSTEMS = (3, 255, 0x13, 0x0A, 0, 0x0B, 7)
_MEMBERS = 100_000
_DISTINCT_TIMES = 64
_MOST_TIMES = 500_000
_LATEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Header:
    """A gzip header with nothing in it but a name.

    Attributes:
        time: Of the file packed, in seconds since 1970; 0 for none.
        effort: 2 for the best level, 4 for the fastest, else 0.
        system: What packed it.
        name: Of the file packed; ``None`` for none.
    """

    time: int
    effort: int
    system: int
    name: bytes | None = None

    def __bytes__(self) -> bytes:
        fixed = bytes([0x1F, 0x8B, 8, 0 if self.name is None else _NAMED])
        rest = b"" if self.name is None else self.name + b"\0"
        return fixed + self.time.to_bytes(4, "little") + bytes([self.effort, self.system]) + rest

    @classmethod
    def read(cls, start: bytes) -> Header | None:
        """The header at the start of a file.

        Args:
            start: The first bytes of it, a kilobyte or so.

        Returns:
            The header; ``None`` if it is none, or holds what is not guessed here.
        """
        if len(start) < 10 or start[:3] != b"\x1f\x8b\x08" or start[3] not in (0, _NAMED):
            return None
        name = None
        if start[3] == _NAMED:
            end = start.find(b"\0", 10)
            if end < 0:
                return None
            name = start[10:end]
        return cls(int.from_bytes(start[4:8], "little"), start[8], start[9], name)


def names_for(name: str) -> list[bytes]:
    """The names that packing a file called ``name`` leaves in its header, the likeliest first.

    Args:
        name: Of the packed file.

    Returns:
        Names.
    """
    stem = name
    for suffix, instead in ((".tgz", ".tar"), (".taz", ".tar"), (".gz", "")):
        if name.lower().endswith(suffix):
            stem = name[: -len(suffix)] + instead
            break
    candidates = [stem, name, name.removesuffix(".tgz")]
    encoded = [each.encode(code, "replace") for each in candidates for code in ("latin-1", "utf-8")]
    return list(dict.fromkeys(each for each in encoded if each))


def headers(length: int, name: str, like: Header | None, times: Iterable[int]) -> Iterator[Header]:
    """All headers of a length, the likeliest first.

    Args:
        length: Bytes.
        name: Of the packed file.
        like: The header of a file that was probably packed in the same way.
        times: The times to try.

    Yields:
        Headers.
    """
    fitting = [each for each in [None, *names_for(name)] if len(bytes(Header(0, 0, 0, each))) == length]
    if not fitting:
        return
    shapes = [Header(0, effort, system, each) for each in fitting for system in _SYSTEMS for effort in _EFFORTS]
    if like is not None:
        alike = [dataclasses.replace(like, time=0, name=each) for each in fitting]
        shapes = list(dict.fromkeys([*alike, *shapes]))
    yield from shapes
    # A time is there where a program packed a file: Python (system 255), or gzip on Unix.
    timed = [shape for shape in shapes if shape.system in (3, 255)]
    if like is not None and like.time:
        timed = list(dict.fromkeys([*shapes[: len(fitting)], *timed]))
    for number, time in enumerate(times):
        # The likeliest shapes get most of what may be spent.
        few = (
            timed if number < _DISTINCT_TIMES else timed[: 2 * len(fitting)] if like is None else timed[: len(fitting)]
        )
        for shape in few:
            yield dataclasses.replace(shape, time=time)


@dataclass(frozen=True, slots=True)
class Moments:
    """Times found in an archive.

    Attributes:
        members: Of the members of a tar, without repeats, the latest first; none for anything else.
    """

    members: tuple[int, ...] = ()

    @property
    def latest(self) -> int | None:
        """The youngest."""
        return self.members[0] if self.members else None


def moments_of(path: Path) -> Moments:
    """The times in a tar. For worker threads.

    Args:
        path: Any file, not trusted.

    Returns:
        What was found before it stopped making sense.
    """
    found: set[int] = set()
    with contextlib.suppress(tarfile.TarError, OSError, ValueError, OverflowError), tarfile.open(path, "r:") as archive:
        for number, member in enumerate(archive):
            vars(archive)["members"] = []  # It keeps them all otherwise.
            found.add(int(member.mtime))
            stop_if_cancelled()
            if number > _MEMBERS:
                break
    return Moments(tuple(sorted((time for time in found if 0 < time <= _LATEST), reverse=True)))


def times(own: Moments, stored: int | None, like: Header | None, theirs: Moments) -> Iterator[int]:
    """Times that a gzip header may hold, the likeliest first, without repeats; half a million at most.

    Args:
        own: In the archive itself.
        stored: When it was stored, in seconds since 1970.
        like: The header of a file that was probably packed in the same way.
        theirs: In that file.

    Yields:
        Times.
    """
    starts: list[Iterator[int]] = []
    if own.latest is not None:
        if like is not None and like.time and theirs.latest is not None:
            expected = own.latest + like.time - theirs.latest
            starts.append(_around(expected))
        starts.append(itertools.count(own.latest))
    if stored is not None:
        starts.append(itertools.count(stored + 1, -1))
    if own.latest is not None:
        starts.append(iter(own.members[1:_DISTINCT_TIMES]))
        starts.append(itertools.count(own.latest - 1, -1))
    seen: set[int] = set()
    while starts and len(seen) < _MOST_TIMES:
        for start in list(starts):
            time = next(start, None)
            if time is None or not 0 < time <= _LATEST:
                starts.remove(start)
            elif time not in seen:
                seen.add(time)
                yield time


def _around(time: int) -> Iterator[int]:
    yield time
    for distance in itertools.count(1):
        yield time + distance
        yield time - distance
