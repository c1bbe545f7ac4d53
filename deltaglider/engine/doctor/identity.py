"""A delta gets the metadata it should have, once its reference and its original file are proven."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from deltaglider.codec.windows import outline
from deltaglider.codec.xdelta3 import COMMAND
from deltaglider.engine import reference
from deltaglider.engine.context import TOOL
from deltaglider.engine.doctor.case import Case
from deltaglider.engine.doctor.rewrite import rewrite
from deltaglider.engine.doctor.sources import Want, put_back
from deltaglider.engine.doctor.standing import own_places, spaces_of
from deltaglider.engine.locate import Form, head_or_none
from deltaglider.errors import IntegrityError, InvalidInputError
from deltaglider.files import Digests
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import name_of, reference_key, without_delta
from deltaglider.layout.metadata import USER_PREFIX, Description, recorded_fields
from deltaglider.layout.text import parse_time
from deltaglider.models import Finding

_OURS = ("dg-", "dg_")


async def adopt(
    case: Case,
    form: Form,
    delta: Path,
    sha256: str,
    original: Digests,
    *,
    code: str,
    what: str,
    command: str | None = None,
) -> Finding:
    """Tells of a delta that was explained, and with ``--repair`` makes it one.

    Args:
        case: The examination.
        form: What is stored.
        delta: Its bytes.
        sha256: Of its reference.
        original: Of the file it decodes to.
        code: The finding's.
        what: The finding's message.
        command: How it was made; ``None`` if that is not known.

    Returns:
        The finding.

    Raises:
        StoreError: The store failed.
    """
    finding = await _adopt(case, form, delta, sha256, original, code, what, command)
    if not finding.repaired:
        case.astray.add(sha256)
    return finding


async def _adopt(
    case: Case,
    form: Form,
    delta: Path,
    sha256: str,
    original: Digests,
    code: str,
    what: str,
    command: str | None,
) -> Finding:
    stored_key = form.stored.key
    key = without_delta(stored_key)
    assert key is not None
    if not case.repair:
        return case.problem(code, stored_key, what, "It was found out: --repair records it")
    whole = await head_or_none(case.ctx, case.bucket, key)
    if whole is not None:
        remedy = f"{case.uri(key)} is there whole, and may be newer: delete one of them"
        return case.problem(code, stored_key, what, remedy)
    home = await _home(case, key, sha256)
    if home is None:
        return case.problem(code, stored_key, what, "Its reference could not be put into its deltaspace: look again")
    description = _description(case, form, key, home, sha256, original, command)
    description = dataclasses.replace(description, codec=(await case.ctx.thread(outline, delta)).codec)
    try:
        metadata = description.write(_of_the_user(form.stored.metadata), uri=case.uri(stored_key))
    except InvalidInputError as error:
        return case.problem(code, stored_key, what, f"It has no room for its metadata: {error.message}")

    async def fetch(path: Path) -> None:
        await case.ctx.store.fetch(case.bucket, home, path, moved=case.ctx.received)

    try:
        async with case.ctx.cache.use(sha256, fetch, uri=case.uri(home)) as (source, _):
            if not await rewrite(case, form, delta, metadata):
                return case.problem(code, stored_key, what, "It was written meanwhile: look again")
            there = reference.Reference(case.bucket, home, sha256, source.stat().st_size)
            await reference.confirm(case.ctx, reference.Chosen(there, source, created=False))
    except IntegrityError as error:
        return case.problem(code, stored_key, what, f"Its reference is damaged: {error.message}")
    case.named.add(home)
    return case.problem(code, stored_key, what, f"It is {case.uri(key)} again", repaired=True)


async def _home(case: Case, key: str, sha256: str) -> str | None:
    """Where its reference is in a deltaspace of its own, brought there if need be."""
    for place in own_places(key, sha256):
        held = await case.book.look(place)
        if held is not None and held.serves(sha256):
            return place
    home = reference_key(deltaspace_of(key, case.ctx.settings.deltaspace), sha256)
    await put_back(case, [Want(home, sha256, tuple(spaces_of(key)))])
    # Nothing was wrong with it, but that it was not there.
    case.mended.pop(home, None)
    held = await case.book.look(home)
    return home if held is not None and held.serves(sha256) else None


def _description(
    case: Case, form: Form, key: str, home: str, sha256: str, original: Digests, command: str | None
) -> Description:
    recorded = recorded_fields(form.stored.metadata)
    return Description(
        kind="delta",
        sha256=original.sha256,
        size=original.size,
        md5=original.md5,
        created=parse_time(recorded.get("created-at", "")) or form.stored.last_modified,
        name=name_of(key),
        tool=TOOL,
        reference_key=home,
        reference_sha256=sha256,
        delta_size=form.stored.size,
        # Of a delta that decodes without packing anything again, ours says the truth.
        command=recorded.get("delta-cmd", "") or command or COMMAND,
    )


def _of_the_user(metadata: Mapping[str, str]) -> dict[str, str]:
    """What is not ours, by the names the user gave."""
    is_bare = not any(name.startswith(_OURS) for name in metadata)
    fields = recorded_fields(metadata) if is_bare else {}
    ours = {spelling for field in fields for spelling in (field, field.replace("-", "_"))}
    named = {name.removeprefix(USER_PREFIX): value for name, value in metadata.items() if name not in ours}
    return {name: value for name, value in named.items() if not name.startswith(_OURS)}
