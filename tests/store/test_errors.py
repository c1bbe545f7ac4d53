"""What S3 answers and what libraries raise, as our errors."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from deltaglider.config import Settings
from deltaglider.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    ArchivedError,
    BucketNotFoundError,
    ClientStateError,
    ConfigurationError,
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
from deltaglider.store.s3 import S3Store
from deltaglider.store.s3.errors import from_answer, from_entry, redact
from deltaglider.store.s3.faults import raise_translated, translate
from tests.servers import make_certificate
from tests.store.fakes3 import FakeS3, Reply, refusal

SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def answer(operation: str, code: str, status: int, message: str = "Said.") -> DeltaGliderError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return from_answer(ClientError(response, operation), "s3://b/k")


@pytest.mark.parametrize(
    ("operation", "code", "status", "kind", "words"),
    [
        ("GetObject", "NoSuchKey", 404, NotFoundError, "no such object"),
        ("GetObject", "NoSuchBucket", 404, BucketNotFoundError, "create it"),
        ("HeadObject", "404", 404, NotFoundError, "no such object"),
        ("HeadBucket", "404", 404, BucketNotFoundError, "bucket does not exist"),
        ("ListObjectsV2", "404", 404, BucketNotFoundError, "bucket does not exist"),
        ("UploadPart", "NoSuchUpload", 404, StoreError, "upload is gone"),
        ("PutObject", "NoSuchKey", 404, PreconditionFailedError, "ETag"),
        ("CompleteMultipartUpload", "NoSuchKey", 404, PreconditionFailedError, "ETag"),
        ("PutObject", "PreconditionFailed", 412, PreconditionFailedError, "ETag"),
        ("HeadObject", "412", 412, PreconditionFailedError, "ETag"),
        ("PutObject", "ConditionalRequestConflict", 409, PreconditionFailedError, "under way"),
        ("PutObject", "OperationAborted", 409, StoreUnavailableError, "under way"),
        ("CreateBucket", "BucketAlreadyExists", 409, AlreadyExistsError, "exists"),
        ("CreateBucket", "BucketAlreadyOwnedByYou", 409, AlreadyExistsError, "exists"),
        ("DeleteBucket", "BucketNotEmpty", 409, StoreError, "not empty"),
        ("HeadObject", "403", 403, AccessDeniedError, "s3:ListBucket"),
        ("GetObject", "AccessDenied", 403, AccessDeniedError, "Said."),
        ("GetObject", "AllAccessDisabled", 403, AccessDeniedError, "policy"),
        ("GetObject", "InvalidAccessKeyId", 403, AccessDeniedError, "access key"),
        ("GetObject", "SignatureDoesNotMatch", 403, AccessDeniedError, "signature"),
        ("GetObject", "ExpiredToken", 400, AccessDeniedError, "expired"),
        ("GetObject", "RequestTimeTooSkewed", 403, AccessDeniedError, "clock"),
        ("HeadObject", "400", 400, StoreError, "region"),
        ("GetObject", "PermanentRedirect", 301, StoreError, "region"),
        ("HeadObject", "301", 301, StoreError, "region"),
        ("GetObject", "AuthorizationHeaderMalformed", 400, StoreError, "region"),
        ("PutObject", "NotImplemented", 501, NotSupportedError, "does not implement"),
        ("PutObject", "501", 501, NotSupportedError, "does not implement"),
        ("DeleteObjects", "MethodNotAllowed", 405, NotSupportedError, "does not implement"),
        ("PutObject", "SlowDown", 503, StoreUnavailableError, "concurrency"),
        ("PutObject", "TooManyRequests", 429, StoreUnavailableError, "concurrency"),
        ("PutObject", "InternalError", 500, StoreUnavailableError, "Said."),
        ("PutObject", "Whatever", 599, StoreUnavailableError, "after all retries"),
        ("PutObject", "RequestTimeout", 400, StoreUnavailableError, "too long"),
        ("PutObject", "BadDigest", 400, TransferBrokenError, "other bytes"),
        ("PutObject", "EntityTooLarge", 400, StoreError, "larger"),
        ("PutObject", "XMinioStorageFull", 507, StoreError, "full"),
        ("PutObject", "KeyTooLongError", 400, InvalidInputError, "Shorten"),
        ("PutObject", "MetadataTooLarge", 400, MetadataTooLargeError, "metadata"),
        ("GetObject", "InvalidObjectState", 403, ArchivedError, "archived"),
        ("CopyObject", "ObjectNotInActiveTierError", 403, ArchivedError, "archived"),
        ("PutObject", "InvalidArgument", 400, StoreError, "PutObject was refused (InvalidArgument: Said.)"),
    ],
)
def test_an_answer_becomes_the_right_error(
    operation: str, code: str, status: int, kind: type[DeltaGliderError], words: str
) -> None:
    error = answer(operation, code, status)
    assert type(error) is kind
    assert words in str(error)
    # What is missing is the bucket, whatever key was asked for.
    assert str(error).startswith("s3://b/: " if kind is BucketNotFoundError else "s3://b/k: ")
    assert "\n" not in str(error)
    if isinstance(error, StoreError):
        assert (error.status, error.s3_code) == (status, code)


@pytest.mark.parametrize("status", [400, 403, 409, 412, 429, 500, 501, 503])
def test_only_a_404_is_an_absence(status: int) -> None:
    for operation in ("HeadObject", "GetObject", "ListObjectsV2", "HeadBucket"):
        assert not isinstance(answer(operation, str(status), status), NotFoundError)


def test_an_entry_of_a_bulk_delete_has_no_status() -> None:
    error = from_entry({"Code": "AccessDenied", "Message": "Access Denied"}, "s3://b/k")
    assert isinstance(error, AccessDeniedError)
    assert isinstance(from_entry({"Code": "InternalError"}, "s3://b/k"), StoreUnavailableError)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://host/b/k?X-Amz-Signature=0123SECRET&X-Amz-Credential=SECRET failed",
        "header Authorization: AWS4-HMAC-SHA256 Credential=SECRET/x, SignedHeaders=host, Signature=SECRET",
        "X-Amz-Security-Token: SECRET",
        "see https://host/b/k?token=SECRET",
        '{"aws_secret_access_key": "SECRET"}',
        "secret_key=SECRET session_token=SECRET",
    ],
)
def test_what_a_server_says_is_shown_without_secrets(text: str) -> None:
    assert "SECRET" not in redact(text)
    assert "SECRET" not in str(answer("GetObject", "AccessDenied", 403, text))


def test_what_a_server_says_is_one_short_line() -> None:
    assert redact("a\n  b\tc") == "a b c"
    assert len(redact("x" * 5000)) == 300


async def failing(action: str = "head", **settings: Any) -> DeltaGliderError:
    fields = {"region_name": "us-east-1", "aws_access_key_id": "AKID", "aws_secret_access_key": "sekret"}
    store = S3Store(Settings(**{"max_attempts": 1, **fields, **settings}))
    try:
        with pytest.raises(DeltaGliderError) as caught:
            await getattr(store, action)("bucket", "key")
    finally:
        await store.aclose()
    assert "sekret" not in str(caught.value)
    assert "ExceptionGroup" not in repr(caught.value)
    return caught.value


async def test_nobody_listens() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    error = await failing(endpoint_url=f"http://127.0.0.1:{port}")
    assert isinstance(error, StoreUnavailableError)
    assert f"no connection to http://127.0.0.1:{port} (" in str(error)
    assert "s3://bucket/key: " in str(error)
    assert "Check the endpoint URL" in str(error)


async def test_a_host_that_does_not_exist() -> None:
    error = await failing(endpoint_url="http://no-such-host.invalid")
    assert isinstance(error, StoreUnavailableError)
    assert "no connection to http://no-such-host.invalid" in str(error)


async def test_the_server_says_nothing() -> None:
    async def silent(_: Any) -> Reply:
        await asyncio.sleep(3600)
        raise AssertionError

    async with FakeS3(silent) as server:
        error = await failing(endpoint_url=server.url, read_timeout=0.3)
    assert isinstance(error, StoreUnavailableError)
    assert "did not answer in time" in str(error)


async def test_the_server_hangs_up() -> None:
    async with FakeS3(lambda _: Reply(drop=True)) as server:
        error = await failing(endpoint_url=server.url)
    assert isinstance(error, StoreUnavailableError)
    assert "closed the connection" in str(error)


async def test_http_where_https_was_meant() -> None:
    async def answer_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer_anything, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        error = await failing(endpoint_url=f"https://127.0.0.1:{port}")
    finally:
        server.close()
    assert isinstance(error, StoreUnavailableError)
    assert f"no TLS connection to https://127.0.0.1:{port}" in str(error)


async def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    import ssl

    certificate = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    try:
        port = server.sockets[0].getsockname()[1]
        error = await failing(endpoint_url=f"https://127.0.0.1:{port}")
    finally:
        server.close()
    assert isinstance(error, StoreUnavailableError)
    assert "self-signed certificate" in str(error)
    assert "AWS_CA_BUNDLE" in str(error)


async def test_a_bundle_of_certificates_that_is_missing() -> None:
    error = await failing(endpoint_url="https://127.0.0.1:1", verify="/no/such/bundle.pem")
    assert isinstance(error, ConfigurationError)
    assert "certificates" in str(error)


async def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    error = await failing()
    assert isinstance(error, ConfigurationError)
    assert "localhost:9000" in str(error)


async def test_no_credentials_at_all() -> None:
    error = await failing(aws_access_key_id=None, aws_secret_access_key=None, endpoint_url="http://127.0.0.1:1")
    assert isinstance(error, ConfigurationError)
    assert "AWS_ACCESS_KEY_ID" in str(error)


async def test_half_of_the_credentials() -> None:
    error = await failing(aws_secret_access_key=None, endpoint_url="http://127.0.0.1:1")
    assert isinstance(error, ConfigurationError)
    assert "together" in str(error)


async def test_a_profile_that_does_not_exist() -> None:
    error = await failing(profile_name="nobody")
    assert isinstance(error, ConfigurationError)
    assert "nobody" in str(error)
    assert "AWS_PROFILE" in str(error)


async def test_a_configuration_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[default\nregion = x\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert isinstance(await failing(), ConfigurationError)


async def test_a_parameter_s3_does_not_know_is_named_without_its_value() -> None:
    async with FakeS3(lambda _: Reply()) as server, server.store() as store:
        with pytest.raises(InvalidInputError, match="SSEKMSKeyId") as caught:
            await store.put("b", "k", b"", sha256=SHA, metadata={}, headers={"SSEKMSKeyId": ["top-secret"]})
        assert "top-secret" not in str(caught.value)
        with pytest.raises(InvalidInputError, match="Bogus"):
            await store.put("b", "k", b"", sha256=SHA, metadata={}, headers={"Bogus": "x"})
        with pytest.raises(InvalidInputError, match="ascii"):
            await store.put("b", "k", b"", sha256=SHA, metadata={"name": "é"})
        with pytest.raises(InvalidInputError, match="line break"):
            await store.put("b", "k", b"", sha256=SHA, metadata={"name": "a\r\nX-Evil: 1"})
        assert server.requests == []


async def test_an_answer_that_is_not_s3s() -> None:
    async with FakeS3(lambda _: Reply(200, b"<html>A page</html>")) as server, server.store() as store:
        with pytest.raises(StoreError, match="not a listing"):
            [page async for page in store.list_objects("b")]
    async with FakeS3(lambda _: Reply(404, b"<html>A page<br></html>")) as server, server.store() as store:
        with pytest.raises(StoreError, match="not answer like S3") as caught:
            await store.list_buckets()
        assert not isinstance(caught.value, NotFoundError)
    assert "is not S3's" in str(translate(ResponseParserError("bad"), "s3://b/k", "http://host"))


async def test_a_missing_bucket_is_told_from_a_missing_key() -> None:
    async with FakeS3(lambda r: Reply(404)) as server, server.store() as store:
        with pytest.raises(BucketNotFoundError):
            await store.head("b", "k")
        assert server.names() == ["HEAD object", "HEAD bucket"]


async def test_a_bucket_that_exists_is_asked_for_once() -> None:
    async with FakeS3(lambda r: Reply(404 if r.key else 200)) as server, server.store() as store:
        for _ in range(3):
            with pytest.raises(NotFoundError) as caught:
                await store.head("b", "k")
            assert not isinstance(caught.value, BucketNotFoundError)
        assert server.names().count("HEAD bucket") == 1


async def test_a_bucket_that_cannot_be_looked_at_counts_as_existing() -> None:
    async with FakeS3(lambda r: Reply(404 if r.key else 403)) as server, server.store() as store:
        with pytest.raises(NotFoundError) as caught:
            await store.head("b", "k")
        assert not isinstance(caught.value, BucketNotFoundError)
        with pytest.raises(AccessDeniedError):
            await store.bucket_exists("b")


async def test_presigned_parameters_stay_out_of_messages() -> None:
    secret = "https://b.s3/k?X-Amz-Signature=SECRET&X-Amz-Security-Token=SECRET"
    async with FakeS3(lambda _: refusal("AccessDenied", 403, secret)) as server, server.store() as store:
        with pytest.raises(AccessDeniedError) as caught:
            async with store.open("b", "k"):
                pass
    assert "SECRET" not in str(caught.value)


HOST = "https://host"
URL = f"{HOST}/b/k?X-Amz-Signature=SECRET"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            boto.ProxyConnectionError(proxy_url="http://u:SECRET@p", error=OSError(1, "no")),
            StoreUnavailableError,
            "PROXY",
        ),
        (boto.ConnectTimeoutError(endpoint_url=URL, error="slow"), StoreUnavailableError, f"no connection to {HOST}"),
        (boto.EndpointConnectionError(endpoint_url=URL), StoreUnavailableError, f"no connection to {HOST}"),
        (boto.ConnectionError(error="lost"), StoreUnavailableError, f"no connection to {HOST}"),
        (boto.SSLError(endpoint_url=URL, error="bad"), StoreUnavailableError, "AWS_CA_BUNDLE"),
        (boto.ReadTimeoutError(endpoint_url=URL), StoreUnavailableError, "in time"),
        (boto.HTTPClientError(error=OSError(104, "reset")), StoreUnavailableError, "(reset)"),
        (boto.ResponseStreamingError(error="cut"), TransferBrokenError, "damaged"),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), TransferBrokenError, "damaged"),
        (aiohttp.ClientPayloadError("cut"), TransferBrokenError, "broke off (cut)"),
        (TimeoutError("late"), TransferBrokenError, "broke off"),
        (OSError(113, "No route to host"), StoreUnavailableError, "No route to host"),
        (boto.NoRegionError(), ConfigurationError, "AWS_REGION"),
        (boto.ProfileNotFound(profile="p"), ConfigurationError, "AWS_PROFILE"),
        (boto.SSOTokenLoadError(error_msg="gone"), ConfigurationError, "aws sso login"),
        (boto.UnauthorizedSSOTokenError(), ConfigurationError, "aws sso login"),
        (boto.CredentialRetrievalError(provider="p", error_msg="no"), ConfigurationError, "source of the credentials"),
        (boto.InvalidRetryModeError(provided_retry_mode="x", valid_modes="y"), ConfigurationError, "configuration"),
        (boto.UnsupportedS3ArnError(arn="arn:x", bucket="arn:x"), InvalidInputError, "ARN"),
        (boto.InvalidS3AddressingStyleError(s3_addressing_style="x"), ConfigurationError, "configuration"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), InvalidInputError, "Unicode"),
        (RuntimeError("Session is closed"), ClientStateError, "closed"),
        (RuntimeError(f"odd {URL}"), StoreError, "RuntimeError"),
    ],
)
def test_whatever_a_library_raises_is_told_in_one_line(
    error: Exception, kind: type[DeltaGliderError], words: str
) -> None:
    ours = translate(error, "s3://b/k", HOST)
    assert type(ours) is kind
    assert words in str(ours)
    assert "SECRET" not in str(ours)


def test_an_error_of_ours_stays_itself() -> None:
    ours = StoreError("ours")
    assert translate(ours, "s3://b/k", HOST) is ours
    ours.__cause__ = cause = KeyError("cause")
    with pytest.raises(StoreError) as caught:
        raise_translated(ours, "s3://b/k", HOST)
    assert caught.value is ours
    assert caught.value.__cause__ is cause
