"""Races of several processes: what is acknowledged and not deleted reads back, whatever met whatever.

In the suite a few rounds; ``nox -s faults`` runs 200 of each, on SeaweedFS too, and prints what was lost: nothing.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from deltaglider.config import MIB
from tests.faults.crew import Crew, Deed, Race
from tests.faults.hostile import HostileS3, Temper
from tests.faults.scale import FULL, scaled
from tests.servers import S3Endpoint

ROUNDS = scaled(2, 200)
PROCESSES = 3
LANES = scaled(2, 8)
"""Rounds that are run at the same time, each in a deltaspace of its own."""

pytestmark = [pytest.mark.faults, pytest.mark.timeout(scaled(120, 1800))]

TEMPERS = {
    "a server that ignores conditions": Temper(conditions="ignored"),
    "a server that refuses conditions": Temper(conditions="refused"),
    "a server whose listings lag": Temper(listing_period=0.2),
}
PLACES = ["moto", *(["weed", *TEMPERS] if FULL else [])]

Record = Callable[[str, object], None]
Lane = tuple[list[Deed], list[Deed]]
"""What is done one after the other before a round, and what is done at once in it."""


@dataclasses.dataclass
class Place:
    """A server, and how long it takes to show all that was done."""

    name: str
    endpoint: S3Endpoint
    patience: float = 0.0

    def race(self, crew: Crew, **options: Any) -> Race:
        race = Race(crew, self.endpoint, **options)
        race.patience = self.patience
        return race


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with Crew(tmp_path_factory.mktemp("crew"), PROCESSES) as crew:
        yield crew


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A server to race on."""
    with ExitStack() as stack:
        if request.param in TEMPERS:
            temper = TEMPERS[request.param]
            endpoint = stack.enter_context(HostileS3(temper))
            yield Place(request.param, endpoint, patience=temper.listing_period)
        else:
            yield Place(request.param, request.getfixturevalue(request.param))


def run(race: Race, lane: Callable[[Race, str, random.Random], Lane], rounds: int = ROUNDS, lanes: int = LANES) -> None:
    """Runs the rounds, some at a time; each has a prefix of its own."""
    for first in range(0, rounds, lanes):
        batch = f"r{first}/"
        made = [lane(race, f"{batch}{number}-of/", random.Random(number)) for number in range(first, first + lanes)]
        for step in range(max(len(before) for before, _ in made)):
            race.at_once(*([before[step]] for before, _ in made if step < len(before)))
        race.settle(batch)
        race.at_once(*(deeds for _, deeds in made))
        race.settle(batch)


def tell(record: Record, what: str, place: Place, race: Race, rounds: int = ROUNDS) -> None:
    record("figure", f"{what} on {place.name}: {rounds} rounds, {PROCESSES} processes, {len(race.lost)} lost")
    assert race.lost == []


def first_uploads(race: Race, prefix: str, chance: random.Random) -> Lane:
    """Each process brings the first file of a deltaspace."""
    return [], [
        race.upload(f"{prefix}v{number}.zip", f"{prefix.replace('/', ' ')}/{number}", delay=chance.random() * 0.05)
        for number in range(PROCESSES)
    ]


def test_first_uploads(crew: Crew, place: Place, record_property: Record) -> None:
    race = place.race(crew)
    run(race, first_uploads)
    assert race.errors == []
    tell(record_property, "first uploads", place, race)


def last_delete(race: Race, prefix: str, chance: random.Random) -> Lane:
    """One deletes the last delta of a deltaspace while another adds one, and the third looks."""
    family = prefix.replace("/", " ")
    old, new = f"{prefix}old.zip", f"{prefix}new.zip"
    return [race.upload(old, f"{family}/1")], [
        race.upload(new, f"{family}/2"),
        race.delete(old, delay=chance.random() * 0.25),
        race.read(new, times=3, delay=chance.random() * 0.2),
    ]


def test_an_upload_and_the_delete_of_the_last_delta(crew: Crew, place: Place, record_property: Record) -> None:
    race = place.race(crew)
    run(race, last_delete)
    # A reader may come between the delta and its reference, which is put back before the upload is acknowledged.
    assert [error for error in race.errors if not error.startswith("read")] == []
    tell(record_property, "an upload against the delete of the last delta", place, race)


def both_forms(race: Race, prefix: str, chance: random.Random) -> Lane:
    """Two writers of one key, the one whole and the other as a delta, over the one or the other; a reader looks."""
    family = prefix.replace("/", " ")
    key, delta = f"{prefix}a.zip", chance.random() < 0.5
    before = [race.upload(f"{prefix}other.zip", f"{family}/0"), race.upload(key, f"{family}/1", delta=delta)]
    return before, [
        race.upload(key, f"{family}/2", delta=True, delay=chance.random() * 0.05),
        race.upload(key, f"{family}/3", delta=False, delay=chance.random() * 0.2),
        race.read(key, times=3, delay=chance.random() * 0.1),
    ]


def test_two_writers_of_one_key_in_different_forms(crew: Crew, place: Place, record_property: Record) -> None:
    race = place.race(crew)
    run(race, both_forms)
    assert [error for error in race.errors if not error.startswith("read")] == []
    tell(record_property, "overwrites of a delta by a whole file and back", place, race)


def overwritten_download(race: Race, prefix: str, chance: random.Random) -> Lane:
    """A file that comes down in ranges and goes up in parts is replaced by one that has no byte in common with it."""
    family = prefix.replace("/", " ")
    key = f"{prefix}a.bin"
    return [race.upload(key, f"alone/{family}1", delta=False)], [
        race.read(key),
        race.upload(key, f"alone/{family}2", delta=False, delay=chance.random() * 0.1),
        race.read(key, delay=chance.random() * 0.1),
    ]


def test_an_overwrite_during_a_ranged_download(crew: Crew, place: Place, record_property: Record) -> None:
    parts = {"multipart_threshold": 5 * MIB, "multipart_chunksize": 5 * MIB}
    race = place.race(crew, size=6 * MIB, **parts)
    run(race, overwritten_download, lanes=2)
    assert [error for error in race.errors if not error.startswith("read")] == []
    tell(record_property, "overwrites during a ranged download", place, race)


def sync_and_upload(race: Race, prefix: str, chance: random.Random) -> Lane:
    """``sync --delete`` empties a deltaspace, or all but, while an upload adds to it and another one overwrites."""
    family = prefix.replace("/", " ")
    before = [race.upload(f"{prefix}{number}.zip", f"{family}/{number}") for number in range(2)]
    stays = {"0.zip": f"{family}/0"} if chance.random() < 0.3 else {}
    return before, [
        race.sync(stays, prefix, delay=chance.random() * 0.15),
        race.upload(f"{prefix}new.zip", f"{family}/7", delay=chance.random() * 0.1),
        race.upload(f"{prefix}1.zip", f"{family}/8", delay=chance.random() * 0.2),
    ]


def test_a_sync_that_deletes_and_an_upload(crew: Crew, place: Place, record_property: Record) -> None:
    race = place.race(crew)
    run(race, sync_and_upload)
    assert race.errors == []
    tell(record_property, "sync --delete against an upload", place, race)
