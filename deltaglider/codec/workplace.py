"""Where codecs that make a delta in several steps have their files on the way, and how one is put together."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deltaglider.codec.output import REMEDY
from deltaglider.files import local_errors


@contextlib.contextmanager
def workplace(delta: Path) -> Iterator[Path]:
    """A directory beside a delta, for what is needed on the way to or from it.

    Args:
        delta: The delta.

    Yields:
        The directory, absolute; it goes with all that is in it.

    Raises:
        LocalFileError: It cannot be made.
    """
    with contextlib.ExitStack() as stack:
        with local_errors(str(delta.parent), "no temporary directory can be made", REMEDY):
            name = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="codec-", dir=delta.parent, ignore_cleanup_errors=True)
            )
        yield Path(name).absolute()


def join(head: bytes, inner: Path, delta: Path) -> int:
    """Writes a head and an inner delta into one file. For worker threads.

    Args:
        head: The head.
        inner: The inner delta.
        delta: Where to; made or overwritten.

    Returns:
        Its bytes.

    Raises:
        LocalFileError: The disk is full.
    """
    with local_errors(str(delta.parent), "cannot be written", REMEDY), delta.open("wb") as file:
        file.write(head)
        with inner.open("rb") as rest:
            shutil.copyfileobj(rest, file)
        return file.tell()
