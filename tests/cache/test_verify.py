"""Nothing kept is believed: bytes are hashed before they are used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltaglider.cache import references
from deltaglider.cache.references import ReferenceCache
from tests.cache.world import URI, Origin, content, file_of, in_use, later_than, name_of, no_fetch


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were hashed."""
    seen: list[Path] = []
    real = references.sha256_of

    def noting(path: Path) -> str:
        seen.append(path)
        return real(path)

    monkeypatch.setattr(references, "sha256_of", noting)
    return seen


DAMAGES = {
    "other bytes": lambda path: path.write_bytes(content(2)),
    "one bit": lambda path: path.write_bytes(bytes([content(1)[0] ^ 1]) + content(1)[1:]),
    "cut": lambda path: os.truncate(path, 100),
    "longer": lambda path: path.write_bytes(content(1) + b"!"),
    "empty": lambda path: os.truncate(path, 0),
    "replaced": lambda path: (path.unlink(), path.write_bytes(content(2))),
    "gone": lambda path: path.unlink(),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a link to nowhere": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("same_client", [True, False])
async def test_what_was_damaged_meanwhile_is_fetched_again(
    damage: object, same_client: bool, cache: ReferenceCache, home: Path
) -> None:
    origin = Origin(content(1))
    await origin.read(cache)
    await origin.read(cache)
    assert origin.fetched == 1
    later_than(file_of(home, origin.sha256))
    damage(file_of(home, origin.sha256))  # type: ignore[operator]
    later = cache if same_client else ReferenceCache(home, 1_000_000)
    assert await origin.read(later) == (content(1), False)
    assert origin.fetched == 2
    assert in_use(home) == []


async def test_after_the_damage_it_is_kept_again(cache: ReferenceCache, home: Path) -> None:
    origin = Origin(content(1))
    await origin.read(cache)
    file_of(home, origin.sha256).write_bytes(b"damage")
    await origin.read(cache)
    assert await origin.read(cache) == (content(1), True)
    assert file_of(home, origin.sha256).read_bytes() == content(1)


async def test_damage_is_logged(cache: ReferenceCache, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    origin = Origin(content(1))
    await origin.read(cache)
    file_of(home, origin.sha256).write_bytes(b"damage")
    await origin.read(cache)
    assert f"the cached reference {origin.sha256} is damaged" in caplog.text


async def test_an_unchanged_file_is_hashed_once_by_each_client(
    cache: ReferenceCache, home: Path, hashed: list[Path]
) -> None:
    origin = Origin(content(1))
    for _ in range(3):
        await origin.read(cache)
    assert len(hashed) == 1  # As it came.
    other = ReferenceCache(home, 1_000_000)
    for _ in range(3):
        await origin.read(other)
        await origin.read(cache)
    assert len(hashed) == 2


async def test_a_reference_put_here_by_another_hand_is_hashed_too(cache: ReferenceCache, home: Path) -> None:
    path = file_of(home, name_of(content(1)))
    path.parent.mkdir(parents=True)
    path.write_bytes(content(1))
    async with cache.use(name_of(content(1)), no_fetch, uri=URI) as (used, hit):
        assert (used.read_bytes(), hit) == (content(1), True)
