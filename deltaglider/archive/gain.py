"""What unpacking can gain: how much of the packed bytes that differ a plain delta would have to carry.

Where two streams differ, all behind differs, for a block's codes depend on all of it. So what a plain delta can use of
a changed stream is what it has in common with an old one from the start.
"""

from __future__ import annotations

from deltaglider.archive.stream import Stream
from deltaglider.archive.survey import Found
from deltaglider.archive.tree import Node
from deltaglider.archive.view import View

_START = 48  # Bytes that tell whether two streams have anything in common.


def fresh_bytes(reference: View, found: list[Found], nodes: list[Node]) -> int:
    """The packed bytes of changed streams that no plain delta finds in the reference.

    Args:
        reference: The reference.
        found: Its streams.
        nodes: The outermost streams of the target that changed.

    Returns:
        Bytes.
    """
    olds: dict[bytes, View] = {}
    for each in found:
        if each.stream.size >= _START:
            olds.setdefault(reference.read(each.stream.start, _START), _stream(reference, each.stream))
    return sum(node.stream.size - _common(olds, _stream(node.container, node.stream)) for node in nodes)


def _stream(view: View, stream: Stream) -> View:
    return view.part(stream.start, stream.size)


def _common(olds: dict[bytes, View], new: View) -> int:
    old = olds.get(new.read(0, _START))
    if old is None:
        return 0
    size = 0
    for one, other in zip(old.pieces(), new.pieces(), strict=False):
        if one == other:
            size += len(one)
            continue
        length = min(len(one), len(other))
        low, high = 0, length  # All before the one is equal, all from the other on is not known to be.
        while low < high:
            middle = (low + high + 1) // 2
            if one[:middle] == other[:middle]:
                low = middle
            else:
                high = middle - 1
        return size + low
    return size
