"""What of two archives differs: only that is unpacked.

A stream whose packed bytes stand in the other file stays packed on both sides: it costs nothing to write or to read.
Names do not matter, for members get renamed. What was unpacked is looked into in its turn: a .gz in a wheel whose
header alone is new is unpacked, and the stream in it stays packed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from deltaglider.archive import gzips
from deltaglider.archive.inflating import Spool
from deltaglider.archive.limits import Ledger
from deltaglider.archive.survey import Found, digest_of, survey
from deltaglider.archive.tree import Node, walk
from deltaglider.archive.view import View
from deltaglider.late import dataclass

Search = Callable[[list[Node]], None]
"""Notes in each of some nodes what makes it again, where that is found."""


@dataclass(slots=True)
class Side:
    """One of the two files.

    Attributes:
        view: The file.
        found: The streams that lie in it as it is.
        ledger: What may still be looked at.
        nodes: What is to be unpacked of it.
        known: The digests of all streams seen in it, at any depth.
    """

    view: View
    found: list[Found]
    ledger: Ledger
    nodes: list[Node] = dataclasses.field(default_factory=list)
    known: set[bytes] = dataclasses.field(default_factory=set)


def compare(reference: Side, target: Side, spool: Spool, search: Search) -> None:
    """Fills in what is to be unpacked of each side.

    Args:
        reference: The reference.
        target: The target: of it only what can be made again.
        spool: Takes what is inflated.
        search: Finds out what makes a stream of the target again.
    """
    levels = [_Level(side, [(side.view, side.found, side.nodes)]) for side in (reference, target)]
    for depth in range(1, target.ledger.limits.depth + 1):
        for level in levels:
            level.side.known.update(found.digest for _, each, _ in level.containers for found in each)
        theirs, ours = levels
        fresh = ours.unpack(theirs.side.known, spool)
        search(fresh)
        ours.keep_what_can_be_made_again()
        if not target.nodes:
            break
        theirs.unpack(ours.side.known, spool)
        levels = [level.next(depth) for level in levels]
        if not any(level.containers for level in levels):
            break
    _prune(target.nodes, reference.known)
    if target.nodes:
        _prune(reference.nodes, target.known)
    else:
        reference.nodes.clear()


@dataclass(slots=True)
class _Level:
    """All containers of one side that are equally deep, and where the nodes of each are to go."""

    side: Side
    containers: list[tuple[View, list[Found], list[Node]]]

    def unpack(self, theirs: set[bytes], spool: Spool) -> list[Node]:
        """Inflates what the other side does not have."""
        fresh = []
        for view, each, nodes in self.containers:
            for found in each:
                if found.digest not in theirs:
                    for node in self._inflate(view, found, spool):
                        self.side.known.add(node.digest)
                        if node.digest not in theirs:
                            nodes.append(node)
                            fresh.append(node)
        return fresh

    def _inflate(self, view: View, found: Found, spool: Spool) -> list[Node]:
        """The stream; and those of the gzip members that follow it."""
        nodes: list[Node] = []
        ledger, stream = self.side.ledger, found.stream
        end = stream.end
        while ledger.unpacked > 0:
            before = spool.work
            inflated = spool.inflate(view, stream.start, stream.size, ledger.allowance(stream.size))
            ledger.unpacked -= spool.work - before
            if inflated is None:
                return nodes
            digest = found.digest
            if stream is not found.stream or inflated.packed != stream.size:
                digest = digest_of(view, stream.start, inflated.packed)
                stream = dataclasses.replace(stream, size=inflated.packed)
            nodes.append(Node(stream, digest, view, inflated.plain))
            following = stream.end + gzips.TRAILER
            if stream.family != "gzip" or following >= end or not ledger.stream():
                return nodes
            another = gzips.stream(view, following)
            if another is None:
                return nodes
            stream = dataclasses.replace(another, size=min(another.size, end - another.start))
        return nodes

    def keep_what_can_be_made_again(self) -> None:
        """Leaves the rest packed."""
        for _, _, nodes in self.containers:
            nodes[:] = [node for node in nodes if node.encoder is not None]

    def next(self, depth: int) -> _Level:
        """What lies in what was unpacked."""
        containers = []
        for _, _, nodes in self.containers:
            for node in nodes:
                inside = survey(node.plain, self.side.ledger, depth=depth)
                if inside:
                    containers.append((node.plain, inside, node.inner))
        return _Level(self.side, containers)


def _prune(nodes: list[Node], theirs: set[bytes]) -> None:
    """Takes out what the other side turned out to have after all."""
    nodes[:] = [node for node in nodes if node.digest not in theirs]
    for node in nodes:
        _prune(node.inner, theirs)


def plain_size(nodes: list[Node]) -> int:
    """Bytes of all streams, unpacked."""
    return sum(node.plain.size for node in walk(nodes))
