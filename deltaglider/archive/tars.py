"""The members of a tar: they lie in it as they are, and may be archives themselves."""

from __future__ import annotations

from collections.abc import Iterator

from deltaglider.archive.limits import Ledger
from deltaglider.archive.view import View

BLOCK = 512
_SUM = slice(148, 156)
_SIZE = slice(124, 136)
KIND = 156
_FILES = (b"0", b"\0", b"7")


def is_tar(head: bytes) -> bool:
    """Whether a file begins with the header of a member, by its checksum.

    Args:
        head: Its first 512 bytes.

    Returns:
        Whether it does.
    """
    return len(head) >= BLOCK and head[0] != 0 and _number(head[_SUM]) == checksum(head[:BLOCK])


def checksum(head: bytes | bytearray) -> int:
    """The checksum that the header of a member should have, which itself counts as blanks."""
    return sum(head) - sum(head[_SUM]) + 8 * 32


def size_of(head: bytes) -> int | None:
    """Bytes of the member that a header says; ``None`` if it says none."""
    size = _number(head[_SIZE])
    return None if size is None or size < 0 else size


def members(view: View, ledger: Ledger) -> Iterator[tuple[int, int]]:
    """The members that are files.

    Args:
        view: The tar.
        ledger: Counts the members.

    Yields:
        Start and size.
    """
    position = 0
    while ledger.member():
        head = view.read(position, BLOCK)
        if not is_tar(head):
            return
        size = size_of(head)
        if size is None:
            return
        position += BLOCK
        if size and head[KIND : KIND + 1] in _FILES and position + size <= view.size:
            yield position, size
        position += -(-size // BLOCK) * BLOCK


def _number(field: bytes) -> int | None:
    """Octal digits, or a binary number where the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else None
    digits = field.split(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None
