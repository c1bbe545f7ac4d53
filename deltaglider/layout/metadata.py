"""The ``dg-*`` metadata: every dialect read, one written.

Three tools in four eras wrote this (``docs/bucket-format`` has the table): names with dashes or underscores, with and
without ``dg-``, times with and without ``Z``, references without a size. ``Description.read`` takes them all; ``write``
gives ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from deltaglider.errors import InvalidInputError, MetadataTooLargeError
from deltaglider.late import dataclass
from deltaglider.layout.text import decode_text, encode_text, format_time, parse_time

LIMIT = 2048
"""Bytes of names and values together that S3 accepts as user metadata of one object."""

USER_PREFIX = "user-"
"""In front of the names of the user's own metadata on a delta, where they might otherwise be taken for ours."""

Kind = Literal["delta", "reference", "whole"]

_OUR_PREFIXES = ("dg-", "dg_")

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
_SPELLINGS = [(field, f"dg-{field}", f"dg_{field.replace('-', '_')}") for field in _FIELDS]
_BARE_SPELLINGS = [(field, field.replace("-", "_"), field) for field in _FIELDS]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_PROXY = "deltaglider_proxy"
_HEADER_NAME = re.compile(r"[0-9a-z!#$%&'*+.^_`|~-]+")  # RFC 9110, in lower case.


@dataclass(frozen=True, slots=True, kw_only=True)
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
        # Of the flags alone: a file's name may hold " -D" too.
        return self.kind == "delta" and not self.codec and "-D" not in self.command.partition(" -s ")[0].split()

    @classmethod
    def read(cls, metadata: Mapping[str, str], *, stored_key: str) -> Description | None:
        """Understands the metadata of a stored object.

        Args:
            metadata: The user metadata of the object, in any dialect.
            stored_key: Where it is stored: only a key that ends with ``.delta`` holds a delta.

        Returns:
            What it says, or ``None`` where it says nothing: no valid SHA-256, or a delta without its size or the
            SHA-256 or key of its reference.
        """
        fields = _collect(metadata)
        sha256 = fields.get("file-sha256", "").lower()
        if not _SHA256.fullmatch(sha256):
            return None
        note = fields.get("note", "")
        kind = _kind(fields, note, stored_key)
        reference_sha256 = fields.get("ref-sha256", "").lower()
        if kind == "delta" and not (
            _SHA256.fullmatch(reference_sha256)
            and (fields.get("ref-key") or fields.get("ref-path"))
            and _number(fields, "file-size") is not None
        ):
            return None
        md5 = fields.get("md5", "").lower()
        return cls(
            kind=kind,
            sha256=sha256,
            size=_number(fields, "file-size"),
            md5=md5 if _MD5.fullmatch(md5) else "",
            created=parse_time(fields.get("created-at", "")),
            name=decode_text(fields.get("source-name" if kind == "reference" else "original-name", "")),
            tool=fields.get("tool", ""),
            reference_key=decode_text(fields.get("ref-key", "")),
            reference_path=decode_text(fields.get("ref-path", "")),
            reference_sha256=reference_sha256,
            delta_size=_number(fields, "delta-size"),
            command=fields.get("delta-cmd", ""),
            codec=metadata.get("dg-codec", "").strip(),
        )

    def write(self, user: Mapping[str, str] | None = None, *, uri: str = "") -> dict[str, str]:
        """The metadata to store.

        Args:
            user: The user's own metadata; as it is on whole objects, under ``user-`` on deltas.
            uri: Of the object, for errors.

        Returns:
            Names and values, all ASCII.

        Raises:
            InvalidInputError: The user's metadata is nothing a header can hold, or uses our names; or this is a delta
                without what it takes to read it.
            MetadataTooLargeError: All together is over S3's limit.
        """
        if self.kind == "delta" and (self.size is None or not self.reference_key or not self.reference_sha256):
            raise InvalidInputError("the description of a delta lacks its size or its reference", uri=uri)
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


def recorded_fields(metadata: Mapping[str, str]) -> dict[str, str]:
    """What is recorded of an object, complete or not, by the names without ``dg-``.

    Args:
        metadata: The user metadata of the object, in any dialect.

    Returns:
        The fields that are there, such as ``file-sha256`` and ``ref-key``.
    """
    return _collect(metadata)


def with_fields(metadata: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """The metadata of an object with some of our fields set anew; all else stays, in the dialect it is in.

    Args:
        metadata: The user metadata of the object.
        fields: Values by the names without ``dg-``; an empty one takes the field away.

    Returns:
        Names and values.
    """
    bare = _is_bare(metadata)
    changed = dict(metadata)
    for field, value in fields.items():
        under = field.replace("-", "_")
        spellings = (under, field) if bare else (f"dg-{field}", f"dg_{under}")
        name = next((name for name in spellings if name in metadata), spellings[0])
        for spelling in spellings:
            changed.pop(spelling, None)
        if value:
            changed[name] = encode_text(value)
    return changed


def metadata_size(metadata: Mapping[str, str]) -> int:
    """Bytes of all names and values, as S3 counts them against its limit."""
    return sum(len(text.encode("utf-8", "surrogatepass")) for item in metadata.items() for text in item)


def check_user_metadata(user: Mapping[str, str], *, uri: str = "") -> dict[str, str]:
    """The user's own metadata, names in lower case as S3 returns them.

    Args:
        user: Names and values.
        uri: Of the object, for errors.

    Returns:
        A copy.

    Raises:
        InvalidInputError: A name or value is not what a header can hold, or a name begins with ``dg-`` or is there
            twice, in upper and lower case.
    """
    checked: dict[str, str] = {}
    given: Mapping[Any, Any] = user  # Callers without a type checker give numbers, too.
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidInputError(f"the metadata {key!r} is not text", uri=uri, remedy="Give strings")
        name = key.lower()
        if not value.isascii() or not key.isascii():
            raise InvalidInputError(
                f"the metadata {key!r} is not ASCII, and S3 takes nothing else",
                uri=uri,
                remedy="Encode it, for example as base64",
            )
        if not _HEADER_NAME.fullmatch(name) or not value.replace("\t", " ").isprintable():
            raise InvalidInputError(
                f"the metadata {key!r} has characters that no HTTP header can hold",
                uri=uri,
                remedy="Name it with letters, digits and dashes, and encode line breaks",
            )
        if name.startswith(_OUR_PREFIXES):
            raise InvalidInputError(
                f"metadata names beginning with {name[:3]!r} are DeltaGlider's own: {key!r}",
                uri=uri,
                remedy="Rename it",
            )
        if name in checked:
            raise InvalidInputError(
                f"the metadata {key!r} is there twice: S3 takes upper and lower case for the same",
                uri=uri,
                remedy="Rename one",
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
    kept = dict(metadata)
    if description is not None and (description.kind == "delta" or _is_of_proxy(description)):
        # deltaglider_proxy keeps marks of its own there too (user-dg-encrypted), and the Content-Type without a prefix.
        kept = {key[len(USER_PREFIX) :]: value for key, value in kept.items() if key.startswith(USER_PREFIX)}
    elif description is not None and _is_bare(metadata):
        kept = {key: value for key, value in kept.items() if key.replace("_", "-") not in _FIELDS}
    return {key: value for key, value in kept.items() if key and not key.startswith(_OUR_PREFIXES)}


def recorded_content_type(metadata: Mapping[str, str], description: Description | None) -> str | None:
    """The media type deltaglider_proxy kept in the metadata, since it stores all as ``application/octet-stream``.

    Args:
        metadata: All of an object's metadata.
        description: What ``Description.read`` made of it.

    Returns:
        The type; ``None`` where the object's own Content-Type is the right one.
    """
    return metadata.get("content-type") or None if description and _is_of_proxy(description) else None


def encryption_of(metadata: Mapping[str, str], description: Description | None) -> str:
    """How deltaglider_proxy encrypted an object's bytes, such as ``aes-256-gcm-v1``.

    Args:
        metadata: All of an object's metadata.
        description: What ``Description.read`` made of it.

    Returns:
        The scheme it recorded; empty where the bytes are not encrypted, or by the store itself.
    """
    is_of_proxy = description is not None and _is_of_proxy(description)
    return metadata.get(f"{USER_PREFIX}dg-encrypted", "") if is_of_proxy else ""


def _is_of_proxy(description: Description) -> bool:
    return description.tool.startswith(_PROXY)


def _is_bare(metadata: Mapping[str, str]) -> bool:
    """Whether its names have no ``dg-``. Only then are names such as ``tool`` and ``note`` ours, not the user's."""
    return not any(metadata.get(name, "").strip() for name in ("dg-file-sha256", "dg_file_sha256"))


def _collect(metadata: Mapping[str, str]) -> dict[str, str]:
    """The fields by their dashed names; of several spellings the first that is not empty, the newest dialect first."""
    bare = _is_bare(metadata)
    fields: dict[str, str] = {}
    # Listings of deltas come through here for each of them: nothing is built that can be ready.
    for field, first, second in _BARE_SPELLINGS if bare else _SPELLINGS:
        value = metadata.get(first, "").strip() or metadata.get(second, "").strip()
        if value:
            fields[field] = value
    # Without "dg-" the names are common words, which another tool may use for its own purposes.
    return fields if not bare or "tool" in fields else {}


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
