"""What is to be unpacked of a file: streams, and the streams in these."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from deltaglider.archive.encoder import Encoder
from deltaglider.archive.stream import Stream
from deltaglider.archive.view import View
from deltaglider.late import dataclass


@dataclass(slots=True)
class Node:
    """A stream that is to be unpacked.

    Attributes:
        stream: Where it lies in its container; its size is exact.
        digest: Of its packed bytes.
        container: Where it lies.
        plain: What it holds, with the streams in it still packed.
        inner: Those of the streams in it that are to be unpacked, in their order.
        encoder: What makes it again, once that is known.
    """

    stream: Stream
    digest: bytes
    container: View
    plain: View
    inner: list[Node] = dataclasses.field(default_factory=list)
    encoder: Encoder | None = None

    @property
    def expanded(self) -> int:
        """Bytes it has unpacked, with what is to be unpacked of it."""
        return self.plain.size + sum(node.expanded - node.stream.size for node in self.inner)


def walk(nodes: list[Node]) -> Iterator[Node]:
    """All nodes, each before those in it."""
    for node in nodes:
        yield node
        yield from walk(node.inner)
