"""What boto3's client raises, of our errors: ``ClientError`` and its subclasses, with S3's codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from deltaglider.client.boto.shapes import ResponseMetadata
from deltaglider.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    BucketNotFoundError,
    ConfigurationError,
    DeltaGliderError,
    InvalidInputError,
    LocalFileError,
    MetadataTooLargeError,
    NotFoundError,
    NotSupportedError,
    PreconditionFailedError,
    StoreError,
    StoreUnavailableError,
)

_NAMES: Final = (
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "EncryptionTypeMismatch",
    "IdempotencyParameterMismatch",
    "InvalidObjectState",
    "InvalidRequest",
    "InvalidWriteOffset",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "ObjectAlreadyInActiveTierError",
    "ObjectNotInActiveTierError",
    "TooManyParts",
)
_CLASSES: Final[dict[str, type[ClientError]]] = {name: type(name, (ClientError,), {}) for name in _NAMES}

EXCEPTIONS: Final = SimpleNamespace(ClientError=ClientError, **_CLASSES)
"""``client.exceptions``: the classes that botocore makes of S3's model, by their codes."""

# The code and status of S3 for our classes, where the service did not say one itself; the first that fits counts.
_CODES: Final[tuple[tuple[type[DeltaGliderError], str, int], ...]] = (
    (BucketNotFoundError, "NoSuchBucket", 404),
    (NotFoundError, "NoSuchKey", 404),
    (AccessDeniedError, "AccessDenied", 403),
    (AlreadyExistsError, "BucketAlreadyOwnedByYou", 409),
    (PreconditionFailedError, "PreconditionFailed", 412),
    (NotSupportedError, "NotImplemented", 501),
    (StoreUnavailableError, "ServiceUnavailable", 503),
    (MetadataTooLargeError, "MetadataTooLarge", 400),
    (InvalidInputError, "InvalidArgument", 400),
)
_PHRASES: Final = {
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    412: "Precondition Failed",
    416: "Requested Range Not Satisfiable",
}


def client_error(operation: str, code: str, status: int, message: str, **details: str) -> ClientError:
    """An error as botocore would have made it of S3's answer.

    Args:
        operation: S3's name of the operation, such as ``GetObject``.
        code: S3's code. The answer to a HEAD has no body, so that its status stands for the code.
        status: The HTTP status.
        message: For people.
        **details: What else S3 says of such an error (``Key``, ``BucketName``).

    Returns:
        An error to raise.
    """
    if operation.startswith("Head") or status == 304:
        code, message, details = str(status), _PHRASES.get(status, message), {}
    error = {"Code": code, "Message": message, **details}
    answer: Any = {"Error": error, "ResponseMetadata": response_metadata(status)}
    return _CLASSES.get(code, ClientError)(answer, operation)


def reclassed(error: ClientError) -> ClientError:
    """An error of the client underneath, as one that ``client.exceptions`` knows.

    Args:
        error: botocore's.

    Returns:
        The same error, of a class of ours.
    """
    kind = _CLASSES.get(str(error.response.get("Error", {}).get("Code", "")), ClientError)
    return kind(error.response, error.operation_name)


def response_metadata(status: int, headers: dict[str, str] | None = None) -> ResponseMetadata:
    """``ResponseMetadata`` of an answer that is made here, so that no request of one name stands behind it."""
    return {
        "RequestId": "",
        "HostId": "",
        "HTTPStatusCode": status,
        "HTTPHeaders": headers or {},
        "RetryAttempts": 0,
    }


@contextmanager
def client_errors(operation: str, bucket: str = "", key: str = "") -> Iterator[None]:
    """Turns our errors into botocore's. Errors of local files stay as they are: they are ``OSError`` for both.

    Args:
        operation: S3's name of the operation.
        bucket: The bucket.
        key: The key.

    Raises:
        ClientError: The store refused, or an object is not what was recorded; ours is its ``__cause__``.
        BotoCoreError: Nothing was answered: no credentials, no connection, wrong parameters.
    """
    try:
        yield
    except LocalFileError:
        raise
    except DeltaGliderError as error:
        raise as_botocore(error, operation, bucket, key) from error


def as_botocore(error: DeltaGliderError, operation: str, bucket: str, key: str) -> ClientError | BotoCoreError:
    """What botocore would have raised.

    Args:
        error: Ours.
        operation: S3's name of the operation.
        bucket: The bucket.
        key: The key.

    Returns:
        An error to raise.
    """
    if isinstance(error.__cause__, BotoCoreError) and not getattr(error, "status", 0):
        return error.__cause__
    if isinstance(error, ConfigurationError) or (isinstance(error, StoreUnavailableError) and not error.status):
        return EndpointConnectionError(endpoint_url=error.uri or "", error=error)
    code, status = _code_of(error)
    details = {"NoSuchKey": {"Key": key}, "NoSuchBucket": {"BucketName": bucket}}.get(code, {})
    return client_error(operation, code, status, str(error), **details)


def _code_of(error: DeltaGliderError) -> tuple[str, int]:
    said, status = (error.s3_code, error.status) if isinstance(error, StoreError) else ("", 0)
    for kind, code, usual in _CODES:
        if isinstance(error, kind):
            return (said if said and not said.isdigit() else code), status or usual
    return (said or "InternalError"), (status or 500)
