"""Listings of the embedded store's index: against the oracle, and without reading what a delimiter rolls up."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaglider.errors import BucketNotFoundError
from deltaglider.store.base import ListedPrefix
from deltaglider.store.directory.index import SCHEMA
from deltaglider.store.directory.pages import Listing, after_prefix, page
from tests.contract.oracle import listing as oracle

# What surrounds a slash and a dot in byte order, and characters of one to four bytes.
TEXT = st.text(alphabet="a/.-0é\uffee😀", max_size=6)


@pytest.fixture
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(SCHEMA)
    connection.execute("INSERT INTO buckets VALUES ('b', 0)")
    yield connection
    connection.close()


INSERT = (
    "INSERT INTO objects (bucket, key, blob, size, etag, modified, metadata, headers)"
    " VALUES ('b', ?, ?, 1, 'e', 0, '{}', '{}')"
)


def fill(index: sqlite3.Connection, keys: Iterable[str]) -> None:
    index.execute("BEGIN")
    index.executemany(
        INSERT,
        ((key.encode(), f"{number:032x}") for number, key in enumerate(keys)),
    )
    index.execute("COMMIT")


def listed(
    index: sqlite3.Connection, prefix: str = "", delimiter: str = "", start_after: str = "", limit: int = 1000
) -> list[list[str]]:
    asked = Listing("b", prefix.encode(), delimiter.encode())
    position: bytes | None = asked.begin(start_after.encode())
    pages = []
    while position is not None:
        entries, position = page(index, asked, position, limit)
        pages.append([f"PRE {e.key}" if isinstance(e, ListedPrefix) else e.key for e in entries])
    return pages


@settings(max_examples=250)
@given(
    keys=st.sets(TEXT.filter(bool), max_size=25),
    prefix=TEXT,
    delimiter=st.sampled_from(["", "/", ".", "é", "a/", "😀"]),
    limit=st.integers(1, 4),
    data=st.data(),
)
def test_a_listing_is_what_the_oracle_says(
    keys: set[str], prefix: str, delimiter: str, limit: int, data: st.DataObject
) -> None:
    # Near a key, where it matters: at it, before it, or among what begins like it.
    near = st.builds(lambda key, at, more: key[:at] + more, st.sampled_from(sorted(keys)), st.integers(0, 6), TEXT)
    start_after = data.draw(near if keys else TEXT)
    index = sqlite3.connect(":memory:", isolation_level=None)
    try:
        index.executescript(SCHEMA)
        index.execute("INSERT INTO buckets VALUES ('b', 0)")
        fill(index, keys)
        pages = listed(index, prefix, delimiter, start_after, limit)
    finally:
        index.close()
    assert list(itertools.chain(*pages)) == oracle(keys, prefix, delimiter, start_after)
    assert all(len(entries) == limit for entries in pages[:-1])


@given(prefix=TEXT, key=TEXT)
def test_after_prefix_is_the_border_of_what_begins_with_it(prefix: str, key: str) -> None:
    begins, border = prefix.encode(), after_prefix(prefix.encode())
    assert (begins <= key.encode() < border) == key.startswith(prefix)


def test_a_missing_bucket_is_not_found(index: sqlite3.Connection) -> None:
    with pytest.raises(BucketNotFoundError):
        page(index, Listing("other", b"", b""), b"", 1)


def steps(index: sqlite3.Connection, **asked: str) -> int:
    """How much SQLite works for a listing, in its own small steps."""
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    index.set_progress_handler(count, 1)
    try:
        listed(index, **asked)
    finally:
        index.set_progress_handler(None, 1)
    return counted[0]


def test_a_delimiter_skips_what_it_rolls_up(index: sqlite3.Connection) -> None:
    fill(index, [f"{directory}/{number}" for directory in "abc" for number in range(2)])
    few = steps(index, delimiter="/")
    fill_more = [f"{directory}/{number:05}x" for directory in "abc" for number in range(3000)]
    index.executemany(
        INSERT,
        ((key.encode(), key) for key in fill_more),
    )
    assert listed(index, delimiter="/") == [["PRE a/", "PRE b/", "PRE c/"]]
    assert steps(index, delimiter="/") <= few
    assert steps(index) > 9000


def test_a_page_reads_no_more_than_it_holds(index: sqlite3.Connection) -> None:
    fill(index, [f"{number:05}" for number in range(5000)])
    asked = Listing("b", b"", b"")
    counted = [0]

    def count() -> int:
        counted[0] += 1
        return 0

    index.set_progress_handler(count, 1)
    entries, position = page(index, asked, b"02", 10)
    index.set_progress_handler(None, 1)
    assert ([entry.key for entry in entries], position) == ([f"{n:05}" for n in range(2000, 2010)], b"02009\0")
    assert 0 < counted[0] < 500
