"""Which deltaspace a key belongs to: the directory whose references its deltas are made against.

Versions of one thing are usually kept in directories named by version, date, build or commit. In the ``versioned`` mode
such directories at the end of a key's path are left out, so that ``releases/v2.0.0/app.zip`` is a delta against
``releases/v1.0.0/app.zip``. A wrong guess costs nothing but space: a delta that is not small is not kept.
"""

from __future__ import annotations

import re

from deltaglider.config import DeltaspaceMode
from deltaglider.layout.keys import directory_of

_LONGEST = 80
_LEADS = (
    "v|ver|version|r|rel|release|build|bld|rev|revision|tag|run|job|ci|pr|pipeline|rc|alpha|beta|preview|snapshot"
    "|nightly|weekly|daily|backup|dump|epoch|global_step|step|checkpoint|ckpt|iter|iteration|milestone|sprint|patch"
    "|hotfix|date|dt|year|month|day|hour"
)
# "v1.2", "build-118", "year=2026": a word of the above, then a number. A single "b" wants more digits: b2 is a thing.
_NUMBERED = re.compile(rf"(?:(?:{_LEADS})[-_.=]?v?|b(?=\d{{3}}))?(?P<number>\d+(?:[._]\d+)*)(?P<rest>.*)")
# What may follow a number: a word or letter with its own number, at once or after a separator; and after separators
# more of these, numbers, commits. ``(?>...)`` and ``*+`` never look back, so no name takes long to refuse.
_WORDS = (
    "alpha|beta|rc|cr|pre|preview|dev|devel|post|patch|pl|snapshot|final|ga|sp|hotfix|fix|nightly|weekly|daily|build|bld"
    "|rev|milestone|ea|eap|lts|esr|release|stable|canary|next|test|dirty|insiders?|experimental|update"
)
_ATTACHED = rf"(?:{_WORDS})\d*|(?:[abcmpruhwq]|fc|el|deb)\d+[a-z]?"
_SEPARATED = rf"(?>(?:{_ATTACHED}|\d+|x|git|g?[0-9a-f]{{7,12}})(?=[-+._~]|$))"
_QUALIFIERS = re.compile(rf"(?:{_ATTACHED})?(?:[-+._~]{_SEPARATED})*+")
# A number with a dot is a version whatever follows it, as in 3.11-alpine; with two, a letter may, as in 1.1.1k.
_VARIANT = re.compile(r"[-+_~.][\w.+~-]*")
_LETTERS = re.compile(r"[a-z]{1,2}")
_TIME = r"\d{2}(?:[-_.:h]?\d{2}(?:[-_.:m]?\d{2}(?:[.,]\d+)?)?s?)?(?:z|utc|[-+]\d{2}:?\d{2})?"
_MONTH = r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = re.compile(
    rf"""
    (?:(?:{_LEADS})[-_.=]?)?
    (?:
        (?:19|20)\d\d(?P<sep>[-_.]?)(?:0[1-9]|1[0-2])(?:(?P=sep)(?:0[1-9]|[12]\d|3[01])(?:[t_.-]?{_TIME})?)?
      | (?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|[12]\d|3[01])[-_.](?:19|20)\d\d   # 22-11-2026, either way round
      | (?:19|20)\d\d[-_.]?(?:q[1-4]|h[12]|w[0-5]\d|[a-h])                      # 2026Q4, 2026-W47, 2026a
      | (?:\d\d?[-_.]?)?(?:{_MONTH})[-_.]?(?:19|20)\d\d                         # 22-Nov-2026
      | (?:19|20)\d\d[-_.]?(?:{_MONTH})(?:[-_.]?\d\d?)?                         # 2026-Nov-22
    )
    (?:[-_.+](?:{_WORDS}|\d{{1,6}}|g?[0-9a-f]{{7,12}}))*                        # 2026-11-22-nightly, 20261122.3
    """,
    re.VERBOSE,
)
_HASH = re.compile(r"[0-9a-f]{7,12}|[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(
    rf"(?:g|(?:git|commit|rev|sha|main|master|develop|trunk|head|build)[-_.])?(?P<hash>{_HASH.pattern})"
)
# Words and names that happen to be hexadecimal: decade, ada2012, ed25519.
_NAME_LIKE = re.compile(r"[a-f]+|[a-f]{2,}(?:19|20)\d\d|ed25519")


def is_version_like(segment: str) -> bool:
    """Whether a directory name tells a version, date, build or commit rather than a thing.

    Args:
        segment: One directory name, without slashes.

    Returns:
        Whether it is left out of a deltaspace.
    """
    if len(segment) > _LONGEST or not segment.isascii():
        return False
    name = segment.lower()
    if name == "latest" or _DATE.fullmatch(name):
        return True
    commit = _COMMIT.fullmatch(name)
    if commit and not _NAME_LIKE.fullmatch(commit["hash"]):
        return True
    numbered = _NUMBERED.fullmatch(name)
    if not numbered:
        return False
    rest, dots = numbered["rest"], numbered["number"].count(".")
    return bool(
        _QUALIFIERS.fullmatch(rest) or (dots and _VARIANT.fullmatch(rest)) or (dots > 1 and _LETTERS.fullmatch(rest))
    )


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
        if not _is_a_version(directory[len(parent) : -1], of=parent):
            break
        directory = parent
    return directory


def _is_a_version(segment: str, of: str) -> bool:
    """Whether a directory holds a version of what its parent is: ``v1.2``, or ``nginx-1.2`` in ``nginx/``."""
    if is_version_like(segment):
        return True
    thing, name = of[:-1].rpartition("/")[2].lower(), segment.lower()
    if not thing or not name.startswith((f"{thing}-", f"{thing}_")):
        return False
    version = name[len(thing) + 1 :]
    # Not a lone number: office/office-2019/ and x86/x86_64/ are things beside others.
    return not version.isdigit() and is_version_like(version)
