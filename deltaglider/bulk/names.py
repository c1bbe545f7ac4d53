"""Which names of objects can be names of files. Pure."""

from __future__ import annotations

import os
import re

_FORBIDDEN_ON_WINDOWS = re.compile(r'[<>:"|?*\x00-\x1f]')
_RESERVED_ON_WINDOWS = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE | re.DOTALL
)


def refusal(name: str, *, windows: bool = os.name == "nt") -> str:
    """Why a name cannot be that of a file below a destination.

    Args:
        name: A key, relative to the prefix downloaded.
        windows: Whether the rules of Windows apply besides.

    Returns:
        A sentence, in the words of ``aws s3`` where it has any; empty if all is well.
    """
    segments = (name.replace("\\", "/") if windows else name).split("/")
    if ".." in segments:
        return "File references a parent directory."
    if "\0" in name:
        return "File name holds a NUL character."
    if not is_text(name):
        return "File name is not valid text."
    if windows and "\\" in name:
        return "File name holds a backslash, which separates directories on Windows."
    if not segments[0] and name:
        return "File references an absolute path."
    # "a//b", "a/./b" and "a/b" would be one file here, and a sync would never come to rest over them.
    if "" in segments or "." in segments:
        return "File name has an empty segment."
    return _windows_refusal(segments) if windows else ""


def _windows_refusal(segments: list[str]) -> str:
    for segment in segments:
        if _FORBIDDEN_ON_WINDOWS.search(segment) or segment[-1] in " .":
            return "File name is not possible on Windows."
        if is_reserved_on_windows(segment):
            return "File name is reserved on Windows."
    return ""


def is_reserved_on_windows(segment: str) -> bool:
    """Whether Windows means a device by a name, whatever its ending."""
    return _RESERVED_ON_WINDOWS.fullmatch(segment) is not None


def is_text(name: str) -> bool:
    """Whether a name has a UTF-8 form; names of files that are not UTF-8 hold lone surrogates instead."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Ancestors:
    """Of a sorted stream of names, those below which the next names may lie: ``a`` for ``a/b``.

    Between ``a`` and ``a/b`` other names may stand, ``a.txt`` among them. All names kept are beginnings of the last one
    seen, so they are few.
    """

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, name: str) -> None:
        """Takes note of a name."""
        self._forget_before(name)
        self._names.append(name)

    def of(self, name: str) -> str | None:
        """The name noted that is ``name`` or, as a directory, holds it; ``None`` if there is none."""
        self._forget_before(name)
        return next((noted for noted in self._names if name == noted or name.startswith(f"{noted}/")), None)

    def _forget_before(self, name: str) -> None:
        # "0" follows "/": all that lies below a name comes before the name with a "0" behind it.
        if self._names:
            self._names = [noted for noted in self._names if name < f"{noted}0"]
