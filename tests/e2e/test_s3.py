"""The command line on S3 servers: what only requests can show."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import program_on
from tests.e2e.process import Program, finish, wait_for
from tests.servers import S3Endpoint


@pytest.fixture
def s3(moto: S3Endpoint, tmp_path: Path) -> Program:
    """The program on moto."""
    return program_on(moto, tmp_path)


def test_two_versions_up_and_down(s3: Program, moto: S3Endpoint, pair: tuple[bytes, bytes]) -> None:
    bucket = moto.make_bucket()
    s3.write("dist/v1/app.zip", pair[0])
    s3.write("dist/v2/app.zip", pair[1])
    up = s3.ok("sync", "dist", f"s3://{bucket}/rel/", "--concurrency", "1")
    assert sorted(up.out.splitlines()) == [
        f"upload: dist/v1/app.zip to s3://{bucket}/rel/v1/app.zip",
        f"upload: dist/v2/app.zip to s3://{bucket}/rel/v2/app.zip",
    ]
    assert up.stderr.endswith(" % saved)\n")
    s3.ok("sync", f"s3://{bucket}/rel", "mirror")
    assert (s3.here / "mirror/v2/app.zip").read_bytes() == pair[1]
    assert s3.ok("sync", f"s3://{bucket}/rel/", "mirror").out == ""
    assert s3.ok("rm", f"s3://{bucket}", "-r").stderr == "Deleted 2 files\n"
    assert "Contents" not in moto.client().list_objects_v2(Bucket=bucket)


def test_how_objects_are_stored(s3: Program, moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    s3.write("page.html", b"<p>")
    options = ["--storage-class", "STANDARD_IA", "--sse", "--acl", "public-read", "--metadata", "a=1"]
    s3.ok("cp", "page.html", f"s3://{bucket}/", *options)
    head = moto.client().head_object(Bucket=bucket, Key="page.html")
    assert (head["StorageClass"], head["ServerSideEncryption"], head["ContentType"]) == (
        "STANDARD_IA",
        "AES256",
        "text/html",
    )
    assert head["Metadata"]["a"] == "1"
    grants = moto.client().get_object_acl(Bucket=bucket, Key="page.html")["Grants"]
    assert any(grant["Grantee"].get("URI", "").endswith("/AllUsers") for grant in grants)


def without(program: Program, *names: str, **more: str) -> Program:
    environ = {name: value for name, value in program.environ.items() if name not in names}
    return dataclasses.replace(program, environ={**environ, **more})


@pytest.mark.parametrize("arguments", [["ls"], ["cp", "f", "s3://some-bucket/"]])
def test_missing_credentials(s3: Program, arguments: list[str]) -> None:
    s3.write("f", b"content")
    ended = without(s3, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")(*arguments)
    assert (ended.code, ended.out) == (253, "")
    assert ended.stderr.startswith("deltaglider: error: ")
    assert "credentials" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_an_unknown_profile(s3: Program) -> None:
    ended = s3("ls", "--profile", "nobody")
    assert (ended.code, ended.out) == (253, "")
    assert "nobody" in ended.stderr


def test_a_server_that_is_not_there(s3: Program) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        alone = without(s3, DG_MAX_ATTEMPTS="1")
        listing = alone("ls", "--endpoint-url", url)
        s3.write("f", b"content")
        upload = alone("cp", "f", "s3://some-bucket/", "--endpoint-url", url)
    assert (listing.code, listing.out) == (255, "")
    assert listing.stderr.startswith("deltaglider: error: ")
    assert url in listing.stderr
    assert upload.code == 1
    assert upload.stderr.startswith("upload failed: ./f to s3://some-bucket/f ")


def test_wrong_credentials_are_refused_without_repeating_them(weed: S3Endpoint, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    wrong = without(program_on(weed, tmp_path), AWS_SECRET_ACCESS_KEY="not-the-secret-of-anyone")
    ended = wrong("ls", bucket, "--debug")
    assert ended.code == 254
    assert "Traceback" in ended.stderr
    assert "not-the-secret" not in ended.stderr + ended.out
    assert weed.secret_key not in ended.stderr


class Valve:
    """A proxy that stops each connection to the server after some bytes, until it is closed; answers pass freely."""

    def __init__(self, target: tuple[str, int], limit: int) -> None:
        self._target = target
        self._limit = limit
        self.stopped = threading.Event()
        self._closed = threading.Event()
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in (*self._sockets, self._server):
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for arguments in ((near, far, self._limit), (far, near, None)):
                    self._threads.append(threading.Thread(target=self._pass, args=arguments))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                passed += len(piece)
                if limit is not None and passed > limit:
                    self.stopped.set()
                    self._closed.wait()
                    return
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def valve(moto: S3Endpoint) -> Iterator[Valve]:
    host, port = moto.url.removeprefix("http://").split(":")
    valve = Valve((host, int(port)), 1_000_000)
    yield valve
    valve.close()


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_upload_in_parts_is_aborted(
    s3: Program, moto: S3Endpoint, valve: Valve, which: signal.Signals, code: int
) -> None:
    bucket = moto.make_bucket()
    s3.write("large.bin", os.urandom(12 << 20))
    process = s3.start("cp", "large.bin", f"s3://{bucket}/", "--endpoint-url", valve.url)
    wait_for(valve.stopped.is_set, process)
    assert moto.client().list_multipart_uploads(Bucket=bucket)["Uploads"]
    process.send_signal(which)
    ended = finish(process)
    assert (ended.code, ended.out) == (code, "")
    # After it, Python may tell of connections that still hold data, as it does only under "-W error".
    assert ended.stderr.startswith("cancelled: ")
    assert "deltaglider: error" not in ended.stderr
    assert "Uploads" not in moto.client().list_multipart_uploads(Bucket=bucket)
    assert "Contents" not in moto.client().list_objects_v2(Bucket=bucket)
    assert s3.leftovers() == []
