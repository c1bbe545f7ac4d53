"""Notes: found by exactly what they are true of, bounded, private, shared; and never a reason to fail."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from deltaglider.cache.notes import DIRECTORY, Notes, name_of

MIB = 1 << 20
A, B = name_of("object", "a"), name_of("object", "b")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Notes]]:
    made: list[Notes] = []

    def make(home: Path = tmp_path / "cache", size: int = MIB) -> Notes:
        made.append(Notes(home, size))
        return made[-1]

    yield make
    for notes in made:
        notes.close()


def file_of(notes: Notes) -> Path:
    return notes.directory / "notes.db"


def test_what_is_kept_is_found_by_its_name_and_by_no_other(opened: Callable[..., Notes]) -> None:
    notes = opened()
    assert notes.find([A]) == {}
    notes.keep([(A, b"one"), (B, b"two")])
    notes.keep([(A, b"three")])
    assert notes.find([A, B, name_of("object", "c")]) == {A: b"three", B: b"two"}
    assert opened().find([A]) == {A: b"three"}


def test_no_two_things_have_one_name() -> None:
    different = [("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), ("a:", "bc"), ("", "abc"), ("abc", ""), (1, 23)]
    assert len({name_of(*parts) for parts in different}) == len(different)
    assert name_of("\udcff") != name_of("?")


def test_more_names_than_a_query_takes(opened: Callable[..., Notes]) -> None:
    notes = opened()
    wanted = {name_of("n", number): str(number).encode() for number in range(2100)}
    notes.keep(wanted.items())
    assert notes.find([*wanted, A]) == wanted


def test_nothing_is_made_before_something_is_asked(opened: Callable[..., Notes], tmp_path: Path) -> None:
    notes = opened()
    assert notes.find([]) == {}
    assert notes.find([A]) == {}
    notes.keep([])
    assert not (tmp_path / "cache").exists()


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_nobody_else_can_read_or_write_them(opened: Callable[..., Notes], tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        notes = opened()
        notes.keep([(A, b"one")])
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert stat.S_IMODE(notes.directory.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in notes.directory.iterdir()}
    assert modes == {"notes.db": 0o600, "notes.db-wal": 0o600, "notes.db-shm": 0o600}


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
@pytest.mark.parametrize("trap", ["open to others", "a link", "a file"])
def test_a_place_that_others_may_have_prepared_is_not_used(
    opened: Callable[..., Notes], tmp_path: Path, trap: str
) -> None:
    notes = opened()
    notes.directory.parent.mkdir()
    if trap == "open to others":
        notes.directory.mkdir()
        notes.directory.chmod(0o770)
    elif trap == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        notes.directory.symlink_to(tmp_path / "elsewhere")
    else:
        notes.directory.write_bytes(b"x")
    notes.keep([(A, b"one")])
    assert notes.is_off
    assert notes.find([A]) == {}
    assert not any(path.name.startswith("notes.db") for path in tmp_path.rglob("*"))


def test_size_zero_keeps_nothing(opened: Callable[..., Notes], tmp_path: Path) -> None:
    notes = opened(size=0)
    notes.keep([(A, b"one")])
    assert (notes.find([A]), notes.is_off) == ({}, True)
    assert not (tmp_path / "cache").exists()


def test_the_oldest_give_way_and_what_is_kept_anew_is_young(opened: Callable[..., Notes]) -> None:
    notes = opened(size=MIB)
    notes.keep([(A, b"first"), (B, b"second")])
    numbers = [name_of("n", number) for number in range(6000)]
    for start in range(0, len(numbers), 500):
        notes.keep((name, bytes(400)) for name in numbers[start : start + 500])
        notes.keep([(A, b"again")])
        assert file_of(notes).stat().st_size <= MIB + MIB // 4
    found = notes.find([A, B, *numbers])
    assert found[A] == b"again"
    assert B not in found
    kept = [name in found for name in numbers]
    assert kept == sorted(kept)
    assert 1000 < sum(kept) < 3000


def test_a_smaller_limit_shrinks_the_file(opened: Callable[..., Notes]) -> None:
    notes = opened(size=4 * MIB)
    for start in range(0, 6000, 1000):
        notes.keep((name_of("n", number), bytes(400)) for number in range(start, start + 1000))
    notes.close()
    assert file_of(notes).stat().st_size > 2 * MIB
    smaller = opened(size=MIB // 2)
    smaller.keep([(A, b"one")])
    assert smaller.find([A]) == {A: b"one"}
    smaller.close()
    assert file_of(smaller).stat().st_size <= MIB


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def other_tables(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE notes")
        connection.execute("CREATE TABLE notes (something TEXT)")


@pytest.mark.parametrize("damage", [garbage, torn, other_tables])
def test_a_damaged_database_is_thrown_away(
    opened: Callable[..., Notes], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    first = opened()
    first.keep((name_of("n", number), bytes(100)) for number in range(500))
    first.close()
    damage(file_of(first))
    notes = opened()
    notes.keep([(A, b"one")])
    assert notes.find([A, name_of("n", 3)]) == {A: b"one"}
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [DIRECTORY]


def test_a_damaged_value_is_no_note(opened: Callable[..., Notes]) -> None:
    notes = opened()
    notes.keep([(A, b"one"), (B, b"two")])
    with contextlib.closing(sqlite3.connect(file_of(notes))) as connection, connection:
        # As a mixture of two generations of a file would give: each value under the other's name.
        connection.execute("UPDATE notes SET value = (SELECT value FROM notes WHERE name = ?) WHERE name = ?", (B, A))
    assert notes.find([A, B]) == {B: b"two"}


def test_a_place_that_cannot_be_written_is_done_without(opened: Callable[..., Notes], tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file in the place of the directory")
    notes = opened()
    notes.keep([(A, b"one")])
    assert (notes.find([A]), notes.is_off) == ({}, True)


def test_a_full_disk_is_done_without(opened: Callable[..., Notes]) -> None:
    notes = opened()
    notes.keep([(A, b"one")])
    connection = notes._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 1")
    notes.keep((name_of("n", number), bytes(1000)) for number in range(1000))
    assert notes.is_off
    assert notes.find([A]) == {}
    assert opened().find([A]) == {A: b"one"}


def test_others_who_write_are_not_waited_for_long(opened: Callable[..., Notes]) -> None:
    notes = opened()
    notes.keep([(A, b"one")])
    with contextlib.closing(sqlite3.connect(file_of(notes), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        notes.keep([(B, b"two")])
        assert notes.find([A, B]) == {A: b"one"}
        connection.execute("ROLLBACK")
    notes.keep([(B, b"two")])
    assert notes.find([A, B]) == {A: b"one", B: b"two"}


def work(home: str, worker: int) -> int:
    notes = Notes(Path(home), 8 * MIB)
    try:
        for turn in range(20):
            notes.keep((name_of(worker, turn, number), b"%d" % number) for number in range(20))
            notes.find([name_of(other, turn, 3) for other in range(4)])
        return len(notes.find([name_of(worker, turn, number) for turn in range(20) for number in range(20)]))
    finally:
        notes.close()


def test_several_processes_at_once(opened: Callable[..., Notes], tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        # A busy database may cost a note, and nothing else.
        found = list(pool.map(work, [str(tmp_path / "cache")] * 3, range(3)))
    assert all(count > 0 for count in found)
    names = [name_of(worker, turn, number) for worker in range(3) for turn in range(20) for number in range(20)]
    assert len(opened().find(names)) == sum(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_leaves_its_parents_database_alone(opened: Callable[..., Notes]) -> None:
    notes = opened()
    notes.keep([(A, b"one")])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if notes.is_off and notes.find([A]) == {} else 2
            notes.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    notes.keep([(B, b"two")])
    assert notes.find([A, B]) == {A: b"one", B: b"two"}


async def test_work_in_a_thread(opened: Callable[..., Notes]) -> None:
    notes = opened()
    await notes.run(notes.keep, [(A, b"one")])
    assert await notes.run(notes.find, [A]) == {A: b"one"}
