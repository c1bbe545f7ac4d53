"""Huffman codes, as zlib and gzip build them.

Several codes can be equally good. Which of them comes out hangs on how the heap is kept and how ties are broken, so
both are done here in the very order of zlib.
"""

from __future__ import annotations

from deltaglider.archive.deflate.tables import LENGTH_CODES, bits_of


def code_lengths(frequencies: list[int], limit: int) -> list[int]:
    """The lengths of the codes.

    Args:
        frequencies: By symbol. Where less than two occur, others are taken as if they did, for a code has two at least.
        limit: The longest code there may be.

    Returns:
        By symbol, up to the last that has a code; 0 for those without.
    """
    heap = [0, *(symbol for symbol, count in enumerate(frequencies) if count)]
    # The frequency, and below it how deep the tree under a node is, which breaks ties.
    keys = [count << 8 for count in frequencies]
    last = heap[-1] if len(heap) > 1 else -1
    while len(heap) < 3:
        if last < 2:
            last += 1
            forced = last
        else:
            forced = 0
        heap.append(forced)
        keys[forced] = 1 << 8
    order, parents = _join(heap, keys)
    return _limited(order, parents, keys, last, limit)


def _join(heap: list[int], keys: list[int]) -> tuple[list[int], list[int]]:
    """Joins the two rarest nodes until one is left.

    Returns:
        The nodes in the order in which they were taken from the heap, the root last; the parents by node.
    """
    for place in range((len(heap) - 1) // 2, 0, -1):
        _sift(heap, keys, place)
    order: list[int] = []
    parents = [0] * (2 * len(keys))
    while len(heap) > 2:
        rarest = heap[1]
        heap[1] = heap.pop()
        _sift(heap, keys, 1)
        second = heap[1]
        order += (rarest, second)
        one, other = keys[rarest], keys[second]
        node = len(keys)
        keys.append((one >> 8) + (other >> 8) << 8 | max(one & 255, other & 255) + 1)
        parents[rarest] = parents[second] = node
        heap[1] = node
        _sift(heap, keys, 1)
    order.append(heap[1])
    return order, parents


def _sift(heap: list[int], keys: list[int], place: int) -> None:
    """Lets a node sink to its place; the heap begins at 1."""
    size = len(heap)
    node = heap[place]
    key = keys[node]
    child = 2 * place
    while child < size:
        if child + 1 < size and keys[heap[child + 1]] <= keys[heap[child]]:
            child += 1
        if key <= keys[heap[child]]:
            break
        heap[place] = heap[child]
        place, child = child, 2 * child
    heap[place] = node


def _limited(order: list[int], parents: list[int], keys: list[int], last: int, limit: int) -> list[int]:
    """The depths of the leaves; those that are too deep are moved up, others down for them, as zlib does it."""
    depths = [0] * len(keys)
    per_depth = [0] * (limit + 2)
    overflow = 0
    leaves: list[int] = []
    for node in reversed(order[:-1]):
        depth = depths[parents[node]] + 1
        if depth > limit:
            depth = limit
            overflow += 1
        depths[node] = depth
        if node <= last:
            per_depth[depth] += 1
            leaves.append(node)
    if overflow:
        while overflow > 0:
            depth = limit - 1
            while not per_depth[depth]:
                depth -= 1
            per_depth[depth] -= 1
            per_depth[depth + 1] += 2
            per_depth[limit] -= 1
            overflow -= 2
        # Lengths are given out again, the longest to the rarest.
        for depth in range(limit, 0, -1):
            for _ in range(per_depth[depth]):
                depths[leaves.pop()] = depth
    return depths[: last + 1]


def codes(code_sizes: list[int]) -> list[str]:
    """The codes that go with their lengths.

    Args:
        code_sizes: By symbol; 0 for those that do not occur.

    Returns:
        By symbol: its code as digits, the first bit of the stream last. Empty for those without.
    """
    per_size = [0] * (max(code_sizes, default=0) + 2)
    for size in code_sizes:
        per_size[size] += 1
    following = [0] * len(per_size)
    code = per_size[0] = 0
    for size in range(1, len(per_size)):
        code = code + per_size[size - 1] << 1
        following[size] = code
    result: list[str] = []
    for size in code_sizes:
        result.append(bits_of(following[size], size)[::-1])
        following[size] += 1
    return result


def run_lengths(code_sizes: list[int]) -> list[tuple[int, str]]:
    """The lengths of codes, their repetitions told in short.

    Args:
        code_sizes: By symbol.

    Returns:
        The symbols of the length code, each with its extra bits as digits: 0 to 15 is a length, 16 repeats the one
        before, 17 and 18 are zeros.
    """
    told: list[tuple[int, str]] = []
    before = -1
    place = 0
    while place < len(code_sizes):
        size = code_sizes[place]
        most = 138 if not size else 6 if size == before else 7
        count = 1
        while count < most and place + count < len(code_sizes) and code_sizes[place + count] == size:
            count += 1
        place += count
        if count < (3 if not size or size == before else 4):
            told += [(size, "")] * count
        elif size:
            if size != before:
                told.append((size, ""))
                count -= 1
            told.append((16, bits_of(count - 3, 2)))
        elif count <= 10:
            told.append((17, bits_of(count - 3, 3)))
        else:
            told.append((18, bits_of(count - 11, 7)))
        before = size
    return told


def frequencies_of(told: list[tuple[int, str]]) -> list[int]:
    """How often each symbol of the length code occurs.

    Args:
        told: From ``run_lengths``.

    Returns:
        By symbol.
    """
    counts = [0] * LENGTH_CODES
    for symbol, _ in told:
        counts[symbol] += 1
    return counts
