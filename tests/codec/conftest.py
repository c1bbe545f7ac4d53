"""A codec, and a reference with a file that resembles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deltaglider.codec.xdelta3 import Xdelta3
from tests.codec.material import noise, write

Roundtrip = Callable[[Path, Path], Awaitable[bytes]]


@pytest.fixture
def codec() -> Xdelta3:
    return Xdelta3(processes=2)


@pytest.fixture
def roundtrip(codec: Xdelta3, tmp_path: Path) -> Roundtrip:
    """Encodes a file against a reference, proves that the delta gives it back, and returns the delta."""
    delta, result = tmp_path / "a delta", tmp_path / "a result"

    async def there_and_back(reference: Path, target: Path) -> bytes:
        size = target.stat().st_size
        assert await codec.encode(reference, target, delta, limit=size + 100_000)
        await codec.decode(reference, delta, result, size=size)
        assert result.read_bytes() == target.read_bytes()
        return delta.read_bytes()

    return there_and_back


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """50 KB that nothing compresses."""
    return write(tmp_path / "reference.bin", noise(50_000))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The reference, its parts moved and a little new between them."""
    content = noise(50_000)
    return write(tmp_path / "target.bin", content[20_000:] + noise(500, "new") + content[:20_000])
