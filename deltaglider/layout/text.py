"""Text and times as metadata hold them: in ASCII."""

from __future__ import annotations

import base64
import quopri
import re
from datetime import UTC, datetime

_ENCODED_WORD = re.compile(r"=\?utf-8\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
_ENCODED_WORDS = re.compile(rf"{_ENCODED_WORD.pattern}(?:\s+{_ENCODED_WORD.pattern})*", re.IGNORECASE)


def encode_text(text: str) -> str:
    """Text as metadata may hold it: plain printable ASCII as it is, anything else as one RFC 2047 encoded word.

    Args:
        text: Any text.

    Returns:
        ASCII that ``decode_text`` turns back into ``text``.
    """
    # Signatures and some stores fold spaces; a text that looks encoded must not come back decoded.
    if text.isascii() and text.isprintable() and " ".join(text.split()) == text == decode_text(text):
        return text
    return f"=?utf-8?b?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode('ascii')}?="


def decode_text(text: str) -> str:
    """What ``encode_text`` was given, or a store was: S3 answers UTF-8 with encoded words. Other text as it is."""
    if not _ENCODED_WORDS.fullmatch(text):
        return text
    try:
        return b"".join(map(_decode_word, _ENCODED_WORD.finditer(text))).decode("utf-8", "surrogatepass")
    except ValueError:  # Neither base64 nor UTF-8.
        return text


def _decode_word(word: re.Match[str]) -> bytes:
    if word[1] in "qQ":
        return quopri.decodestring(word[2].encode("ascii"), header=True)
    return base64.b64decode(word[2], validate=True)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and ``Z``: what every earlier reader parses too."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> datetime | None:
    """A time in any dialect, as UTC; ``None`` if it is none a clock can have shown. Times without an offset are UTC."""
    try:
        # Earlier tools append "Z" to whatever they have, an offset included.
        moment = datetime.fromisoformat(text.strip().rstrip("Zz"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if 1970 <= moment.year < 9999 else None
