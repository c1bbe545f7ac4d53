"""The search for what made a deflate stream: the encoder that gives the same bytes again.

The likeliest is tried first: what made the last stream of the same kind, then what the container hints at. An encoder
is out at the first byte that differs, and that comes early: the levels differ in how they look for matches. So what is
wrong costs little, and what is right is made once, to the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from deltaglider.archive.batches import BATCH, FILES, Bench, Program, grouped
from deltaglider.archive.encoder import CHROMIUM, GZIP, ZLIB, Encoder
from deltaglider.archive.makers import Machine, Makers
from deltaglider.archive.stream import Family
from deltaglider.archive.tree import Node
from deltaglider.archive.view import PIECE, View
from deltaglider.archive.waiting import result_of
from deltaglider.config import KIB
from deltaglider.files import stop_if_cancelled

_Kind = tuple[Family, int]

_TELLING = 4 * KIB  # Packed bytes: what fits none of the encoders at this length was made by none of them.
_SAMPLES = 3  # Streams of a kind that are tried with everything, before the others are not.
_UNIX = 3  # In the last byte of a gzip header.
_BEGINNING = 256 * KIB  # Packed bytes a program is tried on; of the result the first half is compared.

# What zip says in bits 1 and 2 of its flags (normal, maximum, fast, super fast), and gzip in the byte before the last
# of its header (0; 2: best; 4: fastest), to the levels, the likeliest first.
_ZIP_LEVELS = {0: (6, 9, 1), 1: (9, 6, 8), 2: (2, 1, 3, 6), 3: (1, 2, 6)}
_GZIP_LEVELS = {0: (6, 9, 1), 2: (9, 6), 4: (1, 6)}
_ALL_LEVELS = (6, 9, 1, 5, 8, 7, 4, 3, 2)


class Search:
    """Looks for encoders, and remembers what it found for the streams to come.

    Args:
        makers: The encoders at hand.
        directory: For temporary files.
        threads: How many streams are tried at once.
    """

    def __init__(self, makers: Makers, directory: Path, threads: int) -> None:
        self._makers, self._directory, self._threads = makers, directory, threads
        self._lately: dict[_Kind, Encoder] = {}
        self._stopped = threading.Event()

    def __call__(self, nodes: list[Node]) -> None:
        """Notes in each node the encoder that makes it, where there is one.

        Args:
            nodes: Streams.
        """
        kinds: dict[_Kind, list[Node]] = {}
        for node in nodes:
            kinds.setdefault((node.stream.family, node.stream.hint), []).append(node)
        self._stopped.clear()
        with ThreadPoolExecutor(self._threads, "deltaglider-deflate") as pool:
            try:
                for kind, each in kinds.items():
                    self._search(kind, each, pool)
            finally:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)

    def _search(self, kind: _Kind, nodes: list[Node], pool: ThreadPoolExecutor) -> None:
        steps = [
            partial(self._by_zlib, pool=pool),
            partial(self._by_program, GZIP),
            partial(self._by_program, CHROMIUM),
        ]
        if kind[0] == "gzip" and kind[1] & 0xFF == _UNIX:
            steps[:2] = reversed(steps[:2])  # That is what gzip says; most libraries do not know where they run.
        for step in steps:
            left = [node for node in nodes if node.encoder is None]
            if left:
                step(kind, left)

    def _by_zlib(self, kind: _Kind, nodes: list[Node], pool: ThreadPoolExecutor) -> None:
        # One after the other, until one is found: the others are then most likely made by the same.
        samples = sorted((node for node in nodes if node.stream.size >= _TELLING), key=lambda node: node.plain.size)
        for node in samples[:_SAMPLES]:
            if kind in self._lately:
                break
            node.encoder = self._try_zlib(kind, node)
        hopeless = kind not in self._lately and len(samples) >= _SAMPLES
        left = [node for node in nodes if node.encoder is None and not (hopeless and node.stream.size >= _TELLING)]
        for future in [pool.submit(self._try_all, kind, job) for job in grouped(left, _size, PIECE)]:
            result_of(future)
            stop_if_cancelled()

    def _try_all(self, kind: _Kind, nodes: list[Node]) -> None:
        for node in nodes:
            node.encoder = self._try_zlib(kind, node)

    def _try_zlib(self, kind: _Kind, node: Node) -> Encoder | None:
        for encoder in _candidates(kind, self._lately.get(kind)):
            machine = self._makers.machine(encoder)
            if machine is not None and self._makes(machine, node):
                if node.stream.size >= _TELLING:
                    self._lately[kind] = encoder
                return encoder
        return None

    def _makes(self, machine: Machine, node: Node) -> bool:
        position, start = 0, node.stream.start
        for piece in node.plain.pieces():
            made = machine.compress(piece)
            if made:
                if node.container.read(start + position, len(made)) != made:
                    return False
                position += len(made)
            if self._stopped.is_set():
                return False
            stop_if_cancelled()  # Samples are tried in the caller's thread.
        made = machine.flush()
        size = position + len(made)
        return size == node.stream.size and node.container.read(start + position, len(made)) == made

    def _by_program(self, maker: int, kind: _Kind, nodes: list[Node]) -> None:
        telling = [node for node in nodes if node.stream.size >= _TELLING] or [max(nodes, key=lambda n: n.stream.size)]
        sample = min(telling, key=lambda node: node.plain.size)
        for level in _levels(kind):
            encoder = Encoder(maker, level)
            program = self._makers.program(encoder)
            if program is not None and self._fitting(program, level, [sample], _BEGINNING):
                break
        else:
            return
        for batch in grouped(nodes, _size, BATCH, FILES):
            for node in self._fitting(program, level, batch):
                node.encoder = encoder

    def _fitting(self, program: Program, level: int, nodes: Sequence[Node], most: int | None = None) -> list[Node]:
        """Those of the nodes that a program makes, or whose beginnings of so many packed bytes it makes."""
        with Bench(self._directory) as bench:
            made = bench.pack(program, level, [node.plain.pieces(0, _beginning(node, most)) for node in nodes])
            if made is None:
                return []
            return [node for node, body in zip(nodes, made, strict=True) if _fits(node, body, most)]


def _levels(kind: _Kind) -> list[int]:
    family, hint = kind
    likely = _ZIP_LEVELS.get(hint, ()) if family == "zip" else _GZIP_LEVELS.get(hint >> 8, ())
    return list(dict.fromkeys([*likely, *_ALL_LEVELS]))


def _candidates(kind: _Kind, lately: Encoder | None) -> Iterable[Encoder]:
    levels = _levels(kind)
    candidates = [Encoder(ZLIB, level, memory) for memory in (8, 9) for level in levels]
    candidates += [Encoder(ZLIB, level, 8, 1) for level in levels if level > 3]
    candidates += [Encoder(ZLIB, 6, 8, strategy) for strategy in (2, 3)]
    return dict.fromkeys([lately, *candidates] if lately is not None else candidates)


def _size(node: Node) -> int:
    return node.plain.size


def _beginning(node: Node, most: int | None) -> int:
    """Bytes of a stream's content that tell what made it: all of a short one."""
    size = node.stream.size
    return node.plain.size if most is None or size <= most else node.plain.size * most // size


def _fits(node: Node, body: View, most: int | None) -> bool:
    """Whether a stream begins like what was made of its beginning, or is the same."""
    whole = most is None or node.stream.size <= most
    sure = body.size if whole else body.size // 2  # The last blocks of what was cut off are others.
    if sure > node.stream.size or (whole and sure != node.stream.size):
        return False
    theirs = node.container.pieces(node.stream.start, sure)
    return all(one == other for one, other in zip(body.pieces(0, sure), theirs, strict=False))
