"""What can still be had of an object that does not read: its bytes, or else what it held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deltaglider.engine import reference
from deltaglider.engine.beside import beside
from deltaglider.engine.context import Context, uri_of
from deltaglider.engine.decode import decode
from deltaglider.engine.locate import VCDIFF_MAGIC, Form, forms_of, is_start_of_delta, not_found
from deltaglider.engine.materialise import materialise
from deltaglider.engine.stray import rescue_stray
from deltaglider.engine.unpacked import unpacked, unpacking_of
from deltaglider.errors import IntegrityError, LocalFileExistsError, ReferenceCorruptError, ReferenceMissingError
from deltaglider.files import Digests, copy_file, local_errors, sha256_of
from deltaglider.late import dataclass
from deltaglider.layout.keys import name_of, without_delta
from deltaglider.layout.metadata import Description
from deltaglider.models import RescueSummary

_TARS = (".tar.gz", ".tgz", ".taz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")


@dataclass(frozen=True, slots=True)
class Rescue:
    """What is asked for.

    Attributes:
        bucket: The bucket.
        key: The object's key, or that of a delta that was stored as a file.
        target: The file to write the object to. Its unpacked content goes beside it, under ``unpacked_name``.
        reference: A file of the user's to take for the reference.
        overwrite: Whether an existing file may be replaced.
    """

    bucket: str
    key: str
    target: Path
    reference: Path | None = None
    overwrite: bool = False

    @property
    def uri(self) -> str:
        """``s3://bucket/key``."""
        return uri_of(self.bucket, self.key)


async def rescue(ctx: Context, asked: Rescue) -> RescueSummary:
    """Writes the original bytes of an object to a file, or, under another name, what the file held.

    Args:
        ctx: The client's parts.
        asked: What is asked for.

    Returns:
        What was had.

    Raises:
        NotFoundError: There is no such object.
        IntegrityError: Nothing can be had.
        LocalFileError: A file exists already, or cannot be written.
    """
    _require_free(asked.target, asked)
    forms = await forms_of(ctx, asked.bucket, asked.key)
    form = forms.newest
    stray = await _stray(ctx, forms.foreign if form is None else form)
    if stray is not None:
        return await _rescue_stray(ctx, asked, stray)
    if form is None:
        raise not_found(asked.bucket, asked.key, forms.occupied)
    if form.is_delta:
        return await _rescue_delta(ctx, asked, form)
    with beside(asked.target) as temporary:
        original = await materialise(ctx, asked.bucket, asked.key, temporary)
        expected = original.form.description.sha256 if original.form.description else ""
        message = "it is sound" if original.verified else "no SHA-256 is recorded to compare with"
        return _done(asked, temporary, asked.target, original.digests, expected, message, exact=True)


def unpacked_name(name: str) -> str:
    """What the unpacked content of a packed file is called: ``a.tgz.unpacked.tar``, ``a.gz.unpacked``."""
    return f"{name}.unpacked{'.tar' if name.lower().endswith(_TARS) else ''}"


async def _rescue_delta(ctx: Context, asked: Rescue, form: Form) -> RescueSummary:
    description = form.description
    assert description is not None
    with ctx.spool.file() as delta:
        await ctx.store.fetch(asked.bucket, form.stored.key, delta, if_match=form.stored.etag, moved=ctx.received)
        async with _reference(ctx, asked, description) as source:
            try:
                with beside(asked.target) as temporary:
                    digests = await decode(
                        ctx, asked.bucket, asked.key, description, source, delta, temporary, thorough=True
                    )
                    message = "these are the bytes that were stored"
                    return _done(asked, temporary, asked.target, digests, description.sha256, message, exact=True)
            except IntegrityError as error:
                problem = error
            if await ctx.thread(sha256_of, source) != description.reference_sha256:
                raise ReferenceCorruptError(
                    f"{asked.reference} is not the reference, whose SHA-256 is {description.reference_sha256}, and "
                    "gives nothing that could be proven",
                    uri=asked.uri,
                    remedy="Give the file that was first stored in its directory",
                ) from problem
            return await _hand_out_content(ctx, asked, description, source, delta, problem)


async def _hand_out_content(
    ctx: Context, asked: Rescue, description: Description, source: Path, delta: Path, problem: IntegrityError
) -> RescueSummary:
    packing = await unpacking_of(ctx, delta, description.name)
    if packing is None or not description.recompressed:
        raise problem
    target = asked.target.with_name(unpacked_name(asked.target.name))
    _require_free(target, asked)
    with unpacked(ctx) as content:
        try:
            digests = await content.decode(source, delta, description.size or 0)
        except IntegrityError:
            raise problem from None
        with beside(target) as temporary:
            with local_errors(str(target), "cannot be written"):
                await ctx.thread(copy_file, content.payload, temporary)
            message = (
                f"this is what the file held: an earlier tool lost how it was packed ({packing}), and no known way "
                f"gives its SHA-256 {description.sha256}"
            )
            return _done(asked, temporary, target, digests, description.sha256, message, exact=False)


async def _rescue_stray(ctx: Context, asked: Rescue, form: Form) -> RescueSummary:
    target = asked.target
    if asked.key == form.stored.key and target.name == name_of(form.stored.key):
        target = target.with_name(without_delta(target.name) or target.name)
    _require_free(target, asked)
    with beside(target) as temporary:
        found = await rescue_stray(ctx, form, temporary, reference=asked.reference)
        if found.unpacked:
            target = target.with_name(unpacked_name(target.name))
            _require_free(target, asked)
        return _done(asked, temporary, target, found.digests, found.expected, found.message, exact=found.exact)


async def _stray(ctx: Context, form: Form | None) -> Form | None:
    """The form, if it is a delta by its bytes that does not know what it is."""
    if form is None or form.is_delta or form.stored.size < len(VCDIFF_MAGIC):
        return None
    async with ctx.store.open(form.stored.bucket, form.stored.key, length=len(VCDIFF_MAGIC)) as body:
        start = b"".join([chunk async for chunk in body])
    return form if is_start_of_delta(start) else None


@asynccontextmanager
async def _reference(ctx: Context, asked: Rescue, description: Description) -> AsyncIterator[Path]:
    if asked.reference is not None:
        yield asked.reference.absolute()
        return
    try:
        async with reference.read(ctx, asked.bucket, asked.key, description) as (source, _):
            yield source
    except (ReferenceMissingError, ReferenceCorruptError) as error:
        raise type(error)(
            error.message,
            uri=asked.uri,
            remedy="If you have the file that was first stored in its directory, give it with --reference FILE",
        ) from error


def _require_free(target: Path, asked: Rescue) -> None:
    if not asked.overwrite and (target.exists() or target.is_symlink()):
        raise LocalFileExistsError("exists already", uri=str(target), remedy="Add --overwrite, or name another target")


def _done(
    asked: Rescue, temporary: Path, target: Path, digests: Digests, expected: str, message: str, *, exact: bool
) -> RescueSummary:
    _require_free(target, asked)  # Again: the work may have taken long.
    with local_errors(str(target), "cannot be written"):
        temporary.replace(target)
    return RescueSummary(
        bucket=asked.bucket,
        key=asked.key,
        path=str(target),
        size=digests.size,
        sha256=digests.sha256,
        exact=exact,
        expected_sha256=expected,
        message=message,
    )
