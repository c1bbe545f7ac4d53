"""The record of what was proven: read beside a listing, kept through interruptions, never believed too far."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaglider.cache.proofs import Proof, Proofs
from deltaglider.errors import LocalFileError

PLACE = "https://store s3://b/p/"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "verified" / "record.jsonl"


def run(path: Path, *proofs: Proof, finish: bool = True, resume: bool = False) -> int:
    """One run that proves some objects; when the one before began, if that was interrupted."""
    record = Proofs(path, PLACE)
    interrupted = record.open(resume=resume)
    try:
        record.known([(key, identity) for key, identity, _ in proofs])
        record.add(proofs)
        if finish:
            record.finish()
    finally:
        record.close()
    return interrupted


def known(path: Path, *objects: tuple[str, str]) -> list[int]:
    record = Proofs(path, PLACE)
    record.open(resume=False)
    try:
        return record.known(objects)
    finally:
        record.close()


def test_what_was_proven_is_known_the_next_time(path: Path) -> None:
    assert run(path, ("a", "1", 100), ("b", "1", 0), ("d", "1", 300)) == 0
    asked = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "2"), ("e", "1")]
    assert known(path, *asked) == [100, 0, 0, 0, 0]
    assert known(path, ("d", "1")) == [300]
    assert known(path, ("a", "1"), ("d", "1")) == [100, 300]


def test_an_interrupted_run_adds_to_what_was_known_and_takes_back_what_failed(path: Path) -> None:
    run(path, ("a", "1", 100), ("b", "1", 100), ("c", "1", 100), ("d", "1", 100))
    run(path, ("a", "1", 200), ("b", "1", 0), finish=False)
    assert known(path, ("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")) == [200, 0, 100, 100]


def test_a_run_that_is_through_forgets_what_it_did_not_meet(path: Path) -> None:
    run(path, ("a", "1", 100), ("b", "1", 100))
    run(path, ("b", "1", 200))
    assert known(path, ("a", "1"), ("b", "1")) == [0, 200]


def test_only_an_interrupted_run_can_be_gone_on_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = iter(range(1000, 9000, 1000))
    monkeypatch.setattr("deltaglider.cache.proofs.time.time", lambda: next(moment))
    assert run(path, ("a", "1", 1), finish=False) == 0
    assert run(path, ("a", "1", 1), finish=False, resume=True) == 1000
    # Those that go on with one began when that began.
    assert run(path, ("a", "1", 1), finish=False, resume=True) == 1000
    assert run(path, ("a", "1", 1), finish=False) == 1000
    assert run(path, ("a", "1", 1), resume=True) == 2000
    assert run(path, ("a", "1", 1), resume=True) == 0


def test_a_crash_in_the_middle_of_a_line_costs_that_line(path: Path) -> None:
    run(path, ("a", "1", 100), ("b", "1", 100))
    run(path, ("a", "1", 200), ("b", "1", 200), finish=False)
    part = path.with_name(path.name + ".new")
    part.write_bytes(part.read_bytes()[:-5])
    assert known(path, ("a", "1"), ("b", "1")) == [200, 100]


@pytest.mark.parametrize(
    "line", [b'["b", 1, 2]', b'["b", "1", "2"]', b'["b", "1", true]', b'{"b": 1}', b"\xff", b"[" * 9]
)
def test_what_is_no_line_of_ours_ends_the_record(path: Path, line: bytes) -> None:
    run(path, ("a", "1", 100), ("c", "1", 100))
    first, second, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, second, line + b"\n", *rest]))
    assert known(path, ("a", "1"), ("c", "1")) == [100, 0]


def test_a_run_that_ended_before_it_began_leaves_what_was_known(path: Path) -> None:
    run(path, ("a", "1", 100))
    path.with_name(path.name + ".new").write_bytes(b'{"form')
    assert known(path, ("a", "1")) == [100]


def test_a_crash_while_two_are_merged_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, ("a", "1", 100), ("b", "1", 100))
    run(path, ("a", "1", 200), finish=False)

    def crash(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(LocalFileError, match="cannot be kept"):
            known(path, ("a", "1"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda self, **_: crash() if self.suffix == ".new" else None)
        with pytest.raises(LocalFileError, match="cannot be kept"):
            known(path, ("a", "1"))
    assert known(path, ("a", "1"), ("b", "1")) == [200, 100]


@pytest.mark.parametrize("content", [b"precious notes\n", b'{"format": 2, "place": "x", "begun": 1}\n', b"[]\n"])
def test_a_file_that_is_no_record_is_not_touched(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LocalFileError, match=r"no record of a verification.*Name another"):
        run(path)
    assert path.read_bytes() == content


def test_the_record_of_another_place_is_not_touched(path: Path) -> None:
    run(path, ("a", "1", 100))
    before = path.read_bytes()
    with pytest.raises(LocalFileError, match=r"another place, https://store s3://b/p/"):
        Proofs(path, "https://other s3://b/p/").open(resume=True)
    assert path.read_bytes() == before
    assert known(path, ("a", "1")) == [100]


def test_one_run_at_a_time(path: Path) -> None:
    first = Proofs(path, PLACE)
    first.open(resume=False)
    with pytest.raises(LocalFileError, match="another verification is being recorded"):
        Proofs(path, PLACE).open(resume=False)
    first.add([("a", "1", 100)])
    first.finish()
    first.close()
    assert known(path, ("a", "1")) == [100]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_the_user_may_look(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        run(path, ("a", "1", 100), finish=False)
        run(path, ("a", "1", 100), finish=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    path.parent.mkdir()
    path.with_name(path.name + ".new").symlink_to(victim)
    run(path, ("a", "1", 100))
    assert victim.read_bytes() == b""
    assert known(path, ("a", "1")) == [100]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFileError, match=r"record of the verification.*Name another file"):
        run(tmp_path / "file" / "record")


def test_lines_are_plain_json(path: Path) -> None:
    run(path, ("a\n\u2028é\udcff", 'e"1', 100))
    header, line, end = map(json.loads, path.read_text("ascii").split("\n")[:-1])
    assert (header["place"], line, end) == (PLACE, ["a\n\u2028é\udcff", 'e"1', 100], ["end"])


KEYS = st.sets(st.text(max_size=3), max_size=12)


def encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


@given(st.lists(st.tuples(KEYS, st.booleans(), st.integers(0, 12)), max_size=5))
def test_any_runs_against_a_dictionary(tmp_path_factory: pytest.TempPathFactory, runs: list) -> None:
    path = tmp_path_factory.mktemp("proofs") / "record"
    expected: dict[str, int] = {}
    for number, (keys, finish, reached) in enumerate(runs, 1):
        ordered = sorted(keys, key=encoded)
        assert known(path, *((key, "1") for key in ordered)) == [expected.get(key, 0) for key in ordered]
        proven = ordered if finish else ordered[:reached]
        run(path, *((key, "1", number) for key in proven), finish=finish)
        rest = {key: when for key, when in expected.items() if not proven or encoded(key) > encoded(proven[-1])}
        expected = {**({} if finish else rest), **dict.fromkeys(proven, number)}
