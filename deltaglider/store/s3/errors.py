"""What S3 answers, as our errors: one table keyed by (operation, code, status).

Rows name what they need to and leave the rest open; the most exact row wins. Messages are one line and hold no secret:
no signed URL, no header, no value of a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deltaglider.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    ArchivedError,
    BucketNotFoundError,
    DeltaGliderError,
    InvalidInputError,
    MetadataTooLargeError,
    NotFoundError,
    NotSupportedError,
    PreconditionFailedError,
    StoreError,
    StoreUnavailableError,
    TransferBrokenError,
)
from deltaglider.late import dataclass


@dataclass(frozen=True, slots=True)
class _Row:
    """What one answer means.

    Attributes:
        kind: The class to raise.
        message: What failed, for people.
        remedy: What to do about it.
        quoted: Whether the service's own words add something.
    """

    kind: type[DeltaGliderError]
    message: str
    remedy: str | None = None
    quoted: bool = False


_ANY = ""  # Any operation, any code.
_ALL = 0  # Any status.

_CREDENTIALS = "Check the access key, the secret key, the session token and the profile"
_REGION = "Give the bucket's own region (region_name, --region, AWS_REGION) or endpoint"
_AGAIN = "Try again later"
_DENIED = _Row(
    AccessDeniedError,
    "access denied",
    "Check the credentials and the bucket's policy; S3 answers 403 for a missing key, too, where s3:ListBucket is not"
    " granted",
    quoted=True,
)
_NO_BUCKET = _Row(BucketNotFoundError, "the bucket does not exist", "Check its name and the endpoint, or create it")
_NOT_S3 = _Row(StoreError, "the endpoint does not answer like S3", "Check the endpoint URL")
_NO_KEY = _Row(NotFoundError, "no such object")
_NO_UPLOAD = _Row(StoreError, "the multipart upload is gone: completed or aborted by someone else", _AGAIN)
_WRONG_KEYS = _Row(AccessDeniedError, "the credentials are not accepted", _CREDENTIALS)
_EXPIRED = _Row(AccessDeniedError, "the credentials have expired", "Get new ones, for example with 'aws sso login'")
_CONDITION = _Row(PreconditionFailedError, "the condition on the object's ETag does not hold")
_RACE = _Row(PreconditionFailedError, "another write to the same key was under way", _AGAIN)
_ELSEWHERE = _Row(StoreError, "the bucket lives in another region or behind another endpoint", _REGION)
_BUSY = _Row(StoreUnavailableError, "the store asks to slow down, after all retries", "Lower the concurrency")
_DOWN = _Row(StoreUnavailableError, "the store failed, after all retries", _AGAIN, quoted=True)
_SLOW = _Row(StoreUnavailableError, "the request took too long", _AGAIN)
_LACKS = _Row(NotSupportedError, "the store does not implement this", None, quoted=True)
_EXISTS = _Row(AlreadyExistsError, "the bucket exists already")
_DAMAGED = _Row(TransferBrokenError, "the store received other bytes than were sent", _AGAIN)
_TOO_LARGE = _Row(StoreError, "the object is larger than the store allows", None, quoted=True)
_ARCHIVED = _Row(
    ArchivedError, "the object is archived", "Restore it first, for example with 'aws s3api restore-object'"
)

_TABLE: Mapping[tuple[str, str, int], _Row] = {
    (_ANY, "NoSuchBucket", _ALL): _NO_BUCKET,
    ("HeadBucket", _ANY, 404): _NO_BUCKET,
    ("ListObjectsV2", _ANY, 404): _NO_BUCKET,
    ("CreateBucket", "BucketAlreadyExists", _ALL): _EXISTS,
    ("CreateBucket", "BucketAlreadyOwnedByYou", _ALL): _EXISTS,
    ("CreateBucket", _ANY, 409): _EXISTS,
    (_ANY, "BucketNotEmpty", _ALL): _Row(StoreError, "the bucket is not empty", "Delete its objects first"),
    (_ANY, "InvalidBucketName", _ALL): _Row(
        StoreError, "not a valid bucket name", "Use 3 to 63 small letters, digits, dots and hyphens"
    ),
    (_ANY, "NoSuchKey", _ALL): _NO_KEY,
    (_ANY, "NoSuchVersion", _ALL): _NO_KEY,
    (_ANY, "NoSuchUpload", _ALL): _NO_UPLOAD,
    ("UploadPart", _ANY, 404): _NO_UPLOAD,
    ("UploadPartCopy", "NoSuchKey", _ALL): _NO_KEY,
    # A write cannot miss what it makes: this is how S3 says that If-Match names an object that is not there.
    ("PutObject", "NoSuchKey", _ALL): _CONDITION,
    ("CompleteMultipartUpload", "NoSuchKey", _ALL): _CONDITION,
    ("ListBuckets", _ANY, 404): _NOT_S3,
    ("CreateBucket", _ANY, 404): _NOT_S3,
    (_ANY, _ANY, 404): _NO_KEY,
    (_ANY, "KeyTooLongError", _ALL): _Row(InvalidInputError, "the key is longer than the store allows", "Shorten it"),
    (_ANY, "MetadataTooLarge", _ALL): _Row(MetadataTooLargeError, "the metadata is larger than the store allows"),
    (_ANY, "EntityTooLarge", _ALL): _TOO_LARGE,
    (_ANY, _ANY, 413): _TOO_LARGE,
    (_ANY, "InvalidObjectState", _ALL): _ARCHIVED,
    (_ANY, "ObjectNotInActiveTierError", _ALL): _ARCHIVED,
    (_ANY, "AccessDenied", _ALL): _DENIED,
    (_ANY, _ANY, 401): _DENIED,
    (_ANY, _ANY, 403): _DENIED,
    (_ANY, "InvalidAccessKeyId", _ALL): _WRONG_KEYS,
    (_ANY, "SignatureDoesNotMatch", _ALL): _Row(
        AccessDeniedError,
        "the signature does not match",
        f"{_CREDENTIALS}; a proxy that rewrites the host or the path breaks signatures, too",
    ),
    (_ANY, "InvalidToken", _ALL): _WRONG_KEYS,
    (_ANY, "InvalidSecurity", _ALL): _WRONG_KEYS,
    (_ANY, "ExpiredToken", _ALL): _EXPIRED,
    (_ANY, "ExpiredTokenException", _ALL): _EXPIRED,
    (_ANY, "RequestExpired", _ALL): _EXPIRED,
    (_ANY, "TokenRefreshRequired", _ALL): _EXPIRED,
    (_ANY, "RequestTimeTooSkewed", _ALL): _Row(
        AccessDeniedError, "this machine's clock differs too much from the store's", "Set the clock"
    ),
    (_ANY, "AuthorizationHeaderMalformed", _ALL): _Row(StoreError, "signed for another region", _REGION),
    (_ANY, "PermanentRedirect", _ALL): _ELSEWHERE,
    (_ANY, "TemporaryRedirect", _ALL): _ELSEWHERE,
    (_ANY, "IllegalLocationConstraintException", _ALL): _ELSEWHERE,
    (_ANY, _ANY, 301): _ELSEWHERE,
    (_ANY, _ANY, 302): _ELSEWHERE,
    (_ANY, _ANY, 307): _ELSEWHERE,
    (_ANY, _ANY, 308): _ELSEWHERE,
    # No body, so no code: S3 says so to a HEAD with a wrong region, an expired token or a malformed request.
    ("HeadObject", _ANY, 400): _Row(StoreError, "the store calls the request bad", f"{_REGION}, and check the keys"),
    ("HeadBucket", _ANY, 400): _Row(StoreError, "the store calls the request bad", f"{_REGION}, and check the keys"),
    (_ANY, "PreconditionFailed", _ALL): _CONDITION,
    (_ANY, _ANY, 412): _CONDITION,
    (_ANY, "ConditionalRequestConflict", _ALL): _RACE,
    (_ANY, "OperationAborted", _ALL): _Row(StoreUnavailableError, "a conflicting operation was under way", _AGAIN),
    (_ANY, "BadDigest", _ALL): _DAMAGED,
    (_ANY, "XAmzContentSHA256Mismatch", _ALL): _DAMAGED,
    (_ANY, "XAmzContentChecksumMismatch", _ALL): _DAMAGED,
    (_ANY, "IncompleteBody", _ALL): _DAMAGED,
    (_ANY, "AccessControlListNotSupported", _ALL): _Row(
        NotSupportedError,
        "the bucket has its access control lists turned off",
        "Use a bucket policy, or change the bucket's object ownership",
    ),
    (_ANY, "NotImplemented", _ALL): _LACKS,
    (_ANY, "MethodNotAllowed", _ALL): _LACKS,
    (_ANY, _ANY, 405): _LACKS,
    (_ANY, _ANY, 501): _LACKS,
    (_ANY, "SlowDown", _ALL): _BUSY,
    (_ANY, "Throttling", _ALL): _BUSY,
    (_ANY, "RequestLimitExceeded", _ALL): _BUSY,
    (_ANY, "TooManyRequests", _ALL): _BUSY,
    (_ANY, _ANY, 429): _BUSY,
    (_ANY, _ANY, 503): _BUSY,
    (_ANY, "RequestTimeout", _ALL): _SLOW,
    (_ANY, _ANY, 408): _SLOW,
    (_ANY, _ANY, 504): _SLOW,
    (_ANY, "InternalError", _ALL): _DOWN,
    (_ANY, "ServiceUnavailable", _ALL): _DOWN,
    (_ANY, _ANY, 507): _Row(StoreError, "the store is full", None, quoted=True),
}

_REDACTED = re.compile(
    r"((?:x-amz-)?(?:signature|security-token|credential)|aws_?secret_?access_?key|secret_?key|session_?token"
    r"|authorization)(\"?\s*[=:>]\s*\"?)[^\s&,;\"<>]+(?:(?<=AWS4-HMAC-SHA256)[^\"<>]*)?",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']*")
_PARAMETER_VALUE = re.compile(r"(, value: ).*?(, (?:type|valid))", re.DOTALL)


def redact(text: str) -> str:
    """Text from elsewhere made fit for a message: one line, no signature, token or query string, 300 characters.

    Args:
        text: What a service or library said.

    Returns:
        The same without what nobody else may read.
    """
    text = _QUERY.sub(r"\1?...", " ".join(text.split()))
    text = _REDACTED.sub(r"\1\2...", text)
    return text if len(text) <= 300 else f"{text[:297]}..."


def from_answer(error: Any, uri: str) -> DeltaGliderError:
    """The error of ours for an answer of the service.

    Args:
        error: A ``botocore.exceptions.ClientError``.
        uri: What it failed on.

    Returns:
        An error to raise.
    """
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return _described(error.operation_name, error.response.get("Error", {}), status, uri)


def from_entry(entry: Mapping[str, Any], uri: str) -> DeltaGliderError:
    """The error of ours for one key that DeleteObjects names among its errors.

    Args:
        entry: Its ``Code`` and ``Message``.
        uri: The key's.

    Returns:
        An error to raise.
    """
    return _described("DeleteObject", entry, 0, uri)


def _described(operation: str, answer: Mapping[str, Any], status: int, uri: str) -> DeltaGliderError:
    code = str(answer.get("Code") or "")
    # An answer without a body has the status for a code.
    bodyless = code.isdigit()
    row = _find(operation, "" if bodyless else code, status or (int(code) if bodyless else 0))
    message = row.message
    said = redact(str(answer.get("Message") or ""))
    if row.quoted and said and not bodyless:
        message = f"{message} ({code}: {said})"
    elif code:
        message = f"{message} ({code})"
    if row is _NO_BUCKET and uri.startswith("s3://"):
        # The key asked for may be one that no user knows of.
        uri = "/".join([*uri.split("/")[:3], ""])
    return build(row.kind, message, uri, row.remedy, status=status, s3_code=code)


def _find(operation: str, code: str, status: int) -> _Row:
    for key in ((operation, code, _ALL), (_ANY, code, _ALL), (operation, _ANY, status), (_ANY, _ANY, status)):
        # Without a code, the first two would match the rows of a status.
        if (key[1] or key[2]) and key in _TABLE:
            return _TABLE[key]
    if status >= 500:
        return _DOWN
    return _Row(StoreError, f"{operation} was refused", None, quoted=True)


def build(
    kind: type[DeltaGliderError],
    message: str,
    uri: str,
    remedy: str | None = None,
    *,
    status: int = 0,
    s3_code: str = "",
) -> DeltaGliderError:
    """An error of any class of the tree; those of the store carry status and code.

    Args:
        kind: The class.
        message: What failed and why.
        uri: On what.
        remedy: What to do.
        status: The HTTP status.
        s3_code: The service's name of the error.

    Returns:
        An error to raise.
    """
    if issubclass(kind, StoreError):
        return kind(message, uri=uri, remedy=remedy, status=status, s3_code=s3_code)
    return kind(message, uri=uri, remedy=remedy)


def without_values(text: str) -> str:
    """A report of botocore's parameter validation, without the values: one of them may be a key of the user's.

    Args:
        text: The report.

    Returns:
        It, in one line.
    """
    return redact(_PARAMETER_VALUE.sub(r"\1...\2", text).replace("Parameter validation failed:", ""))
