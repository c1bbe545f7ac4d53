"""Which zips are worth being unpacked for a delta."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from deltaglider.codec.kin import may_be_kin
from deltaglider.errors import LocalFileError
from tests.codec.material import noise, write


def packed(path: Path, names: Iterable[str], size: int = 100) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, noise(size, name))
    return path


def names(project: str, count: int = 20) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"{project}/{project}_{letters[number]}.py" for number in range(count)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return packed(tmp_path / "old.zip", names("shop"))


@pytest.mark.parametrize(
    "others",
    [
        names("shop"),
        [name.replace("shop/", "shop-2.0.1/src/") for name in names("shop")],
        [name.replace(".py", "-3f9c2b1e77.py") for name in names("shop")],
        [name.replace(".py", "17.py") for name in names("shop")],
        [*names("shop", 4), *names("new", 20)],
        names("single", 7),
    ],
    ids=["the same", "moved", "with hashes", "with numbers", "mostly new", "few"],
)
def test_versions_of_one_thing_are_kin(others: list[str], old: Path, tmp_path: Path) -> None:
    assert may_be_kin(old, packed(tmp_path / "new.zip", others))


def test_zips_of_different_things_are_not(old: Path, tmp_path: Path) -> None:
    assert not may_be_kin(old, packed(tmp_path / "new.zip", names("other")))
    assert not may_be_kin(old, packed(tmp_path / "new.zip", ["README", *names("other")]))


def test_bytes_count_and_not_members(old: Path, tmp_path: Path) -> None:
    new = packed(tmp_path / "new.zip", names("other"))
    with zipfile.ZipFile(new, "a") as archive:
        archive.writestr("large/shop_c.py", noise(50_000))
    assert may_be_kin(old, new)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08" + noise(2_000), noise(5_000)])
def test_of_what_is_no_zip_nothing_is_told(content: bytes, old: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", content)
    assert may_be_kin(old, other)
    assert may_be_kin(other, old)


@pytest.mark.parametrize("damage", [10, 40, 200, 1_000])
def test_damaged_zips_are_no_error(damage: int, old: Path, tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "new.zip", names("other")).read_bytes())
    content[-damage] ^= 0xFF
    assert may_be_kin(old, write(tmp_path / "damaged.zip", bytes(content))) in (True, False)
    assert may_be_kin(old, write(tmp_path / "damaged.zip", bytes(content[:-damage])))


def test_a_file_that_is_gone_is_told(old: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalFileError):
        may_be_kin(old, tmp_path / "gone")


def test_of_what_hides_its_size_nothing_is_read(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip64's directory may be as large as the file, whatever the usual record says."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    assert may_be_kin(old, packed(tmp_path / "new.zip", names("other")))
