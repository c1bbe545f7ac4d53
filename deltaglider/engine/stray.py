"""Deltas that do not know what they are: copied as files, or without their metadata.

xdelta3 checks every window it decodes, so that of many references only the right one gives anything. That is proof
enough to hand the result out, and to say that no SHA-256 has proven it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from deltaglider.codec.windows import Outline, outline
from deltaglider.engine import reference
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.locate import Form
from deltaglider.engine.unpacked import unpacked, unpacking_of
from deltaglider.errors import DeltaCorruptError, MetadataLostError, NotFoundError
from deltaglider.files import Digests, copy_file, digests_of, local_errors, sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import classic_reference_key, directory_of, name_of, trash_prefix, without_delta
from deltaglider.layout.metadata import recorded_fields
from deltaglider.layout.text import decode_text


@dataclass(frozen=True, slots=True)
class Found:
    """What a stray delta decodes to.

    Attributes:
        digests: Of what was written.
        expected: The SHA-256 that is still recorded; empty if that is gone too.
        unpacked: Whether it is what a packed file held, not the file.
        message: What was proven, and what not.
    """

    digests: Digests
    expected: str
    unpacked: bool
    message: str

    @property
    def exact(self) -> bool:
        """Whether these are the bytes of the file, proven."""
        return self.digests.sha256 == self.expected


async def rescue_stray(ctx: Context, form: Form, path: Path, *, reference: Path | None = None) -> Found:
    """Decodes a stray delta against whatever reference fits.

    Args:
        ctx: The client's parts.
        form: What is stored.
        path: An existing file to fill; its content is undefined when this raises.
        reference: The only reference to try; ``None`` for all of its deltaspaces.

    Returns:
        What was written.

    Raises:
        MetadataLostError: No reference fits.
        DeltaCorruptError: It is damaged.
    """
    stored = form.stored
    uri = uri_of(stored.bucket, stored.key)
    name = name_of(without_delta(stored.key) or stored.key)
    with ctx.spool.file() as delta, ctx.spool.file() as fetched:
        await ctx.store.fetch(stored.bucket, stored.key, delta, if_match=stored.etag, moved=ctx.received)
        frame = await ctx.thread(outline, delta)
        expected = recorded_fields(stored.metadata).get("file-sha256", "").lower()
        if expected == await ctx.thread(sha256_of, delta):
            expected = ""  # It was stored as a file: this is its own.
        if not (expected or reference is not None or (frame.checked and frame.sourced)):
            raise MetadataLostError(
                "nothing in it tells whether a reference is the right one",
                uri=uri,
                remedy="Give the right one with --reference FILE",
            )
        if reference is not None:
            found = await _try(ctx, name, expected, reference.absolute(), delta, path, frame)
            if found is not None:
                return found
        else:
            async for place in _places(ctx, form):
                try:
                    await ctx.store.fetch(stored.bucket, place, fetched, moved=ctx.received)
                except NotFoundError:
                    continue
                found = await _try(ctx, name, expected, fetched, delta, path, frame)
                if found is not None:
                    return found
    raise MetadataLostError(
        "it is a delta whose metadata are gone, and no reference "
        + ("of its deltaspaces decodes it" if reference is None else f"but another than {reference} can decode it"),
        uri=uri,
        remedy="Give the file that was first stored in the directory it comes from with --reference FILE",
    )


async def _try(
    ctx: Context, name: str, expected: str, source: Path, delta: Path, path: Path, frame: Outline
) -> Found | None:
    packing = await unpacking_of(ctx, delta, "")
    with unpacked(ctx) as content:
        try:
            await ctx.codecs.decode(source, delta, path, size=frame.size, codec=frame.codec)
            digests = await ctx.thread(digests_of, path)
        except DeltaCorruptError:
            try:
                digests = await content.decode(source, delta, frame.size)
            except DeltaCorruptError:
                return None
            with local_errors(str(path.parent), "cannot be written"):
                await ctx.thread(copy_file, content.payload, path)
    if expected and digests.sha256 != expected and packing is None:
        return None
    if digests.sha256 == expected:
        return Found(digests, expected, unpacked=False, message="these are the bytes that were stored")
    what = f"this is what {name} held, unpacked" if packing is not None else f"this is probably {name}"
    message = f"{what}: its SHA-256 is not recorded any more, so only the delta's own checksums have proven it"
    return Found(digests, expected, unpacked=packing is not None, message=message)


async def _places(ctx: Context, form: Form) -> AsyncIterator[str]:
    bucket, key = form.stored.bucket, form.stored.key
    named = decode_text(recorded_fields(form.stored.metadata).get("ref-key", ""))
    classic = classic_reference_key(directory_of(key))
    for place in dict.fromkeys([named, classic]):
        if place:
            yield place
    logical = without_delta(key) or key
    for space in dict.fromkeys([deltaspace_of(logical, "versioned"), deltaspace_of(logical, "directory")]):
        for each in await reference.list_references(ctx, bucket, space):
            yield each.key
        async for page in ctx.store.list_objects(bucket, trash_prefix(space)):
            for entry in page:
                yield entry.key
