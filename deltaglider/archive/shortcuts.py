"""What a writer knows of the streams it has just tried: it proves its delta without deflating all of them again.

The search deflated each stream to its end and compared it with the file. The proof rebuilds the file from the reference
and the delta; where it comes to deflate, by the same encoder, what has the same SHA-256, the result is known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from deltaglider.archive.encoder import Encoder
from deltaglider.archive.survey import digest_of
from deltaglider.archive.tree import Node
from deltaglider.archive.view import File, Memory, View
from deltaglider.config import MIB

Known = dict[tuple[Encoder, bytes], View]
"""Streams, by their encoder and the SHA-256 of what they are made of."""

_INNER = 32 * MIB  # Of streams in streams, which are kept in memory.


class Shortcuts:
    """The streams of a file, and what they are made of.

    Args:
        path: The file.
        nodes: Its outermost streams, with their encoders.
        state: Of the file, before it was read (``File.state``): one that was written since is not what was tried, also
            if it now has the bytes that it had when it was hashed.
    """

    def __init__(self, path: Path, nodes: list[Node], state: tuple[int, ...]) -> None:
        self._path, self._state = path, state
        self._outer = {_key(node): (node.stream.start, node.stream.size) for node in nodes}
        self._inner: dict[tuple[Encoder, bytes], bytes] = {}
        room = _INNER
        for node in _below(nodes):
            room -= node.stream.size
            if room < 0:
                break
            self._inner[_key(node)] = node.container.read(node.stream.start, node.stream.size)

    @contextlib.contextmanager
    def known(self) -> Iterator[Known]:
        """The streams, as long as the context lasts; none if the file was written meanwhile.

        Raises:
            OSError: The file cannot be read.
        """
        with File(self._path) as file:
            if file.state != self._state:
                yield {}
                return
            view = file.view()
            known = {key: View(Memory(data), 0, len(data)) for key, data in self._inner.items()}
            known |= {key: view.part(start, size) for key, (start, size) in self._outer.items()}
            yield known


def _key(node: Node) -> tuple[Encoder, bytes]:
    assert node.encoder is not None
    return node.encoder, digest_of(node.plain, 0, node.plain.size)


def _below(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield from node.inner
        yield from _below(node.inner)
