"""Where a delta's reference is, and where it should be: in a deltaspace of the delta's own, as its metadata record.

A reference that serves from another deltaspace goes when that one has no delta left, so a delta that was copied there
by other tools is readable only for the time being.
"""

from __future__ import annotations

from deltaglider.engine.doctor.case import Case
from deltaglider.engine.locate import Form
from deltaglider.late import dataclass
from deltaglider.layout.deltaspace import deltaspace_of
from deltaglider.layout.keys import (
    DELTA_SUFFIX,
    REFERENCE_NAME,
    classic_reference_key,
    deltaspace_of_reference,
    directory_of,
    name_of,
    parse_reference_key,
    reference_key,
)

MISSING = "reference_missing"
CHANGED = "reference_changed"
ELSEWHERE = "reference_elsewhere"
FOREIGN = "reference_foreign"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a delta stands with its reference.

    Attributes:
        recorded: The key its metadata record.
        home: The key where its reference is, or should be.
        good: Whether it is there.
        cause: What is wrong with what is recorded; empty if nothing is.
        readable: Whether the recorded place holds the reference, though it is another deltaspace's.
    """

    recorded: str
    home: str
    good: bool
    cause: str = ""
    readable: bool = False


def spaces_of(key: str) -> list[str]:
    """The deltaspaces an object's reference may be in, whatever the settings were when it was stored."""
    return list(dict.fromkeys([deltaspace_of(key, "versioned"), deltaspace_of(key, "directory")]))


async def standing_of(case: Case, form: Form) -> Standing:
    """Finds out how a delta stands.

    Args:
        case: The examination.
        form: A delta.

    Returns:
        Where its reference is.

    Raises:
        StoreError: The store did not answer.
    """
    assert form.description is not None
    key, recorded = form.stored.key.removesuffix(DELTA_SUFFIX), form.reference_key
    sha256 = form.description.reference_sha256
    spaces = spaces_of(key)
    held = await case.book.look(recorded)
    readable = held is not None and held.serves(sha256)
    near = deltaspace_of_reference(recorded) in spaces
    if readable and near:
        return Standing(recorded, recorded, good=True)
    is_foreign = recorded.startswith("s3://") or (held is not None and held.is_delta) or recorded == form.stored.key
    cause = ELSEWHERE if readable else FOREIGN if is_foreign else MISSING if held is None else CHANGED
    for place in own_places(key, sha256):
        own = await case.book.look(place)
        if own is not None and own.serves(sha256):
            return Standing(recorded, place, good=True, cause=cause, readable=readable)
    parsed = parse_reference_key(recorded)
    by_content = parsed is not None and parsed[1] == sha256
    classic = parsed is None and name_of(recorded) == REFERENCE_NAME and held is None
    home = reference_key(deltaspace_of(key, case.ctx.settings.deltaspace), sha256)
    if near and not is_foreign and (by_content or classic):
        home = recorded
    return Standing(recorded, home, good=False, cause=cause, readable=readable)


def own_places(key: str, sha256: str) -> list[str]:
    """Where the reference of an object may be, in its own deltaspaces.

    Args:
        key: The object's key.
        sha256: Of the reference.

    Returns:
        Stored keys.
    """
    return [*(reference_key(space, sha256) for space in spaces_of(key)), classic_reference_key(directory_of(key))]
