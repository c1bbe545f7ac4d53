"""Where the concrete parts of a client are put together; nowhere else knows which they are."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

import anyio

from deltaglider.cache.notes import Notes
from deltaglider.cache.references import ReferenceCache
from deltaglider.codec.base import Codec
from deltaglider.codec.family import Codecs, LateCodecs
from deltaglider.config import Settings
from deltaglider.engine.context import Context
from deltaglider.engine.spool import Spool
from deltaglider.events import Observer, ignore
from deltaglider.store.base import ObjectStore

if TYPE_CHECKING:
    from deltaglider.codec.recompress import Recompressor

# Whoever wants the log says where to: without a handler of its own, Python would print warnings to stderr.
logging.getLogger("deltaglider").addHandler(logging.NullHandler())


def assemble(settings: Settings, observer: Observer = ignore) -> Context:
    """The parts of a client. Cheap: nothing is opened before it is used.

    Args:
        settings: What the user asked for.
        observer: Who listens.

    Returns:
        The parts.
    """
    if settings.log_level is not None:
        logging.getLogger("deltaglider").setLevel(settings.log_level)
    return Context(
        settings=settings,
        store=_store(settings, observer),
        codecs=LateCodecs(lambda: _codecs(settings)),
        cache=ReferenceCache(settings.cache_dir, settings.cache_size, temp_dir=settings.temp_dir),
        spool=Spool(settings.temp_dir),
        notes=Notes(settings.cache_dir, settings.notes_size),
        observer=observer,
        hashing=anyio.CapacityLimiter(settings.max_concurrent_codecs),
        recompressor=functools.cache(lambda: _recompressor(settings)),
    )


# Imported in these: whoever needs the one need not pay for the other.


def _codecs(settings: Settings) -> Codecs:
    from deltaglider.archive.limits import Limits
    from deltaglider.codec.aligned import Aligned
    from deltaglider.codec.archive import ArchiveCodec
    from deltaglider.codec.budget import Resources
    from deltaglider.codec.gate import Gate
    from deltaglider.codec.headers import HeadersCodec
    from deltaglider.codec.xdelta3 import Xdelta3
    from deltaglider.codec.zstd import Zstd

    resources = Resources(settings.max_concurrent_codecs, settings.codec_memory)
    xdelta3, zstd, gate = Xdelta3(settings.xdelta3, resources=resources), Zstd(resources), Gate(resources)
    threads, writes = settings.max_concurrent_codecs, settings.archive == "auto"
    aligned = Aligned(xdelta3, threads=threads)
    is_fast = settings.codec == zstd.label
    plain: tuple[Codec, ...] = (zstd, xdelta3) if is_fast else (xdelta3, zstd)
    unpacked = (*plain, aligned) if is_fast else (aligned, *plain)
    largest, alike = settings.archive_unpacked, Codecs(*unpacked, quiet=True)

    def with_headers(codecs: tuple[Codec, ...]) -> tuple[Codecs, HeadersCodec]:
        others = Codecs(*codecs, quiet=True)
        headers = HeadersCodec(alike, others, gate=gate, writes=writes, threads=threads, largest=largest)
        return Codecs(*codecs, special=(headers,), gate=gate, quiet=True), headers

    (of_unpacked, _), (of_files, headers) = with_headers(unpacked), with_headers(plain)
    aware = ArchiveCodec(
        of_unpacked,
        of_files,
        writes=writes,
        threads=threads,
        limits=Limits(unpacked=largest, repacked=settings.archive_repacked),
    )
    return Codecs(*plain, special=(aware,), inner=(headers,), gate=gate)


def _recompressor(settings: Settings) -> Recompressor:
    from deltaglider.codec.recompress import Recompressor

    return Recompressor(settings.max_concurrent_codecs)


def _store(settings: Settings, observer: Observer) -> ObjectStore:
    root = settings.embedded_root
    if root is not None:
        from deltaglider.store.directory import DirectoryStore

        return DirectoryStore(root)
    from deltaglider.store.s3 import S3Store

    return S3Store(settings, observer)
