"""Files made for presigned URLs: where they lie, how long they stay, and what is recorded of them. Pure.

A URL cannot make a file of a delta, so the file lies in the bucket for a while:

    .deltaglider/tmp/{SHA256}/{MARK}/{UNTIL}/{NAME}

Whatever is stored under such a key has the same bytes, headers and metadata, and the same end, whoever stored it. So
there is nothing to overwrite: one that is needed for longer is another object, and removing one whose time is over can
never take it from someone who has just begun to rely on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from deltaglider.errors import MetadataTooLargeError
from deltaglider.late import dataclass
from deltaglider.layout.keys import TEMPORARY_PREFIX, is_storable, name_of
from deltaglider.layout.metadata import LIMIT, metadata_size
from deltaglider.layout.text import encode_text, format_time, parse_time

_EXPIRES = "dg-expires-at"
_UNTIL = "%Y%m%dT%H%M%SZ"
_UNNAMED = "file"
_NOT_KEPT = "WebsiteRedirectLocation"  # It would lead away from the file.


@dataclass(frozen=True, slots=True)
class Rehydrated:
    """What a file is made of, and hence where it lies.

    Attributes:
        key: The object's key.
        sha256: Of the file, in hex.
        size: Bytes of the file.
        headers: The object's headers, by the names of ``HEADER_NAMES``.
        metadata: The user's own metadata.
        encryption: Write parameters that protect the file as the object is.
    """

    key: str
    sha256: str
    size: int
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    encryption: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the keys of all files begin with that may stand for this one."""
        kept = [sorted(part.items()) for part in (self.headers, self.metadata, self.encryption)]
        told = json.dumps([self.key, *kept])
        mark = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"{TEMPORARY_PREFIX}{self.sha256}/{mark}/"

    def stored_key(self, until: datetime) -> str:
        """Where the file lies.

        Args:
            until: How long it stays.

        Returns:
            The stored key; it ends with the object's name, which is what a download is called.
        """
        name = name_of(self.key)
        place = f"{self.prefix}{until.astimezone(UTC):{_UNTIL}}/"
        fits = name not in ("", ".", "..") and is_storable(place + name)
        return place + (name if fits else _UNNAMED)

    def until(self, stored_key: str) -> datetime | None:
        """How long a file stays, by its key; ``None`` if the key is not that of such a file."""
        if not stored_key.startswith(self.prefix):
            return None
        text = stored_key[len(self.prefix) :].partition("/")[0]
        try:
            return datetime.strptime(text, _UNTIL).replace(tzinfo=UTC)
        except ValueError:
            return None

    def stored_headers(self) -> dict[str, Any]:
        """The headers of the file: the object's own and its protection, and the name under which a browser keeps it."""
        kept = {name: value for name, value in self.headers.items() if name != _NOT_KEPT}
        return {"ContentDisposition": disposition(name_of(self.key)), **kept, **self.encryption}

    def stored_metadata(self, until: datetime) -> dict[str, str]:
        """The metadata of the file: the user's own, how long it stays, and what it was made of.

        Args:
            until: How long it stays.

        Returns:
            Names and values.

        Raises:
            MetadataTooLargeError: Not even the first two fit.
        """
        short = {**self.metadata, _EXPIRES: format_time(until), "dg-rehydrated": "true"}
        long = {
            **short,
            "dg-original-key": encode_text(self.key),
            "dg-original-filename": encode_text(name_of(self.key)),
        }
        for metadata in (long, short):
            if metadata_size(metadata) <= LIMIT:
                return metadata
        raise MetadataTooLargeError(
            "the metadata leaves no room for the time when the file made for a URL is to go",
            remedy="Shorten the object's own metadata",
        )


def end_of_stay(asked: datetime, seconds: int) -> datetime:
    """How long a file stays that a URL needs until a certain moment.

    Rounded up to a grid about as coarse as the URL's life, so that one file serves many URLs, and stays at most twice
    as long as any of them is valid.

    Args:
        asked: When the URL ends.
        seconds: How long it is valid, at least 1.

    Returns:
        The same moment or a later one, in whole seconds.
    """
    grid = 1 << (seconds.bit_length() - 1)
    return datetime.fromtimestamp(-(-asked.timestamp() // grid) * grid, UTC)


def recorded_end(metadata: Mapping[str, str]) -> datetime | None:
    """How long a temporary object stays, by its metadata, ours or the predecessor's; ``None`` if they do not say."""
    return parse_time(metadata.get(_EXPIRES, ""))


def is_over(end: datetime | None, modified: datetime, *, now: datetime, older_than: float) -> bool:
    """Whether a temporary object serves nobody any more.

    Args:
        end: How long it stays; ``None`` if nothing says so.
        modified: When it was stored.
        now: The time.
        older_than: Seconds after which one of which nothing is recorded is a leftover.

    Returns:
        Whether it may be removed.
    """
    return now >= (end or modified + timedelta(seconds=older_than))


def disposition(name: str) -> str:
    """The ``Content-Disposition`` that makes a download have a name.

    Args:
        name: Any name.

    Returns:
        The value of the header, in ASCII: RFC 6266, with a plain name for old readers.
    """
    safe = name if name not in ("", ".", "..") else _UNNAMED
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%/' else "_" for c in safe)
    if plain == safe:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='', errors='surrogatepass')}"
