"""What goes wrong without an answer from S3: no connection, no credentials, a broken body, a bad parameter.

Imports botocore and aiohttp inside: whoever asks has imported them already, and this module stays cheap.
"""

from __future__ import annotations

import ssl
from typing import NoReturn

from deltaglider.errors import (
    ClientStateError,
    ConfigurationError,
    DeltaGliderError,
    InvalidInputError,
    StoreError,
    StoreUnavailableError,
    TransferBrokenError,
)
from deltaglider.store.s3.errors import build, from_answer, redact, without_values
from deltaglider.values import is_local

_CONNECT = "Check the endpoint URL, the network and the proxy settings"
_SCHEME = "Check the endpoint URL, its http:// or https:// above all"
_CERTIFICATE = "Name the store's certificate authority (verify=, AWS_CA_BUNDLE), and check the endpoint URL"


def library_errors() -> tuple[type[Exception], ...]:
    """What aiobotocore and the libraries under it raise; anything else is a mistake in a program."""
    from aiohttp import ClientError as AiohttpError
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (BotoCoreError, ClientError, ResponseParserError, AiohttpError, OSError, ValueError, RuntimeError)


def translate(error: Exception, uri: str, endpoint: str) -> DeltaGliderError:
    """The error of ours for whatever aiobotocore raised.

    Args:
        error: It.
        uri: What the request was about.
        endpoint: Where the request went.

    Returns:
        An error to raise; the exception itself, if it is one of ours.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, DeltaGliderError):
        return error
    if isinstance(error, ClientError):
        ours = from_answer(error, uri)
        _redact_cause(error)
        return ours
    if isinstance(error, BotoCoreError):
        ours = _from_botocore(error, uri, endpoint)
        _redact_cause(error)
        return ours
    if isinstance(error, ResponseParserError):
        return StoreError(f"the answer of {endpoint} is not S3's", uri=uri, remedy=_SCHEME)
    if is_broken_body(error):
        return TransferBrokenError(f"the answer broke off ({reason(error)})", uri=uri, remedy="Try again later")
    if isinstance(error, UnicodeEncodeError):
        return InvalidInputError("the key holds what is not Unicode text", uri=uri, remedy="Rename it")
    if isinstance(error, ValueError) and "endpoint" in str(error).lower():
        return _of_an_endpoint(redact(str(error).rpartition(": ")[2]))
    if isinstance(error, RuntimeError) and "closed" in str(error).lower():
        return ClientStateError("the client was closed during a request", uri=uri, remedy="Close it when work is done")
    if isinstance(error, OSError):
        return StoreUnavailableError(f"no connection to {endpoint} ({reason(error)})", uri=uri, remedy=_CONNECT)
    return StoreError(f"the request failed ({type(error).__name__}: {redact(str(error))})", uri=uri)


def _of_an_endpoint(url: str) -> ConfigurationError:
    remedy = "Write it as https://host"
    if is_local(url):
        remedy = "Name the embedded store with --endpoint-url, DG_ENDPOINT_URL or AWS_ENDPOINT_URL"
    return ConfigurationError(f"the endpoint {url!r} is not the URL of an S3 server", remedy=remedy)


def _redact_cause(error: Exception) -> None:
    """Takes secrets out of what a traceback prints of an error: a server may repeat whatever it was sent."""
    error.args = (without_values(str(error)),)


def raise_translated(error: Exception, uri: str, endpoint: str) -> NoReturn:
    """Raises the error of ours for whatever aiobotocore raised, with that as its cause.

    Args:
        error: It.
        uri: What the request was about.
        endpoint: Where the request went.

    Raises:
        DeltaGliderError: Always.
    """
    ours = translate(error, uri, endpoint)
    raise ours from (error.__cause__ if ours is error else error)


def is_broken_body(error: BaseException) -> bool:
    """Whether an exception means that a body ended early, so that asking for the rest makes sense.

    Args:
        error: What reading the body raised.

    Returns:
        Whether.
    """
    from aiohttp import ClientError
    from botocore.exceptions import ConnectionError as BotoConnectionError
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ReadTimeoutError

    # A truncated body is aiohttp's ClientPayloadError: botocore neither knows nor retries it.
    kinds = (ClientError, HTTPClientError, BotoConnectionError, IncompleteReadError, ReadTimeoutError, TimeoutError)
    return isinstance(error, (*kinds, ConnectionError))


def reason(error: BaseException) -> str:
    """The innermost cause of a failed connection, in a few words, without URLs.

    Args:
        error: An exception of botocore, aiohttp or the system.

    Returns:
        Such as ``Connection refused``.
    """
    seen = 0
    while seen < 8:
        inner = getattr(error, "kwargs", {}).get("error") or getattr(error, "os_error", None) or error.__cause__
        if not isinstance(inner, BaseException) or inner is error:
            break
        error, seen = inner, seen + 1
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return redact(error.strerror)
    return redact(str(error)) or type(error).__name__


def _from_botocore(error: Exception, uri: str, endpoint: str) -> DeltaGliderError:
    from botocore import exceptions as boto

    why = reason(error)
    if isinstance(error, boto.InvalidRegionError):
        return ConfigurationError(redact(str(error)), remedy="Check region_name, --region, AWS_REGION and the profile")
    if isinstance(error, (boto.ParamValidationError, boto.ValidationError, boto.MissingParametersError)):
        return InvalidInputError(without_values(str(error)), uri=uri)
    if isinstance(error, _invalid_names()):
        return InvalidInputError(redact(str(error)), uri=uri, remedy="Check the bucket's name or ARN")
    if isinstance(error, boto.MissingDependencyException):
        return ConfigurationError(redact(str(error)), uri=uri, remedy="Install deltaglider[crt]")
    if isinstance(error, boto.SSLError):
        return StoreUnavailableError(f"no TLS connection to {endpoint} ({why})", uri=uri, remedy=_CERTIFICATE)
    if isinstance(error, boto.ProxyConnectionError):
        return StoreUnavailableError(f"the proxy does not answer ({why})", uri=uri, remedy="Check HTTPS_PROXY")
    if isinstance(error, (boto.EndpointConnectionError, boto.ConnectTimeoutError)):
        return StoreUnavailableError(f"no connection to {endpoint} ({why})", uri=uri, remedy=_CONNECT)
    if isinstance(error, boto.ReadTimeoutError):
        return StoreUnavailableError(f"{endpoint} did not answer in time", uri=uri, remedy="Try again later")
    if isinstance(error, boto.ConnectionClosedError):
        return StoreUnavailableError(f"{endpoint} closed the connection ({why})", uri=uri, remedy=_SCHEME)
    if isinstance(error, (boto.FlexibleChecksumError, boto.IncompleteReadError, boto.ResponseStreamingError)):
        return TransferBrokenError(f"the answer is damaged ({why})", uri=uri, remedy="Try again later")
    if isinstance(error, boto.HTTPClientError):
        return _from_http_client(error, uri, endpoint)
    if isinstance(error, boto.ConnectionError):
        return StoreUnavailableError(f"no connection to {endpoint} ({why})", uri=uri, remedy=_CONNECT)
    return _from_configuration(error, uri)


def _invalid_names() -> tuple[type[Exception], ...]:
    from botocore import exceptions as boto

    return (
        boto.InvalidDNSNameError,
        boto.UnsupportedS3ArnError,
        boto.UnsupportedS3AccesspointConfigurationError,
        boto.UnsupportedOutpostResourceError,
        boto.EndpointProviderError,
        boto.InvalidHostLabelError,
    )


def _from_http_client(error: Exception, uri: str, endpoint: str) -> DeltaGliderError:
    """Whatever else happens while aiobotocore sends, it wraps into one class."""
    inner = getattr(error, "kwargs", {}).get("error")
    if isinstance(inner, (ssl.SSLError, FileNotFoundError, IsADirectoryError, PermissionError)):
        # Raised while the TLS context is made: a broken or missing bundle of certificates.
        return ConfigurationError(f"the TLS certificates cannot be read ({reason(inner)})", remedy=_CERTIFICATE)
    if isinstance(inner, ValueError) and "header" in str(inner).lower():
        return InvalidInputError("a header or metadata value holds a line break", uri=uri, remedy="Remove it")
    return StoreUnavailableError(f"the request to {endpoint} failed ({reason(error)})", uri=uri, remedy=_CONNECT)


def _from_configuration(error: Exception, uri: str) -> DeltaGliderError:
    from botocore import exceptions as boto

    text = redact(str(error))
    if isinstance(error, boto.NoCredentialsError):
        remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or run 'aws configure'"
        return ConfigurationError("no AWS credentials were found", uri=uri, remedy=remedy)
    if isinstance(error, boto.PartialCredentialsError):
        return ConfigurationError(text, uri=uri, remedy="Give the access key and the secret key together")
    if isinstance(error, boto.NoRegionError):
        return ConfigurationError("no region is set", uri=uri, remedy="Set AWS_REGION, --region or region_name")
    if isinstance(error, boto.ProfileNotFound):
        return ConfigurationError(text, uri=uri, remedy="Check AWS_PROFILE and the AWS configuration file")
    if isinstance(error, (boto.SSOError, boto.TokenRetrievalError, boto.LoginError)):
        return ConfigurationError(text, uri=uri, remedy="Log in again with 'aws sso login'")
    if isinstance(error, (boto.CredentialRetrievalError, boto.MetadataRetrievalError)):
        return ConfigurationError(text, uri=uri, remedy="Check the source of the credentials")
    return build(ConfigurationError, text, uri, "Check the AWS configuration and the settings")
