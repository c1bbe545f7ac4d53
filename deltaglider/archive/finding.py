"""The deflate streams of a file, found by what it holds and not by its name."""

from __future__ import annotations

from collections.abc import Iterable

from deltaglider.archive import gzips, tars, zipfiles
from deltaglider.archive.limits import Ledger
from deltaglider.archive.stream import Stream
from deltaglider.archive.view import View
from deltaglider.files import stop_if_cancelled

_LEAST = 64  # Bytes of a file that is looked into.
_LOOK = 1000  # Members between two looks whether the caller was cancelled.


def find(view: View, ledger: Ledger, *, depth: int = 0) -> list[Stream]:
    """The deflate streams that lie in a file as it is: those in its own containers, and in containers stored in those.

    Args:
        view: The file.
        ledger: Counts what is looked at; where it ends, so does the search.
        depth: Containers it is in.

    Returns:
        The streams in their order, none overlapping another.
    """
    found: list[Stream] = []
    _look_into(view, 0, view.size, ledger, depth, found)
    found.sort(key=lambda stream: stream.start)
    return list(_apart(found))


def _look_into(view: View, start: int, size: int, ledger: Ledger, depth: int, found: list[Stream]) -> None:
    """Adds what lies in a part of the file to the list."""
    if size < _LEAST or depth > ledger.limits.depth:
        return
    part = view.part(start, size)
    head = part.read(0, tars.BLOCK)
    inside: Iterable[Stream | tuple[int, int]] = ()
    if head.startswith(gzips.MAGIC):
        stream = gzips.stream(part)
        inside = [stream] if stream is not None else []
    elif tars.is_tar(head):
        inside = tars.members(part, ledger)
    # Only the whole file is searched for a zip that does not begin at its beginning: a program that unpacks itself.
    elif head.startswith(zipfiles.LOCAL) or (depth == 0 and zipfiles.is_zip(part, head)):
        inside = zipfiles.streams(part, ledger)
    for number, item in enumerate(inside):
        if number % _LOOK == 0:
            stop_if_cancelled()
        if isinstance(item, tuple):
            _look_into(view, start + item[0], item[1], ledger, depth + 1, found)
        elif ledger.stream():
            found.append(Stream(start + item.start, item.size, item.family, item.hint) if start else item)
        else:
            return


def _apart(streams: Iterable[Stream]) -> Iterable[Stream]:
    end = 0
    for stream in streams:
        if stream.start >= end:
            yield stream
            end = stream.end
