"""The clients where requests travel: connections end with their client, and Ctrl-C leaves no upload in parts behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from deltaglider import ClientStateError, create_async_client
from tests.client.world import Either, noise, opened
from tests.servers import S3Endpoint

_HEAD = """
import asyncio, logging, os, signal, sys, threading
logging.getLogger("asyncio").setLevel(logging.ERROR)
from deltaglider import create_async_client, create_client
from deltaglider.events import BytesMoved
from tests.client.world import noise
temporary, place = sys.argv[1:3]
"""


@pytest.fixture
def bucket(moto: S3Endpoint) -> str:
    return moto.make_bucket()


def _run(endpoint: S3Endpoint, body: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        # Without -X dev, in which aiohttp takes exception to moto's headers.
        [sys.executable, "-W", "error", "-c", _HEAD + textwrap.dedent(body), *arguments],
        env=endpoint.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
async def test_up_and_down(kind: str, moto: S3Endpoint, bucket: str, temporary: Path) -> None:
    either: Either
    async with opened(kind, temporary, **moto.client_kwargs()) as either:
        await either("upload", noise(1), f"s3://{bucket}/v1/app.zip")
        assert (await either("upload", noise(1)[50:], f"s3://{bucket}/v2/app.zip")).is_delta
        assert b"".join(await either("stream", f"s3://{bucket}/v2/app.zip")) == noise(1)[50:]
        assert [entry.key for entry in await either("list", f"s3://{bucket}")] == ["v1/app.zip", "v2/app.zip"]


@pytest.mark.parametrize("closing", ["", "del client", "client.close()", "sys.exit(0)"])
def test_a_client_closed_or_not_leaves_no_word(closing: str, moto: S3Endpoint, bucket: str, temporary: Path) -> None:
    body = f"""
        client = create_client(temp_dir=temporary)
        client.upload(noise(1), place + "/v1/app.zip")
        pieces = client.stream(place + "/v1/app.zip")
        next(pieces)
        {closing}
        """
    assert _run(moto, body, str(temporary), f"s3://{bucket}") == (0, "", "")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
def test_ctrl_c_in_the_middle_of_an_upload_in_parts(kind: str, moto: S3Endpoint, bucket: str, temporary: Path) -> None:
    """The signal comes when the second part has gone up."""
    body = """
        moved = 0

        def watch(event):
            global moved
            if isinstance(event, BytesMoved) and moved < 6_000_000:
                moved += event.count
                if moved >= 6_000_000:
                    os.kill(os.getpid(), signal.SIGINT)

        options = dict(
            temp_dir=temporary, observer=watch, max_concurrent_requests=2,
            multipart_threshold=5 << 20, multipart_chunksize=5 << 20,
        )
        data = noise("large", 60_000_000)

        async def main():
            async with create_async_client(**options) as client:
                await client.upload(data, place + "/large.bin", delta=False)
        """
    if kind == "asynchronous":
        body += "\n        asyncio.run(main())"
    else:
        body += '\n        create_client(**options).upload(data, place + "/large.bin", delta=False)'
    code, out, err = _run(moto, body, str(temporary), f"s3://{bucket}")
    assert (code, out) == (-signal.SIGINT, ""), err
    assert err.rstrip().splitlines()[-1] == "KeyboardInterrupt"
    client = moto.client()
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert client.list_objects_v2(Bucket=bucket).get("Contents", []) == []
    assert list(temporary.iterdir()) == []


def test_a_second_loop_is_told(moto: S3Endpoint) -> None:
    """Where the connections of the first one would fail in words nobody understands."""
    client = create_async_client(**moto.client_kwargs())

    async def first() -> None:
        await client.buckets()

    with asyncio.Runner() as runner:
        runner.run(first())
        with pytest.raises(ClientStateError, match="another event loop"):
            asyncio.run(client.buckets())
        runner.run(client.aclose())
