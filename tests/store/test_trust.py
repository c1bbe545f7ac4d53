"""TLS contexts that are made when they are needed."""

from __future__ import annotations

import ssl

import pytest

from deltaglider.store.s3.store import S3Store
from deltaglider.store.s3.trust import LateContext
from tests.servers import S3Endpoint


def test_it_is_made_once_by_the_first_connection() -> None:
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    late = LateContext(make)
    late.set_alpn_protocols(("http/1.1",))
    assert isinstance(late, ssl.SSLContext)
    assert made == []
    connections = [late.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test") for _ in range(2)]
    assert [connection.context for connection in connections] == made * 2
    assert connections[0].context.verify_mode is ssl.CERT_REQUIRED


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files of certificates that were read."""
    read: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def note(self: ssl.SSLContext, cafile: str | None = None, *args: object, **kwargs: object) -> None:
        read.append(str(cafile))
        load(self, cafile, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", note)
    return read


async def test_without_tls_no_certificate_is_read(moto: S3Endpoint, trusted: list[str]) -> None:
    store = S3Store(moto.settings())
    try:
        assert await store.bucket_exists(moto.make_bucket())
    finally:
        await store.aclose()
    assert trusted == []


async def test_with_tls_those_are_read_that_were_named(weed_tls: S3Endpoint, trusted: list[str]) -> None:
    store = S3Store(weed_tls.settings())
    try:
        await store.list_buckets()
    finally:
        await store.aclose()
    assert trusted == [str(weed_tls.ca_bundle)]
