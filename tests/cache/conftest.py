"""An empty cache, with room for a few references of 10,000 bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaglider.cache.references import ReferenceCache


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "some" / "cache"


@pytest.fixture
def cache(home: Path) -> Iterator[ReferenceCache]:
    made = ReferenceCache(home, 1_000_000)
    yield made
    made.close()
