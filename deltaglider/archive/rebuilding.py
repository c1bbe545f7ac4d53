"""A target made of its expanded form: its streams deflated again, several at once, and written in their order."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from deltaglider.archive.batches import BATCH, FILES, Bench, grouped
from deltaglider.archive.encoder import Encoder
from deltaglider.archive.makers import Makers
from deltaglider.archive.parts import Part, all_parts
from deltaglider.archive.shortcuts import Known
from deltaglider.archive.view import PIECE, File, View
from deltaglider.archive.waiting import result_of
from deltaglider.config import MIB
from deltaglider.errors import CodecMissingError
from deltaglider.files import stop_if_cancelled

_SMALL = 4 * MIB  # Bytes of a stream, unpacked, that is made in memory.
_AHEAD = 32 * MIB  # Bytes of such streams that wait for their turn to be written.
_LARGE_AHEAD = 8  # Of the others: they wait in files.
_LOOK = 64  # Pieces between two looks whether the caller was cancelled.


class Writer(Protocol):
    """Takes the file; it raises what it will where that is too long."""

    def write(self, chunk: bytes, /) -> object:
        """Takes the next bytes."""


class Rebuilding:
    """Makes targets of their expanded forms.

    Args:
        makers: The encoders at hand.
        directory: For temporary files.
        threads: How many streams are made at once.
        known: Streams that need not be made.
    """

    def __init__(self, makers: Makers, directory: Path, threads: int, known: Known | None = None) -> None:
        self._known = known or {}
        self._makers, self._directory, self._threads = makers, directory, threads
        self._stopped = threading.Event()

    def write(self, view: View, parts: list[Part], out: Writer) -> None:
        """Writes a target.

        Args:
            view: The target, expanded.
            parts: Its streams.
            out: Where to write.

        Raises:
            CodecMissingError: An encoder is not known here.
        """
        with Bench(self._directory) as bench, ThreadPoolExecutor(self._threads, "deltaglider-deflate") as pool:
            try:
                self._run_programs(parts, bench)
                for number, piece in enumerate(self._pieces(view, parts, pool)):
                    out.write(piece)
                    if number % _LOOK == 0:
                        stop_if_cancelled()
            finally:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)

    def _run_programs(self, parts: list[Part], bench: Bench) -> None:
        """Makes those streams that need a program: many by one run, those in others first."""
        waiting: dict[Encoder, list[Part]] = {}

        def pack(encoder: Encoder) -> None:
            batch = waiting.pop(encoder)
            program = self._makers.program(encoder)
            assert program is not None
            made = bench.pack(program, encoder.level, [self._content(part) for part in batch])
            for part, packed in zip(batch, made or (), strict=made is not None):
                part.packed = packed

        for part in all_parts(parts):
            program = self._makers.program(part.encoder)
            if program is not None or self._known:
                for inner in all_parts(part.inner):
                    if inner.packed is None and inner.encoder in waiting:
                        pack(inner.encoder)
            part.packed = self._lookup(part)
            if part.packed is not None or program is None:
                continue
            batch = waiting.setdefault(part.encoder, [])
            if batch and (len(batch) >= FILES or sum(each.plain.size for each in (*batch, part)) > BATCH):
                pack(part.encoder)
                batch = waiting.setdefault(part.encoder, [])
            batch.append(part)
        for encoder in list(waiting):
            pack(encoder)

    def _lookup(self, part: Part) -> View | None:
        if not self._known:
            return None
        digest = hashlib.sha256()
        for piece in self._content(part):
            digest.update(piece)
            stop_if_cancelled()
        return self._known.get((part.encoder, digest.digest()))

    def _pieces(self, view: View, parts: list[Part], pool: ThreadPoolExecutor) -> Iterator[bytes]:
        """The target, with the outermost streams made ahead by the threads of the pool."""
        # A job for each small one would cost more than it does.
        jobs = deque(grouped(parts, lambda part: part.plain.size, PIECE))
        running: deque[tuple[int, list[Part], Future[list[bytes | Path]]]] = deque()
        ahead, position = 0, 0
        while jobs or running:
            while jobs and (not running or ahead < _AHEAD):
                job = jobs.popleft()
                weight = min(sum(part.plain.size for part in job), _AHEAD // _LARGE_AHEAD)
                ahead += weight
                running.append((weight, job, pool.submit(self._make, job)))
            weight, job, future = running.popleft()
            ahead -= weight
            made = result_of(future)
            for part, result in zip(job, made, strict=True):
                yield from view.pieces(position, part.start - position)
                position = part.start + part.plain.size
                if isinstance(result, bytes):
                    yield result
                    continue
                with File(result) as file:
                    yield from file.view().pieces()
                result.unlink()
        yield from view.pieces(position)

    def _make(self, job: list[Part]) -> list[bytes | Path]:
        """Makes some streams: in memory, or a large one in a file."""
        if job[0].plain.size <= _SMALL:
            return [b"".join(self._deflated(part)) for part in job]
        path = self._directory / f"stream-{id(job[0])}"
        with path.open("wb") as file:
            for piece in self._deflated(job[0]):
                file.write(piece)
        return [path]

    def _deflated(self, part: Part) -> Iterator[bytes]:
        if part.packed is not None:
            yield from part.packed.pieces()
            return
        machine = self._makers.any_machine(part.encoder)
        if machine is None:
            raise CodecMissingError(
                f"nothing here packs as {part.encoder} does", remedy="Install a later version of deltaglider"
            )
        for piece in _even(self._content(part)):
            if self._stopped.is_set():
                return
            yield machine.compress(piece)
        yield machine.flush()

    def _content(self, part: Part) -> Iterator[bytes]:
        """What a stream is made of: its content, with the streams in it packed."""
        position = 0
        for inner in part.inner:
            yield from part.plain.pieces(position, inner.start - position)
            yield from self._deflated(inner)
            position = inner.start + inner.plain.size
        yield from part.plain.pieces(position)


def _even(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in the pieces in which the search gave them to the encoder.

    Where zlib keeps a block that does not compress as it is, and with a memory level of 9, what it makes depends on how
    much it is given at once.
    """
    rest = bytearray()
    for piece in pieces:
        if not rest and len(piece) == PIECE:
            yield piece
            continue
        rest += piece
        while len(rest) >= PIECE:
            yield bytes(rest[:PIECE])
            del rest[:PIECE]
    if rest:
        yield bytes(rest)
