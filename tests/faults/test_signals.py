"""Ctrl-C and SIGTERM at the steps of a command: it ends in order, with nothing of its own left on this machine."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from deltaglider.store.base import ObjectStore
from tests.faults.kills import KINDS, PARTS, Driver, Stage
from tests.faults.scale import FULL, scaled
from tests.faults.test_kills import SCENES, check_the_repeat, check_the_wreck, every_step, rehearse
from tests.servers import Endpoint

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800 if FULL else 120)]

ENDS = {signal.SIGINT: (130, "cancelled: ctrl-c received"), signal.SIGTERM: (143, "cancelled: terminated")}
SAMPLE = ["a whole file in parts"]


def processes_of(place: Path) -> list[str]:
    """The command lines of processes that work on files below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{place}/" in line:
            found.append(line)
    return found


@pytest.mark.parametrize("name", SCENES if FULL else SAMPLE)
async def test_nothing_is_left_wherever_it_is_interrupted(
    name: str,
    endpoint: Endpoint,
    bucket: str,
    tmp_path: Path,
    commands: Driver,
    stores: Callable[[Endpoint], ObjectStore],
    record_property: Callable[[str, object], None],
) -> None:
    stage = Stage(endpoint, bucket, tmp_path, SCENES[name])
    await stage.set()
    steps = every_step(await rehearse(stage, commands, stores))
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    kinds: Counter[str] = Counter()
    rounds = scaled(1, 16)
    for number in range(rounds):
        step, which = chance.choice(steps), list(ENDS)[(number + len(name)) % 2]
        play = stage.play()
        store = stores(play.endpoint)
        ended = commands.run(play, *play.command, kill=step, which=int(which))
        try:
            code, words = ENDS[which]
            # The last steps of a command are those of cleaning up: then its work is done.
            assert ended.code in (0, code)
            assert words in ended.err or ended.code == 0
            assert "Traceback" not in ended.err
            assert processes_of(play.here) == []
            assert play.temporary() == []
            assert play.files()[1] == []
            left = await play.leftovers(store)
            assert left <= KINDS - {PARTS}
            kinds.update(left)
            await check_the_wreck(play, store, ended)
            await check_the_repeat(play, store, commands)
        except AssertionError as error:
            error.add_note(f"{name}, on {endpoint.name}, {which.name} {step}, seed {seed}\n{ended}")
            raise
    found = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())) or "nothing"
    figure = f"SIGINT and SIGTERM, {name}, {endpoint.name}: {rounds} times, 0 lost; left in the store: {found}"
    record_property("figure", figure)
