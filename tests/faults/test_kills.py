"""kill -9 of the command line at each of its steps: nothing that was there is lost, and a repeat of it completes."""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from deltaglider.engine.context import Context
from deltaglider.store.base import ObjectStore
from tests.engine.world import noise, revised
from tests.faults.kills import KINDS, UNUSED, Driver, Ended, Objects, Play, Scene, Stage, Step
from tests.faults.scale import FULL
from tests.servers import Endpoint

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800 if FULL else 120)]

OTHER = noise("other", 6000)
OLD, NEW = revised(OTHER, "old"), revised(OTHER, "new")
MORE = revised(OTHER, "more")

SCENES = {
    "the first upload": Scene(
        ("cp", "a.zip", "s3://BUCKET/p/a.zip"), {"q/b.zip": OTHER}, {"p/a.zip": NEW}, {"a.zip": NEW}
    ),
    "a second upload": Scene(
        ("cp", "a.zip", "s3://BUCKET/p/a.zip"), {"p/b.zip": OTHER}, {"p/a.zip": NEW}, {"a.zip": NEW}
    ),
    "a delta over a whole file": Scene(
        ("cp", "a.zip", "s3://BUCKET/p/a.zip"),
        {"p/a.zip": [OLD], "p/b.zip": OTHER},
        {"p/a.zip": NEW},
        {"a.zip": NEW},
    ),
    "a whole file over the last delta": Scene(
        ("cp", "--no-delta", "a.zip", "s3://BUCKET/p/a.zip"),
        {"p/a.zip": OLD},
        {"p/a.zip": NEW},
        {"a.zip": NEW},
    ),
    "a whole file in parts": Scene(
        ("cp", "a.txt", "s3://BUCKET/p/a.txt"),
        {"p/a.txt": [OLD], "p/b.zip": OTHER},
        {"p/a.txt": NEW * 900},
        {"a.txt": NEW * 900},
        in_parts=True,
    ),
    "a first delta in parts": Scene(
        ("cp", "a.zip", "s3://BUCKET/p/a.zip"),
        {},
        {"p/a.zip": NEW},
        {"a.zip": NEW},
        in_parts=True,
    ),
    "the delete of the last delta": Scene(
        ("rm", "s3://BUCKET/p/a.zip"), {"p/a.zip": OLD, "q/b.zip": OTHER}, {"p/a.zip": None}, {}
    ),
    "the delete of one of two": Scene(
        ("rm", "s3://BUCKET/p/a.zip"), {"p/a.zip": OLD, "p/b.zip": OTHER}, {"p/a.zip": None}, {}
    ),
    "the delete of both forms": Scene(
        ("rm", "s3://BUCKET/p/a.zip"), {"p/a.zip": (OLD, MORE), "p/b.zip": OTHER}, {"p/a.zip": None}, {}
    ),
    "the delete of a prefix": Scene(
        ("rm", "-r", "s3://BUCKET/p/"),
        {"p/a.zip": OLD, "p/b.zip": OTHER, "p2/c.zip": MORE},
        {"p/a.zip": None, "p/b.zip": None},
        {},
    ),
    "a copy": Scene(
        ("cp", "s3://BUCKET/p/a.zip", "s3://BUCKET/q/a.zip"), {"p/a.zip": NEW, "q/b.zip": OTHER}, {"q/a.zip": NEW}, {}
    ),
    "sync up": Scene(
        ("sync", "tree", "s3://BUCKET/p"),
        {"p/a.zip": OLD, "p/b.zip": OTHER, "p/c.txt": [OLD]},
        {"p/a.zip": NEW, "p/c.txt": NEW, "p/d.zip": MORE},
        {"tree/a.zip": NEW, "tree/b.zip": OTHER, "tree/c.txt": NEW, "tree/d.zip": MORE},
        old=("tree/b.zip",),
    ),
    "sync --delete up": Scene(
        ("sync", "--delete", "tree", "s3://BUCKET/p"),
        {"p/a.zip": OLD, "p/b.zip": OTHER, "p/c.txt": [OLD], "p2/a.zip": OTHER},
        {"p/a.zip": None, "p/b.zip": None, "p/c.txt": NEW},
        {"tree/c.txt": NEW},
    ),
    "cp down": Scene(
        ("cp", "s3://BUCKET/p/a.zip", "a.zip"), {"p/a.zip": NEW}, {}, {"a.zip": OLD, "b.zip": MORE}, {"a.zip": NEW}
    ),
    "sync --delete down": Scene(
        ("sync", "--delete", "s3://BUCKET/p", "tree"),
        {"p/a.zip": NEW, "p/b.txt": [OTHER], "p/c.zip": MORE},
        {},
        {"tree/a.zip": OLD, "tree/b.txt": OLD[:100], "tree/gone.zip": OLD, "mine.zip": OLD},
        {"tree/a.zip": NEW, "tree/b.txt": OTHER, "tree/c.zip": MORE, "tree/gone.zip": None},
    ),
}


# One step of each of these, in the suite; every step of every scene with ``nox -s faults``.
SAMPLE = ["a second upload", "sync --delete up"]


@pytest.mark.parametrize("name", SCENES if FULL else SAMPLE)
async def test_nothing_is_lost_wherever_it_is_killed(
    name: str,
    endpoint: Endpoint,
    bucket: str,
    tmp_path: Path,
    commands: Driver,
    stores: Callable[[Endpoint], ObjectStore],
    record_property: Callable[[str, object], None],
) -> None:
    scene = SCENES[name]
    stage = Stage(endpoint, bucket, tmp_path, scene)
    await stage.set()
    whole = await rehearse(stage, commands, stores)
    steps = every_step(whole)
    kinds: Counter[str] = Counter()
    killed = steps if FULL else random.Random(name + endpoint.name).sample(steps, 1)
    for step in killed:
        play = stage.play()
        store = stores(play.endpoint)
        ended = commands.run(play, *play.command, kill=step)
        try:
            assert ended.code in (-signal.SIGKILL, 0)
            await check_the_wreck(play, store, ended)
            left = await play.leftovers(store)
            assert left <= KINDS
            kinds.update(left)
            # The doctor comes before the command is repeated, or after it.
            if step.at % 2:
                await check_the_doctor(play, store, commands, left)
            await check_the_repeat(play, store, commands)
            if not step.at % 2:
                await check_the_doctor(play, store, commands, await play.leftovers(store))
        except AssertionError as error:
            error.add_note(f"{name}, on {endpoint.name}, killed {step}")
            raise
    found = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items())) or "nothing"
    record_property(
        "figure",
        f"kill -9, {name}, {endpoint.name}: {len(killed)} of {len(steps)} steps, 0 lost; left in the store: {found}",
    )


async def rehearse(stage: Stage, commands: Driver, stores: Callable[[Endpoint], ObjectStore]) -> Ended:
    """The scene without a kill, which tells its steps."""
    play = stage.play()
    ended = commands.run(play, *play.command, count=True)
    assert (ended.code, ended.err.count("rror")) == (0, 0), ended
    store = stores(play.endpoint)
    ctx = play.context(store, stranger=True)
    assert await play.read(ctx) == {**stage.scene.objects, **stage.scene.after}
    assert play.files() == ({**stage.scene.files, **stage.scene.files_after}, [])
    assert play.temporary() == []
    close(ctx)
    return ended


def every_step(whole: Ended) -> list[Step]:
    requests = [step for step in whole.steps if step.row == "request"]
    late = [Step(step.row, step.at, step.name, late=True) for step in requests]
    return [*whole.steps, *late]


async def check_the_wreck(play: Play, store: ObjectStore, ended: Ended) -> None:
    """Every object, and every local file, is the old one or the new one, and the new one where that was said."""
    scene = play.scene
    ctx = play.context(store, stranger=True)
    found, (files, strange) = await play.read(ctx), play.files()
    for now, before, after in ((found, scene.objects, scene.after), (files, scene.files, scene.files_after)):
        for key, data in now.items():
            assert data in (before.get(key), after.get(key, before.get(key))), f"{key} is neither old nor new"
    assert all(Path(name).name.startswith(".deltaglider-") for name in strange), strange
    for line in ended.out.splitlines():
        check_what_was_said(line, play, found, files)
    close(ctx)


def check_what_was_said(line: str, play: Play, found: Objects, files: Objects) -> None:
    action, _, rest = line.partition(": ")
    source, _, target = rest.partition(" to ")
    uri, path = (target, source) if action in ("upload", "copy") else (source, target)
    key = uri.removeprefix(f"s3://{play.bucket}/")
    if action == "download":
        name = os.path.normpath(path)
        assert files[name] == play.scene.files_after[name]
    elif uri.startswith("s3://"):
        assert action in ("upload", "copy", "delete")
        assert found[key] == play.scene.after[key]


async def check_the_repeat(play: Play, store: ObjectStore, commands: Driver) -> None:
    """The same command once more ends as if nothing had been, and cleans up on this machine."""
    scene = play.scene
    ended = commands.run(play, *play.command)
    assert (ended.code, ended.err.count("rror")) == (0, 0), ended
    # The next one that needs temporary files removes what the dead left.
    ctx = play.context(store, stranger=False)
    with ctx.spool.file():
        ctx.cache.usage()
    assert await play.read(ctx) == {**scene.objects, **scene.after}
    close(ctx)
    assert play.temporary() == []
    assert play.files() == ({**dict.fromkeys(scene.files_after), **scene.files, **scene.files_after}, [])


async def check_the_doctor(play: Play, store: ObjectStore, commands: Driver, left: set[str]) -> None:
    """It tells of all that is left, removes it, and then finds nothing."""
    if not left:
        return
    uri, age = f"s3://{play.bucket}", ("--older-than", "0s")
    before = await read(play, store)
    assert left <= findings(commands.run(play, "doctor", uri, "--json", *age))
    ended = commands.run(play, "doctor", uri, "--repair", *age)
    assert ended.code == 0, ended
    assert await play.leftovers(store) == set()
    assert findings(commands.run(play, "doctor", uri, "--json", *age)) == set()
    assert await read(play, store) == before


def findings(ended: Ended) -> set[str]:
    """The codes of what the doctor told of a bucket."""
    assert ended.code in (0, 1), ended
    codes = {str(said.get("code")) for line in ended.out.splitlines() if "severity" in (said := json.loads(line))}
    return {UNUSED if code == "reference_spare" else code for code in codes}


async def read(play: Play, store: ObjectStore) -> Objects:
    ctx = play.context(store, stranger=True)
    found = await play.read(ctx)
    close(ctx)
    return found


def close(ctx: Context) -> None:
    ctx.spool.close()
    ctx.cache.close()
