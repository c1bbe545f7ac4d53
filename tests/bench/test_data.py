"""What is fetched or made for the measurements: once, whole, and under its own name."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench import made
from bench.data import Data

METADATA = "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory from which pip takes what it would fetch."""
    links = tmp_path / "links"
    links.mkdir()
    with zipfile.ZipFile(links / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return links


def test_a_wheel_is_fetched_once(tmp_path: Path, index: Path) -> None:
    data = Data(tmp_path / "data")
    wheel = data.wheel("thing", "1.0")
    original = index / "thing-1.0-py3-none-any.whl"
    assert wheel.name == original.name
    assert wheel.read_bytes() == original.read_bytes()
    original.unlink()
    assert Data(tmp_path / "data").wheel("thing", "1.0") == wheel


def test_what_cannot_be_fetched_leaves_nothing(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.data.ATTEMPTS", 1)
    data = Data(tmp_path / "data")
    with pytest.raises(RuntimeError, match=r"thing==2\.0"):
        data.wheel("thing", "2.0")
    assert [path for path in data.directory.rglob("*") if path.is_file()] == []


def test_what_is_made_at_the_same_time_is_made_whole(tmp_path: Path) -> None:
    data = Data(tmp_path / "data")

    def make(path: Path) -> None:
        path.write_bytes(b"first")
        path.write_bytes(b"whole")

    with ThreadPoolExecutor(4) as threads:
        files = set(threads.map(lambda _: data.made("some/thing.bin", make), range(8)))
    (file,) = files
    assert file.read_bytes() == b"whole"
    assert list(data.directory.glob(".*")) == []


def test_what_fails_half_way_is_not_kept(tmp_path: Path) -> None:
    data = Data(tmp_path / "data")

    def half(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        data.made("thing.bin", half)
    assert data.made("thing.bin", lambda path: path.write_bytes(b"whole")).read_bytes() == b"whole"


def test_noise_is_the_same_each_time_and_of_its_size() -> None:
    size = made.CHUNK + 10
    first, again, other = (b"".join(made.noise(size, seed)) for seed in ("a", "a", "b"))
    assert first == again
    assert first != other
    assert len(first) == size


def test_a_moved_block_is_all_that_differs(tmp_path: Path) -> None:
    before, after = (path.read_bytes() for path in made.moved(Data(tmp_path), size=1000, block=100, by=700))
    assert after == before[100:800] + before[:100] + before[800:]


def test_the_second_database_differs_in_a_little_only(tmp_path: Path) -> None:
    first, second = (path.read_text().splitlines() for path in made.dumps(Data(tmp_path), rows=1000))
    kept = set(first) & set(second)
    assert len(first) - len(kept) == 20
    assert len(second) - len(kept) == 30


def test_of_the_second_checkpoint_every_fifth_layer_is_another(tmp_path: Path) -> None:
    first, second = (path.read_bytes() for path in made.checkpoints(Data(tmp_path), layers=7, layer_size=100))
    same = [first[at : at + 100] == second[at : at + 100] for at in range(0, 700, 100)]
    assert same == [False, True, True, True, True, False, True]


def test_unrelated_archives_open_and_share_nothing(tmp_path: Path) -> None:
    archives = made.unrelated(Data(tmp_path), count=2, size=5000)
    contents = []
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            contents.append(archive.read("part-0.bin"))
    assert [len(content) for content in contents] == [5000, 5000]
    assert contents[0] != contents[1]
