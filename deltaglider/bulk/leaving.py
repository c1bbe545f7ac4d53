"""What is left alone rather than transferred: what exists already, and what lies in an archive. Pure."""

from __future__ import annotations

import dataclasses

from deltaglider.bulk.options import Archived
from deltaglider.errors import AlreadyExistsError, ArchivedError, LocalFileExistsError
from deltaglider.layout.uri import is_s3_uri
from deltaglider.models import Outcome


def left_alone(planned: Outcome, error: Exception, *, no_overwrite: bool, archived: Archived) -> Outcome | None:
    """The outcome of an item whose work failed because it was to be left alone.

    Args:
        planned: The item.
        error: What its work failed with.
        no_overwrite: Whether what exists was to be left alone.
        archived: What was to become of an object in an archive.

    Returns:
        The outcome; ``None`` if this is a failure like any.
    """
    if no_overwrite and isinstance(error, AlreadyExistsError | LocalFileExistsError):
        return dataclasses.replace(planned, status="unchanged")
    if isinstance(error, ArchivedError) and archived != "force":
        # Of the reference of a delta, where that is what lies there: it is what has to be restored.
        reference = error.uri if error.uri != planned.source else None
        return leave_archived(planned, archived, reference=reference)
    return None


def leave_archived(planned: Outcome, archived: Archived, *, reference: str | None = None) -> Outcome:
    """The outcome of an object that lies in an archive, in the words of ``aws s3``, which calls all of them GLACIER.

    Args:
        planned: The item.
        archived: What was to become of such an object: ``skip`` or ``ignore``.
        reference: What lies there in its place: the URI of a stored object it needs.

    Returns:
        A warning, or an outcome that nobody is told of.
    """
    if archived == "ignore":
        return dataclasses.replace(planned, status="unchanged")
    verb = "copy" if is_s3_uri(planned.target or "") else "download"
    what = f"Object needs {reference}, which" if reference is not None else "Object"
    message = (
        f"{what} is of storage class GLACIER. Unable to perform {verb} operations on GLACIER objects. You "
        "must restore the object to be able to perform the operation. See aws s3 "
        f"{verb} help for additional parameter options to ignore or force these transfers."
    )
    return dataclasses.replace(planned, status="skipped", message=message)
