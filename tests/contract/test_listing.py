"""``list_objects``: byte order, common prefixes merged in, pages of any size, against a naive oracle."""

from __future__ import annotations

import itertools
import random

import pytest

from deltaglider.errors import BucketNotFoundError
from deltaglider.store.base import ListedObject, ListedPrefix
from tests.contract.oracle import listing
from tests.contract.quirks import makes_directories
from tests.contract.tools import Box, md5
from tests.servers import Endpoint

pytestmark = pytest.mark.endpoints("directory", "moto", "weed")

KEYS = [
    "Z",
    "a-b",
    "a.txt",
    "a/",
    "a/b",
    "a/b-",
    "a/b.c",
    "a/b/",
    "a/b/c",
    "a/c/d/e",
    "a0",
    "b",
    "b!",
    "b/c",
    "é",
    "é/1",
]


def keys_for(endpoint: Endpoint) -> list[str]:
    return [key for key in KEYS if not (makes_directories(endpoint) and key.endswith("/"))]


async def test_an_empty_bucket_has_no_pages(box: Box) -> None:
    assert await box.pages() == []
    assert await box.pages("x", delimiter="/") == []


async def test_a_missing_bucket_is_not_found(box: Box) -> None:
    with pytest.raises(BucketNotFoundError, match="no-such-bucket-0"):
        async for _ in box.store.list_objects("no-such-bucket-0"):
            pass


async def test_an_entry_tells_what_head_tells(box: Box) -> None:
    await box.put("dir/k", b"hello")
    await box.put("top", b"")
    pages = [page async for page in box.store.list_objects(box.bucket, delimiter="/")]
    head = await box.head("top")
    assert pages == [
        [ListedPrefix("dir/"), ListedObject("top", 0, md5(b""), head.last_modified, "STANDARD")],
    ]


async def test_keys_come_in_byte_order(box: Box, endpoint: Endpoint) -> None:
    keys = keys_for(endpoint)
    await box.put_many(reversed(keys))
    assert await box.keys() == sorted(keys, key=str.encode)


async def test_a_delimiter_rolls_up_what_follows_it(box: Box, endpoint: Endpoint) -> None:
    keys = keys_for(endpoint)
    await box.put_many(keys)
    assert await box.keys(delimiter="/") == ["Z", "a-b", "a.txt", "PRE a/", "a0", "b", "b!", "PRE b/", "é", "PRE é/"]
    for prefix, delimiter in (("a/", "/"), ("a", "b"), ("a", "/"), ("b", "/"), ("", "."), ("", "-")):
        assert await box.keys(prefix, delimiter=delimiter) == listing(keys, prefix, delimiter, "")


async def test_start_after_in_the_middle_of_a_common_prefix_leaves_it_out(box: Box) -> None:
    await box.put_many(["a", "d/1", "d/2", "d/3", "e"])
    assert await box.keys(delimiter="/", start_after="d/2") == ["e"]
    assert await box.keys(delimiter="/", start_after="d/") == ["e"]
    assert await box.keys(delimiter="/", start_after="d") == ["PRE d/", "e"]
    assert await box.keys(start_after="d/2") == ["d/3", "e"]
    assert await box.keys("d/", start_after="a") == ["d/1", "d/2", "d/3"]
    assert await box.keys("d/", start_after="e") == []


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
async def test_pages_of_any_size_make_the_same_listing(box: Box, endpoint: Endpoint, page_size: int) -> None:
    keys = keys_for(endpoint)
    await box.put_many(keys)
    for prefix, delimiter in (("", ""), ("", "/"), ("a", "/"), ("a/", "")):
        pages = await box.pages(prefix, delimiter=delimiter, page_size=page_size)
        assert all(0 < len(page) <= page_size for page in pages)
        assert list(itertools.chain(*pages)) == listing(keys, prefix, delimiter, "")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.endpoints("directory", "moto")
async def test_random_listings_agree_with_the_oracle(box: Box, seed: int) -> None:
    chance = random.Random(seed)

    def text(longest: int) -> str:
        return "".join(chance.choices("ab/.-é😀\uffee", k=chance.randint(0, longest)))

    keys = sorted({text(6) for _ in range(30)} - {""})
    await box.put_many(keys)
    for _ in range(25):
        prefix, delimiter, start_after = text(2), chance.choice(["", "/", ".", "é", "ab"]), text(4)
        page_size = chance.choice([2, 5, 1000])
        listed = await box.keys(prefix, delimiter=delimiter, start_after=start_after, page_size=page_size)
        assert listed == listing(keys, prefix, delimiter, start_after), (prefix, delimiter, start_after, page_size)


async def test_a_listing_shows_each_completed_write(box: Box) -> None:
    await box.put("k", b"one")
    assert await box.keys() == ["k"]
    await box.put("k", b"three")
    assert [entry.size for page in [p async for p in box.store.list_objects(box.bucket)] for entry in page] == [5]
    await box.store.delete(box.bucket, "k")
    assert await box.keys() == []


async def test_deleting_what_was_listed_loses_no_key_of_the_next_page(box: Box) -> None:
    keys = [f"k{number:02}" for number in range(10)]
    await box.put_many(keys)
    listed: list[str] = []
    async for page in box.store.list_objects(box.bucket, page_size=3):
        for entry in page:
            listed.append(entry.key)
            await box.store.delete(box.bucket, entry.key)
    assert listed == keys
    assert await box.keys() == []


async def test_a_listing_may_be_left_in_the_middle(box: Box) -> None:
    await box.put_many(["a", "b", "c"])
    pages = box.store.list_objects(box.bucket, page_size=1)
    assert [entry.key for entry in await anext(pages)] == ["a"]
    await pages.aclose()  # type: ignore[attr-defined]
    assert await box.keys() == ["a", "b", "c"]
