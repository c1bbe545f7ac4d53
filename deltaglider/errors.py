"""Everything that can go wrong, as one tree.

    DeltaGliderError
    ├── InvalidInputError          (ValueError)          the caller's arguments cannot mean anything
    │   ├── InvalidUriError                              not an ``s3://bucket/key``
    │   ├── ReservedKeyError                             the key belongs to DeltaGlider itself
    │   └── MetadataTooLargeError                        over S3's 2 KB
    ├── ConfigurationError                               credentials, region, profile, settings
    ├── LocalFileError             (OSError)             a path on this machine: unreadable, a directory, disk full
    │   ├── LocalFileNotFoundError (FileNotFoundError)
    │   └── LocalFileExistsError   (FileExistsError)
    ├── StoreError                                       the store refused or failed
    │   ├── NotFoundError          (FileNotFoundError)   a 404, and nothing but a 404
    │   │   └── BucketNotFoundError
    │   ├── AccessDeniedError      (PermissionError)
    │   ├── AlreadyExistsError     (FileExistsError)
    │   ├── ArchivedError                                in an archive class, and not restored
    │   ├── PreconditionFailedError                      If-Match or If-None-Match did not hold
    │   ├── NotSupportedError                            this store lacks the operation
    │   ├── StoreUnavailableError  (ConnectionError)     no connection, time-out, throttled, 5xx
    │   └── TransferBrokenError                          a body ended early, after all retries
    ├── IntegrityError                                   bytes are not what was recorded
    │   ├── ChecksumMismatchError
    │   ├── ReferenceMissingError
    │   ├── ReferenceCorruptError
    │   ├── DeltaCorruptError
    │   ├── MetadataLostError                            a delta whose description is gone
    │   └── UnknownFormatError                           stored in a way that this version cannot read
    ├── CodecError
    │   ├── CodecMissingError                            xdelta3 is not installed
    │   ├── CodecTimeoutError
    │   └── CodecFailedError
    ├── SourceRemainsError                               a move whose target is complete, but not its removal
    ├── DeletesRefusedError                              deletes that look like a mistake; none of them was done
    └── ClientStateError           (RuntimeError)        closed, or used after ``fork``

Every class has a stable ``code`` for programs, and a store's error the ``s3_code`` S3 has for it. ``str(error)`` is one
printable line for people: what failed, on what, why, and what to do. A skip is an outcome, not an error, and has no
class here.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar


class DeltaGliderError(Exception):
    """The root of the tree.

    Args:
        message: What failed and why, in one line, without the location.
        uri: The ``s3://`` URI or local path it failed on.
        remedy: What the reader can do about it.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, uri: str | None = None, remedy: str | None = None) -> None:
        self.message = message
        self.uri = uri
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = _in_line(self.message)
        uri = "".join(map(_printable, self.uri or ""))
        if uri and not _names(text, uri):
            text = f"{uri}: {text}"
        if self.remedy:
            text = f"{text.removesuffix('.')}. {_in_line(self.remedy)}"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments do not survive the default pickling of exceptions (process pools rely on it).
        return (_rebuild, (type(self), vars(self).copy()))


def _rebuild(kind: type[DeltaGliderError], state: dict[str, Any]) -> DeltaGliderError:
    # Not kind(**state): what was noted on an error later (``add_note``) is no argument.
    error = kind.__new__(kind)
    vars(error).update(state)
    error.args = (str(error),)
    return error


def _in_line(text: str) -> str:
    return "".join(map(_printable, " ".join(text.split())))


def _printable(character: str) -> str:
    # Keys and file names may hold anything: line breaks, terminal escapes, and surrogates that no stream can encode.
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _names(text: str, uri: str) -> bool:
    """Whether a message names the location already: not as part of another (``a.zip`` in ``a.zip.delta``) or a word."""
    if "/" not in uri or uri not in text:
        return False  # Mostly so, and an error may be met for each of a million keys: no pattern is worth that.
    return re.search(rf"(?<![^\s'\"(]){re.escape(uri)}(?=['\")]*[.,:;]*(?:\s|$))", text) is not None


class InvalidInputError(DeltaGliderError, ValueError):
    """An argument that cannot mean anything."""

    code = "invalid_input"


class InvalidUriError(InvalidInputError):
    """A string that is not ``s3://bucket/key``."""

    code = "invalid_uri"


class ReservedKeyError(InvalidInputError):
    """A key under which DeltaGlider keeps data of its own."""

    code = "reserved_key"


class MetadataTooLargeError(InvalidInputError):
    """User metadata and ours together exceed what S3 accepts (2 KB)."""

    code = "metadata_too_large"


class ConfigurationError(DeltaGliderError):
    """Credentials, region, profile or a setting is missing or wrong."""

    code = "configuration"


class LocalFileError(DeltaGliderError, OSError):
    """A path on this machine cannot be read or written."""

    code = "local_file"


class LocalFileNotFoundError(LocalFileError, FileNotFoundError):
    """A path on this machine does not exist."""

    code = "local_file_not_found"


class LocalFileExistsError(LocalFileError, FileExistsError):
    """A path on this machine exists, and was not to be overwritten."""

    code = "local_file_exists"


class StoreError(DeltaGliderError):
    """The store refused or failed.

    Args:
        message: What failed and why.
        uri: The location.
        remedy: What to do.
        status: The HTTP status, 0 where there is none.
        s3_code: The service's own name of the error.
    """

    code = "store"

    def __init__(
        self,
        message: str,
        *,
        uri: str | None = None,
        remedy: str | None = None,
        status: int = 0,
        s3_code: str = "",
    ) -> None:
        self.status = status
        self.s3_code = s3_code
        super().__init__(message, uri=uri, remedy=remedy)


class NotFoundError(StoreError, FileNotFoundError):
    """A 404. No other answer is ever turned into this class."""

    code = "not_found"


class BucketNotFoundError(NotFoundError):
    """The bucket does not exist."""

    code = "bucket_not_found"


class AccessDeniedError(StoreError, PermissionError):
    """The store knows us and says no, or does not know us."""

    code = "access_denied"


class AlreadyExistsError(StoreError, FileExistsError):
    """A bucket or object exists where it must not."""

    code = "already_exists"


class ArchivedError(StoreError):
    """An object lies in an archive and has to be restored before it can be read."""

    code = "archived"


class PreconditionFailedError(StoreError):
    """An If-Match or If-None-Match condition did not hold."""

    code = "precondition_failed"


class NotSupportedError(StoreError):
    """The store does not implement the operation or the condition."""

    code = "not_supported"


class StoreUnavailableError(StoreError, ConnectionError):
    """No connection, a time-out, throttling, or a 5xx that outlived the retries."""

    code = "store_unavailable"


class TransferBrokenError(StoreError):
    """A body ended early, after all retries."""

    code = "transfer_broken"


class IntegrityError(DeltaGliderError):
    """Bytes are not what was recorded. Nothing of them is handed out."""

    code = "integrity"


class ChecksumMismatchError(IntegrityError):
    """The SHA-256 of what was read is not the recorded one."""

    code = "checksum_mismatch"


class ReferenceMissingError(IntegrityError):
    """The reference a delta needs is nowhere to be found."""

    code = "reference_missing"


class ReferenceCorruptError(IntegrityError):
    """The reference a delta needs has other bytes than recorded."""

    code = "reference_corrupt"


class DeltaCorruptError(IntegrityError):
    """A delta does not decode."""

    code = "delta_corrupt"


class MetadataLostError(IntegrityError):
    """A stored delta has lost the metadata that says what it is."""

    code = "metadata_lost"


class UnknownFormatError(IntegrityError):
    """An object is stored in a way that this version cannot read: by a newer codec, or encrypted by another tool."""

    code = "unknown_format"


class CodecError(DeltaGliderError):
    """The delta codec failed."""

    code = "codec"


class CodecMissingError(CodecError):
    """The codec's program is not installed."""

    code = "codec_missing"


class CodecTimeoutError(CodecError):
    """The codec did not finish within its deadline and was ended."""

    code = "codec_timeout"


class CodecFailedError(CodecError):
    """The codec's program ended with an error."""

    code = "codec_failed"


class SourceRemainsError(DeltaGliderError):
    """The target of a move is complete, and its source could not be removed."""

    code = "source_remains"


class DeletesRefusedError(DeltaGliderError):
    """A sync would delete more than is likely to be meant, so it deleted nothing."""

    code = "deletes_refused"


class ClientStateError(DeltaGliderError, RuntimeError):
    """A client is used after ``close()``, outside its context, or in a forked child."""

    code = "client_state"
