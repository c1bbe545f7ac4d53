"""Secrets stay where they belong: not in logs, errors, ``repr``, files or children, whatever goes wrong."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deltaglider import AsyncDeltaGliderClient, create_async_client, create_client
from deltaglider.cli.main import execute
from deltaglider.errors import DeltaGliderError
from tests.store.fakes3 import FakeS3, Reply, Request, object_reply, refusal

KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI-the-secret"
TOKEN = "FwoGZXIvYXdzE-the-token"
KEYS = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": SECRET, "aws_session_token": TOKEN}
SECRETS = (SECRET, TOKEN)


class Recorder(logging.Handler):
    """Takes down whatever anybody logs, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.name, logging.Formatter().format(record)))

    def texts(self, *prefixes: str) -> list[str]:
        return [text for name, text in self.lines if name.startswith(prefixes or "")]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    root = logging.getLogger()
    handler, level = Recorder(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def client_of(url: str, tmp_path: Path, **settings: Any) -> AsyncDeltaGliderClient:
    places = {"cache_dir": tmp_path / "cache", "temp_dir": tmp_path / "tmp"}
    return create_async_client(url, region_name="us-east-1", max_attempts=1, **{**KEYS, **places, **settings})


def echo(request: Request) -> str:
    """What a careless server says of a request: all of its headers."""
    return " ".join(f"{name}: {value}" for name, value in request.headers.items())


ANSWERS = {
    "403": lambda request: refusal("SignatureDoesNotMatch", 403, echo(request)),
    "denied": lambda request: refusal("AccessDenied", 403, echo(request)),
    "301": lambda _: Reply(301, headers={"Location": "http://127.0.0.1:9/"}),
    "no answer": lambda _: Reply(drop=True),
    "cut": lambda request: object_reply(request, b"x" * 100, cut=10),
}


async def errors_of(client: AsyncDeltaGliderClient, file: Path, out: Path) -> list[BaseException]:
    """What every kind of request raises."""
    raised: list[BaseException] = []

    async def listing() -> None:
        async for _ in client.list("s3://bucket/"):
            pass

    calls = [
        client.buckets(),
        listing(),
        client.head("s3://bucket/key"),
        client.download("s3://bucket/key", out),
        client.upload(file, "s3://bucket/key"),
        client.upload(file, "s3://bucket/key.txt", headers={"ContentType": 7}),  # type: ignore[dict-item]
        client.copy("s3://bucket/key", "s3://bucket/other"),
        client.delete("s3://bucket/key"),
        client.verify("s3://bucket/key"),
        client.stats("s3://bucket/"),
        client.make_bucket("bucket"),
        client.sync("s3://bucket/", out.parent / "tree"),
    ]
    for call in calls:
        try:
            await call
        except Exception as error:
            raised.append(error)
    return raised


@pytest.mark.parametrize("answer", ANSWERS)
async def test_no_secret_is_logged_or_raised(answer: str, recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    async with FakeS3(ANSWERS[answer]) as server, client_of(server.url, tmp_path, log_level="DEBUG") as client:
        raised = await errors_of(client, tmp_path / "file", tmp_path / "out")
        told = [repr(client), repr(client.settings), str(client.settings)]
    assert len(raised) > 5
    assert any(request.headers.get("x-amz-security-token") == TOKEN for request in server.requests)
    for error in raised:
        assert isinstance(error, DeltaGliderError)
        told += [str(error), repr(error), str(pickle.loads(pickle.dumps(error)))]
        # With the causes, which are botocore's: programs log them, and --debug prints them.
        told.append("".join(traceback.format_exception(error)))
    told += recorder.texts("deltaglider")
    for text in told:
        assert not [secret for secret in SECRETS if secret in text], text
    # botocore itself logs the token (docs/security.md says so), but never the key that signs.
    assert not [text for text in recorder.texts() if SECRET in text]
    assert recorder.texts("deltaglider")


@pytest.mark.parametrize("answer", ["403", "denied"])
async def test_no_secret_is_printed(
    answer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even with ``--debug``, whose output people send to others."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("DG_MAX_ATTEMPTS", "1")
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    async with FakeS3(ANSWERS[answer]) as server:
        for arguments in (
            ["ls"],
            ["ls", "s3://bucket/"],
            ["cp", str(tmp_path / "file"), "s3://bucket/key"],
            ["cp", "s3://bucket/key", str(tmp_path / "out")],
            ["rm", "s3://bucket/key"],
            ["verify", "s3://bucket/key"],
            ["doctor", "s3://bucket"],
        ):
            await execute([*arguments, "--debug", "--endpoint-url", server.url])
            printed = capsys.readouterr()
            assert printed.err + printed.out
            for secret in SECRETS:
                assert secret not in printed.err + printed.out


async def test_a_presigned_url_is_given_and_not_told(recorder: Recorder, tmp_path: Path) -> None:
    """Its signature is a key to the object; its token is the session's."""
    async with FakeS3(lambda _: Reply(404)) as server, server.store(**KEYS) as store:
        url = await store.presign("bucket", "key")
    signature = url.partition("X-Amz-Signature=")[2].partition("&")[0]
    assert len(signature) == 64
    assert not [text for text in recorder.texts("deltaglider") if signature in text or TOKEN in text]


def test_no_secret_lies_in_a_file(tmp_path: Path) -> None:
    """Neither in the cache nor among temporary files nor in the store."""
    url = (tmp_path / "store").as_uri()
    with create_client(url, cache_dir=tmp_path / "cache", temp_dir=tmp_path / "tmp", **KEYS) as client:
        client.make_bucket("bucket")
        for number in range(2):
            client.upload(bytes([number]) * 10_000, f"s3://bucket/v{number}/a.zip")
        assert [result.state for result in client.verify_directory("s3://bucket/")] == ["proven"] * 2
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(files) > 5
        for path in files:
            content = path.read_bytes()
            assert not [secret for secret in (*SECRETS, KEY_ID) if secret.encode() in content], path


def test_a_client_shows_no_secret(tmp_path: Path) -> None:
    with create_client((tmp_path / "store").as_uri(), **KEYS) as client:
        for shown in (repr(client), str(client), repr(client.settings), repr(vars(client))):
            assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("method", ["upload", "copy"])
async def test_customer_keys_are_refused_before_anything_is_sent(
    method: str, recorder: Recorder, tmp_path: Path
) -> None:
    """With SSE-C the reference would need the key too, and every reader; half of it would be a false promise."""
    headers = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0123456789abcdef0123456789abcdef"}
    (tmp_path / "file").write_bytes(b"x" * 10_000)
    source = {"upload": str(tmp_path / "file"), "copy": "s3://bucket/key"}[method]
    async with FakeS3(lambda _: Reply(404)) as server, client_of(server.url, tmp_path) as client:
        with pytest.raises(DeltaGliderError, match=r"SSE-C.*SSE-KMS") as raised:
            await getattr(client, method)(source, "s3://bucket/a.zip", headers=headers)
    assert server.requests == []
    shown = [*recorder.texts(), "".join(traceback.format_exception(raised.value))]
    assert not [text for text in shown if headers["SSECustomerKey"] in text]
