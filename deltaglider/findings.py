"""What looking finds: at one object, at this machine, at a bucket. A part of ``deltaglider.models``."""

from __future__ import annotations

from typing import Literal

from deltaglider.late import dataclass
from deltaglider.records import Record

LEFTOVER_AGE = 24 * 3600.0
"""Seconds after which what looks left over belongs to no work that goes on."""

VerifyState = Literal["proven", "read", "checked", "earlier", "failed", "unread"]


@dataclass(frozen=True, slots=True)
class VerifyResult(Record):
    """What verifying one object proved.

    Attributes:
        bucket: The bucket.
        key: The key.
        valid: Whether it is sound, as far as it was looked at: false for ``failed`` and ``unread``.
        expected_sha256: As recorded; empty where none is.
        actual_sha256: Of the bytes read; empty where they were not or could not be read.
        message: One line: what was proven, or what is wrong.
        size: Bytes of the original file.
        state: ``proven``: its bytes are as recorded. ``read``: they were read, and nothing is recorded to compare with.
            ``checked``: what is recorded of it fits together. ``earlier``: proven by an earlier run, and checked.
            ``failed``: not sound. ``unread``: the store or this machine failed, which proves nothing.
        reference_key: The stored key of the reference it is a delta against; ``None`` for others.
    """

    bucket: str
    key: str
    valid: bool
    expected_sha256: str
    actual_sha256: str
    message: str
    size: int = 0
    state: VerifyState = "proven"
    reference_key: str | None = None

    def __bool__(self) -> bool:
        """``valid``: ``if client.verify(url)`` is what the predecessor's users wrote."""
        return self.valid


@dataclass(frozen=True, slots=True)
class RescueSummary(Record):
    """What could be had of a damaged object.

    Attributes:
        bucket: The bucket.
        key: The key.
        path: The file written. Where only the unpacked content could be had, its name says so.
        size: Bytes of it.
        sha256: Of it, in hex.
        exact: Whether these are the very bytes of the file that was stored, proven by its recorded SHA-256.
        expected_sha256: As recorded; empty where that is lost.
        message: One line: what was proven, or what is missing and why.
    """

    bucket: str
    key: str
    path: str
    size: int
    sha256: str
    exact: bool
    expected_sha256: str
    message: str


@dataclass(frozen=True, slots=True)
class Check(Record):
    """One thing ``doctor`` looked at.

    Attributes:
        name: What.
        ok: Whether it is fit for use.
        detail: One line: what was found, or what is wrong and what to do.
    """

    name: str
    ok: bool
    detail: str


Severity = Literal["problem", "note"]


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """One thing that ``survey`` found in a bucket.

    Attributes:
        code: What kind of thing, in a word that stays the same (``docs/troubleshooting``).
        uri: What it is about.
        severity: ``problem``: something is wrong; ``note``: merely untidy, or worth knowing.
        message: What was found, in one line.
        remedy: What can be done about it; empty where nothing need be.
        repaired: Whether that was done.
    """

    code: str
    uri: str
    severity: Severity
    message: str
    remedy: str = ""
    repaired: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something is wrong and not mended."""
        return self.severity == "problem" and not self.repaired
