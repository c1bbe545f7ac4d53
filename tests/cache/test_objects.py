"""What a HEAD told: recalled for the very same object, and kept only where it is sure to hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deltaglider.cache.notes import Notes
from deltaglider.cache.objects import SETTLED, Seen, Told, keep, recall

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = "https://here"
SEEN = Seen("bucket", "p/a.zip.delta", "0123456789abcdef", 321, NOON)
TOLD = Told({"dg-file-size": "1000", "user-team": "core", "dg-original-name": "a.zip"}, {"ContentType": "x/y"})


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    made = Notes(tmp_path / "cache", 1 << 20)
    yield made
    made.close()


async def test_what_was_told_is_recalled(notes: Notes) -> None:
    other = dataclasses.replace(SEEN, key="p/b.zip.delta")
    await keep(notes, HERE, [(SEEN, TOLD, NOON + SETTLED)])
    assert await recall(notes, HERE, [other, SEEN]) == [None, TOLD]
    assert await recall(notes, HERE, []) == []


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": "bucket2"},
        {"key": "p/a.zip"},
        {"etag": "0123456789abcdeF"},
        {"size": 322},
        {"modified": NOON + timedelta(seconds=1)},
        {"modified": NOON - timedelta(seconds=1)},
    ],
)
async def test_whatever_looks_different_is_not_recalled(notes: Notes, change: dict[str, Any]) -> None:
    await keep(notes, HERE, [(SEEN, TOLD, NOON + SETTLED)])
    assert await recall(notes, HERE, [dataclasses.replace(SEEN, **change)]) == [None]


async def test_another_endpoint_is_another_world(notes: Notes) -> None:
    await keep(notes, HERE, [(SEEN, TOLD, NOON + SETTLED)])
    assert await recall(notes, "https://there", [SEEN]) == [None]
    assert await recall(notes, "http://here", [SEEN]) == [None]


async def test_a_listing_may_be_finer_than_a_head(notes: Notes) -> None:
    await keep(notes, HERE, [(SEEN, TOLD, NOON + SETTLED)])
    assert await recall(notes, HERE, [dataclasses.replace(SEEN, modified=NOON.replace(microsecond=999_000))]) == [TOLD]


@pytest.mark.parametrize(
    ("seen", "answered"),
    [
        pytest.param(SEEN, NOON, id="stored in this second"),
        pytest.param(SEEN, NOON + SETTLED - timedelta(seconds=1), id="young"),
        pytest.param(SEEN, NOON - timedelta(days=1), id="of the future"),
        pytest.param(SEEN, None, id="a store that does not tell its time"),
        pytest.param(dataclasses.replace(SEEN, etag=""), NOON + SETTLED, id="no etag"),
        pytest.param(dataclasses.replace(SEEN, modified=datetime.fromtimestamp(0, UTC)), NOON, id="no time"),
    ],
)
async def test_what_may_be_written_anew_unseen_is_not_kept(notes: Notes, seen: Seen, answered: datetime | None) -> None:
    await keep(notes, HERE, [(seen, TOLD, answered)])
    assert await recall(notes, HERE, [seen]) == [None]


async def test_without_notes_nothing_is_recalled(tmp_path: Path) -> None:
    off = Notes(tmp_path / "cache", 0)
    await keep(off, HERE, [(SEEN, TOLD, NOON + SETTLED)])
    assert await recall(off, HERE, [SEEN, SEEN]) == [None, None]


async def test_a_note_takes_few_bytes(notes: Notes) -> None:
    digits = "0123456789abcdef" * 4
    metadata = {
        "dg-tool": "deltaglider/7.0.0",
        "dg-original-name": "some-library-1.34.90-py3-none-any.zip",
        "dg-file-sha256": digits,
        "dg-file-size": "12345678",
        "dg-md5": digits[:32],
        "dg-created-at": "2026-11-22T11:22:33.123456Z",
        "dg-ref-key": f"releases/.deltaglider/references/{digits}/reference.bin",
        "dg-ref-sha256": digits,
        "dg-delta-size": "123456",
        "dg-delta-cmd": "xdelta3 -e -f -q -D -A= -S djw -6 -I 0 -B 16777216",
        "dg-note": "delta",
    }
    told = Told(metadata, {"ContentType": "application/zip"})
    some = [dataclasses.replace(SEEN, key=f"releases/{number}.zip.delta") for number in range(1000)]
    await keep(notes, HERE, [(seen, told, NOON + SETTLED) for seen in some])
    assert await recall(notes, HERE, some) == [told] * 1000
    notes.close()
    assert (notes.directory / "notes.db").stat().st_size < 1000 * 500
