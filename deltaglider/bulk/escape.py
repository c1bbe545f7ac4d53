r"""Keys as names of files on any system, and back. Pure.

What no file can be called everywhere is written as ``%`` and two hexadecimal digits: control characters, the characters
``< > : " | ? * \ %``, a dot or blank at the end of a segment, the segments ``.`` and ``..``, the first letter of names
that Windows reserves; and an empty segment as ``%2F``, which no segment can hold otherwise.
"""

from __future__ import annotations

import re

from deltaglider.bulk.names import is_reserved_on_windows

_FORBIDDEN = re.compile(r'[<>:"|?*\\%\x00-\x1f\x7f]')
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_EMPTY = "%2F"


def escaped(name: str) -> str:
    """The name of a file for a key.

    Args:
        name: A key, relative to the prefix downloaded.

    Returns:
        A name that every system takes, with ``/`` between segments.
    """
    return "/".join(_escaped(segment) for segment in name.split("/"))


def unescaped(name: str) -> str:
    """The key that a name of a file stands for.

    Args:
        name: The name, or a segment of it.

    Returns:
        The key; what is no escape stays as it is.
    """
    return "/".join(_unescaped(segment) for segment in name.split("/"))


def _escaped(segment: str) -> str:
    if not segment:
        return _EMPTY
    if not segment.strip("."):  # "." and "..", and more dots, which Windows drops.
        return "%2E" * len(segment)
    text = _FORBIDDEN.sub(_hexadecimal, segment)
    if text[-1] in ". ":
        text = text[:-1] + f"%{ord(text[-1]):02X}"
    if is_reserved_on_windows(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    return text


def _unescaped(segment: str) -> str:
    return "" if segment == _EMPTY else _ESCAPED.sub(_character, segment)


def _hexadecimal(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _character(match: re.Match[str]) -> str:
    # A slash would make two segments of one, and a NUL is in no key.
    character = chr(int(match[1], 16))
    return match[0] if character in "/\0" or ord(character) > 0x7F else character
