"""The ``dg-*`` metadata: every dialect read, one written.

Three tools in four eras wrote this (``docs/bucket-format`` has the table): names with dashes or underscores, with and
without
``dg-``, times with and without ``Z``, references without a size. ``Description.read`` takes them all; ``write`` gives
ours.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from deltaglider.errors import InvalidInputError, MetadataTooLargeError

LIMIT = 2048
"""Bytes of names and values together that S3 accepts as user metadata of one object."""

USER_PREFIX = "user-"
"""In front of the names of the user's own metadata on a delta, where they might otherwise be taken for ours."""

Kind = Literal["delta", "reference", "whole"]

_FIELDS = (
    "tool",
    "original-name",
    "file-sha256",
    "file-size",
    "md5",
    "created-at",
    "ref-key",
    "ref-path",
    "ref-sha256",
    "delta-size",
    "delta-cmd",
    "note",
    "compression",
    "source-name",
)
# The bare names are common words: an object of another tool may use them for its own purposes.
_BARE_IS_OURS = {
    "original-name",
    "file-sha256",
    "file-size",
    "created-at",
    "ref-key",
    "ref-path",
    "ref-sha256",
    "delta-size",
}
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_ENCODED_WORD = re.compile(r"^=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=$", re.IGNORECASE)


def encode_text(text: str) -> str:
    """Text as metadata may hold it: plain printable ASCII as it is, anything else as one RFC 2047 encoded word.

    Args:
        text: Any text.

    Returns:
        ASCII that ``decode_text`` turns back into ``text``.
    """
    plain = text.isascii() and text.isprintable() and text == text.strip() and not _ENCODED_WORD.match(text)
    if plain:
        return text
    return f"=?utf-8?b?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode('ascii')}?="


def decode_text(text: str) -> str:
    """What ``encode_text`` was given; other text as it is."""
    match = _ENCODED_WORD.match(text)
    if not match:
        return text
    try:
        return base64.b64decode(match[1], validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return text


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and ``Z``: what every earlier reader parses too."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime | None:
    """A time in any dialect, as UTC; ``None`` if it is not one. Times without an offset are UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the metadata of a stored object says about it.

    Attributes:
        kind: A delta, a reference, or a whole object.
        sha256: Of the original file (for a reference: of itself), in hex.
        size: Bytes of the original file; ``None`` where it is not recorded.
        md5: Of the original file in hex; empty where it is not recorded.
        created: When it was stored; ``None`` where it is not recorded.
        name: The original file's name.
        tool: What stored it.
        reference_key: Of a delta: its reference's stored key, bucket-absolute; empty where only a relative one is
            recorded.
        reference_path: Of a delta of deltaglider_proxy: the same, relative to the delta's directory.
        reference_sha256: Of a delta: its reference's SHA-256.
        delta_size: Of a delta: bytes stored.
        command: Of a delta: how it was made.
        codec: Of a delta: the format of its bytes.
    """

    kind: Kind
    sha256: str
    size: int | None = None
    md5: str = ""
    created: datetime | None = None
    name: str = ""
    tool: str = ""
    reference_key: str = ""
    reference_path: str = ""
    reference_sha256: str = ""
    delta_size: int | None = None
    command: str = ""
    codec: str = ""

    @property
    def recompressed(self) -> bool:
        """Whether the encoder may have unpacked .gz, .bz2 and .xz inputs: xdelta3 without ``-D``, as earlier tools."""
        return self.kind == "delta" and " -D" not in f" {self.command}"

    @classmethod
    def read(cls, metadata: Mapping[str, str], *, stored_key: str) -> Description | None:
        """Understands the metadata of a stored object.

        Args:
            metadata: The user metadata of the object, in any dialect.
            stored_key: Where it is stored: only a key that ends with ``.delta`` holds a delta.

        Returns:
            What it says, or ``None`` where it says nothing: no valid SHA-256, or a delta without the SHA-256 or key of
            its reference.
        """
        fields = _collect(metadata)
        sha256 = fields.get("file-sha256", "").lower()
        if not _SHA256.match(sha256):
            return None
        note = fields.get("note", "")
        kind = _kind(fields, note, stored_key)
        reference_sha256 = fields.get("ref-sha256", "").lower()
        if kind == "delta" and not (
            _SHA256.match(reference_sha256)
            and (fields.get("ref-key") or fields.get("ref-path"))
            and _number(fields, "file-size") is not None
        ):
            return None
        return cls(
            kind=kind,
            sha256=sha256,
            size=_number(fields, "file-size"),
            md5=fields.get("md5", "").lower(),
            created=parse_time(fields.get("created-at", "")),
            name=decode_text(fields.get("source-name" if kind == "reference" else "original-name", "")),
            tool=fields.get("tool", ""),
            reference_key=decode_text(fields.get("ref-key", "")),
            reference_path=decode_text(fields.get("ref-path", "")),
            reference_sha256=reference_sha256,
            delta_size=_number(fields, "delta-size"),
            command=fields.get("delta-cmd", ""),
            codec=metadata.get("dg-codec", ""),
        )

    def write(self, user: Mapping[str, str] | None = None, *, uri: str = "") -> dict[str, str]:
        """The metadata to store.

        Args:
            user: The user's own metadata; as it is on whole objects, under ``user-`` on deltas.
            uri: Of the object, for errors.

        Returns:
            Names and values, all ASCII.

        Raises:
            InvalidInputError: The user's metadata is not ASCII, or uses our names.
            MetadataTooLargeError: All together is over S3's limit.
        """
        ours = {
            "dg-tool": self.tool,
            "dg-file-sha256": self.sha256,
            "dg-file-size": "" if self.size is None else str(self.size),
            "dg-md5": self.md5,
            "dg-created-at": format_time(self.created) if self.created else "",
        }
        name = encode_text(self.name)
        if self.kind == "delta":
            ours |= {
                "dg-original-name": name,
                "dg-ref-key": encode_text(self.reference_key),
                "dg-ref-sha256": self.reference_sha256,
                "dg-delta-size": "" if self.delta_size is None else str(self.delta_size),
                "dg-delta-cmd": self.command,
                "dg-codec": self.codec,
                "dg-note": "delta",
            }
        elif self.kind == "reference":
            ours |= {"dg-source-name": name, "dg-original-name": "__reference__", "dg-note": "reference"}
        else:
            ours |= {"dg-original-name": name, "dg-compression": "none", "dg-note": "passthrough"}
        theirs = check_user_metadata(user or {}, uri=uri)
        if self.kind == "delta":
            theirs = {USER_PREFIX + key: value for key, value in theirs.items()}
        metadata = {key: value for key, value in {**theirs, **ours}.items() if value or key not in ours}
        total = metadata_size(metadata)
        if total > LIMIT:
            raise MetadataTooLargeError(
                f"the metadata takes {total} bytes of the {LIMIT} S3 allows, {metadata_size(theirs)} of them yours",
                uri=uri,
                remedy="Shorten your metadata or the key",
            )
        return metadata


def metadata_size(metadata: Mapping[str, str]) -> int:
    """Bytes of all names and values, as S3 counts them against its limit."""
    return sum(len(key) + len(value) for key, value in metadata.items())


def check_user_metadata(user: Mapping[str, str], *, uri: str = "") -> dict[str, str]:
    """The user's own metadata, names in lower case as S3 returns them.

    Args:
        user: Names and values.
        uri: Of the object, for errors.

    Returns:
        A copy.

    Raises:
        InvalidInputError: A name or value is not ASCII, or a name begins with ``dg-``.
    """
    checked: dict[str, str] = {}
    for key, value in user.items():
        name = key.lower()
        if not (name.isascii() and value.isascii() and name):
            raise InvalidInputError(
                f"the metadata {key!r} is not ASCII, and S3 takes nothing else",
                uri=uri,
                remedy="Encode it, for example as base64",
            )
        if name.startswith("dg-"):
            raise InvalidInputError(
                f"metadata names beginning with 'dg-' are DeltaGlider's own: {key!r}", uri=uri, remedy="Rename it"
            )
        checked[name] = value
    return checked


def user_metadata(metadata: Mapping[str, str], description: Description | None) -> dict[str, str]:
    """The user's own part of an object's metadata.

    Args:
        metadata: All of it.
        description: What ``Description.read`` made of it; ``None`` for an object of another tool.

    Returns:
        Names and values as the user gave them.
    """
    if description is None:
        return dict(metadata)
    if description.kind == "delta":
        return {key[len(USER_PREFIX) :]: value for key, value in metadata.items() if key.startswith(USER_PREFIX)}
    return {key: value for key, value in metadata.items() if not _is_ours(key)}


def _is_ours(name: str) -> bool:
    return name.startswith(("dg-", "dg_")) or name.replace("_", "-") in {
        *_BARE_IS_OURS,
        "tool",
        "note",
        "compression",
        "source-name",
    }


def _collect(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields by their dashed names; of several spellings the first that is not empty, the newest dialect first."""
    fields: dict[str, str] = {}
    for field in _FIELDS:
        under = field.replace("-", "_")
        for name in (f"dg-{field}", f"dg_{under}", under, field):
            if metadata.get(name):
                fields[field] = metadata[name].strip()
                break
    return fields


def _kind(fields: Mapping[str, str], note: str, stored_key: str) -> Kind:
    if note == "reference":
        return "reference"
    if note in ("passthrough", "direct") or fields.get("compression") == "none":
        return "whole"
    is_delta = stored_key.endswith(".delta") and (
        "ref-sha256" in fields or note == "delta" or note.startswith("zero-diff")
    )
    return "delta" if is_delta else "whole"


def _number(fields: Mapping[str, str], field: str) -> int | None:
    text = fields.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
