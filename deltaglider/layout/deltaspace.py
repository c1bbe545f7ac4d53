"""Which deltaspace a key belongs to: the directory whose references its deltas are made against.

Versions of one thing are usually kept in directories named by version, date or build number. In the ``versioned`` mode
such
directories at the end of a key's path are left out, so that ``releases/v2.0.0/app.zip`` is a delta against
``releases/v1.0.0/app.zip``. A wrong guess costs nothing but space: a delta that is not small is not kept.
"""

from __future__ import annotations

import re

from deltaglider.config import DeltaspaceMode
from deltaglider.layout.keys import directory_of

_NUMBER = r"\d+(?:[._]\d+)*"
_TAIL = (
    r"(?:[-+._~]?(?:a|alpha|b|beta|c|rc|pre|preview|dev|post|snapshot|final|ga|sp|hotfix|nightly|build|\d)[\w.+~-]*)?"
)
_DATE = r"\d{4}[-_.]?\d{2}(?:[-_.]?\d{2})?(?:[Tt_-]?\d{2}[-_.:h]?\d{2}(?:[-_.:m]?\d{2})?[Zz]?)?"
_WORD = (
    "v|ver|version|rel|release|build|bld|b|rev|revision|run|job|ci|rc|beta|alpha|snapshot|nightly|backup|epoch|step"
    "|checkpoint|ckpt|iter"
)
_VERSION_LIKE = re.compile(
    rf"""
      [vr]?{_NUMBER}{_TAIL}                               # 118, v1.2.0, 2.0.0-rc.1, 1.0-SNAPSHOT
    | {_DATE}                                             # 2026-11-22, 20261122T100000Z
    | (?:{_WORD})[-_.]?v?{_NUMBER}{_TAIL}                 # build-118, release_1.2, rc1, checkpoint-5000
    | (?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{{7,12}}    # an abbreviated commit
    | (?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{{40}}|[0-9a-f]{{64}})  # a whole one
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_version_like(segment: str) -> bool:
    """Whether a directory name tells a version, date, build or commit rather than a thing.

    Args:
        segment: One directory name, without slashes.

    Returns:
        Whether it is left out of a deltaspace.
    """
    return len(segment) <= 64 and _VERSION_LIKE.fullmatch(segment) is not None


def deltaspace_of(key: str, mode: DeltaspaceMode = "versioned") -> str:
    """The deltaspace of a key.

    Args:
        key: An object's key.
        mode: ``versioned`` leaves out version-like directories at the end; ``directory`` takes the key's directory as
            it is.

    Returns:
        A prefix that ends with a slash, or the empty string for the root of the bucket. The key begins with it.
    """
    directory = directory_of(key)
    if mode == "directory":
        return directory
    while directory:
        parent = directory_of(directory[:-1])
        if not is_version_like(directory[len(parent) : -1]):
            break
        directory = parent
    return directory
