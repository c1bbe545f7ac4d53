"""How an object is stored: what the user says about it, and what of that its reference inherits."""

from __future__ import annotations

import dataclasses
import mimetypes
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from deltaglider.config import Settings
from deltaglider.errors import InvalidInputError
from deltaglider.late import dataclass
from deltaglider.layout.keys import name_of
from deltaglider.store.base import HEADER_NAMES

Directive = Literal["COPY", "REPLACE"]
"""Whether a copy has its source's metadata and headers, or those it was told, and none of the source's."""

# A reference must be as well protected as what depends on it, but outlive its storage class, and not inherit its ACL
# or tags, which rules of a bucket's life cycle and policies may go by.
_REFERENCE_HEADERS = ("ServerSideEncryption", "SSEKMSKeyId", "SSEKMSEncryptionContext", "BucketKeyEnabled")

# The redirect is a header to HTTP, and none to S3's metadata directive.
_DIRECTED = frozenset(HEADER_NAMES) - {"WebsiteRedirectLocation"}


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How to store one object; ``None`` takes the client's setting.

    Attributes:
        metadata: The user's own metadata.
        headers: HTTP headers and write parameters, by boto3's names (``ContentType``, ``StorageClass``, ...).
        delta: Whether a delta may be made.
        max_ratio: The largest delta kept, as a share of the file's size.
        guess_content_type: Uploads: keep the media type that the file's name suggests, unless the headers name one.
        name: The file's name; that of the key, where the file has none of its own.
        tags: The object's tags; ``None`` for those of a copy's source.
        keep_tags: Copies: whether the source's tags go along where no others are given.
        directive: Copies: where metadata and headers come from. ``None``: those that are given replace the source's,
            each kind for itself.
        no_overwrite: Store it only where no object is, in either form.
        if_match: Store it only where an object of this ETag is, which is that of the original file; ``*`` is any.
    """

    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    delta: bool | None = None
    max_ratio: float | None = None
    guess_content_type: bool = False
    name: str = ""
    tags: Mapping[str, str] | None = None
    keep_tags: bool = True
    directive: Directive | None = None
    no_overwrite: bool = False
    if_match: str | None = None

    def __post_init__(self) -> None:
        if self.max_ratio is not None and not 0 < self.max_ratio <= 1:
            raise InvalidInputError(
                f"max_ratio is {self.max_ratio}, not over 0 and at most 1",
                remedy="Give the largest delta worth keeping as a share of the file's size, such as 0.75",
            )

    @property
    def changes_a_copy(self) -> bool:
        """Whether a copy with these options differs from its source, so that it may be copied onto itself."""
        given = bool(self.metadata or self.headers) and self.directive != "COPY"
        parameters = any(name not in HEADER_NAMES for name in self.headers)
        return given or parameters or self.directive == "REPLACE" or self.tags is not None or not self.keep_tags

    def policy(self, settings: Settings) -> Settings:
        """The client's settings, with what is said here of deltas: they decide whether a file is worth one."""
        if self.delta is None or self.delta == settings.delta:
            return settings
        return dataclasses.replace(settings, delta=self.delta)

    def headers_for_upload(self, key: str) -> Mapping[str, str]:
        """Headers and write parameters of an object that is uploaded under a key."""
        guess = mimetypes.guess_type(self.name or name_of(key))[0] if self.guess_content_type else None
        guessed = {"ContentType": guess} if guess else {}
        return {**guessed, **self.headers, **({"Tagging": urlencode(self.tags)} if self.tags else {})}

    def headers_for_copy(self, kept: Mapping[str, str]) -> Mapping[str, str]:
        """Headers and write parameters of a copy, but for its tags.

        Args:
            kept: The headers of the source.
        """
        given = self.headers
        if self.directive == "REPLACE":
            return given
        if self.directive == "COPY":
            return {**kept, **{name: value for name, value in given.items() if name not in _DIRECTED}}
        # Write parameters (a storage class, an ACL) are no headers, and must not cost a copy its media type.
        return given if any(name in HEADER_NAMES for name in given) else {**kept, **given}

    def tagging_for_copy(self) -> dict[str, str]:
        """The write parameter for the tags of a copy; none where they are those of its source."""
        if self.tags is None and self.keep_tags:
            return {}
        return {"Tagging": urlencode(self.tags or {})}

    def metadata_for_copy(self, kept: Mapping[str, str]) -> Mapping[str, str]:
        """The user's own metadata of a copy.

        Args:
            kept: That of the source.
        """
        if self.directive is None:
            return self.metadata or kept
        return kept if self.directive == "COPY" else self.metadata

    def headers_for_reference(self) -> dict[str, str]:
        """Those of an object's headers that the reference it needs must have, too."""
        return {name: value for name, value in self.headers.items() if name in _REFERENCE_HEADERS}
