"""Which archives are measured, and how what they show is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench import pairs as published
from bench.cases import archives, releases
from bench.cases.archives import AWARE, PEER, PLAIN, Outcome
from bench.measure import Cost
from bench.pairs import Pair


def get(*_: object) -> Path:
    raise AssertionError("nothing is fetched here")


def outcome(stored: int, *, back: bool = True) -> Outcome:
    return Outcome(stored, Cost(1, 2.5), Cost(1, 0.5) if back else None)


def test_of_each_kind_there_are_three_pairs_of_different_versions() -> None:
    found = published.pairs()
    kinds = Counter(pair.kind for pair in found)
    assert set(kinds) == set(published.KINDS)
    assert min(kinds.values()) >= 3
    assert all(pair.first != pair.second for pair in found)
    assert len({(pair.kind, pair.name, pair.first, pair.second) for pair in found}) == len(found)


@pytest.mark.parametrize("kind", [kind for kind in published.KINDS if kind != published.DEB])
def test_of_each_kind_some_lie_next_to_each_other_and_some_far_apart(kind: str) -> None:
    # Of Debian packages old versions vanish.
    assert {pair.far for pair in published.pairs() if pair.kind == kind} == {False, True}


def test_a_row_tells_what_each_side_stored_and_took() -> None:
    pair = Pair(published.SDIST, "name", "1", "2", get)
    found = {PEER: outcome(900, back=False), PLAIN: outcome(800), AWARE: outcome(20)}
    row = archives._row(pair, 1000, found)
    assert row == ("Python sdist: name 1 -> 2", 0.0, 90.0, 80.0, 2.0, 40.0, 2.5, 2.5, 2.5, None, 0.5, 0.5)


def test_targets_are_of_the_mean_of_a_kind_and_of_the_worst_of_all() -> None:
    gains = {
        Pair(published.SDIST, "one", "1", "2", get): 100.0,
        Pair(published.SDIST, "two", "1", "2", get): 4.0,
        Pair(published.GZ_IN_WHEEL, "botocore", "1", "2", get): 2.0,
        Pair(published.GZ_IN_WHEEL, "botocore", "1", "9", get, far=True): 16.0,
        Pair(published.DEB, "deb", "1", "2", get): 0.5,
    }
    found = {target.claim.partition(":")[0]: target for target in archives._targets(gains)}
    assert set(found) == {published.SDIST, "botocore wheels 10 versions apart or more", "the worst of all"}
    assert found[published.SDIST].measured == pytest.approx(1 / 20)
    assert not found[published.SDIST].holds
    assert found["botocore wheels 10 versions apart or more"].holds
    assert found["the worst of all"].measured == pytest.approx(2)
    assert not found["the worst of all"].holds


def test_the_releases_are_the_last_ones_with_their_candidates(tmp_path: Path) -> None:
    class Data:
        def versions(self, name: str) -> list[str]:
            assert name == "thing"
            return ["0.9", "1.0rc1", "1.0", "1.1", "1.2.dev0", "1.2", "1.3"]

    package = releases.Package("kind", "thing", "1.2", get)
    assert releases._versions(Data(), package, 3) == ["1.1", "1.2.dev0", "1.2"]  # type: ignore[arg-type]
