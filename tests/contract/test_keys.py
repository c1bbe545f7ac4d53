"""Keys are taken, listed and given back as they are: no decoding, no normalising, whatever they hold."""

from __future__ import annotations

import pytest

from deltaglider.errors import InvalidInputError, NotFoundError
from deltaglider.tasks import map_bounded
from tests.contract.quirks import odd_keys
from tests.contract.tools import Box
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")


async def test_odd_keys_are_kept_as_they_are(box: Box, endpoint: Endpoint) -> None:
    keys = odd_keys(endpoint)
    await box.put_many(keys)
    for key in keys:
        info = await box.head(key)
        assert (info.key, info.size) == (key, len(key.encode()))
        assert await box.read(key) == key.encode()
    assert sorted(await box.keys()) == sorted(keys)


async def test_odd_keys_are_copied_and_deleted(box: Box, endpoint: Endpoint) -> None:
    keys = odd_keys(endpoint)
    await box.put_many(keys)
    source = box.bucket
    target = endpoint.make_bucket()
    await map_bounded(lambda key: box.store.copy(source, key, target, key), keys, limit=8)
    assert await box.store.delete_many(source, keys) == []
    assert await box.keys() == []
    copied = Box(box.store, target, box.tmp_path)
    for key in keys:
        assert await copied.read(key) == key.encode()
        await box.store.delete(target, key)
        with pytest.raises(NotFoundError):
            await copied.head(key)


async def test_an_odd_key_is_found_as_prefix_and_start(box: Box, endpoint: Endpoint) -> None:
    keys = [key for key in odd_keys(endpoint) if len(key) < 100 and "\x01" not in key]
    await box.put_many(keys)
    for key in keys:
        assert key in await box.keys(key)
        assert key not in await box.keys(key, start_after=key)


async def test_keys_that_differ_only_in_form_are_two(box: Box) -> None:
    pairs = [("é", "e\u0301"), ("K", "k"), ("%20", " "), ("+", "%2B")]
    await box.put_many([key for pair in pairs for key in pair])
    for pair in pairs:
        assert [await box.read(key) for key in pair] == [key.encode() for key in pair]


@pytest.mark.endpoints("directory", "weed")
async def test_a_key_over_1024_bytes_is_refused(box: Box) -> None:
    with pytest.raises(InvalidInputError, match=f"s3://{box.bucket}/é"):
        await box.put("é" * 513, b"x")
    assert await box.keys() == []


async def test_a_key_that_is_not_text_is_refused(box: Box) -> None:
    for key in ("", "lone surrogate \udc80"):
        with pytest.raises(InvalidInputError):
            await box.put(key, b"x")
    assert await box.keys() == []
