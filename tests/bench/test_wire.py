"""The proxy that counts, and does nothing else."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.wire import Requests, Traffic, Wire
from tests.servers import S3Endpoint

STREAM = (
    b"PUT /bucket/key HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nGET / HTTP/1.1\r\n\r\nxx"
    b"GET /bucket?list-type=2 HTTP/1.1\r\nHost: x\r\n\r\n"
    b"PUT /other HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nHEAD \r\n10;a=b\r\nGET / HTTP/1.1\r\n\r\n0\r\n\r\n"
    b"HEAD /bucket/key HTTP/1.1\r\n\r\n"
)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 1000])
def test_requests_are_told_from_bodies_however_the_stream_is_cut(piece: int) -> None:
    methods: Counter[str] = Counter()
    requests = Requests(methods)
    for at in range(0, len(STREAM), piece):
        requests.feed(STREAM[at : at + piece])
    assert methods == {"PUT": 2, "GET": 1, "HEAD": 1}


def test_what_goes_through_is_counted_and_comes_through_as_it_is(moto: S3Endpoint) -> None:
    bucket = moto.make_bucket()
    body = bytes(range(256)) * 4000
    with Wire(moto.url) as wire:
        import botocore.session

        client = botocore.session.Session().create_client("s3", **{**moto.client_kwargs(), "endpoint_url": wire.url})
        client.put_object(Bucket=bucket, Key="key", Body=body)
        with client.get_object(Bucket=bucket, Key="key")["Body"] as stream:
            assert stream.read() == body
        with pytest.raises(client.exceptions.NoSuchKey):
            client.get_object(Bucket=bucket, Key="none")
        client.close()
        traffic = wire.traffic()
    assert traffic.requests == {"PUT": 1, "GET": 2}
    assert traffic.count == 3
    assert len(body) < traffic.sent < len(body) + 5000
    assert len(body) < traffic.received < len(body) + 5000


def test_what_came_since_an_earlier_look() -> None:
    before, now = Traffic({"GET": 1, "PUT": 2}, 10, 100), Traffic({"GET": 1, "PUT": 5, "HEAD": 1}, 15, 130)
    assert now - before == Traffic({"PUT": 3, "HEAD": 1}, 5, 30)


def test_a_server_that_is_gone_ends_the_connection() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"  # Bound, and not listening.
        with Wire(url) as wire:
            port = int(wire.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                assert connection.recv(10) == b""
            assert wire.traffic().count == 0
