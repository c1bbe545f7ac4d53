"""The directory that downloads go to, and deletes happen in: nothing outside of it is ever touched.

All methods block; they are for worker threads.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from deltaglider.bulk.escape import escaped
from deltaglider.errors import LocalFileError
from deltaglider.files import local_errors


class Destination:
    """A local root.

    Args:
        root: The directory; it need not exist yet.
        escape: Whether names are written such that every system takes them.
    """

    def __init__(self, root: Path, *, escape: bool = False) -> None:
        self.root = root
        self._escape = escape

    def local_name(self, name: str) -> str:
        """What a file of this name is called here."""
        return escaped(name) if self._escape else name

    def create(self) -> None:
        """Makes the directory and those above it.

        Raises:
            LocalFileError: It cannot be made.
        """
        self.check()
        with local_errors(str(self.root), "the directory cannot be made"):
            self.root.mkdir(parents=True, exist_ok=True)

    def check(self) -> None:
        """Checks that nothing but a directory is in the root's place.

        Raises:
            LocalFileError: Something else is.
        """
        if os.path.lexists(self.root) and not self.root.is_dir():
            raise LocalFileError("it is not a directory", uri=str(self.root), remedy="Name another destination")

    def path_of(self, name: str) -> Path:
        """Where a file of this name goes. Names are trusted only after ``names.refusal`` and ``refusal``."""
        return self.root / self.local_name(name)

    def refusal(self, name: str) -> str:
        """Why a file may not be written under a name: symbolic links already here may lead elsewhere.

        Args:
            name: Relative to the root, approved by ``names.refusal``.

        Returns:
            A sentence; empty if all is well.

        Raises:
            LocalFileError: Something that is not a file is in its place, or cannot be looked at.
        """
        path = self.path_of(name)
        if not lies_in(path.parent, self.root):
            return "Its directory is a symbolic link that leads out of the destination."
        with local_errors(str(path), "cannot be written"):
            mode = _mode_of(path)
        if mode is None or stat.S_ISREG(mode) or stat.S_ISLNK(mode):  # A link is replaced, not followed.
            return ""
        problem = "a directory is in its place" if stat.S_ISDIR(mode) else "something that is no file is in its place"
        raise LocalFileError(
            f"cannot be written: {problem}", uri=str(path), remedy="Remove it, or use another destination"
        )

    def make_room(self, name: str) -> str:
        """``refusal``, and the directories above the file, made.

        Args:
            name: Relative to the root, approved by ``names.refusal``.

        Returns:
            Why the file may not be written; empty if it may.

        Raises:
            LocalFileError: A directory cannot be made; a file may be in its place.
        """
        reason = self.refusal(name)
        if reason:
            return reason
        path = self.path_of(name)
        with local_errors(str(path.parent), "the directory cannot be made"):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise LocalFileError(
                    "cannot be written: a file is in the place of its directory",
                    uri=str(path),
                    remedy="Remove that file, or use another destination",
                ) from error
        return ""

    def remove(self, name: str) -> str:
        """Deletes a file, or a symbolic link itself, if it lies here without a link on its way; absent is success.

        Args:
            name: Relative to the root, as a walk of the root gave it.

        Returns:
            Why it was left alone; empty if it is gone.

        Raises:
            LocalFileError: It cannot be deleted.
        """
        path = self.path_of(name)
        straight = Path(os.path.realpath(self.root), *self.local_name(name).split("/")[:-1])
        if os.path.normcase(os.path.realpath(path.parent)) != os.path.normcase(straight):
            return "Its directory is reached through a symbolic link."
        with local_errors(str(path), "cannot be deleted"):
            mode = _mode_of(path)
            if mode is None:
                return ""
            if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                return "It is not a file."
            path.unlink(missing_ok=True)
        return ""


def lies_in(path: Path, directory: Path) -> bool:
    """Whether a path, all symbolic links followed, is a directory or below it."""
    # By whole segments: a sibling whose name begins like the directory's is not inside.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))


def _mode_of(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
