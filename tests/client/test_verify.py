"""Verifying from a program: the same with both clients, and as the command line has it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from deltaglider.errors import InvalidInputError, LocalFileError, NotFoundError
from tests.client.world import Either, noise


@pytest.fixture
async def place(either: Either, bucket: str) -> str:
    """Two versions of a file, and a text."""
    for name, data in (("v1/a.zip", noise(1)), ("v2/a.zip", noise(1) + b"more"), ("notes.txt", b"notes")):
        await either("upload", data, f"s3://{bucket}/{name}")
    return f"s3://{bucket}/"


async def test_a_quick_look_at_one(either: Either, place: str) -> None:
    result = await either("verify", f"{place}v2/a.zip", quick=True)
    assert (result.valid, result.state, result.actual_sha256) == (True, "checked", "")
    assert result.reference_key.startswith(".deltaglider/references/")
    assert (await either("verify", f"{place}v2/a.zip")).state == "proven"
    with pytest.raises(NotFoundError):
        await either("verify", f"{place}v3/a.zip", quick=True)


async def test_what_was_proven_lately_is_passed_over(either: Either, place: str, tmp_path: Path) -> None:
    record = tmp_path / "record"

    async def states(**options: object) -> list[str]:
        return [result.state for result in await either("verify_directory", place, **options)]

    assert await states(record=record) == ["proven"] * 3
    assert await states(record=str(record), older_than=timedelta(days=7)) == ["earlier"] * 3
    assert await states(record=record, older_than=3600) == ["earlier"] * 3
    assert await states(record=record, resume=True) == ["proven"] * 3
    assert await states(older_than=3600) == ["proven"] * 3
    assert await states(older_than=3600) == ["earlier"] * 3
    assert await states(quick=True) == ["checked"] * 3
    with pytest.raises(InvalidInputError, match="quick"):
        await states(quick=True, resume=True)
    (tmp_path / "other").write_bytes(b"precious")
    with pytest.raises(LocalFileError, match="no record"):
        await states(record=tmp_path / "other")
