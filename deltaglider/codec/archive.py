"""Deltas of what archives hold: the streams that differ are unpacked before another codec makes its delta of them."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import anyio

from deltaglider.archive.batches import Program
from deltaglider.archive.canaries import text
from deltaglider.archive.comparison import Side, compare, plain_size
from deltaglider.archive.container import VERSION, Head
from deltaglider.archive.encoder import CHROMIUM, GZIP, Encoder
from deltaglider.archive.expanding import expanded_size, recipe, write
from deltaglider.archive.gain import fresh_bytes
from deltaglider.archive.inflating import Spool
from deltaglider.archive.limits import Ledger, Limits
from deltaglider.archive.makers import Makers
from deltaglider.archive.parts import parts_of
from deltaglider.archive.rebuilding import Rebuilding
from deltaglider.archive.restoring import most_inflated, restore_source
from deltaglider.archive.search import Search
from deltaglider.archive.shortcuts import Shortcuts
from deltaglider.archive.survey import survey
from deltaglider.archive.tree import walk
from deltaglider.archive.view import File
from deltaglider.codec import programs
from deltaglider.codec.base import Encoded
from deltaglider.codec.family import Codecs
from deltaglider.codec.output import REMEDY, Output, require_room
from deltaglider.codec.programs import PackProgram
from deltaglider.codec.workplace import join, workplace
from deltaglider.errors import CodecError, CodecFailedError, IntegrityError, LocalFileError, LocalFileNotFoundError
from deltaglider.files import local_errors, sha256_of
from deltaglider.late import dataclass
from deltaglider.threads import in_thread

logger = logging.getLogger("deltaglider.codec")

T = TypeVar("T")

_CLEAR = 0.75  # Of what a plain delta must carry: a delta that is smaller need not be compared with it.
_LEAST_GAIN = 0.05  # Of the plain delta.
_REPACKED_PER_BYTE = 500  # Bytes deflated again at reading for each byte saved, at most.


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Both files, expanded, and what a reader must be told."""

    source: Path
    expanded: Path
    head: Head
    fresh: int
    repacked: int
    shortcuts: Shortcuts


class ArchiveCodec:
    """The codec.

    Args:
        inner: What makes the deltas of unpacked bytes.
        plain: What makes those of files where unpacking does not pay.
        writes: Whether it encodes; it always decodes.
        threads: How many streams are packed at once.
        limits: What looking into an archive may cost.
        makers: Programs that pack, by the number of their encoder. Default: those that are installed.
    """

    name = "archive"
    label = "archive-aware"
    is_costly = True

    def __init__(
        self,
        inner: Codecs,
        plain: Codecs,
        *,
        writes: bool = True,
        threads: int = 1,
        limits: Limits | None = None,
        makers: Mapping[int, Program] | None = None,
    ) -> None:
        self._inner, self._plain, self._writes, self._threads = inner, plain, writes, threads
        self._limits = limits or Limits()
        self._makers = Makers(
            {GZIP: PackProgram(programs.GZIP), CHROMIUM: PackProgram(programs.NODE)} if makers is None else makers
        )
        self._limiter = anyio.CapacityLimiter(threads)

    def takes(self, reference_size: int, target_size: int) -> bool:
        """See ``Codec.takes``."""
        return self._writes and any(codec.takes(reference_size, target_size) for codec in self._plain)

    async def encode(self, reference: Path, target: Path, delta: Path, *, limit: int) -> Encoded | None:
        """See ``Codec.encode``."""
        with workplace(delta) as directory:
            encoded = None
            try:
                prepared = await self._thread(self._prepare, reference, target, directory)
                if prepared is not None:
                    encoded = await self._smaller(reference, target, delta, limit, prepared, directory)
            except LocalFileNotFoundError:
                raise
            except (CodecFailedError, IntegrityError, LocalFileError) as error:  # It takes more room, and does more.
                logger.info("%s is not unpacked for its delta: %s", target, error)
        return encoded or await self._plain.encode(reference, target, delta, limit=limit)

    async def _smaller(
        self, reference: Path, target: Path, delta: Path, limit: int, prepared: _Prepared, directory: Path
    ) -> Encoded | None:
        """Writes the delta of what is unpacked, or the plain one where that is not clearly larger, or neither."""
        inner, aware = directory / "inner", directory / "aware"
        made = await self._inner.encode(prepared.source, prepared.expanded, inner, limit=limit)
        size = None
        if made is not None:
            head = dataclasses.replace(prepared.head, inner=made.codec)
            size = await self._thread(join, bytes(head), inner, aware)
        if made is None or size is None or size > limit:
            return None
        if size > prepared.fresh * _CLEAR:
            plain = await self._plain.encode(reference, target, delta, limit=limit)
            if plain is not None and not _is_worth_it(delta.stat().st_size - size, delta.stat().st_size, prepared):
                return plain
        with local_errors(str(delta.parent), "cannot be written", REMEDY):
            aware.replace(delta)
        return Encoded(self.name, f"archive; {made.command}", prepared.shortcuts)

    def _prepare(self, reference: Path, target: Path, directory: Path) -> _Prepared | None:
        with (
            local_errors(str(target), "cannot be read", REMEDY),
            File(reference) as old,
            File(target) as new,
            Spool(directory / "spool") as spool,
        ):
            theirs, ours = self._side(old), self._side(new)
            if {found.digest for found in ours.found} <= {found.digest for found in theirs.found}:
                return None
            compare(theirs, ours, spool, Search(self._makers, directory, self._threads))
            repacked = plain_size(ours.nodes)
            if not ours.nodes or repacked > self._limits.repacked:
                return None
            fresh = fresh_bytes(theirs.view, theirs.found, ours.nodes)
            if fresh * _REPACKED_PER_BYTE < repacked:
                return None
            source, expanded = directory / "source", directory / "expanded"
            require_room(directory, expanded_size(theirs.view, theirs.nodes) + expanded_size(ours.view, ours.nodes))
            write(theirs.view, theirs.nodes, source)
            write(ours.view, ours.nodes, expanded)
            with File(expanded) as file:
                steps = recipe(theirs.view, theirs.nodes, file.view(), ours.nodes)
            if sum(node.plain.size for node in walk(theirs.nodes) if node.inner) > most_inflated(source.stat().st_size):
                return None
            head = Head("", ours.view.size, source.stat().st_size, expanded.stat().st_size, steps)
            return _Prepared(source, expanded, head, fresh, repacked, Shortcuts(target, ours.nodes, new.state))

    def _side(self, file: File) -> Side:
        ledger = Ledger(self._limits)
        return Side(file.view(), survey(file.view(), ledger), ledger)

    async def decode(
        self, reference: Path, delta: Path, target: Path | None, *, size: int, recompress: bool = False
    ) -> str:
        """See ``Codec.decode``."""
        del recompress  # There is nothing of the kind in deltas of ours.
        return await self._decode(reference, delta, target, size, None)

    async def prove(self, reference: Path, delta: Path, shortcuts: object, *, size: int) -> str:
        """See ``codec.base.Proving``."""
        assert isinstance(shortcuts, Shortcuts)
        return await self._decode(reference, delta, None, size, shortcuts)

    async def _decode(
        self, reference: Path, delta: Path, target: Path | None, size: int, shortcuts: Shortcuts | None
    ) -> str:
        with workplace(delta) as directory:
            inner, expanded = directory / "inner", directory / "expanded"
            head, source = await self._thread(self._open, reference, delta, inner, size)
            await self._inner.decode(source, inner, expanded, size=head.expanded, codec=head.inner)
            with contextlib.ExitStack() as stack:
                known = None if shortcuts is None else stack.enter_context(shortcuts.known())
                rebuilding = Rebuilding(self._makers, directory, self._threads, known)
                return await self._thread(_rebuild, rebuilding, head, expanded, Output(target, size))

    def _open(self, reference: Path, delta: Path, inner: Path, size: int) -> tuple[Head, Path]:
        """Takes the delta apart, and makes the source of the inner one."""
        with local_errors(str(delta), "cannot be read", REMEDY), delta.open("rb") as file:
            head = Head.read(file)
            with inner.open("wb") as out:
                shutil.copyfileobj(file, out)
        with local_errors(str(reference), "cannot be read", REMEDY), File(reference) as old:
            head.check(old.size, size)
            if not head.recipe.taken:
                return head, reference
            require_room(inner.parent, head.source + head.expanded)
            source = inner.parent / "source"
            restore_source(old.view(), head.recipe, head.source, source, inner.parent / "spool")
            return head, source

    async def self_test(self) -> str:
        """See ``Codec.self_test``."""
        version = f"{VERSION} (zlib {zlib.ZLIB_RUNTIME_VERSION}"
        if self._makers.machine(Encoder()) is None:
            await self._thread(self._makers.check_own)
            return f"{version}, which packs otherwise than most archives are: these are read, but slowly)"
        with tempfile.TemporaryDirectory(prefix="deltaglider-self-test-") as name:
            reference, target, delta = (Path(name, each) for each in ("reference", "target", "delta"))
            words = text()
            reference.write_bytes(_gzip(words))
            target.write_bytes(_gzip(words[30_000:] + words[:30_000]))
            size = target.stat().st_size
            encoded = await self.encode(reference, target, delta, limit=size)
            if encoded is None or encoded.codec != self.name:
                raise CodecError("what is packed is not found in an archive")
            if await self.decode(reference, delta, None, size=size) != await self._thread(sha256_of, target):
                raise CodecError("archives do not come back as they were")
        return f"{version})"

    async def _thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await in_thread(work, *arguments, limiter=self._limiter)


def _gzip(data: bytes) -> bytes:
    machine = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return machine.compress(data) + machine.flush()


def _rebuild(rebuilding: Rebuilding, head: Head, expanded: Path, out: Output) -> str:
    with local_errors(str(expanded.parent), "cannot be read", REMEDY), File(expanded) as file, out:
        view = file.view()
        rebuilding.write(view, parts_of(view, head.recipe), out)
        return out.sha256


def _is_worth_it(saved: int, plain: int, prepared: _Prepared) -> bool:
    return saved >= plain * _LEAST_GAIN and saved * _REPACKED_PER_BYTE >= prepared.repacked
