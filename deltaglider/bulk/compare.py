"""Whether a file that both sides have is transferred again: the decision table of ``aws s3 sync``."""

from __future__ import annotations

from datetime import datetime

from deltaglider.bulk.entries import Entry
from deltaglider.models import Action


def differs(
    action: Action,
    source: Entry,
    target: Entry,
    *,
    size_only: bool = False,
    exact_timestamps: bool = False,
    no_overwrite: bool = False,
    preserve: bool = False,
) -> bool:
    """Whether ``source`` is to be transferred over ``target``.

    By default: if the sizes differ, or the source is newer (upload, copy), or the target is newer (download: a local
    edit is undone, an object newer than a local file of the same size is *not* fetched; that is how ``aws`` has it).
    Unlike in ``aws``, a source is newer than a time in whole seconds only by whole seconds.

    Args:
        action: ``upload``, ``download`` or ``copy``.
        source: The entry to transfer.
        target: The entry it would replace.
        size_only: Sizes alone decide.
        exact_timestamps: Downloads: any difference of the times counts. Beats ``size_only``, as in ``aws``.
        no_overwrite: What exists is left alone, whatever the rest says.
        preserve: Where the times of both files are known, any difference of them counts, and nothing else of time.

    Returns:
        Whether to transfer.
    """
    if no_overwrite:
        return False
    if source.size != target.size:
        return True
    if preserve and not size_only and source.written is not None and target.written is not None:
        return not _same_time(source.written, target.written)
    if action == "download" and exact_timestamps:
        # A download sets the file's time to the object's, in whole seconds where the file system has no finer ones.
        return target.modified not in (source.modified, source.modified.replace(microsecond=0))
    if size_only and not exact_timestamps:
        return False
    if action == "download":
        return target.modified > source.modified
    # Most stores keep whole seconds and round down: a file stored in the second it was made would seem newer than its
    # copy, and be sent again by the next sync. Where the store keeps fractions, an edit within the second is seen.
    precise = target.modified.microsecond != 0
    return (source.modified if precise else source.modified.replace(microsecond=0)) > target.modified


def _same_time(one: datetime, other: datetime) -> bool:
    """Whether two times are one: some file systems, and some tools, keep no fractions of a second."""
    if not one.microsecond or not other.microsecond:
        one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    return abs((one - other).total_seconds()) < 0.000_002
