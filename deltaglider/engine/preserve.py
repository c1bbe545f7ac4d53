"""A file's time and mode: kept with its object, and given back."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path

from deltaglider.engine.locate import Form
from deltaglider.engine.options import UploadOptions
from deltaglider.files import local_errors
from deltaglider.layout.attributes import recorded_mode, recorded_mtime, written_attributes
from deltaglider.layout.metadata import user_metadata

logger = logging.getLogger("deltaglider.engine")


def with_attributes(options: UploadOptions | None, source: Path) -> UploadOptions:
    """The options for a file whose time and mode are to be kept. It blocks.

    Args:
        options: How files are stored; metadata of the user's own goes before.
        source: The file.

    Returns:
        The options for this file.

    Raises:
        LocalFileError: It cannot be looked at.
    """
    with local_errors(str(source), "cannot be read"):
        found = source.stat()
    options = options or UploadOptions()
    attributes = written_attributes(found.st_mtime_ns, found.st_mode)
    return dataclasses.replace(options, metadata={**attributes, **options.metadata})


def give_time(path: Path, form: Form, *, recorded: bool) -> None:
    """Gives a file the time of an object. It blocks; what cannot be set is logged.

    Args:
        path: The file.
        form: The object it came from.
        recorded: Give it the recorded time of the file that was stored, and its mode, where they are known.
    """
    metadata = user_metadata(form.stored.metadata, form.description) if recorded else {}
    moment, mode = recorded_mtime(metadata), recorded_mode(metadata)
    if moment is None:
        moment = round(form.stored.last_modified.timestamp() * 1_000_000) * 1000
    try:
        os.utime(path, ns=(moment, moment))
        if mode is not None:
            path.chmod(mode)
    except (OSError, OverflowError) as error:
        logger.warning("the time or mode of %s could not be set: %s", path, error)
